//! What was pushed to the history is training data, and is materialized.

use std::fs;

use serde_json::{Value as Json, json};

use super::{DEFINITIONS, applied, applied_with, historical, online, push};
use crate::support::Project;

const ROWS: &[(i64, &str, i64)] = &[(1001, "2026-11-20T10:00:00Z", 11), (1001, "2026-11-20T12:00:00Z", 12)];

fn materialize(project: &Project) {
    project.feastr(&["materialize", "2026-11-20", "2026-11-21"]).ok();
}

#[test]
fn pushed_rows_are_training_data_at_their_times() {
    let project = applied();
    let before = ["fresh", "history"].map(|view| historical(&project, view, 1001, "2026-11-20T13:00:00Z"));
    push(&project, ROWS, &["--to", "offline"]).ok();
    // The batch side of the push source, and every other view over the same history.
    for (view, before) in ["fresh", "trips", "history"].into_iter().zip([&before[0], &before[0], &before[1]]) {
        let at = |time: &str| historical(&project, view, 1001, time);
        assert_eq!(at("2026-11-20T09:00:00Z"), *before);
        assert_eq!([at("2026-11-20T10:00:00Z"), at("2026-11-20T13:00:00Z")], [json!(11), json!(12)], "{view}");
    }
    let all =
        ["--start", "2026-11-20", "--end", "2026-11-21", "--format", "jsonl", "--features", "trips:avg_daily_trips"];
    assert_eq!(project.feastr(&[&["get-historical"], &all[..]].concat()).ok().stdout.lines().count(), 2);
}

#[test]
fn pushed_rows_are_materialized() {
    let project = applied();
    push(&project, ROWS, &["--to", "offline"]).ok();
    assert_eq!(online(&project, 1001)["fresh"], json!(null));
    materialize(&project);
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 12, "trips": 12 }));
    // A push and the materialization of its history do not undo each other.
    push(&project, &[(1001, "2026-11-20T14:00:00Z", 14)], &[]).ok();
    materialize(&project);
    assert_eq!(online(&project, 1001)["fresh"], json!(14));
}

/// The program that writes the source may replace its file; what was added is still there.
#[test]
fn a_source_that_is_written_anew_keeps_what_was_added() {
    let project = applied();
    push(&project, ROWS, &["--to", "offline"]).ok();
    let again = project.read_bytes("data/driver_stats.parquet");
    fs::remove_file(project.path("data/driver_stats.parquet")).unwrap();
    project.write("data/driver_stats.parquet", again);
    assert_eq!(historical(&project, "fresh", 1001, "2026-11-20T13:00:00Z"), json!(12));
}

/// The page on pushes says how rows are folded into the file; this is what it says.
#[test]
fn added_rows_can_be_folded_in() {
    let project = applied();
    push(&project, ROWS, &["--to", "offline"]).ok();
    push(&project, &[(1002, "2026-11-20T10:00:00Z", 13)], &["--to", "offline"]).ok();
    let at =
        |project: &Project| [1001, 1002].map(|driver| historical(project, "fresh", driver, "2026-11-20T13:00:00Z"));
    assert_eq!(at(&project), [json!(12), json!(13)]);
    let page = include_str!("../../../docs/push.md");
    let script = page.split("```python\n").nth(1).unwrap().split("```").next().unwrap();
    let python = std::env::var_os("FEASTR_FEAST_PYTHON").expect("FEASTR_FEAST_PYTHON names no Python");
    let folded = std::process::Command::new(python).arg("-c").arg(script).current_dir(project.folder.path()).output();
    let folded = folded.unwrap();
    assert!(folded.status.success(), "{}", String::from_utf8_lossy(&folded.stderr));
    assert_eq!(super::files(&project.path("data/driver_stats.parquet.d")), Vec::<String>::new());
    assert_eq!(at(&project), [json!(12), json!(13)]);
}

/// Views without the rows of a push source do not change.
#[test]
fn other_views_get_nothing_online() {
    let project = applied();
    push(&project, ROWS, &["--to", "online_and_offline"]).ok();
    let entity = ["--entity", "driver_id=1001", "--json"];
    let args = [&["get-online", "--features", "history:avg_daily_trips"], &entity[..]].concat();
    assert_eq!(project.feastr(&args).ok().json()["results"][1]["values"][0], Json::Null);
}

/// As with a push to Feast's own store, a view over a source that is not there yet has to be applied first.
#[test]
fn a_view_that_is_not_applied_gets_nothing() {
    let project = applied();
    let more = "  - name: later\n    entities: [driver]\n    schema: [{name: acc_rate, dtype: Float32}]\n    source: stats_push\n";
    project.write("definitions.yaml", format!("{DEFINITIONS}{more}"));
    assert!(!push(&project, ROWS, &[]).ok().stdout.contains("later"));
    project.feastr(&["apply"]).ok();
    assert!(push(&project, ROWS, &[]).ok().stdout.contains("later"));
}

/// What checks of a view say of values that do not fit holds for pushed rows, too.
#[test]
fn values_out_of_range_may_be_null() {
    let checks = "    materialize: {checks: {out_of_range: as_null}}\n    source: stats_push\n  - name: trips";
    let narrow = DEFINITIONS.replace("    source: stats_push\n  - name: trips", checks).replace(
        "{name: acc_rate, dtype: Float32}, {name: avg_daily_trips, dtype: Int64}",
        "{name: avg_daily_trips, dtype: Int32}",
    );
    let project = applied_with(&narrow);
    let output = push(&project, &[(1001, "2026-11-20T10:00:00Z", 3_000_000_000)], &[]).ok();
    assert!(
        output.stderr.contains("fresh: 1 value out of the range of the declared type, written as null"),
        "{}",
        output.stderr
    );
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": null, "trips": 3_000_000_000_i64 }));
}
