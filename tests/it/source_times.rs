//! Sources some of whose rows have no event time.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{ArrayRef, Int64Array, RecordBatch, TimestampMicrosecondArray},
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema, TimeUnit},
};
use parquet::arrow::ArrowWriter;

use crate::support::{Project, settings};

const RANGE: [&str; 3] = ["materialize", "2026-09-01", "2026-11-01"];

/// A repo with a view over a source in a file of this format.
fn repo(format: &str) -> Project {
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: INT64}}]\nfeature_views:\n  - name: v\n    entities: [e]\n    \
         schema: [{{name: x, dtype: Int64}}]\n    source: {{name: s, type: file, path: rows.{format}, file_format: \
         {format}, timestamp_field: at, created_timestamp_column: written}}\n"
    );
    Project::new(&[("feature_store.yaml", &settings("p")), ("definitions.yaml", &definitions)])
}

fn write_parquet(project: &Project, times: &[Option<i64>]) {
    let at = || ArrowType::Timestamp(TimeUnit::Microsecond, None);
    let field = |name: &str, dtype| ArrowField::new(name, dtype, true);
    let schema = Arc::new(Schema::new(vec![
        field("id", ArrowType::Int64),
        field("at", at()),
        field("written", at()),
        field("x", ArrowType::Int64),
    ]));
    let ids: Int64Array = (1..=i64::try_from(times.len()).unwrap()).map(Some).collect();
    let times: TimestampMicrosecondArray = times.iter().map(|time| time.map(|days| days * 86_400_000_000)).collect();
    let columns: Vec<ArrayRef> = vec![Arc::new(ids.clone()), Arc::new(times.clone()), Arc::new(times), Arc::new(ids)];
    let mut writer = ArrowWriter::try_new(File::create(project.path("rows.parquet")).unwrap(), schema.clone(), None);
    writer.as_mut().unwrap().write(&RecordBatch::try_new(schema, columns).unwrap()).unwrap();
    writer.unwrap().close().unwrap();
}

#[test]
fn what_is_no_time_ends_the_run() {
    let project = repo("csv");
    let good = "id,at,written,x\n1,2026-10-01 00:00:00,,1\n2,2026-10-01T05:00:00+02:00,2026-10-01,2\n";
    project.write("rows.csv", good);
    project.feastr(&["apply"]).ok();
    project.feastr(&RANGE).ok();
    for (rows, expected) in [
        ("3,2026-10-01T25:00:00,,3\n", "line 4 of rows.csv, column `at`: `2026-10-01T25:00:00` is not a time"),
        ("3,01/10/2026,,3\n4,02/10/2026,,4\n", "line 4 of rows.csv, column `at`: `01/10/2026` is not a time"),
        ("3,2026-10-01,\u{1b}[2J,3\n", r"line 4 of rows.csv, column `written`: `\u{1b}[2J` is not a time"),
    ] {
        project.write("rows.csv", format!("{good}{rows}"));
        for run in [&RANGE[..], &["materialize", "2026-09-01", "2026-11-01", "--dry-run"]] {
            let output = project.feastr(run);
            let said = output.stdout + &output.stderr;
            assert!(output.code == 1 && said.contains(expected), "{run:?}: {said}");
        }
        project.write("entities.csv", "id,event_timestamp\n1,2026-10-02\n");
        let error = project.feastr(&["get-historical", "--entities", "entities.csv", "--features", "v:x"]).failed();
        assert!(error.stderr.contains(expected), "{}", error.stderr);
    }
}

#[test]
fn rows_whose_time_is_null_are_counted() {
    let project = repo("parquet");
    write_parquet(&project, &[Some(20_727), None, Some(20_728), None]);
    project.feastr(&["apply"]).ok();
    let run = [&RANGE[..], &["--report", "r.json", "--metrics-file", "m.prom", "--chunk", "40d"]].concat();
    let output = project.feastr(&run).ok();
    let remark = "v: 2 rows of the source left out, because the event time is null";
    assert!(output.stderr.contains(remark), "{}", output.stderr);
    let report: serde_json::Value = serde_json::from_str(&project.read("r.json")).unwrap();
    let view = &report["views"][0];
    assert_eq!((&view["without_time"], &view["read"]), (&2.into(), &2.into()));
    assert!(view["chunks"].as_array().unwrap().iter().all(|chunk| chunk["without_time"] == 0), "{view}");
    let metrics = project.read("m.prom");
    assert!(metrics.contains("feastr_materialize_rows_without_time{project=\"p\",view=\"v\"} 2.0\n"), "{metrics}");
    let history = project.feastr(&["materialize", "history", "--json"]).ok().json();
    assert_eq!(history[0]["without_time"], 2);
}

#[test]
fn a_source_without_any_time_is_not_called_empty() {
    let project = repo("parquet");
    write_parquet(&project, &[None, None, None]);
    project.feastr(&["apply"]).ok();
    let expected = "column `at`, which has the event times, is null in all rows (3)";
    for run in [&RANGE[..], &["materialize-incremental", "2026-11-01"]] {
        let error = project.feastr(run).failed().stderr;
        assert!(error.contains(expected), "{error}");
    }
}
