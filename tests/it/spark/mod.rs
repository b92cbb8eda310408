//! An engine beyond this machine: Apache Spark and Sail, asked over Spark Connect.

mod apache;
mod catalogs;
mod computed;
mod days;
mod encrypted;
mod encrypting;
mod in_bucket;
mod joins;
mod killed;
mod promises;
mod questions;
mod sail;
mod same;
#[path = "../../../src/offline/spark/tests/service.rs"]
mod service;
mod shards;
mod written;

use std::ops::ControlFlow;

use arrow::{
    array::AsArray as _,
    datatypes::{Int64Type, SchemaRef},
    record_batch::RecordBatch,
};
use feastr::offline::BatchSink;
use serde_json::Value;

use crate::support::Project;

/// A small repo whose offline store is a server at an address.
fn repo(address: &str) -> Project {
    let project = Project::example();
    let store = format!("offline_store: {{type: spark, spark_conf: {{spark.remote: '{address}'}}}}");
    project.edit("feature_store.yaml", "offline_store:\n  type: duckdb", &store);
    project
}

/// What `engine check` tried, each with its error.
fn checks(report: &Value) -> Vec<(String, Value)> {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().map(|check| (check["name"].as_str().unwrap().to_owned(), check["error"].clone())).collect()
}

/// Counts and adds up numbers; `act` is called after each batch.
struct Sum<F> {
    rows: u64,
    sum: i64,
    act: F,
}

impl<F: FnMut() + Send> BatchSink for Sum<F> {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        self.rows += batch.num_rows() as u64;
        self.sum += batch.column(0).as_primitive::<Int64Type>().values().iter().sum::<i64>();
        (self.act)();
        ControlFlow::Continue(())
    }
}
