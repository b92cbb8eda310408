//! What a person types and sees.

use std::{fs::File, sync::Arc};

use arrow::array::{ArrayRef, Float32Array, Int64Array, RecordBatch, TimestampMicrosecondArray};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use serde_json::json;

use super::{HEADING, ROWS, applied, applied_with, csv, files, online, push};
use crate::support::{Project, run};

/// A run with its exit code, stdout and stderr; the names of new files are another one on every run.
fn said(project: &Project, rows: &str, args: &[&str]) -> String {
    project.write("rows.csv", rows);
    let output = project.feastr(&[&["push", "stats_push", "-i", "rows.csv"], args].concat());
    let mut text = format!("exit code {}\n{}{}", output.code, output.stdout, output.stderr);
    while let Some(place) = text.find("push-").filter(|place| text[place + 5..].len() > 32) {
        text.replace_range(place..place + 37, "[NEW]");
    }
    text
}

#[test]
fn rows_go_to_the_online_store() {
    let project = applied();
    insta::assert_snapshot!(said(&project, &csv(ROWS), &[]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  3     2        1
    trips  3     2        1
    ");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 11, "trips": 11 }));
    assert!(!project.path("data/driver_stats.parquet.d").exists());
    // Older rows stay away, and the same ones change nothing.
    let older = [(1001, "2026-11-20T09:30:00Z", 99), (1003, "2026-11-20T09:30:00Z", 13)];
    insta::assert_snapshot!(said(&project, &csv(&older), &[]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  2     1        1
    trips  2     1        1
    ");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": 11, "trips": 11 }));
    assert_eq!(json!(online(&project, 1003)), json!({ "fresh": 13, "trips": 13 }));
}

#[test]
fn rows_go_to_the_history() {
    let project = applied();
    insta::assert_snapshot!(said(&project, &csv(ROWS), &["--to", "offline"]), @r"
    exit code 0
    Added 3 rows to data source stats: data/driver_stats.parquet.d/[NEW].parquet
    ");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": null, "trips": null }));
    insta::assert_snapshot!(said(&project, &csv(ROWS), &["--to", "online_and_offline"]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  3     2        1
    trips  3     2        1
    Added 3 rows to data source stats: data/driver_stats.parquet.d/[NEW].parquet
    ");
    assert_eq!(files(&project.path("data/driver_stats.parquet.d")).len(), 2);
}

#[test]
fn the_report_is_json() {
    let project = applied();
    let mut report = push(&project, ROWS, &["--json", "--to", "online_and_offline"]).ok().json();
    let file = report["added"]["files"][0].take();
    assert!(project.path(file.as_str().unwrap()).is_file(), "{file}");
    let view = |name: &str| json!({ "view": name, "written": 2, "older": 1, "out_of_range": 0 });
    assert_eq!(
        report,
        json!({
            "format_version": 1,
            "project": "demo",
            "source": "stats_push",
            "to": "online_and_offline",
            "rows": 3,
            "sent": null,
            "views": [view("fresh"), view("trips")],
            "left_out": [],
            "added": { "source": "stats", "rows": 3, "files": [null], "table": null, "server": null },
            "ignored_columns": [],
        })
    );
}

#[test]
fn a_quiet_push_says_nothing() {
    let project = applied();
    let output = push(&project, ROWS, &["--quiet", "--to", "online_and_offline"]).ok();
    assert_eq!((output.stdout, output.stderr), (String::new(), String::new()));
    assert!(push(&project, &[(1, "soon", 1)], &["--quiet"]).failed().stderr.contains("`soon` is not a time"));
}

/// Mistakes, each with a message that one can act on; nothing is written.
#[test]
fn mistakes_are_told_before_anything_is_written() {
    let project = applied();
    let both = ["--to", "online_and_offline"];
    let good = "1001,2026-11-20T10:00:00Z,2026-11-20T12:00:00Z,0.25,0.5,11\n";
    let bad = |line: &str| format!("{HEADING}{good}{line}\n");
    let other = |heading: &str, line: &str| format!("{heading}\n{line}\n");
    insta::assert_snapshot!(said(&project, &other("driver_id,event_timestamp,created,conv_rat,acc_rate,avg_daily_trips", "1,2026-11-20,2026-11-20,1,1,1"), &both), @r"
    exit code 1
    error: rows.csv: there is no column `conv_rate`, which view `fresh` and data source `stats` need
    help: is `conv_rat` the column `conv_rate`? Then rename it
    ");
    insta::assert_snapshot!(said(&project, &other("driver_id,created,conv_rate,acc_rate", "1,2026-11-20,1,1"), &[]), @r"
    exit code 1
    error: rows.csv: there are no columns `avg_daily_trips`, `event_timestamp`, which view `fresh` and view `trips` need
    ");
    insta::assert_snapshot!(said(&project, &other("driver_id,event_timestamp,created,conv_rate,acc_rate,avg_daily_trips,mood", "1,2026-11-20,2026-11-20,1,1,1,good"), &both), @r"
    exit code 1
    error: rows.csv: column `mood` is none of data source `stats`
    help: leave it out; the columns of a source stay what they are
    ");
    insta::assert_snapshot!(said(&project, &bad("1002,2026-11-20,2026-11-20,1,1,many"), &both), @r"
    exit code 1
    error: line 3 of rows.csv, column `avg_daily_trips`: `many` is not an Int64
    help: correct it, declare another type, or set `out_of_range: as_null` in the view's checks
    ");
    insta::assert_snapshot!(said(&project, &bad(",2026-11-20,2026-11-20,1,1,1"), &both), @r"
    exit code 1
    error: line 3 of rows.csv, column `driver_id`: it is missing, and every row needs a join key
    help: write it, or leave out the row
    ");
    insta::assert_snapshot!(said(&project, &bad("1002,,2026-11-20,1,1,1"), &both), @r"
    exit code 1
    error: line 3 of rows.csv, column `event_timestamp`: it is missing, and every row needs an event time
    help: write it, or leave out the row
    ");
    insta::assert_snapshot!(said(&project, &bad("1002,20.11.2026,2026-11-20,1,1,1"), &both), @r"
    exit code 1
    error: line 3 of rows.csv, column `event_timestamp`: `20.11.2026` is not a time
    help: write times like 2026-01-31T12:00:00Z; without a zone they are UTC; a source may declare a `timestamp_format`
    ");
    insta::assert_snapshot!(said(&project, &bad("1002,2200-11-20,2026-11-20,1,1,1"), &both), @r"
    exit code 3
    error: line 3 of rows.csv, column `event_timestamp`: 2200-11-20T00:00:00Z is in the future
    help: correct it, or add --allow-future if it is wanted: until then it would be the newest value
    ");
    assert_eq!(json!(online(&project, 1001)), json!({ "fresh": null, "trips": null }));
    assert_eq!(files(&project.path("data/driver_stats.parquet.d")), Vec::<String>::new());
}

#[test]
fn what_is_odd_and_no_mistake_is_said() {
    let project = applied();
    let more = format!("{},mood\n1,2026-11-20,2026-11-20,1,1,1,good\n", HEADING.trim());
    insta::assert_snapshot!(said(&project, &more, &[]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  1     1        0
    trips  1     1        0
    rows.csv: columns that nobody needs are ignored: mood
    ");
    insta::assert_snapshot!(said(&project, HEADING, &["--to", "online_and_offline"]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  0     0        0
    trips  0     0        0
    warning: rows.csv has no rows; nothing was written
    ");
    insta::assert_snapshot!(said(&project, &csv(&[(1, "2200-11-20", 1)]), &["--allow-future"]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  1     1        0
    trips  1     1        0
    ");
}

#[test]
fn sources_are_found_by_name_and_kind() {
    let project = applied();
    project.write("rows.csv", csv(ROWS));
    let refused = |args: &[&str]| project.feastr(&[&["push"], args].concat()).failed().stderr;
    insta::assert_snapshot!(refused(&["stats", "-i", "rows.csv"]), @r"
    error: data source `stats` is of type file, and rows are pushed to those of type push
    help: push to `stats_push`, which is in front of it
    ");
    insta::assert_snapshot!(refused(&["stat_push", "-i", "rows.csv"]), @r"
    error: there is no push source `stat_push`
    help: did you mean `stats_push`?
    ");
    insta::assert_snapshot!(refused(&["stats_push", "-i", "gone.csv"]), @"error: there is no file gone.csv");
    insta::assert_snapshot!(refused(&["stats_push", "-i", "rows.csv", "--to", "both"]), @r"
    error: invalid value 'both' for '--to <STORE>'
      [possible values: online, offline, online_and_offline]

    For more information, try '--help'.
    ");
    let fresh = Project::new(&[("feature_store.yaml", &crate::support::settings("demo"))]);
    fresh.write("rows.csv", csv(ROWS));
    insta::assert_snapshot!(fresh.feastr(&["push", "stats_push", "-i", "rows.csv"]).failed().stderr, @r"
    error: there is no push source `stats_push`
    help: the registry has none: run `feastr apply`
    ");
}

#[test]
fn views_that_are_not_served_are_left_out() {
    let project =
        applied_with(&super::DEFINITIONS.replace("  - name: trips\n", "  - name: trips\n    online: false\n"));
    insta::assert_snapshot!(said(&project, &csv(ROWS), &[]), @r"
    exit code 0
    VIEW   ROWS  WRITTEN  OLDER
    fresh  3     2        1
    warning: view trips is left out: it is not for the online store
    ");
}

#[test]
fn rows_come_in_any_format_and_from_anywhere() {
    let project = applied();
    let line = |(driver, at, trips): &(i64, &str, i64)| {
        let row = json!({ "driver_id": driver, "event_timestamp": at, "created": "2026-11-20T12:00:00Z", "conv_rate": 0.25,
                          "acc_rate": 0.5, "avg_daily_trips": trips });
        format!("{row}\n")
    };
    project.write("rows.csv", csv(ROWS));
    project.write("rows.csv.gz.zst", zstd::encode_all(csv(ROWS).as_bytes(), 0).unwrap());
    project.write("rows.jsonl", ROWS.iter().map(line).collect::<String>());
    for (number, file) in ["rows.csv", "rows.csv.gz.zst", "rows.jsonl"].into_iter().enumerate() {
        let by_name = project.feastr(&["push", "stats_push", "--input", file]).ok();
        let mut piped = project.command(&["push", "stats_push", "--input", "-", "--to", "offline"]);
        let piped = run(piped.stdin(File::open(project.path(file)).unwrap())).ok();
        assert!(by_name.stdout.contains("fresh  3     2        1"), "{}", by_name.stdout);
        assert!(piped.stderr.starts_with("Added 3 rows to data source stats: "), "{}", piped.stderr);
        assert_eq!(files(&project.path("data/driver_stats.parquet.d")).len(), number + 1);
    }
    // What was added may be pushed again: as parquet, and from there as Arrow.
    let added = format!("data/driver_stats.parquet.d/{}", files(&project.path("data/driver_stats.parquet.d"))[0]);
    let pushed = project.feastr(&["push", "stats_push", "--input", &added]).ok().stdout;
    assert!(pushed.contains("fresh  3     2        1"), "{pushed}");
    let rows = ["get-historical", "--start", "2026-11-20", "--end", "2026-11-21", "-o", "rows.arrow", "--features"];
    let features = "fresh:conv_rate,fresh:acc_rate,fresh:avg_daily_trips";
    project.feastr(&[&rows[..], &[features]].concat()).ok();
    let lacking = project.feastr(&["push", "stats_push", "--input", "rows.arrow"]).failed().stderr;
    assert!(lacking.contains("there is no column `created`, which view `fresh` and view `trips` need"), "{lacking}");
}

/// Rows of parquet files have numbers over all of their groups.
#[test]
fn rows_of_parquet_files_are_told_by_number() {
    let project = applied();
    let keys = [Some(1), Some(2), Some(3), Some(4), None, Some(6)];
    let at = i64::from(1_795_000_000_i32) * 1_000_000;
    let floats: ArrayRef = Arc::new(Float32Array::from(vec![0.5; 6]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("driver_id", Arc::new(Int64Array::from(keys.to_vec()))),
        ("event_timestamp", Arc::new(TimestampMicrosecondArray::from(vec![at; 6]))),
        ("created", Arc::new(TimestampMicrosecondArray::from(vec![at; 6]))),
        ("conv_rate", Arc::clone(&floats)),
        ("acc_rate", floats),
        ("avg_daily_trips", Arc::new(Int64Array::from(vec![7; 6]))),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(2)).build();
    let file = File::create(project.path("rows.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(properties)).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let refused = project.feastr(&["push", "stats_push", "-i", "rows.parquet"]).failed().stderr;
    assert!(refused.starts_with("error: row 5 of rows.parquet, column `driver_id`: it is missing"), "{refused}");
}
