//! Checks of a view's source when its values are written.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema, TimeUnit},
};
use feastr::model::Timestamp;
use parquet::arrow::ArrowWriter;
use rusqlite::Connection;
use serde_json::{Value as Json, json};

use crate::support::{Output, Project, settings};

const DAY: i64 = 86_400_000_000;
const TRIPS: &str = "trips";

/// A repo with one view whose source has a row without a key, one whose value needs more than 32
/// bits, and one of tomorrow.
fn repo(checks: &str) -> Project {
    let project = Project::new(&[("feature_store.yaml", &settings("p"))]);
    define(&project, checks);
    let now = Timestamp::now().micros();
    let rows = [
        (Some(1), now - 3 * DAY, 10),
        (Some(2), now - 2 * DAY, 1 << 40),
        (None, now - 2 * DAY, 30),
        (None, now - 20 * DAY, 30),
        (Some(3), now - DAY, 40),
        (Some(4), now + DAY, 50),
    ];
    let at = ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let schema = Arc::new(Schema::new(vec![
        ArrowField::new("driver_id", ArrowType::Int64, true),
        ArrowField::new("event_timestamp", at, true),
        ArrowField::new(TRIPS, ArrowType::Int64, true),
    ]));
    let columns: Vec<ArrayRef> = vec![
        Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()),
        Arc::new(rows.iter().map(|row| Some(row.1)).collect::<TimestampMicrosecondArray>().with_timezone("UTC")),
        Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>()),
    ];
    let file = File::create(project.path("data/trips.parquet")).unwrap();
    let mut writer = ArrowWriter::try_new(file, Arc::clone(&schema), None).unwrap();
    writer.write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.close().unwrap();
    project.feastr(&["apply"]).ok();
    project
}

fn define(project: &Project, checks: &str) {
    project.write(
        "definitions.yaml",
        format!(
            "entities:\n  - {{name: driver, join_keys: [driver_id], value_type: INT64}}\nfeature_views:\n  - name: stats\n    \
             entities: [driver]\n    schema: [{{name: trips, dtype: Int32}}]\n    source: {{name: s, type: file, \
             path: data/trips.parquet, timestamp_field: event_timestamp}}\n    materialize: {{checks: {checks}}}\n"
        ),
    );
    std::fs::create_dir_all(project.path("data")).unwrap();
}

fn materialize(project: &Project, range: &[&str]) -> Output {
    project.feastr(&[&["materialize"], range, &["--report", "report.json"]].concat())
}

/// What the report says of the view.
fn report(project: &Project) -> Json {
    let report: Json = serde_json::from_str(&project.read("report.json")).unwrap();
    report["views"][0].clone()
}

/// The number of entities with values.
fn stored(project: &Project) -> i64 {
    let store = Connection::open(project.path("data/online_store.db")).unwrap();
    store.query_row("SELECT count(DISTINCT entity_key) FROM p_stats", [], |row| row.get(0)).unwrap()
}

#[test]
fn values_out_of_range_end_the_writing_or_become_null() {
    let project = repo("{}");
    let error = materialize(&project, &["-10d", "now"]).failed().stderr;
    assert!(error.contains("row 2 of data/trips.parquet, column `trips`: 1099511627776 does not fit Int32"), "{error}");
    define(&project, "{out_of_range: as_null}");
    project.feastr(&["apply"]).ok();
    let output = materialize(&project, &["-10d", "now"]).ok();
    let remark = "stats: 1 row left out, because a join key is null; 1 value out of the range of the declared type, \
                  written as null";
    assert!(output.stderr.contains(remark), "{}", output.stderr);
    let view = report(&project);
    assert_eq!((&view["out_of_range"], &view["without_key"], &view["future"]), (&1.into(), &1.into(), &0.into()));
    assert_eq!(stored(&project), 3);
    let value = project.feastr(&["get-online", "--features", "stats:trips", "--entity", "driver_id=2", "--json"]).ok();
    assert_eq!(value.json()["results"][1]["statuses"][0], "NULL_VALUE");
}

#[test]
fn nothing_is_written_of_a_source_with_null_keys_if_that_is_wanted() {
    let project = repo("{out_of_range: as_null, null_keys: fail}");
    let error = materialize(&project, &["-30d", "now"]).failed().stderr;
    assert!(error.contains("stats: no driver_id in 2 rows of its source, for example the one of "), "{error}");
    assert!(error.contains("`null_keys: skip`"), "{error}");
    assert_eq!(stored(&project), 0);
    assert_eq!(report(&project)["outcome"], "failed");
    // The interval counts, not the whole source.
    materialize(&project, &["-36h", "now"]).ok();
    assert_eq!(stored(&project), 1);
}

#[test]
fn every_row_with_a_null_key_is_counted() {
    let project = repo("{out_of_range: as_null}");
    for (chunk, chunks) in [("100d", json!([2])), ("10d", json!([1, 0, 1]))] {
        let output = materialize(&project, &["-30d", "now", "--chunk", chunk]).ok();
        assert!(output.stderr.contains("stats: 2 rows left out, because a join key is null"), "{}", output.stderr);
        let view = report(&project);
        let counted = view["chunks"].as_array().unwrap().iter().map(|chunk| chunk["without_key"].clone());
        assert_eq!((&view["without_key"], counted.collect::<Json>()), (&2.into(), chunks));
    }
}

#[test]
fn rows_in_the_future_are_treated_as_wanted() {
    let project = repo("{out_of_range: as_null, future: fail}");
    let error = materialize(&project, &["-10d", "now"]).failed().stderr;
    assert!(error.contains("stats: 1 row of its source in the future, the latest of "), "{error}");
    assert_eq!(stored(&project), 0);

    define(&project, "{out_of_range: as_null, future: skip}");
    project.feastr(&["apply"]).ok();
    let tomorrow = Timestamp::from_micros(Timestamp::now().micros() + 2 * DAY).to_string();
    materialize(&project, &["-10d", &tomorrow, "--allow-future"]).ok();
    let view = report(&project);
    assert_eq!((&view["future"], stored(&project)), (&1.into(), 3));
    assert!(view["interval"]["end"].as_str().unwrap() <= Timestamp::now().to_string().as_str(), "{view}");
    let error = materialize(&project, &[&tomorrow, &tomorrow, "--allow-future"]).failed().stderr;
    assert!(error.contains("its checks skip what is in the future, and all of it is"), "{error}");

    define(&project, "{out_of_range: as_null, future: count}");
    project.feastr(&["apply"]).ok();
    let output = materialize(&project, &["-10d", &tomorrow, "--allow-future"]).ok();
    assert!(output.stderr.contains("1 row of the source in the future"), "{}", output.stderr);
    assert_eq!((&report(&project)["future"], stored(&project)), (&1.into(), 4));
}

#[test]
fn too_few_rows_are_a_failure_before_anything_is_written() {
    let project = repo("{out_of_range: as_null, min_rows: 5}");
    let error = materialize(&project, &["-10d", "now"]).failed().stderr;
    assert!(error.contains("stats: its source has 4 rows from ") && error.contains("at least 5 are wanted"), "{error}");
    assert_eq!(stored(&project), 0);
    materialize(&project, &["-30d", "now"]).ok();
    assert_eq!(stored(&project), 3);
    // A run with nothing new has too few rows as well.
    let error = project.feastr(&["materialize-incremental", "now"]).failed().stderr;
    assert!(error.contains("its source has 0 rows"), "{error}");
}

#[test]
fn checks_are_registered_as_a_tag_and_exported_as_written() {
    let project = repo("{null_keys: fail, min_rows: 5}");
    let view = project.feastr(&["feature-views", "describe", "stats", "--json"]).ok().stdout;
    assert!(view.contains("feastr.checks"), "{view}");
    let exported = project.feastr(&["export"]).ok().stdout;
    assert!(exported.contains("checks: {null_keys: fail, min_rows: 5}"), "{exported}");
    define(&project, "{min_rows: -1}");
    let error = project.feastr(&["plan"]).failed().stderr;
    assert!(error.contains("-1 is not a number of rows"), "{error}");
    define(&project, "{future: sometimes}");
    let error = project.feastr(&["plan"]).failed().stderr;
    assert!(
        error.contains("there is no way to treat rows in the future `sometimes`") || error.contains("sometimes"),
        "{error}"
    );
}
