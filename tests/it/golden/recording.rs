//! Recordings of registries, as rows, as objects and as a registry to work on.

use std::{collections::BTreeMap, path::Path};

use feastr::{
    apply::{ApplyError, apply},
    feast::registry::messages::{
        DataSource, Entity, FeatureService, FeatureView as FeatureViewMessage, LabelView as LabelViewMessage,
        OnDemandFeatureView, Permission, Project as ProjectMessage, SavedDataset, StreamFeatureView,
        ValidationReference, decode,
    },
    model::{Object, ObjectId, ObjectKind, OfKind, Project, RegistryState, Repo, Tags, Timestamp},
    plan::Plan,
    registry::{Registry, Row, Snapshot, VersionRow, Write, read_objects},
};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::registry_rows::{bytes, committed_root, golden_root, read_json};
use crate::support::{approving, sqlite_registry};

/// The names of the recordings of SQL registries: the folders below `registry` that have rows.
pub fn recordings() -> Vec<String> {
    recordings_of("sqlite")
}

/// The names of the recordings of one of the databases.
pub fn recordings_of(database: &str) -> Vec<String> {
    let root = golden_root().join("registry");
    let folders = std::fs::read_dir(&root).unwrap_or_else(|error| panic!("{}: {error}", root.display()));
    let folders = folders.map(|entry| entry.unwrap().path());
    let with_rows = folders.filter(|folder| folder.join(format!("{database}_rows.json")).exists());
    let mut names: Vec<String> =
        with_rows.map(|folder| folder.file_name().unwrap().to_str().unwrap().to_owned()).collect();
    names.sort();
    assert!(!names.is_empty(), "no recordings of {database} below {}", root.display());
    names
}

/// Tables with their name and message columns.
pub const TABLES: [(ObjectKind, &str, &str, &str); 11] = [
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

/// The tables of a recorded registry in one of the databases it was recorded from.
pub fn recorded_tables(name: &str, database: &str) -> Value {
    tables_below(&golden_root(), name, database)
}

/// The tables of a registry of this repository's own recordings, whichever the tests are put to.
pub fn committed_tables(name: &str) -> Value {
    tables_below(&committed_root(), name, "sqlite")
}

fn tables_below(root: &Path, name: &str, database: &str) -> Value {
    let recorded = read_json(&root.join(format!("registry/{name}/{database}_rows.json")));
    recorded.get("tables").unwrap_or(&recorded).clone()
}

/// The project of a recorded registry.
pub fn recorded_project(tables: &Value) -> &str {
    tables["projects"][0]["project_id"].as_str().unwrap()
}

/// The recorded objects.
fn recorded_rows(tables: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    for (kind, table, name, proto) in TABLES {
        for row in tables[table].as_array().into_iter().flatten() {
            let updated = row["last_updated_timestamp"].as_i64().unwrap();
            rows.push(Row { kind, name: text(&row[name]), updated, proto: bytes(&row[proto]) });
        }
    }
    rows
}

/// What makes a registry hold the recorded objects with their history.
pub fn recorded_writes(tables: &Value) -> Vec<Write> {
    let mut writes: Vec<Write> = recorded_rows(tables).into_iter().map(Write::Put).collect();
    for row in tables["feature_view_version_history"].as_array().into_iter().flatten() {
        writes.push(Write::AddVersion(VersionRow {
            view: text(&row["feature_view_name"]),
            view_type: text(&row["feature_view_type"]),
            number: row["version_number"].as_i64().unwrap().try_into().unwrap(),
            proto: bytes(&row["feature_view_proto"]),
            created: row["created_timestamp"].as_i64().unwrap(),
            id: text(&row["version_id"]),
        }));
    }
    writes
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// A recording with its rows, and the folder of a registry that is still empty.
pub struct Recording {
    pub name: String,
    /// As the recording has them.
    pub tables: Value,
    pub rows: Vec<Row>,
    pub folder: tempfile::TempDir,
}

impl Recording {
    pub fn read(name: &str) -> Self {
        Self::of_database(name, "sqlite")
    }

    /// The recording of one of the databases that Feast wrote the same definitions to.
    pub fn of_database(name: &str, database: &str) -> Self {
        Self::of_tables(name, recorded_tables(name, database))
    }

    /// The recording of this repository that has one of every kind of object. Repos as people have them lack most
    /// kinds, so tests about a certain kind name its objects (`registry/kinds/input/definitions.py`) and are not put to
    /// other recordings.
    pub fn kinds() -> Self {
        Self::of_tables("kinds", committed_tables("kinds"))
    }

    /// What Feast's registry server served while its answers were recorded.
    pub fn of_registry_server() -> Self {
        Self::of_tables("registry_server", read_json(&committed_root().join("registry_server/start_state_rows.json")))
    }

    fn of_tables(name: &str, tables: Value) -> Self {
        Self { name: name.to_owned(), rows: recorded_rows(&tables), tables, folder: tempfile::tempdir().unwrap() }
    }

    pub fn state(&self) -> RegistryState {
        read_objects(&Snapshot { rows: self.rows.clone(), ..Snapshot::default() })
    }

    pub fn registry(&self) -> Box<dyn Registry> {
        sqlite_registry(&self.folder.path().join("registry.db"))
    }

    /// Makes the registry hold these objects.
    pub fn apply(&self, objects: impl IntoIterator<Item = Object>) -> Result<Plan, ApplyError> {
        apply(&repo(objects), self.registry().as_ref(), None, approving(NOW))
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
    pub fn objects(&self) -> BTreeMap<ObjectId, Object> {
        self.state().objects
    }

    /// The project's rows as they are stored now.
    pub fn stored(&self) -> Snapshot {
        self.registry().snapshot(recorded_project(&self.tables)).unwrap()
    }
}

/// Later than every recorded time.
pub const NOW: Timestamp = Timestamp::from_micros(1_900_000_000_000_000);

/// The repo that declares these objects.
fn repo(objects: impl IntoIterator<Item = Object>) -> Repo {
    let objects: Vec<Object> = objects.into_iter().collect();
    let nameless =
        || Project { name: String::new(), description: String::new(), owner: String::new(), tags: Tags::new() };
    Repo::new(objects.iter().find_map(Project::of).cloned().unwrap_or_else(nameless)).with(objects)
}

/// A stored message as JSON, without the times of its run. The schema of a stream view has no order.
pub fn message(row: &Row) -> Value {
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

/// Which object a row is of.
pub fn id(row: &Row) -> ObjectId {
    ObjectId::new(row.kind, &row.name)
}
