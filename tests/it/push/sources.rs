//! Sources of all layouts, names and types: what is added to them is read as if it had always been there.

use std::{collections::BTreeSet, fs::File, path::Path, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int8Array, Int32Array,
        Int64Array, LargeStringArray, ListArray, RecordBatch, StringArray, StructArray, TimestampMillisecondArray,
        TimestampNanosecondArray, UInt16Array,
    },
    datatypes::{DataType, Field, Int32Type, Schema},
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::json;

use super::{files, push};
use crate::support::{Project, settings};

fn write(path: &Path, columns: Vec<(&str, ArrayRef)>) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The columns of a file and its rows.
fn read(path: &Path) -> (Vec<(String, DataType)>, RecordBatch) {
    let reader = ParquetRecordBatchReaderBuilder::try_new(File::open(path).unwrap()).unwrap();
    let columns = reader.schema().fields().iter().map(|field| (field.name().clone(), field.data_type().clone()));
    (columns.collect(), reader.build().unwrap().next().unwrap().unwrap())
}

/// A view `v` of drivers with a feature `x`, over a source with these settings in front of which is a push source.
fn repo(source: &str) -> Project {
    let definitions = format!(
        "entities: [{{name: driver, join_keys: [driver_id], value_type: INT64}}]\ndata_sources:\n  - {{name: stats, type: \
         file, timestamp_field: at, {source}}}\n  - {{name: stats_push, type: push, batch_source: stats}}\nfeature_views:\n  - \
         {{name: v, entities: [driver], schema: [{{name: x, dtype: Int64}}], source: stats_push}}\n"
    );
    Project::new(&[("feature_store.yaml", &settings("demo")), ("definitions.yaml", &definitions)])
}

fn seconds(times: &[i64]) -> ArrayRef {
    Arc::new(TimestampMillisecondArray::from(times.iter().map(|time| time * 1_000).collect::<Vec<_>>()))
}

/// The usual columns: drivers at seconds, with a value.
fn rows(rows: &[(i64, i64, i64)]) -> Vec<(&'static str, ArrayRef)> {
    vec![
        ("driver_id", Arc::new(rows.iter().map(|(driver, ..)| Some(*driver)).collect::<Int64Array>())),
        ("at", seconds(&rows.iter().map(|(_, at, _)| *at).collect::<Vec<_>>())),
        ("x", Arc::new(rows.iter().map(|(.., x)| Some(*x)).collect::<Int64Array>())),
    ]
}

/// Pushes a line of CSV to the history.
fn offline(project: &Project, csv: &str) -> crate::support::Output {
    project.write("rows.csv", csv);
    project.feastr(&["push", "stats_push", "-i", "rows.csv", "--to", "offline"])
}

/// The values of a driver that training data have at a time, and that a materialization serves.
fn values(project: &Project, driver: i64) -> [serde_json::Value; 2] {
    let entity = format!("driver_id={driver}");
    let at = ["get-historical", "--features", "v:x", "--entity", &entity, "--at", "2026-11-25", "--format", "jsonl"];
    let historical = project.feastr(&at).ok().json()["x"].clone();
    project.feastr(&["materialize", "2020-01-01", "2026-11-25"]).ok();
    let online = project.feastr(&["get-online", "--features", "v:x", "--entity", &entity, "--json"]).ok().json();
    [historical, online["results"][1]["values"][0].clone()]
}

const NEWER: &str = "driver_id,at,x\n7,2026-11-20T10:00:00Z,70\n8,2026-11-20T10:00:00Z,80\n";

#[test]
fn files_folders_and_patterns_take_new_files() {
    for (path, first, folder) in [
        ("data/s.parquet", "data/s.parquet", "data/s.parquet.d"),
        ("data/s", "data/s/a.parquet", "data/s"),
        ("data/s/part-*.parquet", "data/s/part-1.parquet", "data/s"),
        ("data/**/*.parquet", "data/s/part-1.parquet", "data"),
    ] {
        let project = repo(&format!("path: '{path}'"));
        write(&project.path(first), rows(&[(7, 1_000, 1)]));
        let before = project.read_bytes(first);
        project.feastr(&["apply"]).ok();
        let there: BTreeSet<String> = files(&project.path(folder)).into_iter().collect();
        for _ in 0..2 {
            offline(&project, NEWER).ok();
        }
        let now: BTreeSet<String> = files(&project.path(folder)).into_iter().collect();
        assert_eq!((now.len(), now.is_superset(&there)), (there.len() + 2, true), "{path}: {now:?}");
        assert_eq!(values(&project, 7), [json!(70), json!(70)], "{path}");
        assert_eq!(values(&project, 8), [json!(80), json!(80)], "{path}");
        assert_eq!(project.read_bytes(first), before, "{path}");
        project.feastr(&["plan", "--detailed-exitcode"]).ok();
        project.feastr(&["drift"]).ok();
    }
}

#[test]
fn rows_go_into_the_folders_of_their_values() {
    let project = repo("path: data/s, date_partition_column: day");
    write(&project.path("data/s/city=K%3Aln/day=20260101/a.parquet"), rows(&[(7, 1_000, 1)]));
    project.feastr(&["apply"]).ok();
    offline(&project, "driver_id,at,x,city\n7,2026-11-20T23:59:59Z,70,K:ln\n8,2026-11-21T00:00:00Z,80,Ulm\n").ok();
    let new = files(&project.path("data/s"));
    let folders: Vec<&str> = new.iter().map(|file| file.rsplit_once('/').unwrap().0).collect();
    assert_eq!(folders, ["city=K%3Aln/day=20260101", "city=K%3Aln/day=20261120", "city=Ulm/day=20261121"]);
    let (columns, _) = read(&project.path(&format!("data/s/{}", new[2])));
    assert_eq!(columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["driver_id", "at", "x"]);
    assert_eq!(values(&project, 8), [json!(80), json!(80)]);
    // A day may be given, and then it has to be the right one: nobody would look for the row elsewhere.
    offline(&project, "driver_id,at,x,city,day\n7,2026-11-22T10:00:00Z,71,K:ln,2026-11-22\n").ok();
    assert_eq!(values(&project, 7), [json!(71), json!(71)]);
    let wrong =
        offline(&project, "driver_id,at,x,city,day\n7,2026-11-22T10:00:00Z,71,Ulm,2026-11-23\n").failed().stderr;
    assert!(wrong.contains("line 2 of rows.csv, column `day`: the event is of 2026-11-22T10:00:00Z"), "{wrong}");
    let lacking = offline(&project, NEWER).failed().stderr;
    assert!(lacking.contains("there is no column `city`, which data source `stats` needs"), "{lacking}");
    assert_eq!(files(&project.path("data/s")).len(), 4);
}

/// Some programs write a column into the files and the names of their folders: its values are the same in both.
#[test]
fn what_is_in_files_and_folders_is_in_the_names_of_folders() {
    let project = repo("path: data/s");
    let mut columns = rows(&[(7, 1_000, 1)]);
    columns.push(("group", Arc::new(Int64Array::from(vec![3]))));
    write(&project.path("data/s/group=3/a.parquet"), columns);
    project.feastr(&["apply"]).ok();
    offline(&project, "driver_id,at,x,group\n7,2026-11-20T10:00:00Z,70,4\n").ok();
    assert!(files(&project.path("data/s"))[1].starts_with("group=4/push-"));
    assert_eq!(values(&project, 7), [json!(70), json!(70)]);
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

/// Columns have one name in the files and another one in views; rows may use either.
#[test]
fn columns_have_the_names_of_the_source_or_those_of_views() {
    let project = repo("path: data/s.parquet, field_mapping: {number: driver_id, value: x}");
    let mut columns = rows(&[(7, 1_000, 1)]);
    columns[0].0 = "number";
    columns[2].0 = "value";
    write(&project.path("data/s.parquet"), columns);
    project.feastr(&["apply"]).ok();
    offline(&project, "number,at,value\n7,2026-11-20T10:00:00Z,70\n").ok();
    offline(&project, "at,driver_id,x\n2026-11-20T11:00:00Z,7,71\n").ok();
    for file in files(&project.path("data/s.parquet.d")) {
        let (columns, _) = read(&project.path(&format!("data/s.parquet.d/{file}")));
        assert_eq!(columns.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["number", "at", "value"]);
    }
    assert_eq!(values(&project, 7), [json!(71), json!(71)]);
    project.write("rows.csv", "number,at,x\n7,2026-11-20T12:00:00Z,72\n");
    project.feastr(&["push", "stats_push", "-i", "rows.csv"]).ok();
    assert_eq!(values(&project, 7)[1], json!(72));
    let twice = offline(&project, "number,driver_id,at,x\n7,8,2026-11-20T12:00:00Z,72\n").failed().stderr;
    assert!(twice.contains("rows.csv has both `number` and `driver_id`, which are one column"), "{twice}");
}

#[test]
fn times_are_written_as_those_of_the_source() {
    let project = repo("path: data/s.parquet, timestamp_format: epoch_seconds");
    let mut columns = rows(&[(7, 1_000, 1)]);
    columns[1].1 = Arc::new(Int64Array::from(vec![1_000]));
    write(&project.path("data/s.parquet"), columns);
    project.feastr(&["apply"]).ok();
    offline(&project, "driver_id,at,x\n7,1795166400,70\n").ok();
    let file = files(&project.path("data/s.parquet.d")).remove(0);
    let (_, written) = read(&project.path(&format!("data/s.parquet.d/{file}")));
    assert_eq!(written.column(1).as_ref(), &Int64Array::from(vec![1_795_166_400]));
    assert_eq!(values(&project, 7), [json!(70), json!(70)]);
    let iso = offline(&project, NEWER).failed().stderr;
    assert!(iso.contains("`2026-11-20T10:00:00Z` is not a time in epoch_seconds"), "{iso}");
}

/// Columns of all types, also those that no view wants, stay what they are.
#[test]
fn new_files_have_the_types_of_the_others() {
    let project = repo("path: data/s, created_timestamp_column: created");
    let list = |lists: Vec<Option<Vec<Option<i32>>>>| {
        Arc::new(ListArray::from_iter_primitive::<Int32Type, _, _>(lists)) as ArrayRef
    };
    let member = Field::new("m", DataType::Utf8, true);
    let object = |text| {
        let texts = Arc::new(StringArray::from(vec![text])) as ArrayRef;
        Arc::new(StructArray::new(vec![member.clone()].into(), vec![texts], None)) as ArrayRef
    };
    let nanos = |at| TimestampNanosecondArray::from(vec![at]);
    let columns = |at: i64, small: i8| -> Vec<(&'static str, ArrayRef)> {
        vec![
            ("driver_id", Arc::new(Int32Array::from(vec![7]))),
            ("at", Arc::new(nanos(at).with_timezone("Europe/Berlin"))),
            ("created", Arc::new(nanos(at))),
            ("x", Arc::new(UInt16Array::from(vec![9]))),
            ("small", Arc::new(Int8Array::from(vec![small]))),
            ("day", Arc::new(Date32Array::from(vec![20_000]))),
            ("flag", Arc::new(BooleanArray::from(vec![true]))),
            ("text", Arc::new(LargeStringArray::from(vec!["ü"]))),
            ("bytes", Arc::new(BinaryArray::from_vec(vec![b"\0"]))),
            ("money", Arc::new(Decimal128Array::from(vec![1_250]).with_precision_and_scale(9, 3).unwrap())),
            ("share", Arc::new(Float64Array::from(vec![0.1]))),
            ("list", list(vec![Some(vec![Some(1), None])])),
            ("object", object("o")),
            ("moment", Arc::new(TimestampMillisecondArray::from(vec![5]))),
        ]
    };
    write(&project.path("data/s/a.parquet"), columns(1, 1));
    project.feastr(&["apply"]).ok();
    let (expected, _) = read(&project.path("data/s/a.parquet"));
    let added = |project: &Project| {
        let mut files = files(&project.path("data/s"));
        files.retain(|file| file != "a.parquet");
        let (columns, rows) = read(&project.path(&format!("data/s/{}", files[0])));
        std::fs::remove_file(project.path(&format!("data/s/{}", files[0]))).unwrap();
        (columns, rows)
    };
    // As parquet, with nanoseconds.
    let at = 1_795_166_400_000_000_007;
    write(&project.path("rows.parquet"), columns(at, 2));
    let pushed = ["push", "stats_push", "--to", "offline", "-i"];
    project.feastr(&[&pushed[..], &["rows.parquet"]].concat()).ok();
    let (found, rows) = added(&project);
    assert_eq!(found, expected);
    assert_eq!(rows.columns(), RecordBatch::try_from_iter(columns(at, 2)).unwrap().columns());
    // As JSON.
    let line = json!({
        "driver_id": 7, "at": "2026-11-20T08:00:00.000000007Z", "created": "2026-11-20T08:00:00.000000007Z", "x": 9, "small": 2,
        "day": "2024-10-04", "flag": true, "text": "ü", "bytes": "\0", "money": 1.250, "share": 0.1, "list": [1, null],
        "object": { "m": "o" }, "moment": "1970-01-01T00:00:00.005Z",
    });
    let push_line = |line: &serde_json::Value| {
        project.write("rows.jsonl", line.to_string());
        project.feastr(&[&pushed[..], &["rows.jsonl"]].concat())
    };
    push_line(&line).ok();
    let (found, rows) = added(&project);
    assert_eq!(found, expected);
    let at = 1_795_161_600_000_000_007;
    assert_eq!(rows.columns(), RecordBatch::try_from_iter(columns(at, 2)).unwrap().columns());
    // What does not fit is told, and nothing is added.
    for (name, value, told) in [
        ("small", json!(128), "column `small`: `128` does not fit into the source's column of type int8"),
        ("x", json!(-1), "column `x`: `-1` does not fit into the source's column of type uint16"),
        ("money", json!(1.2345), "column `money`: `1.2345"),
        ("moment", json!("1970-01-01T00:00:00.0051Z"), "does not fit into the source's column of type timestamp(ms)"),
        ("driver_id", json!(3_000_000_000_i64), "column `driver_id`"),
    ] {
        let mut line = line.clone();
        line[name] = value;
        let refused = push_line(&line).failed().stderr;
        assert!(refused.contains("line 1 of rows.jsonl") && refused.contains(told), "{name}: {refused}");
    }
    let mut line = line.clone();
    line["flag"] = json!("yes");
    let refused = push_line(&line).failed().stderr;
    assert!(refused.contains("column `flag` holds text values, which cannot become Bool"), "{refused}");
    assert_eq!(files(&project.path("data/s")), ["a.parquet"]);
}

#[test]
fn files_that_differ_get_one_that_holds_all_values() {
    let project = repo("path: data/s");
    write(&project.path("data/s/a.parquet"), rows(&[(7, 1_000, 1)]));
    let mut wider = rows(&[(7, 2_000, 1)]);
    wider[2].1 = Arc::new(Int32Array::from(vec![5]));
    wider.push(("more", Arc::new(StringArray::from(vec!["m"]))));
    write(&project.path("data/s/b.parquet"), wider);
    project.feastr(&["apply"]).ok();
    offline(&project, "driver_id,at,x,more\n7,2026-11-20T10:00:00Z,70,n\n").ok();
    let new = files(&project.path("data/s")).remove(2);
    let (columns, _) = read(&project.path(&format!("data/s/{new}")));
    let expected = Schema::new(vec![
        Field::new("driver_id", DataType::Int64, true),
        Field::new("at", DataType::Timestamp(arrow::datatypes::TimeUnit::Millisecond, None), true),
        Field::new("x", DataType::Int64, true),
        Field::new("more", DataType::Utf8, true),
    ]);
    let expected = expected.fields().iter().map(|field| (field.name().clone(), field.data_type().clone()));
    assert_eq!(columns, expected.collect::<Vec<_>>());
}

#[test]
fn where_rows_cannot_be_added_nothing_goes_online_either() {
    for (source, file, why) in [
        ("path: data/s.csv, file_format: csv", "data/s.csv", "has CSV files, and rows are added to parquet files only"),
        ("path: data/part-?.parquet", "data/part-1.parquet", "no new file is sure to match `data/part-?.parquet`"),
    ] {
        let project = repo(source);
        match file.ends_with(".csv") {
            true => project.write(file, "driver_id,at,x\n7,2026-01-01,1\n"),
            false => write(&project.path(file), rows(&[(7, 1_000, 1)])),
        }
        project.feastr(&["apply"]).ok();
        project.write("rows.csv", NEWER);
        let both = ["push", "stats_push", "-i", "rows.csv", "--to", "online_and_offline"];
        let refused = project.feastr(&both).failed().stderr;
        assert!(refused.contains(why) && refused.contains("push to the online store only"), "{refused}");
        let online = ["get-online", "--features", "v:x", "--entity", "driver_id=7", "--json"];
        assert_eq!(project.feastr(&online).ok().json()["results"][1]["values"][0], json!(null));
        project.feastr(&both[..4]).ok();
        assert_eq!(project.feastr(&online).ok().json()["results"][1]["values"][0], json!(70));
    }
}

#[test]
fn a_history_that_is_away_does_not_matter_online() {
    let project = super::applied();
    std::fs::remove_file(project.path("data/driver_stats.parquet")).unwrap();
    push(&project, super::ROWS, &[]).ok();
    let missing = push(&project, super::ROWS, &["--to", "online_and_offline"]).failed().stderr;
    assert!(missing.contains("there is no file `data/driver_stats.parquet`"), "{missing}");
}
