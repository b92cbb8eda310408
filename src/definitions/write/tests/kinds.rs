//! Random objects of the kinds around feature views.

use std::collections::BTreeSet;

use proptest::{collection::vec, option, prelude::*, sample::select};

use super::{dtype, field, keys, labels, name, tags, text, view_name};
use crate::model::{
    AGGREGATIONS_TAG, Aggregation, Checks, ConflictPolicy, CustomSource, DUMMY_ENTITY, DUMMY_JOIN_KEY, DataSource,
    DataType, DatasetStorage, Entity, Expression, Field, FileFormat, FileSource, FutureRows, KafkaSource,
    KinesisSource, LabelView, NullKeys, Object, OnDemandFeatureView, OnDemandSource, OutOfRange, PROTECT_TAG,
    Permission, PermissionAction, PermissionType, Policy, PostgresSource, Projection, PushSource, RENAMED_FROM_TAG,
    RequestSource, SQL_TAG, SavedDataset, SourceKind, SparkSource, StreamFeatureView, StreamFormat, TableVersion, Tags,
    Timestamp, Ttl, ValidationReference, ViewVersion, Warehouse, WarehouseSource,
};

/// Tags with those that are keys of every object.
pub(crate) fn kept_tags() -> impl Strategy<Value = Tags> {
    (tags(), any::<bool>(), option::of(any::<u64>())).prop_map(|(mut tags, protect, renamed_from)| {
        if protect {
            tags.insert(PROTECT_TAG.to_owned(), "true".to_owned());
        }
        // No two objects of a kind may have had one name.
        tags.extend(renamed_from.map(|old| (RENAMED_FROM_TAG.to_owned(), format!("old{old}"))));
        tags
    })
}

fn span() -> impl Strategy<Value = Ttl> {
    (1..10_000_000_000_000i64).prop_map(Ttl::from_micros)
}

/// Ways to write times.
const TIMES: [&str; 4] = ["", "epoch_seconds", "%d.%m.%Y %H:%M", "%Y-%m-%dT%H:%M:%S%z"];

fn batch_kind() -> impl Strategy<Value = SourceKind> {
    let format = || option::of(select(FileFormat::ALL.to_vec()));
    let texts = (option::of(select(vec![';', '|', '\t', '\u{1}', ' ', '\''])), select(TIMES.to_vec()));
    let version = option::of(prop_oneof![
        (0..i64::MAX as u64).prop_map(TableVersion::Number),
        (0..4_000_000_000_000_000i64).prop_map(|micros| TableVersion::AsOf(Timestamp::from_micros(micros))),
    ]);
    let file = (name("data/"), format(), text(), texts, version).prop_map(
        |(path, format, s3_endpoint_override, texts, version)| {
            let (delimiter, times) = texts;
            let table_version = version.filter(|_| format == Some(FileFormat::Delta));
            let delimiter = delimiter.filter(|_| format == Some(FileFormat::Csv));
            let timestamp_format = if format == Some(FileFormat::Delta) { String::new() } else { times.to_owned() };
            SourceKind::File(FileSource {
                path,
                format,
                s3_endpoint_override,
                delimiter,
                timestamp_format,
                table_version,
            })
        },
    );
    let postgres = (name("t"), any::<bool>()).prop_map(|(rows, is_query)| {
        let (table, query) = if is_query { (String::new(), rows) } else { (rows, String::new()) };
        SourceKind::Postgres(PostgresSource { table, query })
    });
    let spark = (name("t"), 0..3usize, select(vec!["%Y-%m-%d", "", "%d"])).prop_map(|(place, which, format)| {
        let [table, query, path] = [0, 1, 2].map(|index| if index == which { place.clone() } else { String::new() });
        let file_format = if which == 2 { "parquet".to_owned() } else { String::new() };
        SourceKind::Spark(SparkSource {
            table,
            query,
            path,
            file_format,
            date_partition_column_format: format.to_owned(),
        })
    });
    let warehouse = (select(Warehouse::ALL.to_vec()), name("t")).prop_map(|(warehouse, table)| {
        let mut options = Tags::from([("table".to_owned(), table)]);
        for required in warehouse.options().iter().filter(|option| ["schema", "database"].contains(*option)) {
            options.insert((*required).to_owned(), "some".to_owned());
        }
        SourceKind::Warehouse(WarehouseSource { warehouse, options })
    });
    let custom = (name("module."), text())
        .prop_map(|(class_type, configuration)| SourceKind::Custom(CustomSource { class_type, configuration }));
    prop_oneof![4 => file, 1 => postgres, 1 => spark, 1 => warehouse, 1 => custom]
}

fn connection() -> impl Strategy<Value = Tags> {
    let keys = (name("p"), name("n"), option::of(name("ns")), option::of(name("type")), option::of(name("auth")));
    (keys, option::of(text())).prop_map(|((provider, name, namespace, kind, auth), parameter)| {
        let optional =
            [("namespace", namespace), ("connection-type", kind), ("auth-type", auth), ("param.a b", parameter)];
        [("provider", Some(provider)), ("name", Some(name))]
            .into_iter()
            .chain(optional)
            .filter_map(|(key, value)| Some((format!("feast.connection-ref.{key}"), value?)))
            .collect()
    })
}

prop_compose! {
    /// Any source with history.
    pub fn batch_source(index: usize)(
        name in name("s"), kind in batch_kind(), labels in labels(), created in any::<bool>(), dated in any::<bool>(),
        mapping in proptest::collection::btree_map("m[a-z]{1,4}", text(), 0..3), connection in option::of(connection()),
    ) -> DataSource {
        let (description, owner, mut tags) = labels;
        tags.extend(connection.into_iter().flatten());
        // No two columns may get one name.
        let mut names = BTreeSet::new();
        let mapping = mapping.into_iter().filter(|(_, name)| names.insert(name.clone())).collect();
        let can_be_dated = matches!(kind, SourceKind::Spark(_) | SourceKind::Custom(_));
        DataSource {
            name: format!("{name}{index}"),
            kind,
            timestamp_field: "time".to_owned(),
            created_timestamp_column: if created { "created".to_owned() } else { String::new() },
            field_mapping: mapping,
            date_partition_column: if dated && can_be_dated { "day".to_owned() } else { String::new() },
            description,
            owner,
            tags,
        }
    }
}

fn stream_format() -> impl Strategy<Value = StreamFormat> {
    text().prop_flat_map(|text| {
        select(vec![
            StreamFormat::Avro { schema_json: text.clone() },
            StreamFormat::Json { schema_json: text.clone() },
            StreamFormat::Proto { class_path: text },
        ])
    })
}

prop_compose! {
    /// A stream in front of one of these sources.
    pub fn stream_source(index: usize, history: Vec<DataSource>)(
        name in name("stream"), labels in labels(), history in select(history), format in option::of(stream_format()),
        place in (text(), text()), which in 0..3usize, delay in option::of(span()),
    ) -> DataSource {
        let batch_source = Some(Box::new(history));
        let (description, owner, tags) = labels;
        let (first, second) = place;
        let kind = match which {
            0 => SourceKind::Push(PushSource { batch_source }),
            1 => SourceKind::Kafka(KafkaSource {
                bootstrap_servers: first, topic: second, message_format: format, watermark_delay_threshold: delay,
                batch_source,
            }),
            _ => SourceKind::Kinesis(KinesisSource {
                region: first, stream_name: second, record_format: format, batch_source,
            }),
        };
        let timed = which > 0;
        DataSource {
            name: format!("{name}{index}"), kind,
            timestamp_field: if timed { "time".to_owned() } else { String::new() },
            created_timestamp_column: String::new(), field_mapping: Tags::new(),
            date_partition_column: String::new(), description, owner, tags,
        }
    }
}

prop_compose! {
    /// Any request source.
    pub fn request_source(index: usize)(
        name in name("request"), labels in labels(),
        schema in (1..3usize).prop_flat_map(|count| (0..count).map(field).collect::<Vec<_>>()),
    ) -> DataSource {
        let (description, owner, tags) = labels;
        DataSource {
            name: format!("{name}{index}"), kind: SourceKind::Request(RequestSource { schema }),
            timestamp_field: String::new(), created_timestamp_column: String::new(), field_mapping: Tags::new(),
            date_partition_column: String::new(), description, owner, tags,
        }
    }
}

prop_compose! {
    fn aggregation(index: usize)(
        function in select(vec!["sum", "count_distinct"]), window in span(), slide in option::of(span()), name in text(),
    ) -> Aggregation {
        Aggregation {
            column: format!("column{index}"), function: function.to_owned(), time_window: window,
            slide_interval: slide.unwrap_or(window),
            // No two of a view have the same.
            name: if name.is_empty() { name } else { format!("{name}{index}") },
        }
    }
}

fn aggregations() -> impl Strategy<Value = Vec<Aggregation>> {
    (0..3usize).prop_flat_map(|count| (0..count).map(aggregation).collect::<Vec<_>>())
}

/// Tags of a batch view: its query, its aggregations, or both.
pub(crate) fn transformation() -> impl Strategy<Value = Tags> {
    (option::of("SELECT [a-z, ]{1,20}\n?FROM source"), aggregations())
        .prop_map(|(sql, aggregations)| {
            let mut tags = Tags::new();
            tags.extend(sql.map(|sql| (SQL_TAG.to_owned(), sql)));
            if !aggregations.is_empty() {
                tags.insert(AGGREGATIONS_TAG.to_owned(), serde_json::to_string(&aggregations).unwrap());
            }
            tags
        })
        .prop_filter("a transformation", |tags| !tags.is_empty())
}

/// The tag with the checks of a source, if there are any.
pub(crate) fn checks() -> impl Strategy<Value = Tags> {
    let words = (select(NullKeys::ALL.to_vec()), select(OutOfRange::ALL.to_vec()), select(FutureRows::ALL.to_vec()));
    (words, 0..3u64).prop_map(|((null_keys, out_of_range, future), min_rows)| {
        let mut tags = Tags::new();
        Checks { null_keys, out_of_range, future, min_rows }.add_to(&mut tags);
        tags
    })
}

/// Any version of a view.
pub(crate) fn version() -> impl Strategy<Value = ViewVersion> {
    prop_oneof![Just(ViewVersion::Latest), (0..100).prop_map(ViewVersion::Pinned)]
}

prop_compose! {
    fn stream_view(index: usize, entities: Vec<Entity>, streams: Vec<DataSource>)(
        name in view_name("sv"), labels in labels(), org in text(), ttl in span(), mode in text(), stream in select(streams),
        features in (1..3usize).prop_flat_map(|count| (0..count).map(field).collect::<Vec<_>>()),
        flags in any::<[bool; 3]>(), aggregations in aggregations(), hop in option::of(span()), version in version(),
        sql in option::of("SELECT [a-z]{1,9}"), keys in keys(entities), checks in checks(),
    ) -> StreamFeatureView {
        let (description, owner, mut tags) = labels;
        tags.extend(sql.map(|sql| (SQL_TAG.to_owned(), sql)));
        tags.extend(checks);
        let [online, enabled, enable_validation] = flags;
        let (entities, entity_columns) = keys;
        StreamFeatureView {
            name: format!("{name}{index}"), entities, entity_columns, features: features.into(), ttl,
            source: stream.kind.batch_source().cloned(), stream_source: Some(stream), aggregations,
            timestamp_field: "time".to_owned(), enable_tiling: false, tiling_hop_size: hop, online, enabled,
            enable_validation, mode, version, description, owner, org, tags,
        }
    }
}

prop_compose! {
    fn label_view(index: usize, entities: Vec<Entity>, sources: Vec<DataSource>)(
        name in view_name("lv"), labels in labels(), ttl in span(), source in option::of(select(sources)), online in any::<bool>(),
        features in (1..3usize).prop_flat_map(|count| (0..count).map(field).collect::<Vec<_>>()),
        labeler_field in prop_oneof![Just("labeler".to_owned()), text()], retain_history in any::<bool>(),
        conflict_policy in select(ConflictPolicy::ALL.to_vec()), reference_feature_view in text(),
        keys in keys(entities),
    ) -> LabelView {
        let (description, owner, tags) = labels;
        let (entities, entity_columns) = keys;
        LabelView {
            name: format!("{name}{index}"), entities, entity_columns, features, ttl, source, online, labeler_field,
            conflict_policy, retain_history, reference_feature_view, description, owner, tags,
        }
    }
}

prop_compose! {
    /// Any on-demand view over these inputs.
    pub fn on_demand_view(index: usize, view: Projection, request: DataSource)(
        name in view_name("ov"), labels in labels(), org in text(), count in 1..3usize, flags in any::<[bool; 3]>(),
        version in version(), dtype in select(vec![DataType::Int64, DataType::Float64]),
    ) -> OnDemandFeatureView {
        let (description, owner, mut tags) = labels;
        let [write_to_online_store, enabled, tracked] = flags;
        if tracked {
            tags.insert("feast:track_metrics".to_owned(), "true".to_owned());
        }
        let outputs = (0..count).map(|index| format!("output{index}"));
        let mut sources = vec![OnDemandSource::View(view.clone()), OnDemandSource::Request(request.clone())];
        sources.sort_by(|a, b| a.name().cmp(b.name()));
        OnDemandFeatureView {
            name: format!("{name}{index}"), entities: vec![DUMMY_ENTITY.to_owned()],
            entity_columns: vec![Field::new(DUMMY_JOIN_KEY, DataType::String)], sources,
            features: outputs.clone().map(|name| Field::new(name, dtype.clone())).collect(),
            expressions: outputs.map(|name| Expression { name, sql: "1 + 'a: b'::INT -- x".to_owned() }).collect(),
            write_to_online_store, enabled, version, description, owner, org, tags,
        }
    }
}

fn words() -> impl Strategy<Value = Vec<String>> {
    vec(name("w"), 1..3)
}

prop_compose! {
    fn permission(index: usize)(
        name in name("permission"), tags in kept_tags(), required_tags in tags(),
        types in proptest::sample::subsequence(PermissionType::ALL.to_vec(), 1..=PermissionType::ALL.len()).prop_shuffle(),
        actions in proptest::sample::subsequence(PermissionAction::ALL.to_vec(), 1..=PermissionAction::ALL.len())
            .prop_shuffle(),
        name_patterns in vec(r"[a-z]{1,3}(\.\*|\\d\+|_)?", 0..3),
        policy in prop_oneof![
            Just(Policy::AllowAll), words().prop_map(Policy::Roles), words().prop_map(Policy::Groups),
            words().prop_map(Policy::Namespaces),
            (words(), words()).prop_map(|(groups, namespaces)| Policy::GroupsAndNamespaces { groups, namespaces }),
        ],
    ) -> Permission {
        // As Feast, definitions trim the tags of permissions.
        let trimmed = |tags: Tags| -> Tags {
            tags.into_iter().map(|(key, value)| (key.trim().to_owned(), value.trim().to_owned())).collect()
        };
        let (required_tags, tags) = (trimmed(required_tags), trimmed(tags));
        Permission { name: format!("{name}{index}"), types, name_patterns, required_tags, actions, policy, tags }
    }
}

fn storage() -> impl Strategy<Value = DatasetStorage> {
    batch_kind().prop_map(|kind| match kind {
        SourceKind::Postgres(postgres) => DatasetStorage::Postgres(postgres),
        SourceKind::Spark(spark) => DatasetStorage::Spark(spark),
        SourceKind::Warehouse(warehouse) => DatasetStorage::Warehouse(warehouse),
        SourceKind::File(FileSource { path, format, s3_endpoint_override, .. }) => {
            DatasetStorage::File { path, format, s3_endpoint_override }
        }
        _ => DatasetStorage::File { path: "data".to_owned(), format: None, s3_endpoint_override: String::new() },
    })
}

prop_compose! {
    fn dataset(index: usize)(
        name in name("dataset"), description in text(), tags in kept_tags(), features in vec(name("view:"), 0..3),
        join_keys in vec(text(), 0..3), full_feature_names in any::<bool>(), storage in storage(),
        places in (text(), text(), text()), dtype in dtype(),
    ) -> (SavedDataset, ValidationReference) {
        let (feature_service, namespace, collection) = places;
        let features = features.into_iter().map(|feature| format!("{feature}{dtype}")).collect();
        let dataset = SavedDataset {
            name: format!("{name}{index}"), features, join_keys, full_feature_names, storage, feature_service, namespace,
            collection, description: description.clone(), tags: tags.clone(),
        };
        let reference = ValidationReference {
            name: format!("checks{index}"), reference_dataset: dataset.name.clone(), description, tags,
        };
        (dataset, reference)
    }
}

/// A stream view (if there is a stream for it), a label view, a permission, a dataset and its checks.
pub(crate) fn around(
    entities: Vec<Entity>,
    sources: Vec<DataSource>,
    streams: Vec<DataSource>,
) -> impl Strategy<Value = Vec<Object>> {
    let stream_views: Vec<_> =
        if streams.is_empty() { Vec::new() } else { vec![stream_view(0, entities.clone(), streams)] };
    (stream_views, label_view(0, entities, sources), permission(0), dataset(0)).prop_map(
        |(stream_views, label_view, permission, (dataset, reference))| {
            let others = [
                Object::LabelView(label_view),
                Object::Permission(permission),
                Object::SavedDataset(dataset),
                Object::ValidationReference(reference),
            ];
            stream_views.into_iter().map(Object::StreamFeatureView).chain(others).collect()
        },
    )
}
