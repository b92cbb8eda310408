//! Delta tables: the rows of one version, as their logs say.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::{Duration, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};

use super::{batch, days, ints, materialize, online, online_of, refusal, repo_with, write_batch};
use crate::support::Project;

const DELTA: &str = "    file_format: delta\n";

/// A repo over the table that `tests/tables/delta/make.py` wrote, with more settings of the source.
fn over_table(settings: &str) -> Project {
    let features = [("p", "Int64"), ("q", "Float64"), ("city", "String"), ("day", "UnixTimestamp")];
    let project = repo_with("data/t", &format!("{DELTA}{settings}"), "INT64", &features);
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tables/delta/table"), &project.path("data/t"));
    project
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (path, to) = (entry.path(), to.join(entry.file_name()));
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::copy(path, to).unwrap();
        }
    }
}

/// All features of an entity, as training data.
fn historical(project: &Project) -> Vec<String> {
    project
        .write("e.csv", "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n4,2026-02-01\n5,2026-02-01\n");
    let features = ["--features", "v:p", "--features", "v:q", "--features", "v:city", "--features", "v:day"];
    let args = [&["get-historical", "--entities", "e.csv", "--format", "csv"][..], &features].concat();
    project.feastr(&args).ok().stdout.lines().skip(1).map(|line| line.replace(",2026-02-01T00:00:00Z", "")).collect()
}

#[test]
fn the_rows_of_the_latest_version_are_read() {
    let project = over_table("");
    project.feastr(&["apply", "--yes"]).ok();
    let rows = [
        "1,10,,New York/é,2026-01-01T00:00:00Z",
        "2,,,,",
        "3,30,,,2026-01-02T00:00:00Z",
        "4,40,4.5,New York/é,2026-01-03T00:00:00Z",
        "5,50,5.5,a=b%,2026-01-04T00:00:00Z",
    ];
    assert_eq!(historical(&project), rows);
    materialize(&project);
    assert_eq!([1, 2, 3].map(|id| online(&project, id)), [json!(10), Json::Null, json!(30)]);
    assert_eq!(online_of(&project, "city", "5"), json!("a=b%"));
    assert_eq!(online_of(&project, "q", "4"), json!(4.5));
    project.feastr(&["drift"]).ok();
    // The same folder read as parquet has what the table removed.
    project.edit("definitions.yaml", "file_format: delta", "file_format: parquet");
    let warned = project.feastr(&["plan"]);
    let said = format!("{}{}", warned.stdout, warned.stderr);
    assert!(said.contains("all of them are read, also those that it has removed"), "{said}");
}

#[test]
fn another_version_is_read_by_number_or_moment() {
    let project = over_table("    delta_version: 1\n");
    project.feastr(&["apply", "--yes"]).ok();
    let second = [
        "1,10,,New York/é,2026-01-01T00:00:00Z",
        "2,20,,a=b%,2026-01-01T00:00:00Z",
        "3,30,,,2026-01-02T00:00:00Z",
        "4,40,4.5,New York/é,2026-01-03T00:00:00Z",
        "5,,,,",
    ];
    assert_eq!(historical(&project), second);
    for (version, second) in [(0, 0), (1, 10), (2, 20), (3, 30)] {
        let commit = project.path(&format!("data/t/_delta_log/{version:020}.json"));
        let moment = UNIX_EPOCH + Duration::from_secs(1_767_225_600 + second);
        File::options().append(true).open(commit).unwrap().set_modified(moment).unwrap();
    }
    project.edit("definitions.yaml", "delta_version: 1", "delta_timestamp: 2026-01-01T00:00:29Z");
    let plan = project.feastr(&["plan"]).ok().stdout;
    assert!(plan.contains("delta_timestamp") && plan.contains("delta_version"), "{plan}");
    project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(historical(&project)[1..], ["2,,,,", second[2], second[3], second[4]]);
    project.edit("definitions.yaml", "2026-01-01T00:00:29Z", "2026-01-01T00:00:19Z");
    project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(historical(&project), second);
    // The first version did not have the column yet.
    project.edit("definitions.yaml", "delta_timestamp: 2026-01-01T00:00:19Z", "delta_version: 0");
    assert!(refusal(&project).contains("`data/t` has no column `q`"));
    project.edit("definitions.yaml", "delta_version: 0", "delta_timestamp: 2025-12-31");
    assert!(refusal(&project).contains("has no version as old as 2025-12-31T00:00:00Z"));
    project.edit("definitions.yaml", "delta_timestamp: 2025-12-31", "delta_version: 17");
    assert!(refusal(&project).contains("the Delta table `data/t` has no version 17"));
}

/// Begins a table by hand: columns `id`, `ts` and `p`, with deletion vectors.
fn begin(folder: &Path) {
    begin_with(folder, &[("id", "long"), ("ts", "timestamp_ntz"), ("p", "long")], &[]);
}

fn begin_with(folder: &Path, columns: &[(&str, &str)], partitions: &[&str]) {
    let field = |(name, kind): &(&str, &str)| json!({"name": name, "type": kind, "nullable": true, "metadata": {}});
    let fields: Vec<Json> = columns.iter().map(field).collect();
    let schema = json!({"type": "struct", "fields": fields}).to_string();
    let features = ["deletionVectors", "timestampNtz"];
    let protocol = json!({
        "minReaderVersion": 3, "minWriterVersion": 7, "readerFeatures": features, "writerFeatures": features,
    });
    let metadata = json!({
        "id": "1", "format": {"provider": "parquet", "options": {}}, "schemaString": schema,
        "partitionColumns": partitions,
        "configuration": {"delta.enableDeletionVectors": "true"}, "createdTime": 0,
    });
    commit(folder, 0, &[json!({ "protocol": protocol }), json!({ "metaData": metadata })]);
}

fn commit(folder: &Path, version: u64, actions: &[Json]) {
    let path: PathBuf = folder.join(format!("_delta_log/{version:020}.json"));
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, actions.iter().map(|action| format!("{action}\n")).collect::<String>()).unwrap();
}

fn add(path: &str, vector: Json) -> Json {
    json!({"add": {
        "path": path, "partitionValues": {}, "size": 1, "modificationTime": 0, "dataChange": true,
        "deletionVector": vector,
    }})
}

#[test]
fn deleted_rows_are_left_out() {
    let project = repo_with("data/t", DELTA, "INT64", &[("p", "Int64")]);
    let folder = project.path("data/t");
    begin(&folder);
    // Row groups of four, of which the vector has rows 0, 3, 4 and 10.
    let rows = batch(vec![("id", ints(0..11)), ("ts", days(11)), ("p", ints(100..111))]);
    write_batch(&folder.join("a.parquet"), &rows, Some(4));
    let vector = json!({"storageType": "i", "pathOrInlineDv": VECTOR, "sizeInBytes": 40, "cardinality": 4});
    commit(&folder, 1, &[add("a.parquet", vector)]);
    materialize(&project);
    let left: Vec<i64> = (0..11).filter(|id| online(&project, *id) == json!(100 + id)).collect();
    assert_eq!(left, [1, 2, 5, 6, 7, 8, 9]);
    let entities: String = (0..11).map(|id| format!("{id},2026-02-01\n")).collect();
    project.write("e.csv", format!("id,event_timestamp\n{entities}"));
    let rows = super::historical(&project, "e.csv");
    let found: Vec<bool> = rows.iter().map(|row| !row.ends_with(',')).collect();
    assert_eq!(found, (0..11).map(|id| left.contains(&id)).collect::<Vec<_>>(), "{rows:?}");
    let plan = project.feastr(&["plan", "--verbose"]).ok().stdout;
    assert!(plan.contains("7 rows"), "{plan}");
}

/// A bitmap with the numbers 0, 3, 4 and 10, as logs have it.
const VECTOR: &str = "^Bg9^0rr910000000000iXQKl0rr91000935c8Xg000931on=e";

#[test]
fn partition_values_have_the_types_of_the_table() {
    let project = repo_with("data/t", DELTA, "INT64", &[]);
    let folder = project.path("data/t");
    let columns = [
        ("id", "long"),
        ("ts", "timestamp"),
        ("day", "date"),
        ("n", "short"),
        ("ok", "boolean"),
        ("amount", "decimal(10,2)"),
        ("name", "string"),
        ("empty", "double"),
    ];
    begin_with(&folder, &columns, &["ts", "day", "n", "ok", "amount", "name", "empty"]);
    write_batch(&folder.join("a.parquet"), &batch(vec![("id", ints([1]))]), None);
    let mut file = add("a.parquet", Json::Null);
    file["add"]["partitionValues"] = json!({
        "ts": "2026-01-01 12:30:00.5", "day": "2026-01-02", "n": "-7", "ok": "true", "amount": "1.50",
        "name": "NULL", "empty": "",
    });
    commit(&folder, 1, &[file]);
    materialize(&project);
    let values = ["day", "n", "ok", "amount", "name", "empty"].map(|name| online_of(&project, name, "1"));
    let expected = [json!(1_767_312_000), json!(-7), json!(true), json!("1.50"), json!("NULL"), Json::Null];
    assert_eq!(values, expected);
    project.write("e.csv", "id,event_timestamp\n1,2026-01-01T12:30:00.5Z\n1,2026-01-01T12:30:00.4Z\n");
    let args = ["get-historical", "--entities", "e.csv", "--features", "v:n", "--format", "csv"];
    let rows = project.feastr(&args).ok().stdout;
    assert_eq!(rows.lines().skip(1).map(|row| row.rsplit(',').next().unwrap()).collect::<Vec<_>>(), ["-7", ""]);
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let project = repo_with("data/t", DELTA, "INT64", &[("p", "Int64")]);
    begin(&project.path("data/t"));
    assert!(refusal(&project).contains("source `s` is empty: `data/t` has no rows"));
    project.feastr(&["apply", "--yes", "--skip-source-validation"]).ok();
    let run = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
    assert!(run.contains("its source is empty"), "{run}");
    project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n");
    assert_eq!(super::historical(&project, "e.csv"), ["1,2026-02-01T00:00:00Z,"]);
    // It has columns, and no others.
    project.edit("definitions.yaml", "name: p", "name: gone");
    assert!(refusal(&project).contains("no column `gone`"));
}

#[test]
fn what_is_wrong_with_a_table_is_said() {
    let project = repo_with("data/t", DELTA, "INT64", &[("p", "Int64")]);
    assert!(refusal(&project).contains("there is no file `data/t`"));
    std::fs::create_dir_all(project.path("data/t")).unwrap();
    assert!(refusal(&project).contains("`data/t` is not a Delta table: it has no folder `_delta_log`"));
    begin(&project.path("data/t"));
    commit(&project.path("data/t"), 1, &[add("vacuumed.parquet", Json::Null)]);
    let said = refusal(&project);
    assert!(said.contains("data/t/vacuumed.parquet"), "{said}");
}
