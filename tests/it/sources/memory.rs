//! Wide views and long values: batches follow bytes, not rows.

use std::{sync::Arc, time::Instant};

use arrow::array::{ArrayRef, Float64Array, ListArray, StringArray};
use arrow::datatypes::Int64Type;
use serde_json::json;

use super::{batch, days, ints, materialize, online, online_of, repo, write_batch, write_parquet};
use crate::support::Project;

/// Less than all rows of these tests take.
const LIMIT: [&str; 2] = ["--memory-limit", "256MB"];

#[track_caller]
fn materialize_with_little(project: &Project) {
    project.feastr(&["apply"]).ok();
    project.feastr(&[&["materialize", super::EARLIER, super::LATER][..], &LIMIT].concat()).ok();
}

fn wide(columns: usize, rows: usize) {
    let names: Vec<String> = (0..columns).map(|column| format!("f{column}")).collect();
    let features: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "Float64")).collect();
    let project = repo("data/s.parquet", &features);
    let mut file = vec![("id", ints(0..rows as i64)), ("ts", days(rows))];
    for (column, name) in names.iter().enumerate() {
        let value = |row: usize| (row * 7 + column) as f64 / 3.0;
        file.push((name, Arc::new(Float64Array::from_iter_values((0..rows).map(value))) as ArrayRef));
    }
    write_parquet(&project, "data/s.parquet", file);
    materialize_with_little(&project);
    let last = rows - 1;
    let value = online_of(&project, &names[columns - 1], &last.to_string());
    assert_eq!(value.as_f64(), Some((last * 7 + columns - 1) as f64 / 3.0));
}

#[test]
fn views_may_be_wide() {
    wide(2_000, 1);
    wide(500, 300);
}

/// Texts that no dictionary makes small.
fn long_texts(length: usize, rows: usize) -> Vec<String> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..rows)
        .map(|_| {
            let mut text = String::with_capacity(length + 16);
            while text.len() < length {
                text.push_str(&format!("{:016x}", next()));
            }
            text
        })
        .collect()
}

fn write_texts(project: &Project, values: &[String]) {
    let rows = values.len();
    let texts: ArrayRef = Arc::new(StringArray::from_iter_values(values));
    let columns = batch(vec![("id", ints(0..rows as i64)), ("ts", days(rows)), ("p", texts)]);
    write_batch(&project.path("data/s.parquet"), &columns, Some((rows / 10).max(1)));
    let entities = vec![("id", ints(0..rows as i64)), ("event_timestamp", days(rows))];
    write_parquet(project, "e.parquet", entities);
}

#[test]
fn texts_may_be_long() {
    for (length, rows) in [(10_000, 500), (100_000, 50), (1_000_000, 8), (12_000_000, 1)] {
        let project = repo("data/s.parquet", &[("p", "String")]);
        let values = long_texts(length, rows);
        write_texts(&project, &values);
        materialize_with_little(&project);
        assert_eq!(online(&project, rows as i64 - 1), values[rows - 1], "{rows} texts of {length} bytes");
        let join = ["get-historical", "--entities", "e.parquet", "--features", "v:p", "--output", "o.parquet"];
        project.feastr(&[&join[..], &LIMIT].concat()).ok();
        assert!(project.read_bytes("o.parquet").len() > length * rows / 3);
    }
}

#[test]
fn lists_may_be_long() {
    let project = repo("data/s.parquet", &[("p", "Array(Int64)")]);
    let list = (0..300_000).map(Some).collect::<Vec<_>>();
    let lists: ArrayRef =
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>([Some(list), Some(vec![Some(7)])]));
    write_parquet(&project, "data/s.parquet", vec![("id", ints([1, 2])), ("ts", days(2)), ("p", lists)]);
    materialize_with_little(&project);
    let values = online(&project, 1);
    assert_eq!((values.as_array().unwrap().len(), &values[299_999]), (300_000, &json!(299_999)));
}

#[test]
fn too_little_memory_is_called_so() {
    let project = repo("data/s.parquet", &[("p", "String")]);
    write_texts(&project, &long_texts(1_000_000, 40));
    project.feastr(&["apply"]).ok();
    let started = Instant::now();
    let output = project.feastr(&["materialize", super::EARLIER, super::LATER, "--memory-limit", "8MB"]);
    // Either it is enough after all, or the message says what to set.
    if output.code != 0 {
        let error = output.failed().stderr;
        assert!(error.contains("--memory-limit") && !error.contains("TMPDIR"), "{error}");
        assert!(!error.contains("DuckDB"), "{error}");
    }
    assert!(started.elapsed().as_secs() < 60);
    materialize(&project);
}
