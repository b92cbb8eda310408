//! Sources in buckets: what is read of the same files on this machine.

mod faults;
mod places;
mod requests;
mod same;

use std::{fs::File, path::Path, sync::Arc};

use arrow::{
    array::{ArrayRef, Float64Array, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, TimeUnit},
};
use feastr::{
    clients::{
        buckets::{Bucket, Expected},
        runtime::wait,
    },
    model::Timestamp,
};
use parquet::{arrow::ArrowWriter, file::properties::WriterProperties};

use crate::{
    servers::buckets::ObjectStore,
    support::{Output, Project, run, settings},
};

/// A repo over the source `s` at a path: the entity `e` has the key `id`, the view `v` the feature `p`, event times are in
/// `ts`. More settings of the source are lines that begin with four blanks.
pub fn define(project: &Project, path: &str, more: &str) {
    project.write("feature_store.yaml", settings("demo"));
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: INT64}}]\ndata_sources:\n  - name: s\n    type: file\n    path: \
         \"{path}\"\n    timestamp_field: ts\n{more}feature_views:\n  - name: v\n    entities: [e]\n    ttl: 0\n    \
         source: s\n    schema:\n      - {{name: p, dtype: Float64}}\n"
    );
    project.write("definitions.yaml", definitions);
}

fn micros(day: &str) -> i64 {
    Timestamp::parse(day, Timestamp::from_micros(0)).unwrap().micros()
}

/// Rows of a day, one for each id: `p` is the id and a hundredth of `value`.
pub fn day(ids: std::ops::Range<i64>, day: &str, value: f64) -> RecordBatch {
    let count = ids.clone().count();
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("id", Arc::new(Int64Array::from_iter_values(ids.clone()))),
        ("ts", Arc::new(TimestampMicrosecondArray::from_value(micros(day), count))),
        ("p", Arc::new(Float64Array::from_iter_values(ids.map(|id| id as f64 + value / 100.0)))),
    ];
    let time = DataType::Timestamp(TimeUnit::Microsecond, None);
    let fields = [("id", DataType::Int64), ("ts", time), ("p", DataType::Float64)];
    let fields: Vec<Field> = fields.into_iter().map(|(name, kind)| Field::new(name, kind, true)).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns.into_iter().map(|(_, column)| column).collect())
        .unwrap()
}

/// Writes rows into a parquet file with row groups of so many rows.
pub fn write(path: &Path, rows: &RecordBatch, group: usize) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let properties = WriterProperties::builder().set_max_row_group_row_count(Some(group)).build();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), rows.schema(), Some(properties)).unwrap();
    writer.write(rows).unwrap();
    writer.close().unwrap();
}

/// Puts a folder of files into a bucket, under the same names.
pub fn upload(folder: &Path, bucket: &Bucket) {
    let mut waiting = vec![folder.to_owned()];
    while let Some(next) = waiting.pop() {
        for entry in std::fs::read_dir(&next).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
                continue;
            }
            let key = path.strip_prefix(folder).unwrap().to_str().unwrap();
            put(bucket, key, std::fs::read(&path).unwrap());
        }
    }
}

pub fn put(bucket: &Bucket, key: &str, bytes: Vec<u8>) {
    wait(bucket.put(key, bytes.into(), Expected::Anything)).unwrap();
}

/// The program in the repo, as somebody who may do everything in a store that is reached at an address.
pub fn feastr_at(project: &Project, server: &ObjectStore, endpoint: &str, args: &[&str]) -> Output {
    run(project.command(args).envs(server.environment_at(endpoint)))
}

pub fn feastr(project: &Project, server: &ObjectStore, args: &[&str]) -> Output {
    feastr_at(project, server, &server.endpoint(), args)
}

/// What of the program's answer is the same on every run.
pub const JOIN: [&str; 7] = ["get-historical", "--entities", "entities.csv", "--features", "v:p", "--format", "csv"];
