//! The repo in `examples/feature_repo`, which `init` writes: the whole demo project of Feast.

use std::{collections::BTreeSet, fs, path::Path};

use insta::assert_snapshot;
use serde_json::json;

use crate::support::Project;

const EXAMPLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/feature_repo");

/// The files below a folder, without those that running leaves.
fn files(folder: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let name = entry.file_name().into_string().unwrap();
        match entry.path().is_dir() {
            true => found.extend(files(&entry.path()).into_iter().map(|file| format!("{name}/{file}"))),
            false => _ = found.insert(name),
        }
    }
    found
}

fn example() -> Project {
    let project = Project::new(&[]);
    for file in files(Path::new(EXAMPLE)) {
        project.copy(&Path::new(EXAMPLE).join(&file), &file);
    }
    project
}

#[test]
fn init_writes_the_example() {
    let project = Project::new(&[]);
    project.feastr(&["init", "feastlocal"]).ok();
    let mut written = files(&project.path("feastlocal"));
    assert!(written.remove("feastr.schema.json") && written.remove(".github/workflows/features.yaml"));
    assert_eq!(written, files(Path::new(EXAMPLE)));
    for file in written.iter().filter(|file| !file.starts_with("data/")) {
        let example = fs::read_to_string(Path::new(EXAMPLE).join(file)).unwrap();
        assert_eq!(project.read(&format!("feastlocal/{file}")), example, "{file}");
    }
}

#[test]
fn the_whole_project_is_planned_and_applied() {
    let project = example();
    assert_snapshot!(project.feastr(&["plan"]).ok().stdout, @r"
    Created project feastlocal
    Created data source driver_hourly_stats_source
    Created data source driver_stats_push_source
    Created data source vals_to_add
    Created entity driver
    Created feature view driver_hourly_stats
    Created feature view driver_hourly_stats_fresh
    Created on demand feature view transformed_conv_rate
    Created on demand feature view transformed_conv_rate_fresh
    Created feature service driver_activity_v1
    Created feature service driver_activity_v2
    Created feature service driver_activity_v3
    Created permission reader
    Created sqlite table feastlocal_driver_hourly_stats
    Created sqlite table feastlocal_driver_hourly_stats_fresh

    Plan: 13 to create, 0 to update, 0 to delete
    ");
    project.feastr(&["apply"]).ok();
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    project.feastr(&["drift"]).ok();
}

#[test]
fn its_rows_are_pushed() {
    let project = example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let features = "driver_hourly_stats:avg_daily_trips,driver_hourly_stats_fresh:avg_daily_trips";
    let online = || {
        let entity = ["--entity", "driver_id=1001", "--json", "--full-feature-names"];
        let answer = project.feastr(&[&["get-online", "--features", features], &entity[..]].concat()).ok().json();
        [1, 2].map(|column| answer["results"][column]["values"][0].clone())
    };
    let [batch, fresh] = online();
    assert_eq!(batch, fresh);
    project.feastr(&["push", "driver_stats_push_source", "--input", "data/pushed_rows.csv"]).ok();
    assert_eq!(online(), [batch, json!(12)]);
}

/// The services of the project, with what is computed on demand.
#[test]
fn its_services_answer() {
    let project = example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let values = ["--entity", "driver_id=1001", "--request", "val_to_add=1,val_to_add_2=10", "--json"];
    let columns = |answer: &serde_json::Value| answer["metadata"]["feature_names"].clone();
    for (service, features) in [
        ("driver_activity_v1", &["conv_rate"][..]),
        ("driver_activity_v2", &["conv_rate", "acc_rate", "avg_daily_trips"]),
        ("driver_activity_v3", &["conv_rate", "acc_rate", "avg_daily_trips"]),
    ] {
        let names = [&["driver_id"], features, &["conv_rate_plus_val1", "conv_rate_plus_val2"]].concat();
        let online = project.feastr(&[&["get-online", "--feature-service", service], &values[..]].concat()).ok().json();
        assert_eq!(columns(&online), json!(names), "{service}");
        let rows =
            ["get-historical", "--entities", "data/entity_rows.csv", "--format", "jsonl", "--feature-service", service];
        let first = project.feastr(&rows).ok().stdout;
        let first: serde_json::Value = serde_json::from_str(first.lines().next().unwrap()).unwrap();
        let rate = first["conv_rate"].as_f64().unwrap();
        assert!((first["conv_rate_plus_val2"].as_f64().unwrap() - rate - 10.0).abs() < 1e-6, "{service}: {first}");
    }
}
