//! Saved datasets: created, shown, exported, and read by Python Feast.

mod interop;

use std::fs;

use serde_json::{Value as Json, json};

use crate::support::{Output, Project};

fn applied() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project
}

const CREATE: [&str; 7] = [
    "saved-datasets",
    "create",
    "training",
    "--entities",
    "data/entity_rows.csv",
    "--feature-service",
    "driver_activity_v2",
];

fn create(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&CREATE[..], args].concat())
}

fn described(project: &Project) -> Json {
    project.feastr(&["saved-datasets", "describe", "training", "--output", "json"]).ok().json()
}

/// The rows of a retrieval or of a dataset, sorted.
fn lines(output: &Output) -> Vec<String> {
    let mut lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

#[test]
fn a_dataset_is_what_get_historical_gives() {
    let project = applied();
    let historical =
        ["get-historical", "--entities", "data/entity_rows.csv", "--feature-service", "driver_activity_v2", "--json"];
    let expected = lines(&project.feastr(&historical).ok());
    assert!(!expected.is_empty());
    for (output, file) in
        [("data/training.parquet", "data/training.parquet"), ("data/sets", "data/sets/data_0.parquet")]
    {
        let args = ["--output", output, "--description", "For the model", "--tag", "team=search", "--allow-overwrite"];
        let said = create(&project, &args).ok().stderr;
        assert!(said.contains(&format!("rows as training in {output}")), "{said}");
        assert!(project.path(file).is_file());
        assert_eq!(lines(&project.feastr(&["saved-datasets", "export", "training", "--json"]).ok()), expected);
        let described = described(&project);
        assert_eq!(described["spec"]["storage"]["fileStorage"]["uri"], output);
        assert_eq!(described["spec"]["featureServiceName"], "driver_activity_v2");
        assert_eq!(described["spec"]["tags"], json!({ "team": "search" }));
        assert_eq!(described["spec"]["description"], "For the model");
        assert_eq!(described["spec"]["joinKeys"], json!(["driver_id"]));
        assert!(described["spec"]["features"].as_array().unwrap().contains(&json!("driver_hourly_stats:conv_rate")));
        let times: Vec<String> = expected
            .iter()
            .map(|line| serde_json::from_str::<Json>(line).unwrap()["event_timestamp"].as_str().unwrap().to_owned())
            .collect();
        let meta = &described["meta"];
        assert_eq!(meta["minEventTimestamp"], *times.iter().min().unwrap());
        assert_eq!(meta["maxEventTimestamp"], *times.iter().max().unwrap());
    }
    let list = project.feastr(&["saved-datasets", "list"]).ok().stdout;
    assert!(list.contains("training") && list.contains("data/sets"), "{list}");
    // It is nobody's business but that of who made it.
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
    project.feastr(&["saved-datasets", "export", "training", "-o", "out", "--partition-by", "driver_id"]).ok();
    assert!(project.path("out/driver_id=1001/data_0.parquet").is_file());
}

#[test]
fn what_is_there_stays_unless_it_may_be_overwritten() {
    let project = applied();
    create(&project, &["-o", "data/training.parquet"]).ok();
    let was = (project.read_bytes("data/training.parquet"), described(&project));
    project.write("data/other.parquet", "mine");
    project.write("data/folder/x", "mine");
    for (output, why) in [
        ("data/new.parquet", "there is a saved dataset `training` already"),
        ("data/training.parquet", "there is a saved dataset `training` already"),
    ] {
        let refused = create(&project, &["-o", output]).failed().stderr;
        assert!(refused.contains(why) && refused.contains("--allow-overwrite"), "{refused}");
    }
    assert_eq!((project.read_bytes("data/training.parquet"), described(&project)), was);
    assert!(!project.path("data/new.parquet").exists());
    for output in ["data/other.parquet", "data/folder", "data/folder/"] {
        let other = ["saved-datasets", "create", "other"];
        let refused = project.feastr(&[&other[..], &CREATE[3..], &["-o", output]].concat()).failed().stderr;
        assert!(refused.contains(&format!("there is something at {output} already")), "{refused}");
    }
    assert_eq!((project.read("data/other.parquet"), project.read("data/folder/x")), ("mine".into(), "mine".into()));
    create(&project, &["-o", "data/folder", "--allow-overwrite", "--description", "new"]).ok();
    assert_eq!(fs::read_dir(project.path("data/folder")).unwrap().count(), 1);
    let now = described(&project);
    assert_eq!(now["meta"]["createdTimestamp"], was.1["meta"]["createdTimestamp"]);
    assert_eq!(
        (&now["spec"]["description"], &now["spec"]["storage"]["fileStorage"]["uri"]),
        (&json!("new"), &json!("data/folder"))
    );
}

#[test]
fn what_cannot_be_saved_leaves_neither_files_nor_a_dataset() {
    let project = applied();
    project.write("no_times.csv", "driver_id,event_timestamp\n");
    project.write("other_name.csv", "driver_id,moment\n1001,2026-10-30T22:41:00Z\n");
    for (args, why) in [
        (&["--entities", "no_times.csv", "-o", "data/new.parquet"][..], "and no row has one"),
        (
            &["--entities", "other_name.csv", "-o", "data/new.parquet"],
            "in a column `event_timestamp`, and there is none",
        ),
        (
            &["--entities", "data/entity_rows.csv", "-o", "hdfs://host/new"],
            "rows cannot be saved to hdfs://host/new yet",
        ),
        (&["--entities", "data/entity_rows.csv", "-o", "nowhere/new.parquet"], "cannot write nowhere/new.parquet"),
        (&["--entities", "data/entity_rows.csv", "-o", "data/new", "--tag", "x"], "write KEY=VALUE"),
    ] {
        let create = ["saved-datasets", "create", "training", "--feature-service", "driver_activity_v2"];
        let refused = project.feastr(&[&create[..], args].concat()).failed().stderr;
        assert!(refused.contains(why), "{args:?}: {refused}");
    }
    let names = fs::read_dir(project.path("data")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("new")), "something is left");
    let list = project.feastr(&["saved-datasets", "list", "--output", "json"]).ok();
    assert_eq!(list.json(), json!([]));
    let refused = project.feastr(&["saved-datasets", "export", "training"]).failed().stderr;
    assert!(refused.contains("there is no saved dataset `training` in the registry"), "{refused}");
}
