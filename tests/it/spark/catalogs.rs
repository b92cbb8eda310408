//! Tables of Delta and Iceberg, which the cluster knows by their names in its catalog or finds in folders.

use std::{ops::ControlFlow, time::Duration};

use arrow::{datatypes::SchemaRef, record_batch::RecordBatch};
use feastr::offline::{BatchSink, Cancel, SparkSession};

use crate::{
    servers::spark::sail,
    support::{Project, settings},
};

/// Sail forgets tables with the session that made them, so that feastr takes part in this one.
const SESSION: &str = "session_id=6f0c5b0e-30a5-4d0a-9f4c-2f1c5a7b9d11";

/// Takes what commands answer.
struct Answer;

impl BatchSink for Answer {
    fn start(&mut self, _: &SchemaRef) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

fn repo() -> Project {
    let store =
        format!("offline_store:\n  type: spark\n  spark_conf: {{spark.remote: '{}/;{SESSION}'}}\n", sail().address());
    let settings = settings("catalogs").replace("offline_store:\n  type: duckdb\n", &store);
    let project = Project::new(&[("feature_store.yaml", &settings)]);
    project.write(
        "rows.csv",
        "driver,event_timestamp\n1,2024-03-01T10:30:00Z\n1,2024-03-01T12:00:00Z\n2,2024-03-01T12:00:00Z\n",
    );
    project
}

/// Makes a table of trips in a folder.
fn table(project: &Project, format: &str, name: &str) -> String {
    let folder = format!("file://{}", project.path(name).display());
    let session = SparkSession::open(&sail().config(SESSION, Duration::from_secs(5)), &Cancel::default()).unwrap();
    for statement in [
        format!("CREATE TABLE {name} (driver BIGINT, at TIMESTAMP, trips BIGINT) USING {format} LOCATION '{folder}'"),
        format!(
            "INSERT INTO {name} VALUES (1, TIMESTAMP '2024-03-01 10:00:00', 5), (2, TIMESTAMP '2024-03-01 11:30:00', 6)"
        ),
        format!(
            "INSERT INTO {name} VALUES (1, TIMESTAMP '2024-03-01 11:00:00', 7), (3, TIMESTAMP '2024-03-01 11:00:00', 8)"
        ),
    ] {
        session.query(&statement, &mut Answer, &|_| {}).unwrap();
    }
    folder
}

#[test]
fn tables_of_delta_and_iceberg_are_sources() {
    let project = repo();
    let sources = ["delta", "iceberg"].map(|format| {
        let name = format!("trips_{format}");
        let folder = table(&project, format, &name);
        [
            (format!("known_{format}"), format!("table: {name}")),
            (format!("found_{format}"), format!("path: '{folder}', file_format: {format}")),
        ]
    });
    let mut definitions =
        "entities: [{name: driver, join_keys: [driver], value_type: INT64}]\nfeature_views:\n".to_owned();
    for (view, source) in sources.as_flattened() {
        let source = format!("{{name: {view}, type: spark, timestamp_field: at, {source}}}");
        definitions += &format!("  - {{name: {view}, entities: [driver], ttl: 1h, source: {source}}}\n");
    }
    project.write("features.yaml", definitions);
    let plan = project.feastr(&["plan", "--json"]).ok().stdout;
    // Columns are those of the tables.
    assert!(plan.contains("trips") && plan.contains("Int64"), "{plan}");
    project.feastr(&["apply", "--yes"]).ok();
    project.feastr(&["materialize", "2024-03-01", "2024-03-02"]).ok();
    for (view, _) in sources.as_flattened() {
        let feature = format!("{view}:trips");
        let rows = ["get-historical", "--entities", "rows.csv", "--features", &feature, "--format", "csv"];
        let joined = project.feastr(&rows).ok().stdout;
        let trips: Vec<&str> = joined.lines().skip(1).filter_map(|line| line.rsplit(',').next()).collect();
        assert_eq!(trips, ["5", "7", "6"], "{view}: {joined}");
        let online = ["get-online", "--features", &feature, "--entity", "driver=1", "--entity", "driver=3", "--json"];
        let online = project.feastr(&online).ok().json();
        assert_eq!(online["results"][1]["values"], serde_json::json!([7, 8]), "{view}: {online}");
    }
}
