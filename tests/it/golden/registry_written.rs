//! What feastr writes for definitions whose registry was recorded: the same rows.

use rusqlite::{Connection, types::ValueRef};
use serde_json::{Map, Value, json};

use feastr::feast::registry::messages::{
    DataSource, Entity, FeatureService, FeatureView, Infra, LabelView, OnDemandFeatureView, Permission,
    Project as ProjectMessage, SavedDataset, StreamFeatureView, ValidationReference, decode,
};

use super::{
    recording::{TABLES, recorded_tables},
    registry_rows::{bytes, golden_root, read_json},
    repos::RecordedRepo,
};
use crate::support::{Project, settings};

/// Tables beside those of the objects, with their name and message columns.
const MORE_TABLES: [(&str, &str, &str); 2] = [
    ("feature_view_version_history", "feature_view_name", "feature_view_proto"),
    ("managed_infra", "infra_name", "infra_proto"),
];

/// What YAML can express of each recorded repo is written as Feast wrote it. The rest is what feastr does not manage.
#[test]
fn every_repo_is_written_as_recorded() {
    for repo in RecordedRepo::all() {
        compare(&repo);
    }
}

fn compare(repo: &RecordedRepo) {
    let project = repo.declare(&settings(&repo.project));
    // Some recorded sources do not hold what their views declare.
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let recorded = recorded_tables(repo.name(), "sqlite");
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let mut foreign = Vec::new();
    let of_objects = TABLES.iter().map(|(_, table, name, proto)| (*table, *name, *proto));
    for (table, name_column, proto_column) in of_objects.chain(MORE_TABLES) {
        let all_written = rows(&registry, table);
        let all_recorded = recorded[table].as_array().map(Vec::as_slice).unwrap_or_default();
        for expected in all_recorded {
            if !all_written.iter().any(|written| written[name_column] == expected[name_column]) {
                foreign.push(expected[name_column].as_str().unwrap().to_owned());
            }
        }
        for written in all_written {
            let name = &written[name_column];
            let expected = all_recorded.iter().find(|row| row[name_column] == *name);
            let Some(expected) = expected else { panic!("{table} {name} is not recorded") };
            let written_message = without_times(message(table, &written[proto_column]));
            let expected_message = without_times(message(table, &json!(bytes(&expected[proto_column]))));
            assert_eq!(written_message, expected_message, "{table} {name}");
            for (column, value) in written.as_object().unwrap() {
                if column != proto_column && !column.ends_with("timestamp") && column != "version_id" {
                    assert_eq!(*value, expected[column], "{table} {name}: {column}");
                }
            }
        }
    }
    let mut unmanaged: Vec<&str> = repo.state.foreign.iter().map(|foreign| foreign.id.name.as_str()).collect();
    unmanaged.sort_unstable();
    foreign.sort_unstable();
    foreign.dedup();
    assert_eq!(foreign, unmanaged, "{}: these rows are recorded and not written", repo.name());
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
    assert!(compared > 20, "only {compared} tables and indexes");
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
        "on_demand_feature_views" => serde_json::to_value(decode::<OnDemandFeatureView>(&bytes).unwrap()),
        "permissions" => serde_json::to_value(decode::<Permission>(&bytes).unwrap()),
        "stream_feature_views" => serde_json::to_value(decode::<StreamFeatureView>(&bytes).unwrap()),
        "label_views" => serde_json::to_value(decode::<LabelView>(&bytes).unwrap()),
        "saved_datasets" => serde_json::to_value(decode::<SavedDataset>(&bytes).unwrap()),
        "validation_references" => serde_json::to_value(decode::<ValidationReference>(&bytes).unwrap()),
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
