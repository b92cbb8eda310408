//! The first rows of a result, or only its columns.

use std::fs::File;

use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use serde_json::{Value as Json, json};

use super::{CITIES, applied_with, folders::many_rows, run};

#[test]
fn no_more_rows_are_written_than_are_wanted() {
    let project = applied_with(&many_rows(10_000));
    let lines = |args: &[&str]| run(&project, &[&["--format", "jsonl"], args].concat()).ok().stdout;
    let all = lines(&[]);
    for limit in [0, 1, 2048, 5000] {
        let first: Vec<&str> = all.lines().take(limit).collect();
        assert_eq!(lines(&["--limit", &limit.to_string()]).lines().collect::<Vec<_>>(), first);
    }
    assert_eq!(lines(&["--limit", "99999"]), all);
    let said = run(&project, &["-o", "some.parquet", "--limit", "3"]).ok().stderr;
    assert!(said.contains("Wrote 3 rows to some.parquet"), "{said}");
    run(&project, &["-o", "out", "--partition-by", "city", "--limit", "3"]).ok();
    assert_eq!(std::fs::read_dir(project.path("out")).unwrap().count(), 3);
}

#[test]
fn a_dry_run_tells_the_columns_and_reads_no_source() {
    let project = applied_with(CITIES);
    run(&project, &["-o", "rows.parquet"]).ok();
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(project.path("rows.parquet")).unwrap()).unwrap();
    let written: Json = reader
        .schema()
        .fields()
        .iter()
        .map(|field| json!({ "name": field.name(), "type": field.data_type().to_string() }))
        .collect();
    // What is in front of the footer are rows.
    let mut source = project.read_bytes("data/driver_stats.parquet");
    let footer = source.len() - 8 - u32::from_le_bytes(source[source.len() - 8..][..4].try_into().unwrap()) as usize;
    source[4..footer].fill(0);
    project.write("data/driver_stats.parquet", source);
    run(&project, &[]).failed();
    let shown = run(&project, &["--dry-run", "--json", "-o", "new.parquet"]).ok();
    assert_eq!(shown.json(), written);
    assert!(!project.path("new.parquet").exists());
    insta::assert_snapshot!(run(&project, &["--dry-run"]).ok().stdout, @r#"
    COLUMN           TYPE
    driver_id        Int64
    event_timestamp  Timestamp(µs, "UTC")
    city             Utf8
    day              Utf8
    conv_rate        Float32
    avg_daily_trips  Int64
    "#);
    project.write("rows.jsonl", "{\"driver\": 1, \"event_timestamp\": \"2026-10-30\"}\n");
    let refused = run(&project, &["--dry-run"]).failed().stderr;
    assert!(refused.contains("no join key column `driver_id`"), "{refused}");
}
