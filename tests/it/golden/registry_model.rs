//! Recorded rows through the model and back: what feastr can manage is written as Feast wrote it,
//! and the rest is left alone.

use std::collections::BTreeMap;

use feastr::{
    apply::{ApplyError, apply},
    config::RegistryConfig,
    feast::messages::{
        DataSource, Entity, FeatureService, FeatureView as FeatureViewMessage, LabelView as LabelViewMessage,
        OnDemandFeatureView, Permission, Project as ProjectMessage, SavedDataset, StreamFeatureView,
        ValidationReference, decode,
    },
    model::{
        FeatureView, LabelView, Object, ObjectId, ObjectKind, Project, RegistryState, Repo, SourceKind, Tags,
        Timestamp, ViewVersion,
    },
    plan::Plan,
    registry::{self, RegistryStore, Row, Snapshot, state},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::registry_rows::{bytes, golden_root, read_json};

const RECORDINGS: [&str; 4] = ["extra", "local_pandas", "local_python", "kinds"];

/// Tables with their name and message columns.
const TABLES: [(ObjectKind, &str, &str, &str); 11] = [
    (ObjectKind::Project, "projects", "project_name", "project_proto"),
    (ObjectKind::DataSource, "data_sources", "data_source_name", "data_source_proto"),
    (ObjectKind::Entity, "entities", "entity_name", "entity_proto"),
    (ObjectKind::FeatureView, "feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::OnDemandFeatureView, "on_demand_feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::StreamFeatureView, "stream_feature_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::LabelView, "label_views", "feature_view_name", "feature_view_proto"),
    (ObjectKind::FeatureService, "feature_services", "feature_service_name", "feature_service_proto"),
    (ObjectKind::Permission, "permissions", "permission_name", "permission_proto"),
    (ObjectKind::SavedDataset, "saved_datasets", "saved_dataset_name", "saved_dataset_proto"),
    (
        ObjectKind::ValidationReference,
        "validation_references",
        "validation_reference_name",
        "validation_reference_proto",
    ),
];

/// A recording with its rows, and the folder of a registry that is still empty.
pub struct Recording {
    name: &'static str,
    tables: Value,
    rows: Vec<Row>,
    pub folder: tempfile::TempDir,
}

impl Recording {
    pub fn read(name: &'static str) -> Self {
        let tables = read_json(&golden_root().join(format!("registry/{name}/sqlite_rows.json")));
        let mut rows = Vec::new();
        for (kind, table, name_column, proto_column) in TABLES {
            for row in tables[table].as_array().into_iter().flatten() {
                let name = row[name_column].as_str().unwrap().to_owned();
                let updated = row["last_updated_timestamp"].as_i64().unwrap();
                rows.push(Row { kind, name, updated, proto: bytes(&row[proto_column]) });
            }
        }
        Self { name, tables, rows, folder: tempfile::tempdir().unwrap() }
    }

    fn state(&self) -> RegistryState {
        state(&Snapshot { rows: self.rows.clone(), ..Snapshot::default() })
    }

    fn registry(&self) -> Box<dyn RegistryStore> {
        registry::open(&RegistryConfig::Sqlite { path: self.folder.path().join("registry.db") })
    }

    /// Makes the registry hold these objects.
    fn apply(&self, objects: impl IntoIterator<Item = Object>) -> Result<Plan, ApplyError> {
        apply(&repo(objects), self.registry().as_ref(), None, NOW)
    }

    /// Puts the recorded rows into the registry, their version histories included.
    pub fn restore(&self) {
        self.apply(self.objects().into_values().filter(|object| matches!(object, Object::Project(_)))).unwrap();
        let database = Connection::open(self.folder.path().join("registry.db")).unwrap();
        for (table, rows) in self.tables.as_object().unwrap() {
            database.execute(&format!("DELETE FROM {table}"), []).unwrap();
            for row in rows.as_array().unwrap() {
                let columns = row.as_object().unwrap();
                let names: Vec<&str> = columns.keys().map(String::as_str).collect();
                let values = columns.values().map(|value| match value {
                    Value::Object(_) => rusqlite::types::Value::Blob(bytes(value)),
                    Value::Number(number) => rusqlite::types::Value::Integer(number.as_i64().unwrap()),
                    Value::String(text) => rusqlite::types::Value::Text(text.clone()),
                    _ => rusqlite::types::Value::Null,
                });
                let marks = vec!["?"; names.len()].join(", ");
                let insert = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
                database.execute(&insert, rusqlite::params_from_iter(values)).unwrap();
            }
        }
    }

    /// What feastr manages of the recorded rows.
    fn objects(&self) -> BTreeMap<ObjectId, Object> {
        self.state().objects
    }

    /// The project's rows as they are stored now.
    fn stored(&self) -> Snapshot {
        self.registry().snapshot(self.tables["projects"][0]["project_id"].as_str().unwrap()).unwrap()
    }
}

/// Later than every recorded time.
const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// The repo that declares these objects.
fn repo(objects: impl IntoIterator<Item = Object>) -> Repo {
    let project = Project { name: String::new(), description: String::new(), owner: String::new(), tags: Tags::new() };
    let mut repo = Repo {
        project,
        data_sources: Vec::new(),
        entities: Vec::new(),
        feature_views: Vec::new(),
        on_demand_feature_views: Vec::new(),
        stream_feature_views: Vec::new(),
        label_views: Vec::new(),
        feature_services: Vec::new(),
        permissions: Vec::new(),
        saved_datasets: Vec::new(),
        validation_references: Vec::new(),
        places: BTreeMap::new(),
    };
    for object in objects {
        match object {
            Object::Project(project) => repo.project = project,
            Object::DataSource(source) => repo.data_sources.push(source),
            Object::Entity(entity) => repo.entities.push(entity),
            Object::FeatureView(view) => repo.feature_views.push(view),
            Object::OnDemandFeatureView(view) => repo.on_demand_feature_views.push(view),
            Object::StreamFeatureView(view) => repo.stream_feature_views.push(view),
            Object::LabelView(view) => repo.label_views.push(view),
            Object::FeatureService(service) => repo.feature_services.push(service),
            Object::Permission(permission) => repo.permissions.push(permission),
            Object::SavedDataset(dataset) => repo.saved_datasets.push(dataset),
            Object::ValidationReference(reference) => repo.validation_references.push(reference),
        }
    }
    repo
}

/// A stored message as JSON, without the times of its run. The schema of a stream view has no order.
fn message(row: &Row) -> Value {
    fn read<M: prost::Message + Default + serde::Serialize>(bytes: &[u8]) -> Value {
        serde_json::to_value(decode::<M>(bytes).unwrap()).unwrap()
    }
    let mut json = match row.kind {
        ObjectKind::Project => read::<ProjectMessage>(&row.proto),
        ObjectKind::DataSource => read::<DataSource>(&row.proto),
        ObjectKind::Entity => read::<Entity>(&row.proto),
        ObjectKind::FeatureView => read::<FeatureViewMessage>(&row.proto),
        ObjectKind::OnDemandFeatureView => read::<OnDemandFeatureView>(&row.proto),
        ObjectKind::StreamFeatureView => read::<StreamFeatureView>(&row.proto),
        ObjectKind::LabelView => read::<LabelViewMessage>(&row.proto),
        ObjectKind::FeatureService => read::<FeatureService>(&row.proto),
        ObjectKind::Permission => read::<Permission>(&row.proto),
        ObjectKind::SavedDataset => read::<SavedDataset>(&row.proto),
        ObjectKind::ValidationReference => read::<ValidationReference>(&row.proto),
    };
    if row.kind == ObjectKind::StreamFeatureView {
        let features = json["spec"]["features"].as_array_mut().unwrap();
        features.sort_by_key(|feature| feature["name"].to_string());
    }
    if json.pointer("/spec/version").is_some_and(|version| version != "latest") {
        // Feast leaves it out of pinned views, but not out of their history.
        json["spec"].as_object_mut().unwrap().remove("project");
    }
    without_times(json)
}

fn without_times(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| match key.as_str() {
                    "createdTimestamp" | "lastUpdatedTimestamp" => (key, json!("…")),
                    _ => (key, without_times(value)),
                })
                .collect(),
        ),
        Value::Array(items) => items.into_iter().map(without_times).collect(),
        other => other,
    }
}

fn id(row: &Row) -> ObjectId {
    ObjectId::new(row.kind, &row.name)
}

#[test]
fn only_what_definitions_cannot_express_is_foreign() {
    let foreign = RECORDINGS.map(|name| {
        let foreign = Recording::read(name).state().foreign;
        foreign.iter().map(|foreign| format!("{}: {}", foreign.id, foreign.reason)).collect::<Vec<_>>()
    });
    assert!(foreign[0].is_empty());
    let python = |view: &str| format!("on demand feature view {view}: its transformation is a Python function");
    let over = |service: &str, view: &str| {
        format!("feature service {service}: it selects from `{view}`, which feastr does not manage")
    };
    for local in &foreign[1..3] {
        let [plain, fresh] = ["transformed_conv_rate", "transformed_conv_rate_fresh"];
        assert_eq!(
            *local,
            [
                python(plain),
                python(fresh),
                over("driver_activity_v1", plain),
                over("driver_activity_v2", plain),
                over("driver_activity_v3", fresh),
            ]
        );
    }
    assert_eq!(
        foreign[3],
        [
            "data source bigquery_date: definitions cannot express this source, of type bigquery".to_owned(),
            python("tips"),
            "stream feature view udf_stream: its transformation is a Python function".to_owned(),
            over("everything", "tips"),
        ]
    );
}

#[test]
fn managed_objects_are_written_as_feast_wrote_them() {
    for recording in RECORDINGS.map(Recording::read) {
        let mut objects = recording.objects();
        // Creating one takes Python.
        objects.retain(|id, _| id.kind != ObjectKind::ValidationReference);
        let managed = objects.len();
        recording.apply(objects.into_values()).unwrap();
        let written = recording.stored();
        assert_eq!(written.rows.len(), managed + 1, "{}: the objects and the dummy entity", recording.name);
        for row in &written.rows {
            let recorded = recording.rows.iter().find(|recorded| id(recorded) == id(row)).unwrap();
            assert_eq!(message(row), message(recorded), "{}: {}", recording.name, id(row));
        }
        history_is_as_recorded(&recording);
    }
}

/// The history has the bytes of each view's row, under Feast's word for its kind.
fn history_is_as_recorded(recording: &Recording) {
    let database = Connection::open(recording.folder.path().join("registry.db")).unwrap();
    let mut statement = database
        .prepare("SELECT feature_view_name, feature_view_type, version_number, feature_view_proto FROM feature_view_version_history")
        .unwrap();
    let written = statement.query_map([], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, Vec<u8>>(3)?))
    });
    let stored = recording.stored();
    let mut compared = 0;
    for (view, kind, number, proto) in written.unwrap().map(Result::unwrap) {
        let recorded = recording.tables["feature_view_version_history"].as_array().unwrap();
        let recorded = recorded.iter().find(|row| row["feature_view_name"] == view.as_str()).unwrap();
        assert_eq!((json!(kind), json!(number)), (recorded["feature_view_type"].clone(), json!(0)), "{view}");
        let row = stored.rows.iter().find(|row| row.kind.is_view() && row.name == view).unwrap();
        assert_eq!(proto, row.proto, "{view}");
        compared += 1;
    }
    assert_eq!(compared, stored.rows.iter().filter(|row| row.kind.is_view()).count());
}

#[test]
fn a_change_keeps_everything_else_in_a_row() {
    for recording in RECORDINGS.map(Recording::read) {
        recording.restore();
        let objects: Vec<Object> = recording.objects().into_values().map(tagged).collect();
        let changed = objects.len();
        assert_eq!(recording.apply(objects).unwrap().changes.len(), changed);
        let foreign = recording.state().foreign;
        for row in &recording.stored().rows {
            let recorded = recording.rows.iter().find(|recorded| id(recorded) == id(row)).unwrap();
            if foreign.iter().any(|foreign| foreign.id == id(row)) || row.name == "__dummy" {
                assert_eq!(row.proto, recorded.proto, "{}: {}", recording.name, id(row));
                continue;
            }
            let (mut now, before) = (message(row), message(recorded));
            untag(&mut now);
            assert_eq!(now, before, "{}: {}", recording.name, id(row));
        }
    }
}

/// The object with one more tag.
fn tagged(mut object: Object) -> Object {
    let tags = match &mut object {
        Object::Project(project) => &mut project.tags,
        Object::DataSource(source) => &mut source.tags,
        Object::Entity(entity) => &mut entity.tags,
        Object::FeatureView(view) => &mut view.tags,
        Object::OnDemandFeatureView(view) => &mut view.tags,
        Object::StreamFeatureView(view) => &mut view.tags,
        Object::LabelView(view) => &mut view.tags,
        Object::FeatureService(service) => &mut service.tags,
        Object::Permission(permission) => &mut permission.tags,
        Object::SavedDataset(dataset) => &mut dataset.tags,
        Object::ValidationReference(reference) => &mut reference.tags,
    };
    tags.insert("added".to_owned(), "here".to_owned());
    object
}

/// Removes the tag from a message, which must have it.
fn untag(message: &mut Value) {
    let is_spec = message.get("spec").is_some();
    let holder = if is_spec { &mut message["spec"] } else { message };
    let tags = holder["tags"].as_object_mut().unwrap();
    assert_eq!(tags.remove("added"), Some(json!("here")));
    if tags.is_empty() {
        holder.as_object_mut().unwrap().remove("tags");
    }
}

#[test]
fn a_changed_source_changes_every_copy_of_it() {
    let recording = Recording::read("kinds");
    recording.restore();
    let moved = |source: &mut feastr::model::DataSource| move_history(source);
    let mut objects = recording.objects();
    for object in objects.values_mut() {
        match object {
            Object::DataSource(source) => moved(source),
            Object::FeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).for_each(moved),
            Object::StreamFeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).for_each(moved),
            Object::LabelView(view) => view.source.iter_mut().for_each(moved),
            Object::FeatureService(service) => {
                service.features.iter_mut().filter_map(|member| member.source.as_mut()).for_each(moved);
            }
            _ => {}
        }
    }
    recording.apply(objects.into_values()).unwrap();
    let stored = recording.stored();
    let foreign = recording.state().foreign;
    for row in stored.rows.iter().filter(|row| !foreign.iter().any(|foreign| foreign.id == id(row))) {
        assert!(!message(row).to_string().contains("data/rides.parquet"), "{}", id(row));
    }
    // A push source and a stream view hold the source's row with its times.
    let source: DataSource = decode(stored.proto(ObjectKind::DataSource, "rides_file").unwrap()).unwrap();
    assert_eq!(source.file_options.as_ref().unwrap().uri, "elsewhere.parquet");
    let push: DataSource = decode(stored.proto(ObjectKind::DataSource, "rides_push").unwrap()).unwrap();
    assert_eq!(*push.batch_source.unwrap(), source);
    let view: StreamFeatureView =
        decode(stored.proto(ObjectKind::StreamFeatureView, "pushed_stream").unwrap()).unwrap();
    assert_eq!(*view.spec.unwrap().stream_source.unwrap().batch_source.unwrap(), source);
}

fn move_history(source: &mut feastr::model::DataSource) {
    match &mut source.kind {
        SourceKind::File(file) if source.name == "rides_file" => file.path = "elsewhere.parquet".to_owned(),
        SourceKind::Push(push) => push.batch_source.iter_mut().for_each(|source| move_history(source)),
        SourceKind::Kafka(kafka) => kafka.batch_source.iter_mut().for_each(|source| move_history(source)),
        SourceKind::Kinesis(kinesis) => kinesis.batch_source.iter_mut().for_each(|source| move_history(source)),
        _ => {}
    }
}

#[test]
fn a_view_becomes_one_of_another_kind_in_one_apply() {
    let recording = Recording::read("kinds");
    recording.restore();
    let mut objects = recording.objects();
    // Services select from it, and it is an ordinary view for them again.
    objects.retain(|id, _| id.kind != ObjectKind::FeatureService);
    let Some(Object::LabelView(labels)) = objects.remove(&ObjectId::new(ObjectKind::LabelView, "ride_labels")) else {
        panic!("the label view is gone");
    };
    let Some(Object::FeatureView(pushed)) =
        objects.get(&ObjectId::new(ObjectKind::FeatureView, "rider_pushed")).cloned()
    else {
        panic!("the view is gone");
    };
    let Some(Object::FeatureView(live)) = objects.remove(&ObjectId::new(ObjectKind::FeatureView, "rider_live")) else {
        panic!("the view is gone");
    };
    let became_plain = FeatureView { name: labels.name.clone(), ..pushed };
    let became_labels = LabelView { name: live.name.clone(), source: live.stream_source, ..labels };
    let changed = [Object::FeatureView(became_plain), Object::LabelView(became_labels)];
    recording.apply(objects.into_values().chain(changed)).unwrap();
    let stored = recording.stored();
    for (gone, kind, name) in [
        (ObjectKind::LabelView, ObjectKind::FeatureView, "ride_labels"),
        (ObjectKind::FeatureView, ObjectKind::LabelView, "rider_live"),
    ] {
        assert_eq!(stored.proto(gone, name), None);
        assert!(stored.proto(kind, name).is_some());
        assert_eq!(stored.versions[name], 0, "the history starts again");
    }
    let database = Connection::open(recording.folder.path().join("registry.db")).unwrap();
    let types = database
        .prepare("SELECT feature_view_type FROM feature_view_version_history WHERE feature_view_name IN ('ride_labels', 'rider_live') ORDER BY feature_view_name")
        .unwrap()
        .query_map([], |row| row.get::<_, String>(0))
        .unwrap()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    assert_eq!(types, ["feature_view", "label_view"]);
}

#[test]
fn validation_references_are_changed_but_not_created() {
    let recording = Recording::read("kinds");
    let id = ObjectId::new(ObjectKind::ValidationReference, "sane");
    let error = recording.apply(recording.objects().into_values()).unwrap_err();
    assert_eq!(
        error.to_string(),
        "validation reference sane cannot be created: it needs a profiler, and a profiler is a Python function"
    );
    assert!(recording.stored().rows.is_empty());

    recording.restore();
    let mut objects = recording.objects();
    let Some(Object::ValidationReference(reference)) = objects.get_mut(&id) else { panic!("it is gone") };
    reference.description = "as in June".to_owned();
    recording.apply(objects.into_values()).unwrap();
    let stored = recording.stored();
    let before = recording.rows.iter().find(|row| row.kind == ObjectKind::ValidationReference).unwrap();
    let before: ValidationReference = decode(&before.proto).unwrap();
    let after: ValidationReference = decode(stored.proto(id.kind, &id.name).unwrap()).unwrap();
    assert_eq!(after, ValidationReference { description: "as in June".to_owned(), ..before });
}

#[test]
fn the_revision_follows_what_plans_are_made_from() {
    let recording = Recording::read("kinds");
    let revision = |change: &dyn Fn(&mut Vec<Row>)| {
        let mut rows = recording.rows.clone();
        change(&mut rows);
        state(&Snapshot { rows, ..Snapshot::default() }).revision
    };
    let same = revision(&|_| {});
    let materialized = revision(&|rows| {
        for row in rows.iter_mut().filter(|row| row.kind == ObjectKind::FeatureView) {
            let mut view: FeatureViewMessage = decode(&row.proto).unwrap();
            let meta = view.meta.as_mut().unwrap();
            meta.materialization_intervals.push(feastr::feast::messages::MaterializationInterval::default());
            meta.last_updated_timestamp = Some(NOW.into());
            row.proto = prost::Message::encode_to_vec(&view);
        }
    });
    assert_eq!(materialized, same);
    let without_label_view = revision(&|rows| rows.retain(|row| row.kind != ObjectKind::LabelView));
    assert_ne!(without_label_view, same);
    let other_function = revision(&|rows| {
        let row = rows.iter_mut().find(|row| row.kind == ObjectKind::OnDemandFeatureView).unwrap();
        row.proto.push(0);
    });
    assert_ne!(other_function, same);
}

#[test]
fn a_pin_makes_a_version_the_active_one() {
    let recording = Recording::read("kinds");
    recording.restore();
    let id = ObjectId::new(ObjectKind::FeatureView, "rider_rides");
    let Some(Object::FeatureView(first)) = recording.objects().remove(&id) else { panic!("the view is gone") };
    let mut second = first.clone();
    second.features.truncate(1);
    let mut third = first.clone();
    third.features[1].description = "so far".to_owned();
    let pinned = |view: &FeatureView, number| FeatureView { version: ViewVersion::Pinned(number), ..view.clone() };
    // Services hold copies of the view's columns; they do not matter here.
    let others: Vec<Object> = {
        let mut objects = recording.objects();
        objects.retain(|other, _| *other != id && other.kind != ObjectKind::FeatureService);
        objects.into_values().collect()
    };
    let active = |view: &FeatureView| {
        let objects = others.iter().cloned().chain([Object::FeatureView(view.clone())]);
        recording.apply(objects).map(|_| {
            let stored = recording.stored();
            let message: FeatureViewMessage = decode(stored.proto(id.kind, &id.name).unwrap()).unwrap();
            let (spec, meta) = (message.spec.unwrap(), message.meta.unwrap());
            (spec.version, meta.current_version_number, spec.features.len(), stored.versions[&id.name])
        })
    };
    let is = |version: &str, number, features, last| (version.to_owned(), number, features, last);
    assert_eq!(active(&second).unwrap(), is("latest", 1, 1, 1));
    assert_eq!(active(&pinned(&first, 0)).unwrap(), is("v0", 0, 2, 1), "back to the first one");
    assert_eq!(active(&pinned(&second, 1)).unwrap(), is("v1", 1, 1, 1), "and forth");
    let tagged = FeatureView { description: "new".to_owned(), ..pinned(&second, 1) };
    assert_eq!(active(&tagged).unwrap(), is("v1", 1, 1, 1), "a description is of no version");
    let conflict = active(&pinned(&third, 0)).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "feature view rider_rides is pinned to version v0, and that version is another one than what is declared"
    );
    assert_eq!(active(&pinned(&third, 7)).unwrap(), is("v7", 7, 2, 7), "a number that is not taken is a new version");
    assert_eq!(active(&third).unwrap(), is("latest", 7, 2, 7));
    assert_eq!(active(&first).unwrap(), is("latest", 8, 2, 8));
}
