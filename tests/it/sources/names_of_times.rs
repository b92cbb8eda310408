//! The columns of times by the names that `field_mapping` gives them.

use serde_json::json;

use super::{DAY, define, ints, materialize, online, refusal, repo_with, times, write_parquet};

const MAPPED: &str = "    created_timestamp_column: made\n    field_mapping: {at: ts, cr: made, q: p}\n";

#[test]
fn times_are_found_by_their_names_in_the_view_and_in_the_file() {
    let project = repo_with("data/s.parquet", MAPPED, "INT64", &[("p", "Int64")]);
    let later = "2026-01-02T00:00:00Z";
    write_parquet(
        &project,
        "data/s.parquet",
        vec![
            ("id", ints([1, 1, 2, 2])),
            ("at", times([DAY, later, DAY, DAY])),
            ("cr", times([later, DAY, DAY, later])),
            ("q", ints([1, 2, 3, 4])),
        ],
    );
    materialize(&project);
    assert_eq!((online(&project, 1), online(&project, 2)), (json!(2), json!(4)));
    project.write("e.csv", "id,event_timestamp\n1,2026-01-01T12:00:00Z\n2,2026-01-03\n");
    let rows = super::historical(&project, "e.csv");
    assert_eq!(rows, ["1,2026-01-01T12:00:00Z,1", "2,2026-01-03T00:00:00Z,4"]);
    // The names of the file count as well.
    let project = repo_with("data/s.parquet", "    field_mapping: {ts: event}\n", "INT64", &[("p", "Int64")]);
    write_parquet(&project, "data/s.parquet", vec![("id", ints([1])), ("ts", times([DAY])), ("p", ints([5]))]);
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
}

#[test]
fn two_columns_get_no_name_in_common() {
    let project = repo_with("data/s.parquet", "    field_mapping: {a: p, b: p}\n", "INT64", &[("p", "Int64")]);
    let columns = vec![("id", ints([1])), ("ts", times([DAY])), ("a", ints([5])), ("b", ints([6]))];
    write_parquet(&project, "data/s.parquet", columns);
    let error = refusal(&project);
    assert!(error.contains("`field_mapping` calls both `a` and `b` `p`"), "{error}");
    define(&project, "data/s.parquet", "    field_mapping: {a: p, b: c}\n", "INT64", &[("p", "Int64")]);
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
}
