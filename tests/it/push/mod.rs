//! Rows that are pushed: what a person sees, what is stored where, and what is left when a push is cut off.

mod added;
mod computed;
mod interop;
mod kills;
mod parallel;
mod postgres;
mod redis;
mod sources;
mod transcripts;

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value as Json;

use crate::support::{Output, Project, settings};

/// A push source in front of the history of drivers, and two views that it feeds.
const DEFINITIONS: &str = "\
entities: [{name: driver, join_keys: [driver_id], value_type: INT64}]
data_sources:
  - {name: stats, type: file, path: data/driver_stats.parquet, timestamp_field: event_timestamp,
     created_timestamp_column: created}
  - {name: stats_push, type: push, batch_source: stats}
feature_views:
  - name: history
    entities: [driver]
    schema: [{name: conv_rate, dtype: Float32}, {name: avg_daily_trips, dtype: Int64}]
    source: stats
  - name: fresh
    entities: [driver]
    schema: [{name: conv_rate, dtype: Float32}, {name: acc_rate, dtype: Float32}, {name: avg_daily_trips, dtype: Int64}]
    source: stats_push
  - name: trips
    entities: [driver]
    schema: [{name: avg_daily_trips, dtype: Int64}]
    source: stats_push
";

const HEADING: &str = "driver_id,event_timestamp,created,conv_rate,acc_rate,avg_daily_trips\n";

/// Rows as CSV: driver, time, trips.
fn csv(rows: &[(i64, &str, i64)]) -> String {
    let row = |(driver, at, trips): &(i64, &str, i64)| format!("{driver},{at},2026-11-20T12:00:00Z,0.25,0.5,{trips}\n");
    format!("{HEADING}{}", rows.iter().map(row).collect::<String>())
}

const ROWS: &[(i64, &str, i64)] =
    &[(1001, "2026-11-20T10:00:00Z", 11), (1002, "2026-11-20T10:00:00Z", 12), (1001, "2026-11-20T09:00:00Z", 10)];

/// A repo with these definitions and the history of drivers, applied.
fn applied_with(definitions: &str) -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("demo")), ("definitions.yaml", definitions)]);
    let history = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&history, "data/driver_stats.parquet");
    project.feastr(&["apply"]).ok();
    project
}

fn applied() -> Project {
    applied_with(DEFINITIONS)
}

/// Pushes rows to `stats_push`.
fn push(project: &Project, rows: &[(i64, &str, i64)], args: &[&str]) -> Output {
    project.write("rows.csv", csv(rows));
    project.feastr(&[&["push", "stats_push", "--input", "rows.csv"], args].concat())
}

/// The trips of a driver in the online store, by view.
fn online(project: &Project, driver: i64) -> BTreeMap<String, Json> {
    let features = ["fresh:avg_daily_trips", "trips:avg_daily_trips"];
    let (entity, features) = (format!("driver_id={driver}"), features.join(","));
    let args = ["get-online", "--json", "--full-feature-names", "--features", &features, "--entity", &entity];
    let answer = project.feastr(&args).ok().json();
    let names = answer["metadata"]["feature_names"].as_array().unwrap().iter().skip(1);
    let values = answer["results"].as_array().unwrap().iter().skip(1);
    let view = |name: &Json| name.as_str().unwrap().split("__").next().unwrap().to_owned();
    names.zip(values).map(|(name, result)| (view(name), result["values"][0].clone())).collect()
}

/// The trips of a driver as training data have them at a time.
fn historical(project: &Project, view: &str, driver: i64, at: &str) -> Json {
    let (entity, feature) = (format!("driver_id={driver}"), format!("{view}:avg_daily_trips"));
    let args = ["get-historical", "--features", &feature, "--entity", &entity, "--at", at, "--format", "jsonl"];
    project.feastr(&args).ok().json()["avg_daily_trips"].clone()
}

/// The files below a folder, hidden ones too.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|file| format!("{name}/{file}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}
