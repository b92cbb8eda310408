//! The SQLite online store as Feast left it after the same commands.

use feastr::feast::registry::messages::{FeatureView, decode};
use rusqlite::Connection;
use serde_json::Value;

use super::{
    online_values::{micros, repo_of_tables},
    registry_rows::{bytes, files, golden_root, read_json},
};
use crate::support::{Project, settings};

/// A row as recorded: feature, key, value, text, event and creation seconds.
type OnlineRow = (Vec<u8>, String, Vec<u8>, Option<String>, Option<i64>, Option<i64>);

#[test]
fn the_recorded_steps_leave_the_recorded_values() {
    let recordings: Vec<_> = files(&golden_root().join("online"), "_sqlite_1_materialize.json");
    assert!(!recordings.is_empty());
    for path in recordings {
        let name = path.file_name().unwrap().to_str().unwrap();
        let steps = read_json(&path.with_file_name(name.replace("_1_materialize", "_steps")));
        check(&read_json(&path), steps.as_array().unwrap());
    }
}

/// `recorded` is what the store held after the first of the steps.
fn check(recorded: &Value, steps: &[Value]) {
    let repo = repo_of_tables(recorded);
    let project = repo.declare(&settings(&repo.project));
    project.feastr(&["apply"]).ok();
    let mut newest = Vec::new();
    let mut latest_end = None;
    for (index, step) in steps.iter().enumerate() {
        let args: Vec<&str> = step["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        project.feastr(&args).ok();
        for (view, expected) in step["intervals_after"].as_object().into_iter().flatten() {
            assert_eq!(intervals(&project, view), expected["materialization_intervals"], "step {index}: {view}");
        }
        let now: Vec<Vec<OnlineRow>> = tables(recorded).map(|table| online_rows(&project, table)).collect();
        let end = micros(&step["args"][if args[0] == "materialize" { 2 } else { 1 }]);
        if latest_end.is_some_and(|latest| end < latest) {
            // Feast lets the older window overwrite newer values; feastr keeps what is newer.
            assert_eq!(now, newest, "step {index}");
        }
        latest_end = latest_end.max(Some(end));
        newest = now;
        if index == 0 {
            let mut compared = 0;
            for table in tables(recorded) {
                let expected = recorded_rows(&recorded["tables"][table]);
                compared += expected.len();
                assert_eq!(online_rows(&project, table), expected, "{table}");
            }
            assert!(compared > 0);
        }
    }
}

fn tables(recorded: &Value) -> impl Iterator<Item = &str> {
    recorded["tables"].as_object().unwrap().keys().map(String::as_str)
}

fn online_rows(project: &Project, table: &str) -> Vec<OnlineRow> {
    let store = Connection::open(project.path("data/online_store.db")).unwrap();
    let mut statement = store
        .prepare(&format!(
            "SELECT entity_key, feature_name, value, value_text, event_ts, created_ts FROM {table} ORDER BY 1, 2"
        ))
        .unwrap();
    let rows = statement
        .query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn recorded_rows(rows: &Value) -> Vec<OnlineRow> {
    let mut rows: Vec<OnlineRow> = rows
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            (
                bytes(&row["entity_key"]),
                row["feature_name"].as_str().unwrap().to_owned(),
                bytes(&row["value"]),
                row["value_text"].as_str().map(str::to_owned),
                row["event_ts"].as_i64(),
                row["created_ts"].as_i64(),
            )
        })
        .collect();
    rows.sort();
    rows
}

fn intervals(project: &Project, view: &str) -> Value {
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let proto: Vec<u8> = registry
        .query_row("SELECT feature_view_proto FROM feature_views WHERE feature_view_name = ?1", [view], |row| {
            row.get(0)
        })
        .unwrap();
    let meta = decode::<FeatureView>(&proto).unwrap().meta.unwrap();
    let json = serde_json::to_string(&meta.materialization_intervals).unwrap();
    serde_json::from_str(&json.replace("startTime", "start_time").replace("endTime", "end_time")).unwrap()
}
