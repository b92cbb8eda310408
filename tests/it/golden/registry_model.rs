//! Recorded rows through the model and back: what feastr can manage is written as Feast wrote it,
//! and the rest is left alone.

use std::collections::BTreeMap;

use feastr::{
    apply::apply,
    config::RegistryConfig,
    feast::messages::{
        DataSource, Entity, FeatureService, FeatureView, LabelView, OnDemandFeatureView, Permission,
        Project as ProjectMessage, SavedDataset, StreamFeatureView, ValidationReference, decode,
    },
    model::{Object, ObjectId, ObjectKind, Project, RegistryState, Repo, Tags, Timestamp},
    registry::{self, RegistryStore, Row, Snapshot, state},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::registry_rows::{bytes, golden_root, read_json};
use crate::support::approving;

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
struct Recording {
    name: &'static str,
    tables: Value,
    rows: Vec<Row>,
    folder: tempfile::TempDir,
}

impl Recording {
    fn read(name: &'static str) -> Self {
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

    /// Puts the recorded rows into the registry, their version histories included.
    fn restore(&self) {
        let registry = self.registry();
        apply(&repo(self.project()), registry.as_ref(), None, approving(NOW)).unwrap();
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

    fn project(&self) -> Vec<Object> {
        let objects = self.state().objects.into_values();
        objects.filter(|object| matches!(object, Object::Project(_))).collect()
    }

    /// The project's rows as they are stored now.
    fn stored(&self) -> Snapshot {
        self.registry().snapshot(self.tables["projects"][0]["project_id"].as_str().unwrap()).unwrap()
    }
}

/// Later than every recorded time.
const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// The repo that declares these objects.
fn repo(objects: Vec<Object>) -> Repo {
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
        ObjectKind::FeatureView => read::<FeatureView>(&row.proto),
        ObjectKind::OnDemandFeatureView => read::<OnDemandFeatureView>(&row.proto),
        ObjectKind::StreamFeatureView => read::<StreamFeatureView>(&row.proto),
        ObjectKind::LabelView => read::<LabelView>(&row.proto),
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
        let mut objects = recording.state().objects;
        // Creating one takes Python.
        objects.retain(|id, _| id.kind != ObjectKind::ValidationReference);
        let managed = objects.len();
        apply(&repo(objects.into_values().collect()), recording.registry().as_ref(), None, approving(NOW)).unwrap();
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
        let objects: Vec<Object> = recording.state().objects.into_values().map(tagged).collect();
        let changed = objects.len();
        let plan = apply(&repo(objects), recording.registry().as_ref(), None, approving(NOW)).unwrap();
        assert_eq!(plan.changes.len(), changed);
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
