//! Which row is the newest: to the nanosecond, and by what is in the rows where times do not tell.

use std::sync::Arc;

use arrow::array::{ArrayRef, TimestampMicrosecondArray, TimestampNanosecondArray};
use serde_json::{Value as Json, json};

use super::{
    DAY, batch, days, historical, ints, materialize, micros, online, repo, repo_with, texts, write_batch, write_parquet,
};
use crate::support::Project;

const KEYS: i64 = 100;

/// Two files with rows of few entities at one moment.
fn tied() -> Project {
    const ROWS: i64 = 20_000;
    let project = repo("data/s", &[("p", "Int64")]);
    for file in 0..2 {
        let columns = vec![
            ("id", ints((0..ROWS).map(|row| row % KEYS))),
            ("ts", days(ROWS as usize)),
            // Neither the first nor the last rows have the greatest values.
            ("p", ints((0..ROWS).map(|row| (row * 7_919 + file * 31) % 65_537))),
        ];
        write_batch(&project.path(&format!("data/s/{file}.parquet")), &batch(columns), Some(2_000));
    }
    let entities = vec![
        ("id", ints(0..KEYS)),
        (
            "event_timestamp",
            Arc::new(TimestampMicrosecondArray::from_value(micros("2026-01-02T00:00:00Z"), KEYS as usize)) as ArrayRef,
        ),
    ];
    write_parquet(&project, "e.parquet", entities);
    project
}

#[test]
fn rows_of_one_moment_are_decided_by_their_values() {
    let project = tied();
    let greatest = |key: i64| {
        let values = (0..2)
            .flat_map(|file| (key..20_000).step_by(KEYS as usize).map(move |row| (row * 7_919 + file * 31) % 65_537));
        values.max().unwrap()
    };
    let expected: Vec<i64> = (0..KEYS).map(greatest).collect();
    for run in 0..3 {
        let _ = std::fs::remove_file(project.path("data/online_store.db"));
        project.feastr(&["apply", "--yes"]).ok();
        project.feastr(&["materialize", super::EARLIER, super::LATER, "--report", "r.json"]).ok();
        let entities: Vec<String> = (0..KEYS).flat_map(|id| ["--entity".to_owned(), format!("id={id}")]).collect();
        let args: Vec<String> = ["get-online", "--features", "v:p", "--json"].map(str::to_owned).into();
        let answer = project.feastr(&[args, entities].concat()).ok().json();
        assert_eq!(answer["results"][1]["values"], json!(expected), "run {run}");
        let rows = historical(&project, "e.parquet");
        let values: Vec<i64> = rows.iter().map(|row| row.rsplit_once(',').unwrap().1.parse().unwrap()).collect();
        assert_eq!(values, expected, "run {run}");
        let report: Json = serde_json::from_str(&project.read("r.json")).unwrap();
        assert_eq!(report["views"][0]["ties"], 40_000 - KEYS, "run {run}");
    }
    let listed = project.feastr(&["plan", "--verbose"]).ok();
    assert!(listed.stdout.contains(" as new as another one"), "{}", listed.stdout);
}

#[test]
fn the_first_feature_that_differs_decides_and_null_comes_first() {
    let project = repo("data/s.csv", &[("p", "Int64"), ("q", "String")]);
    project.edit("definitions.yaml", "    timestamp_field: ts\n", "    timestamp_field: ts\n    file_format: csv\n");
    let mut rows =
        ["1,2026-01-01,,z", "1,2026-01-01,9,a", "1,2026-01-01,10,a", "1,2026-01-01,10,b", "1,2026-01-01,-5,z"];
    for _ in 0..rows.len() {
        rows.rotate_left(1);
        project.write("data/s.csv", format!("id,ts,p,q\n{}\n", rows.join("\n")));
        let _ = std::fs::remove_file(project.path("data/online_store.db"));
        materialize(&project);
        assert_eq!((online(&project, 1), super::online_of(&project, "q", "1")), (json!(10), json!("b")));
    }
}

fn nanos(values: &[i64]) -> ArrayRef {
    Arc::new(TimestampNanosecondArray::from_iter_values(values.iter().map(|nanos| micros(DAY) * 1_000 + nanos)))
}

#[test]
fn the_latest_nanosecond_counts() {
    let project = repo_with("data/s.parquet", "    created_timestamp_column: created\n", "INT64", &[("p", "Int64")]);
    write_parquet(
        &project,
        "data/s.parquet",
        vec![
            ("id", ints([1, 1, 1, 2, 2, 2])),
            ("ts", nanos(&[5, 7, 6, 0, 0, 0])),
            ("created", nanos(&[9, 0, 9, 2, 3, 1])),
            ("p", ints([1, 2, 3, 6, 5, 4])),
        ],
    );
    materialize(&project);
    assert_eq!((online(&project, 1), online(&project, 2)), (json!(2), json!(5)));
    let rows: String = [4, 5, 6, 7, 8].map(|nanos| format!("1,2026-01-01T00:00:00.00000000{nanos}Z\n")).concat();
    project.write("e.csv", format!("id,event_timestamp\n{rows}"));
    let values: Vec<String> =
        historical(&project, "e.csv").iter().map(|row| row.rsplit_once(',').unwrap().1.to_owned()).collect();
    assert_eq!(values, ["", "1", "3", "2", "2"]);
    // Texts, too.
    let project = repo_with("data/s.csv", "    file_format: csv\n", "INT64", &[("p", "Int64")]);
    let row = |nanos: i32, value: i32| format!("1,2026-01-01T00:00:00.00000000{nanos}Z,{value}\n");
    project.write("data/s.csv", format!("id,ts,p\n{}{}{}", row(1, 9), row(3, 7), row(2, 8)));
    materialize(&project);
    assert_eq!(online(&project, 1), 7);
}

#[test]
fn the_bounds_of_materialize_are_exact_to_the_nanosecond() {
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    // Of the ids 1 to 6 the outer ones are a nanosecond too early or too late.
    write_parquet(
        &project,
        "data/s.parquet",
        vec![
            ("id", ints(1..=6)),
            ("ts", nanos(&[-1, 0, 1, 999_999_999, 1_000_000_000, 1_000_000_001])),
            ("p", ints(1..=6)),
        ],
    );
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-01-01T00:00:00", "2026-01-01T00:00:01"]).ok();
    let values: Vec<Json> = (1..=6).map(|id| online(&project, id)).collect();
    assert_eq!(json!(values), json!([null, 2, 3, 4, 5, null]));
    // What one run leaves behind its end is there for the next one.
    project.feastr(&["materialize-incremental", "2026-01-01T00:00:02"]).ok();
    assert_eq!(online(&project, 6), 6);
}

#[test]
fn moments_of_text_and_of_numbers_are_the_same() {
    let project = repo("data/s", &[("p", "Int64")]);
    let columns = |ts: ArrayRef, value| vec![("id", ints([1])), ("ts", ts), ("p", ints([value]))];
    write_parquet(&project, "data/s/1.parquet", columns(nanos(&[1_500]), 1));
    write_parquet(&project, "data/s/2.parquet", columns(texts(["2026-01-01T01:00:00.000001501+01:00"]), 2));
    write_parquet(&project, "data/s/3.parquet", columns(days(1), 3));
    materialize(&project);
    assert_eq!(online(&project, 1), 2);
}
