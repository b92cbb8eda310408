//! Files of sources and entity rows: what is in them comes out, or they are refused with a place.

mod csv;
mod delta;
mod entity_rows;
mod formats;
mod json;
mod keys;
mod memory;
mod names_of_files;
mod names_of_times;
mod order;
mod parquet_types;
mod partitions;
mod types;

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field, Schema},
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};
use serde_json::Value as Json;

use crate::support::{Project, settings};

/// All rows of these tests are between both.
const EARLIER: &str = "2000-01-01";
const LATER: &str = "2026-06-01";

/// A day as most tests write event times.
const DAY: &str = "2026-01-01T00:00:00Z";

/// What properties are looked at with: the same in every run, and others where `PROPTEST_RNG_SEED` says so.
pub fn seed() -> proptest::test_runner::RngSeed {
    let seed = std::env::var("PROPTEST_RNG_SEED").ok().and_then(|seed| seed.parse().ok());
    proptest::test_runner::RngSeed::Fixed(seed.unwrap_or(1))
}

/// A repo over the source `s` at a path: the entity `e` has the key `id`, the view `v` these features,
/// and event times are in `ts`.
fn repo(path: &str, features: &[(&str, &str)]) -> Project {
    repo_with(path, "", "INT64", features)
}

/// The same with more settings of the source, as lines that begin with four blanks, and another key.
fn repo_with(path: &str, source: &str, key: &str, features: &[(&str, &str)]) -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("demo"))]);
    define(&project, path, source, key, features);
    project
}

fn define(project: &Project, path: &str, source: &str, key: &str, features: &[(&str, &str)]) {
    let schema: String =
        features.iter().map(|(name, dtype)| format!("      - {{name: {name}, dtype: \"{dtype}\"}}\n")).collect();
    let schema = if schema.is_empty() { String::new() } else { format!("    schema:\n{schema}") };
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: {key}}}]\ndata_sources:\n  - name: s\n    type: file\n    path: \
         \"{path}\"\n    timestamp_field: ts\n{source}feature_views:\n  - name: v\n    entities: [e]\n    ttl: 0\n    \
         source: s\n{schema}"
    );
    project.write("definitions.yaml", definitions);
}

/// Applies the definitions and materializes everything.
#[track_caller]
fn materialize(project: &Project) {
    project.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["materialize", EARLIER, LATER]).ok();
}

/// What refuses the definitions.
#[track_caller]
fn refusal(project: &Project) -> String {
    project.feastr(&["plan"]).failed().stderr
}

/// The online value of a feature of `v`.
#[track_caller]
fn online_of(project: &Project, feature: &str, id: &str) -> Json {
    let (feature, id) = (format!("v:{feature}"), format!("id={id}"));
    let answer = project.feastr(&["get-online", "--features", &feature, "--entity", &id, "--json"]).ok().json();
    answer["results"][1]["values"][0].clone()
}

/// The online value of `v:p`.
#[track_caller]
fn online(project: &Project, id: i64) -> Json {
    online_of(project, "p", &id.to_string())
}

/// The rows of `get-historical` with `v:p` as CSV, without their heading.
#[track_caller]
fn historical(project: &Project, entities: &str) -> Vec<String> {
    let args = ["get-historical", "--entities", entities, "--features", "v:p", "--format", "csv"];
    project.feastr(&args).ok().stdout.lines().skip(1).map(str::to_owned).collect()
}

/// Writes columns into a parquet file.
fn write_parquet(project: &Project, path: &str, columns: Vec<(&str, ArrayRef)>) {
    write_batch(&project.path(path), &batch(columns), None);
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect()).unwrap()
}

/// Writes rows into a parquet file, which has row groups of this many rows.
fn write_batch(path: &Path, batch: &RecordBatch, group: Option<usize>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(group).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), Some(properties)).unwrap();
    writer.write(batch).unwrap();
    writer.close().unwrap();
}

fn ints(values: impl IntoIterator<Item = i64>) -> ArrayRef {
    Arc::new(Int64Array::from_iter_values(values))
}

fn floats(values: impl IntoIterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}

fn texts<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(values))
}

/// Microseconds without a zone, as pandas writes them.
fn times<'a>(values: impl IntoIterator<Item = &'a str>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_iter_values(values.into_iter().map(micros)))
}

/// The same day in all rows.
fn days(rows: usize) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from_value(micros(DAY), rows))
}

fn micros(text: &str) -> i64 {
    chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros()
}

/// The same values in another Arrow type.
fn cast(array: &ArrayRef, to: &ArrowType) -> ArrayRef {
    arrow::compute::cast(array, to).unwrap()
}
