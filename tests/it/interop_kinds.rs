//! Python Feast reads every kind of object that feastr wrote.

use std::{collections::BTreeMap, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema, TimeUnit},
};
use parquet::arrow::ArrowWriter;

use feastr::{
    apply::apply,
    config::OnlineStoreConfig,
    model::{
        Aggregation, ConflictPolicy, DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource, DataType, DatasetStorage, Entity,
        Expression, FeatureService, FeatureView, Field, FileSource, KafkaSource, LabelView, OnDemandFeatureView,
        OnDemandSource, Permission, PermissionAction, PermissionType, Policy, Project as RepoProject, Projection,
        PushSource, Repo, RequestSource, SavedDataset, SourceKind, StreamFeatureView, StreamFormat, Tags, Timestamp,
        Ttl, ViewVersion,
    },
    online,
};
use serde_json::{Value as Json, json};

use crate::{
    interop::{INTEROP, feast},
    support::{Project, approving, sqlite_registry},
};

fn source(name: &str, kind: SourceKind) -> DataSource {
    DataSource {
        name: name.to_owned(),
        kind,
        timestamp_field: String::new(),
        created_timestamp_column: String::new(),
        field_mapping: BTreeMap::new(),
        date_partition_column: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    }
}

fn stats_file(path: &str) -> DataSource {
    DataSource {
        timestamp_field: "event_timestamp".to_owned(),
        created_timestamp_column: "created".to_owned(),
        ..source(
            "stats_file",
            SourceKind::File(FileSource { path: path.to_owned(), format: None, s3_endpoint_override: String::new() }),
        )
    }
}

/// The objects of `interop/kinds/definitions.py`, with the history in `path`.
fn rides(path: &str) -> Repo {
    let span = |text: &str| text.parse::<Ttl>().unwrap();
    let batch = stats_file(path);
    let push = DataSource {
        description: "what programs push".to_owned(),
        ..source("a_push", SourceKind::Push(PushSource { batch_source: Some(Box::new(batch.clone())) }))
    };
    let kafka = DataSource {
        timestamp_field: "event_timestamp".to_owned(),
        ..source(
            "kafka",
            SourceKind::Kafka(KafkaSource {
                bootstrap_servers: "localhost:9092".to_owned(),
                topic: "stats".to_owned(),
                message_format: Some(StreamFormat::Json {
                    schema_json: "driver_id bigint, conv_rate float".to_owned(),
                }),
                watermark_delay_threshold: Some(span("5m")),
                batch_source: Some(Box::new(batch.clone())),
            }),
        )
    };
    let request = source(
        "request",
        SourceKind::Request(RequestSource {
            schema: vec![Field::new("val_to_add", DataType::Int64), Field::new("note", DataType::String)],
        }),
    );
    let keys = vec![Field::new("driver_id", DataType::Int64)];
    let features = vec![Field::new("conv_rate", DataType::Float32), Field::new("avg_daily_trips", DataType::Int64)];
    let stats = FeatureView {
        name: "driver_stats".to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: keys.clone(),
        features: features.clone(),
        ttl: Ttl::UNLIMITED,
        source: Some(batch.clone()),
        stream_source: None,
        online: true,
        offline: false,
        enabled: true,
        enable_validation: false,
        mode: String::new(),
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    };
    let pushed = FeatureView {
        name: "driver_pushed".to_owned(),
        ttl: span("2d"),
        stream_source: Some(push.clone()),
        ..stats.clone()
    };
    let stream = StreamFeatureView {
        name: "driver_stream".to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: keys.clone(),
        features: features.clone(),
        ttl: Ttl::UNLIMITED,
        source: Some(batch.clone()),
        stream_source: Some(kafka.clone()),
        aggregations: vec![Aggregation {
            column: "conv_rate".to_owned(),
            function: "sum".to_owned(),
            time_window: span("1h"),
            slide_interval: span("1h"),
            name: String::new(),
        }],
        timestamp_field: "event_timestamp".to_owned(),
        enable_tiling: false,
        tiling_hop_size: None,
        online: true,
        enabled: true,
        enable_validation: false,
        mode: "python".to_owned(),
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    };
    let labels = LabelView {
        name: "driver_labels".to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: keys,
        features: vec![Field::new("is_good", DataType::Int64), Field::new("labeler", DataType::String)],
        ttl: Ttl::UNLIMITED,
        source: Some(push.clone()),
        online: true,
        labeler_field: "labeler".to_owned(),
        conflict_policy: ConflictPolicy::MajorityVote,
        retain_history: false,
        reference_feature_view: "driver_stats".to_owned(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    };
    let select = |view: &str, features: &[Field], source: Option<&DataSource>| Projection {
        view: view.to_owned(),
        features: features.to_vec(),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: source.cloned(),
        labels: false,
    };
    let (outputs, expressions) = [
        ("sum_f", DataType::Float64, "conv_rate + val_to_add"),
        ("trips2", DataType::Int64, "avg_daily_trips * 2 -- both ways"),
        ("label", DataType::String, "'ü \"' || driver_stats__avg_daily_trips || E'\\n' || note"),
        ("flag", DataType::Bool, "CONV_RATE > 0.5"),
        ("constant", DataType::Int32, "7"),
    ]
    .into_iter()
    .map(|(name, dtype, sql)| (Field::new(name, dtype), Expression { name: name.to_owned(), sql: sql.to_owned() }))
    .unzip::<_, _, Vec<_>, Vec<_>>();
    let sums = OnDemandFeatureView {
        name: "driver_sums".to_owned(),
        entities: vec![DUMMY_ENTITY.to_owned()],
        entity_columns: vec![Field::new(DUMMY_JOIN_KEY, DataType::String)],
        sources: vec![
            OnDemandSource::View(select("driver_stats", &features, Some(&batch))),
            OnDemandSource::Request(request.clone()),
        ],
        features: outputs.clone(),
        expressions,
        write_to_online_store: false,
        enabled: true,
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    };
    let everything = FeatureService {
        name: "everything".to_owned(),
        features: vec![
            select("driver_stats", &features[..1], Some(&batch)),
            Projection { name_alias: Some("fresh".to_owned()), ..select("driver_pushed", &features, Some(&batch)) },
            select("driver_sums", &outputs, None),
            select("driver_stream", &features, Some(&batch)),
            Projection { labels: true, ..select("driver_labels", &labels.features, Some(&batch)) },
        ],
        logging_config: None,
        precompute_online: false,
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    };
    let reader = Permission {
        name: "reader".to_owned(),
        types: vec![PermissionType::FeatureView, PermissionType::FeatureService],
        name_patterns: vec!["driver_.*".to_owned()],
        required_tags: Tags::new(),
        actions: vec![PermissionAction::ReadOffline, PermissionAction::ReadOnline],
        policy: Policy::Roles(vec!["analyst".to_owned()]),
        tags: Tags::new(),
    };
    let training = SavedDataset {
        name: "training".to_owned(),
        features: vec!["driver_stats:conv_rate".to_owned()],
        join_keys: vec!["driver_id".to_owned()],
        full_feature_names: false,
        storage: DatasetStorage::File {
            path: "data/training.parquet".to_owned(),
            format: None,
            s3_endpoint_override: String::new(),
        },
        feature_service: String::new(),
        namespace: String::new(),
        collection: String::new(),
        description: "of May".to_owned(),
        tags: Tags::new(),
    };
    Repo {
        project: RepoProject {
            name: "rides".to_owned(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        },
        data_sources: vec![batch, push, kafka, request],
        entities: vec![Entity {
            name: "driver".to_owned(),
            join_key: "driver_id".to_owned(),
            value_type: Some(DataType::Int64),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        }],
        feature_views: vec![stats, pushed],
        on_demand_feature_views: vec![sums],
        stream_feature_views: vec![stream],
        label_views: vec![labels],
        feature_services: vec![everything],
        permissions: vec![reader],
        saved_datasets: vec![training],
        validation_references: Vec::new(),
        places: BTreeMap::new(),
    }
}

/// The folder of the repo with its data; nothing is applied yet.
fn folder() -> Project {
    let project = Project::new(&[]);
    for file in ["feature_store.yaml", "definitions.py"] {
        project.copy(&Path::new(INTEROP).join("kinds").join(file), file);
    }
    let stats = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&stats, "data/driver_stats.parquet");
    project
}

fn apply_to(project: &Project, repo: &Repo) -> usize {
    let registry = sqlite_registry(&project.path("data/registry.db"));
    let path = project.path("data").canonicalize().unwrap().join("online_store.db");
    let online = online::open(&OnlineStoreConfig::Sqlite { path });
    apply(repo, registry.as_ref(), Some(online.as_ref()), approving(Timestamp::now())).unwrap().changes.len()
}

#[test]
fn python_feast_reads_and_computes_every_kind() {
    let project = folder();
    let repo = rides("data/driver_stats.parquet");
    apply_to(&project, &repo);
    assert_eq!(apply_to(&project, &repo), 0);
    let [plan, objects] = feast(&project, &[json!({"plan": {}}), json!({"objects": {}})]).try_into().unwrap();
    let is_change = |line: &&str| ["Created", "Updated", "Deleted"].iter().any(|verb| line.starts_with(verb));
    let changes: Vec<&str> = plan.as_str().unwrap().lines().filter(is_change).collect();
    // Feast counts join keys among the features of a stream view that it has read, and so finds
    // every one of them changed, those it wrote itself as well.
    assert_eq!(changes, ["Updated stream feature view driver_stream"]);
    assert_registered(&objects);

    project.feastr(&["materialize", "2020-01-01", "2030-01-01", "--views", "driver_stats"]).ok();
    write_training_rows(&project.path("data/training_rows.parquet"));
    let sums = json!([
        "driver_stats:conv_rate",
        "driver_stats:avg_daily_trips",
        "driver_sums:sum_f",
        "driver_sums:trips2",
        "driver_sums:label",
        "driver_sums:flag",
        "driver_sums:constant"
    ]);
    let entities = json!([
        {"driver_id": 1001, "val_to_add": 10, "note": "a"},
        {"driver_id": 1002, "val_to_add": 20, "note": "b"},
        {"driver_id": 1, "val_to_add": 30, "note": "c"},
    ]);
    let steps = [
        json!({"online": {"features": sums, "entities": entities}}),
        json!({"online": {"features": sums, "entities": entities, "full_feature_names": true}}),
        json!({"historical": {"features": sums, "entities": "data/training_rows.parquet"}}),
    ];
    let [online, full_names, historical] = feast(&project, &steps).try_into().unwrap();
    let rates = online["conv_rate"]["values"].as_array().unwrap();
    let trips = online["avg_daily_trips"]["values"].as_array().unwrap();
    for (row, (to_add, note)) in [(10.0, "a"), (20.0, "b"), (30.0, "c")].into_iter().enumerate() {
        let value = |name: &str| online[name]["values"][row].clone();
        let (rate, trips) = (rates[row].as_f64(), trips[row].as_i64());
        assert_eq!(rate.is_some(), row < 2, "the third driver is unknown");
        assert_eq!(value("sum_f").as_f64(), rate.map(|rate| f64::from(rate as f32 + to_add as f32)));
        assert_eq!(value("trips2").as_f64().map(|value| value as i64), trips.map(|trips| trips * 2));
        assert_eq!(value("label"), trips.map_or(Json::Null, |trips| json!(format!("ü \"{trips}\n{note}"))));
        assert_eq!(value("flag").as_bool(), rate.map(|rate| rate > 0.5));
        assert_eq!(value("constant"), 7);
        assert_eq!(full_names["driver_sums__label"]["values"][row], value("label"));
    }

    let names: Vec<&str> = historical["names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    let rows = historical["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 2);
    for row in rows {
        let value = |wanted: &str| &row[names.iter().position(|name| *name == wanted).unwrap()];
        let trips = value("avg_daily_trips").as_i64().unwrap();
        assert_eq!(value("trips2").as_i64(), Some(trips * 2));
        assert_eq!(*value("label"), json!(format!("ü \"{trips}\n{}", value("note").as_str().unwrap())));
        assert_eq!(value("flag").as_bool(), value("conv_rate").as_f64().map(|rate| rate > 0.5));
        assert_eq!(*value("constant"), 7);
    }
}

#[track_caller]
fn assert_registered(objects: &Json) {
    for (kind, count) in [
        ("data_sources", 4),
        ("feature_views", 2),
        ("on_demand_feature_views", 1),
        ("stream_feature_views", 1),
        ("label_views", 1),
        ("feature_services", 1),
        ("permissions", 1),
    ] {
        let objects = &objects[kind];
        assert_eq!(objects["registered"].as_object().unwrap().len(), count, "{kind}");
        assert_eq!(in_order(&objects["registered"]), in_order(&objects["declared"]), "{kind}");
    }
    let training = &objects["saved_datasets"]["registered"]["training"]["spec"];
    assert_eq!(training["storage"], json!({"fileStorage": {"uri": "data/training.parquet"}}));
}

/// Rows to join with, as a parquet file.
fn write_training_rows(path: &Path) {
    let schema = Arc::new(Schema::new(vec![
        ArrowField::new("row", ArrowType::Int64, false),
        ArrowField::new("driver_id", ArrowType::Int64, false),
        ArrowField::new("event_timestamp", ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), false),
        ArrowField::new("val_to_add", ArrowType::Int64, false),
        ArrowField::new("note", ArrowType::Utf8, false),
    ]));
    let late = "2030-01-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let columns: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![1, 2])),
        Arc::new(Int64Array::from(vec![1001, 1002])),
        Arc::new(TimestampMicrosecondArray::from(vec![late; 2]).with_timezone("UTC")),
        Arc::new(Int64Array::from(vec![5, 6])),
        Arc::new(StringArray::from(vec!["x", "y"])),
    ];
    let batch = RecordBatch::try_new(Arc::clone(&schema), columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), schema, None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The messages with the schemas of stream views, which have no order in Feast, sorted.
fn in_order(objects: &Json) -> Json {
    let mut objects = objects.clone();
    for object in objects.as_object_mut().unwrap().values_mut() {
        if let Some(features) = object.pointer_mut("/spec/features").and_then(Json::as_array_mut) {
            features.sort_by_key(|feature| feature["name"].to_string());
        }
    }
    objects
}
