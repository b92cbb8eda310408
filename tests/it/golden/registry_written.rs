//! What feastr writes for definitions whose registry was recorded: the same rows.

use rusqlite::{Connection, types::ValueRef};
use serde_json::{Map, Value, json};

use feastr::feast::messages::{
    DataSource, Entity, FeatureService, FeatureView, Infra, Project as ProjectMessage, decode,
};

use super::registry_rows::{bytes, golden_root, read_json};
use crate::support::{Project, settings};

/// Tables with their name and message columns.
const TABLES: [(&str, &str, &str); 7] = [
    ("projects", "project_name", "project_proto"),
    ("entities", "entity_name", "entity_proto"),
    ("data_sources", "data_source_name", "data_source_proto"),
    ("feature_views", "feature_view_name", "feature_view_proto"),
    ("feature_services", "feature_service_name", "feature_service_proto"),
    ("feature_view_version_history", "feature_view_name", "feature_view_proto"),
    ("managed_infra", "infra_name", "infra_proto"),
];

#[test]
fn the_extra_project_is_written_as_recorded() {
    compare("extra", "feastextra", include_str!("../../repos/golden/extra/definitions.yaml"));
}

/// Of this project only what YAML can express is declared; the rest of the rows is not compared.
#[test]
fn the_local_project_is_written_as_recorded() {
    compare("local_pandas", "feastlocal", include_str!("../../repos/golden/local/definitions.yaml"));
}

fn compare(recording: &str, name: &str, definitions: &str) {
    let project = Project::new(&[("feature_store.yaml", &settings(name)), ("definitions.yaml", definitions)]);
    // Some recorded sources do not hold what their views declare.
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let recorded = read_json(&golden_root().join(format!("registry/{recording}/sqlite_rows.json")));
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let mut compared = 0;
    for (table, name_column, proto_column) in TABLES {
        for written in rows(&registry, table) {
            let name = &written[name_column];
            let expected = recorded[table].as_array().unwrap().iter().find(|row| row[name_column] == *name);
            let Some(expected) = expected else { panic!("{table} {name} is not recorded") };
            let written_message = without_times(message(table, &written[proto_column]));
            let mut expected_message = without_times(message(table, &json!(bytes(&expected[proto_column]))));
            if let Some(objects) = expected_message.get_mut("infraObjects").and_then(Value::as_array_mut) {
                // Tables of views that are not declared here.
                let ours = written_message["infraObjects"].as_array().unwrap();
                objects.retain(|object| ours.contains(object));
            }
            assert_eq!(written_message, expected_message, "{table} {name}");
            for (column, value) in written.as_object().unwrap() {
                if column != proto_column && !column.ends_with("timestamp") && column != "version_id" {
                    assert_eq!(*value, expected[column], "{table} {name}: {column}");
                }
            }
            compared += 1;
        }
    }
    assert!(compared > 5);
    let metadata = rows(&registry, "feast_metadata");
    let keys: Vec<&Value> = metadata.iter().map(|row| &row["metadata_key"]).collect();
    assert_eq!(keys, ["last_updated_timestamp", "project_uuid"]);
}

/// The tables and indexes are Feast's, whatever the layout of their text.
#[test]
fn the_tables_are_feasts() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let plain = |sql: &str| {
        let words: Vec<&str> = sql.split_whitespace().collect();
        words.join(" ").replace("( ", "(").replace(" )", ")").replace("IF NOT EXISTS ", "")
    };
    let mut compared = 0;
    for object in read_json(&golden_root().join("registry/sqlite_schema.json")).as_array().unwrap() {
        let Some(sql) = object["sql"].as_str() else { continue };
        let written: String = registry
            .query_row("SELECT sql FROM sqlite_master WHERE name = ?1", [object["name"].as_str().unwrap()], |row| {
                row.get(0)
            })
            .unwrap_or_else(|error| panic!("{}: {error}", object["name"]));
        assert_eq!(plain(&written), plain(sql));
        compared += 1;
    }
    assert_eq!(compared, 28);
}

fn rows(registry: &Connection, table: &str) -> Vec<Value> {
    let mut statement = registry.prepare(&format!("SELECT * FROM {table} ORDER BY 1, 2")).unwrap();
    let columns: Vec<String> = statement.column_names().map(str::to_owned).collect();
    let rows = statement.query_map([], |row| {
        let mut object = Map::new();
        for (index, column) in columns.iter().enumerate() {
            object.insert(
                column.clone(),
                match row.get_ref(index)? {
                    ValueRef::Null => Value::Null,
                    ValueRef::Integer(number) => json!(number),
                    ValueRef::Real(number) => json!(number),
                    ValueRef::Text(text) => json!(std::str::from_utf8(text).unwrap()),
                    ValueRef::Blob(blob) => json!(blob),
                },
            );
        }
        Ok(Value::Object(object))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

/// A message as JSON. Defaults that are written show in its length.
fn message(table: &str, blob: &Value) -> Value {
    let bytes: Vec<u8> = serde_json::from_value(blob.clone()).unwrap();
    let json = match table {
        "projects" => serde_json::to_value(decode::<ProjectMessage>(&bytes).unwrap()),
        "entities" => serde_json::to_value(decode::<Entity>(&bytes).unwrap()),
        "data_sources" => serde_json::to_value(decode::<DataSource>(&bytes).unwrap()),
        "feature_services" => serde_json::to_value(decode::<FeatureService>(&bytes).unwrap()),
        "managed_infra" => serde_json::to_value(decode::<Infra>(&bytes).unwrap()),
        _ => serde_json::to_value(decode::<FeatureView>(&bytes).unwrap()),
    };
    json.unwrap()
}

/// Replaces what belongs to one run: times, and the place of the online store.
fn without_times(value: Value) -> Value {
    match value {
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(key, value)| {
                    let of_the_run = matches!(key.as_str(), "createdTimestamp" | "lastUpdatedTimestamp" | "path");
                    let value = if of_the_run { json!("…") } else { without_times(value) };
                    (key, value)
                })
                .collect(),
        ),
        Value::Array(items) => {
            let mut items: Vec<Value> = items.into_iter().map(without_times).collect();
            // The recorded order of online tables means nothing.
            if items.iter().any(|item| item.get("sqliteTable").is_some()) {
                items.sort_by_key(ToString::to_string);
            }
            Value::Array(items)
        }
        other => other,
    }
}
