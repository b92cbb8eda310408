use feastr::model::{Interval, RunCounts, RunRecord, RunState, Timestamp, ViewId};
use serde_json::{Value, json};

use super::{END, START, applied, registry, three_views};
use crate::support::Project;

#[test]
fn the_history_tells_of_every_run() {
    let project = three_views();
    project.feastr(&["materialize", START, END]).failed();
    project.feastr(&["materialize-incremental", "2026-11-02", "-v", "good"]).ok();
    let history = |args: &[&str]| project.feastr(&[&["materialize", "history"][..], args].concat()).ok();
    let runs = history(&["--json"]).json();
    let states: Vec<(&str, &str)> = runs
        .as_array()
        .unwrap()
        .iter()
        .map(|run| (run["view"].as_str().unwrap(), run["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("good", "done"), ("good", "done"), ("better", "done"), ("bad", "failed")]);
    let first = &runs[1];
    assert_eq!(first["interval"], json!({"start": "2026-10-01T00:00:00Z", "end": "2026-11-01T00:00:00Z"}));
    assert_eq!((&first["read"], &first["written"], &first["skipped"]), (&json!(1800), &json!(5), &json!(0)));
    assert!(first["seconds"].as_f64().is_some() && first["by"].as_str().unwrap().starts_with("materialize of "));
    assert!(runs[3]["message"].as_str().unwrap().contains("data/gone.parquet"), "{runs}");
    assert_eq!(history(&["--json", "--limit", "1"]).json(), json!([runs[0]]));
    assert_eq!(history(&["--json", "better", "bad"]).json(), json!([runs[2], runs[3]]));
    let table = history(&[]).stdout;
    assert!(table.starts_with("STARTED") && table.contains("failed: there is no file"), "{table}");
    project.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(history(&["--json"]).json(), json!([]));
}

/// A run that noted its start alone.
fn begun(project: &Project, view: &str, id: &str) {
    let now = Timestamp::now();
    let run = RunRecord {
        id: id.to_owned(),
        view: view.to_owned(),
        interval: Interval { start: now, end: now },
        started: now,
        by: "materialize of cron".to_owned(),
        counts: RunCounts::default(),
        shards: None,
        state: RunState::Started,
    };
    registry(project).record_run("shop", &run).unwrap();
}

#[test]
fn a_run_without_an_end_goes_on_or_was_interrupted() {
    let project = three_views();
    begun(&project, "good", "1");
    begun(&project, "good", "2");
    begun(&project, "better", "3");
    let held = registry(&project).lock_view(ViewId { project: "shop", name: "good" }).unwrap();
    let states = || {
        let runs = project.feastr(&["materialize", "history", "--json"]).ok().json();
        runs.as_array().unwrap().iter().map(|run| run["state"].clone()).collect::<Vec<Value>>()
    };
    assert_eq!(states(), ["interrupted", "running", "interrupted"]);
    drop(held);
    assert_eq!(states(), ["interrupted"; 3]);
}

#[test]
fn the_history_of_nothing_is_a_mistake() {
    let project = three_views();
    let history = |args: &[&str]| project.feastr(&[&["materialize", "history"][..], args].concat());
    let unknown = history(&["good", "beter"]).failed().stderr;
    assert!(unknown.contains("no view `beter`") && unknown.contains("did you mean `better`?"), "{unknown}");
    assert!(history(&["better"]).ok().stderr.contains("No run"));
    assert!(history(&["-n", "0"]).failed().stderr.contains("--limit"));
    // Runs of a view that was removed since can still be looked at.
    project.feastr(&["materialize", START, END, "-v", "good"]).ok();
    std::fs::remove_file(project.path("good.yaml")).unwrap();
    project.feastr(&["apply", "--yes", "--skip-source-validation"]).ok();
    assert_eq!(history(&["good", "--json"]).ok().json()[0]["state"], "done");
}

#[test]
fn where_the_history_has_no_place_runs_go_well_all_the_same() {
    let project = applied();
    project.edit("feature_store.yaml", "registry_type: sql", "registry_type: sql\n  schema_mode: verify");
    let output = project.feastr(&["materialize", START, END]).ok();
    assert_eq!(output.stderr.matches("warning:").count(), 1, "{}", output.stderr);
    assert!(output.stderr.contains("not in the history: the registry has no table feastr_runs"), "{}", output.stderr);
    assert!(project.feastr(&["materialize", "history"]).ok().stderr.contains("No run"));
    project.edit("feature_store.yaml", "schema_mode: verify", "schema_mode: auto");
    project.feastr(&["registry", "create-schema"]).ok();
    project.edit("feature_store.yaml", "schema_mode: auto", "schema_mode: verify");
    let output = project.feastr(&["materialize", START, END]).ok();
    assert!(!output.stderr.contains("warning:"), "{}", output.stderr);
}

/// Times of success are for alerts: filling in older values must not look like a view left behind.
#[test]
fn metrics_tell_until_when_a_view_is_materialized() {
    let project = applied();
    project.feastr(&["materialize", START, END]).ok();
    project.feastr(&["materialize", START, "2026-10-15", "--metrics-file", "m.prom", "--report", "r.json"]).ok();
    let metrics = project.read("m.prom");
    let end = metrics.lines().find(|line| line.starts_with("feastr_materialize_last_end_timestamp_seconds{")).unwrap();
    assert!(end.ends_with(" 1793491200.0"), "{end}");
    let report: Value = serde_json::from_str(&project.read("r.json")).unwrap();
    assert_eq!(report["views"][0]["materialized_until"], "2026-11-01T00:00:00Z");
    assert_eq!(report["views"][0]["interval"]["end"], "2026-10-15T00:00:00Z");
}

#[test]
fn the_report_says_what_was_done() {
    let project = three_views();
    let args = ["materialize", START, END, "--chunk", "20d", "--report", "out.json", "--metrics-file", "feastr.prom"];
    project.feastr(&args).failed();
    let report: Value = serde_json::from_str(&project.read("out.json")).unwrap();
    assert_eq!((&report["format_version"], &report["project"]), (&json!(1), &json!("shop")));
    assert_eq!(report["views"].as_array().unwrap().len(), 3);
    let (bad, good) = (&report["views"][0], &report["views"][2]);
    assert_eq!((&bad["outcome"], &bad["chunks"]), (&json!("failed"), &json!([])));
    assert!(bad["message"].as_str().unwrap().contains("gone.parquet") && bad["help"].is_string());
    assert_eq!((&good["view"], &good["outcome"], &good["read"]), (&json!("good"), &json!("done"), &json!(1805)));
    assert_eq!(good["chunks"][1]["interval"]["end"], "2026-11-01T00:00:00Z");
    // What --json prints is the same.
    let printed = project.feastr(&["materialize", START, END, "-v", "good", "--json", "--report", "out.json"]).ok();
    assert_eq!(printed.json(), serde_json::from_str::<Value>(&project.read("out.json")).unwrap());
    for line in printed.stderr.lines() {
        assert!(serde_json::from_str::<Value>(line).unwrap()["event"].is_string(), "{line}");
    }

    let metrics = project.read("feastr.prom");
    let value = |name: &str, view: &str| {
        let start = format!("feastr_materialize_{name}{{project=\"shop\",view=\"{view}\"}} ");
        metrics.lines().find_map(|line| line.strip_prefix(&start)).map(|value| value.parse::<f64>().unwrap())
    };
    assert_eq!((value("failed", "bad"), value("failed", "good")), (Some(1.0), Some(0.0)));
    assert_eq!((value("rows_read", "good"), value("rows_written", "good")), (Some(1805.0), Some(10.0)));
    assert_eq!(value("last_end_timestamp_seconds", "good"), Some(1_793_491_200.0));
    assert!(value("last_success_timestamp_seconds", "good").is_some());
    assert_eq!(value("last_success_timestamp_seconds", "bad"), None);
    assert!(metrics.ends_with("# EOF\n"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(project.path("feastr.prom")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o644, "the node exporter is another user");
    }
    let missing = project.feastr(&["materialize", START, END, "--report", "nowhere/out.json"]).failed();
    assert!(missing.stderr.contains("there is no folder nowhere"), "{}", missing.stderr);
}
