//! Which entities are asked for: on the command line and in files.

use std::{fs::File, sync::Arc};

use arrow::array::{ArrayRef, BinaryArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use parquet::arrow::ArrowWriter;

use crate::support::{Output, Project, settings};

const KEYS: [&[u8]; 3] = [b"ab", &[0xff, 0x00, 0x61], b"base64:YWI="];

/// A repo whose view `v` has a join key of bytes and one of text, and a value for each of [`KEYS`].
fn project() -> Project {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("keys")),
        (
            "views.yaml",
            "entities:\n  - {name: e, join_keys: [by], value_type: BYTES}\n  - {name: s, join_keys: [text], value_type: \
             STRING}\nfeature_views:\n  - name: v\n    entities: [e, s]\n    source: {name: rows, type: file, path: \
             data/rows.parquet, timestamp_field: event_timestamp}\n    schema: [{name: x, dtype: Int64}]\n",
        ),
    ]);
    write(&project, "data/rows.parquet", &KEYS);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    project
}

/// Rows of one time: each key, the text `t` and its number from 1 as `x`.
fn write(project: &Project, path: &str, keys: &[&[u8]]) {
    let columns: [(&str, ArrayRef); 4] = [
        ("by", Arc::new(BinaryArray::from(keys.to_vec()))),
        ("text", Arc::new(StringArray::from(vec!["t"; keys.len()]))),
        ("event_timestamp", {
            let events = vec![1_791_936_000_000_000; keys.len()];
            Arc::new(TimestampMicrosecondArray::from(events).with_timezone("UTC"))
        }),
        ("x", Arc::new((1..=keys.len()).map(|number| i64::try_from(number).ok()).collect::<Int64Array>())),
    ];
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    std::fs::create_dir_all(project.path(path).parent().unwrap()).unwrap();
    let file = File::create(project.path(path)).unwrap();
    let mut writer = ArrowWriter::try_new(file, batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

fn ask(project: &Project, args: &[&str]) -> Output {
    project.feastr(&[&["get-online", "--features", "v:x"][..], args].concat())
}

/// The values of `x`; -1 where there is none.
fn found(output: &Output) -> Vec<i64> {
    let values = output.json()["results"][2]["values"].clone();
    values.as_array().unwrap().iter().map(|value| value.as_i64().unwrap_or(-1)).collect()
}

#[test]
fn keys_of_bytes_are_written_in_base64_or_as_they_are() {
    let project = project();
    let args = ["-e", "by=ab,text=t", "-e", "by=base64:YWI=,text=t", "-e", "by=base64:/wBh,text=t", "--json"];
    assert_eq!(found(&ask(&project, &args).ok()), [1, 1, 2]);
    // What the table prints can be given back.
    let table = ask(&project, &["-e", "by=base64:/wBh,text=t"]).ok().stdout;
    assert!(table.contains("base64:/wBh"), "{table}");
    let refused = ask(&project, &["-e", "by=base64:/wB,text=t"]).failed().stderr;
    assert!(refused.contains("`base64:/wB`, the join key `by` of entity 1, is not base64"), "{refused}");
    // A text is only a text.
    assert_eq!(found(&ask(&project, &["-e", "by=ab,text=base64:dA==", "--json"]).ok()), [-1]);
}

#[test]
fn binary_columns_of_files_are_keys_of_bytes() {
    let project = project();
    write(&project, "ask.parquet", &[KEYS[1], KEYS[0], KEYS[2], b"\xff"]);
    assert_eq!(found(&ask(&project, &["--entities", "ask.parquet", "--json"]).ok()), [2, 1, 3, -1]);
    project.write("ask.csv", "text,by\nt,base64:/wBh\nt,ab\n");
    assert_eq!(found(&ask(&project, &["--entities", "ask.csv", "--json"]).ok()), [2, 1]);
}

#[test]
fn other_columns_of_files_are_ignored_with_a_word() {
    let project = project();
    write(&project, "ask.parquet", &KEYS);
    let output = ask(&project, &["--entities", "ask.parquet"]).ok();
    assert!(output.stderr.contains("ask.parquet: columns that are not join keys are ignored: event_timestamp, x"));
    assert_eq!(ask(&project, &["--entities", "ask.parquet", "--quiet"]).ok().stderr, "");
    // Not on the command line, where each is written by hand; and a join key may not be missing.
    let refused = ask(&project, &["-e", "by=ab,text=t,tex=t"]).failed().stderr;
    assert!(refused.contains("no requested feature has the join key `tex`"), "{refused}");
    project.write("ask.csv", "bi,text\nab,t\n");
    let refused = ask(&project, &["--entities", "ask.csv"]).failed().stderr;
    assert!(refused.contains("the join key `by` is missing") && refused.contains("ignored: bi"), "{refused}");
}

#[test]
fn features_whose_names_have_commas_can_be_asked_for() {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("commas")),
        (
            "views.yaml",
            "entities: [{name: e, join_keys: [text], value_type: STRING}]\nfeature_views:\n  - name: v\n    entities: \
             [e]\n    source: {name: rows, type: file, path: data/rows.parquet, timestamp_field: event_timestamp, \
             field_mapping: {x: 'income,<50k'}}\n    schema: [{name: 'income,<50k', dtype: Int64}, {name: by, dtype: \
             Bytes}]\n",
        ),
        ("entities.jsonl", "{\"text\": \"t\", \"event_timestamp\": \"2026-10-20T00:00:00Z\"}\n"),
    ]);
    write(&project, "data/rows.parquet", &KEYS[..1]);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    for features in [&["v:by,v:income,<50k"][..], &["v:by", "v:income,<50k"], &["v:by,v:income,<50k", "--json"]] {
        let args = [&["get-online", "--entity", "text=t", "--features"][..], features].concat();
        let online = project.feastr(&args).ok().stdout;
        assert!(online.contains("income,<50k"), "{online}");
    }
    let args =
        ["get-historical", "--entities", "entities.jsonl", "--format", "jsonl", "--features", "v:income,<50k,v:by"];
    let historical = project.feastr(&args).ok().stdout;
    assert!(historical.contains(r#""income,<50k":1"#), "{historical}");
    let wrong = project.feastr(&["get-online", "--entity", "text=t", "--features", "v:by,income,<50k"]).failed().stderr;
    assert!(wrong.contains("feature view `v` has no feature `by,income,<50k`"), "{wrong}");
    project.edit("views.yaml", "{x: 'income,<50k'}", "{x: low}");
    project.edit("views.yaml", "{name: 'income,<50k', dtype: Int64}", "{name: low, dtype: Int64}");
    project.feastr(&["apply", "--yes"]).ok();
    let list = project.feastr(&["get-online", "--entity", "text=t", "--features", "v:by,low"]).failed().stderr;
    assert!(list.contains("help: write each feature with its view: v:by,v:low"), "{list}");
}
