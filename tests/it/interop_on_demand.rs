//! On-demand views over all types of values and hard cases: training data and online values of feastr are those of Python
//! Feast, which runs the same views from the registry that feastr wrote.

use std::{fs::File, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
        RecordBatch, StringArray, TimestampMicrosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::Field,
};
use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
use serde_json::{Value as Json, json};

use crate::{
    interop::feast,
    support::{Project, settings},
};

/// Expressions by what they are over; a view has one of them for each type.
const EXPRESSIONS: &[(&str, &str, &str)] = &[
    ("i32_twice", "Int64", "CAST(i32 AS BIGINT) * 2"),
    ("i32_back", "Int32", "i32"),
    ("i64_plus", "Int64", "i64 + tip"),
    ("i64_division", "Int64", "i64 // nullif(tip, 0)"),
    ("i64_modulo", "Int64", "i64 % nullif(tip, 0)"),
    ("i64_true_division", "Float64", "i64 / nullif(tip, 0)"),
    ("f32_plus", "Float32", "f32 + 1"),
    ("f32_wide", "Float64", "f32"),
    ("f64_times", "Float64", "f64 * 2"),
    ("f64_minus_itself", "Float64", "f64 - f64"),
    ("f64_or_nothing", "Float64", "coalesce(f64, -1)"),
    ("f64_inverse", "Float64", "1.0 / f64"),
    ("f64_round", "Int64", "TRY(CAST(round(f64) AS BIGINT))"),
    ("f64_is_large", "Bool", "f64 > 1e300"),
    ("flag_not", "Bool", "NOT flag"),
    ("flag_number", "Int32", "CASE WHEN flag THEN 1 ELSE 0 END"),
    ("text_upper", "String", "upper(text)"),
    ("text_length", "Int64", "length(text)"),
    ("text_joined", "String", "text || '/' || tip"),
    ("bytes_length", "Int64", "octet_length(blob)"),
    ("bytes_back", "Bytes", "blob"),
    ("moment_later", "UnixTimestamp", "moment + INTERVAL 1 DAY"),
    ("moment_hour", "Int64", "hour(moment)"),
    ("list_length", "Int64", "len(numbers)"),
    ("list_sum", "Int64", "list_sum(numbers)"),
    ("list_of", "Array(Int64)", "[coalesce(i64, 0), tip]"),
    ("texts_of", "Array(String)", "[coalesce(text, ''), 'x']"),
    ("constant", "String", "'it''s'"),
    ("nothing", "Float64", "NULL"),
    ("qualified", "Float64", "values_of__f64 + values_of__i32"),
];

fn definitions() -> String {
    let schema: Vec<String> = EXPRESSIONS
        .iter()
        .map(|(name, dtype, sql)| format!("      - {{name: {name}, dtype: {dtype}, sql: {}}}\n", json!(sql)))
        .collect();
    format!(
        "entities:\n  - {{name: thing, join_keys: [thing_id], value_type: INT64}}\n\
         data_sources:\n  - {{name: request, type: request, schema: [{{name: tip, dtype: Int64}}]}}\n\
         feature_views:\n  - name: values_of\n    entities: [thing]\n    ttl: 0\n    source: {{type: file, path: \
         data/values.parquet, timestamp_field: event_timestamp}}\n    schema: [{{name: i32, dtype: Int32}}, {{name: i64, \
         dtype: Int64}}, {{name: f32, dtype: Float32}}, {{name: f64, dtype: Float64}}, {{name: flag, dtype: Bool}}, {{name: \
         text, dtype: String}}, {{name: blob, dtype: Bytes}}, {{name: moment, dtype: UnixTimestamp}}, {{name: numbers, dtype: \
         Array(Int64)}}]\non_demand_feature_views:\n  - name: computed\n    sources: [values_of, request]\n    schema:\n{}\
         feature_services:\n  - {{name: all, features: [values_of: [f64], computed]}}\n",
        schema.concat()
    )
}

fn write(project: &Project, path: &str, columns: Vec<(&str, ArrayRef)>) {
    let batch = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)));
    let batch = batch.unwrap();
    std::fs::create_dir_all(project.path(path).parent().unwrap()).unwrap();
    let mut writer = ArrowWriter::try_new(File::create(project.path(path)).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
}

/// The rows: ordinary ones, zeros, the ends of all types, what is no number, and nothing.
const ROWS: usize = 6;
/// 2026-01-01.
const START: i64 = 1_767_225_600_000_000;

fn moments(hours: i64) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(vec![START + hours * 3_600_000_000; ROWS]).with_timezone("UTC"))
}

fn repo() -> Project {
    let project = Project::new(&[("definitions.yaml", &definitions()), ("feature_store.yaml", &settings("p"))]);
    let numbers = Int64Array::from(vec![Some(1), Some(2), Some(3), Some(-4), None]);
    let lists = ListArray::new(
        Arc::new(Field::new_list_field(arrow::datatypes::DataType::Int64, true)),
        OffsetBuffer::from_lengths([2, 0, 1, 1, 0, 0]),
        Arc::new(numbers.slice(0, 4)),
        Some(NullBuffer::from(vec![true, true, true, true, false, false])),
    );
    write(
        &project,
        "data/values.parquet",
        vec![
            ("thing_id", Arc::new(Int64Array::from_iter_values(0..ROWS as i64))),
            ("event_timestamp", moments(0)),
            ("i32", Arc::new(Int32Array::from(vec![Some(7), Some(0), Some(i32::MAX), Some(i32::MIN), None, None]))),
            ("i64", Arc::new(Int64Array::from(vec![Some(-7), Some(0), Some(1 << 52), Some(-(1 << 52)), None, None]))),
            (
                "f32",
                Arc::new(Float32Array::from(vec![Some(0.1), Some(-0.0), Some(f32::MAX), Some(f32::NAN), None, None])),
            ),
            (
                "f64",
                Arc::new(Float64Array::from(vec![
                    Some(0.1),
                    Some(0.0),
                    Some(f64::MAX),
                    Some(f64::NAN),
                    Some(f64::INFINITY),
                    None,
                ])),
            ),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), Some(false), Some(true), None, None, None]))),
            ("text", Arc::new(StringArray::from(vec![Some("Åbo"), Some(""), Some("it's"), Some("\n"), None, None]))),
            (
                "blob",
                Arc::new(BinaryArray::from(vec![
                    Some(b"\0\xff".as_slice()),
                    Some(b""),
                    Some(b"a"),
                    Some(b"b"),
                    None,
                    None,
                ])),
            ),
            (
                "moment",
                Arc::new(
                    TimestampMicrosecondArray::from(vec![
                        Some(START),
                        Some(0),
                        Some(-1_000_000),
                        Some(START),
                        None,
                        None,
                    ])
                    .with_timezone("UTC"),
                ),
            ),
            ("numbers", Arc::new(lists)),
        ],
    );
    write(
        &project,
        "data/rows.parquet",
        vec![
            ("row", Arc::new(Int64Array::from_iter_values(0..ROWS as i64 + 1))),
            ("thing_id", Arc::new(Int64Array::from_iter_values((0..ROWS as i64).chain([404])))),
            (
                "event_timestamp",
                Arc::new(TimestampMicrosecondArray::from(vec![START + 3_600_000_000; ROWS + 1]).with_timezone("UTC")),
            ),
            ("tip", Arc::new(Int64Array::from(vec![2, 0, -3, 1, 5, 6, 7]))),
        ],
    );
    project.feastr(&["apply", "-q"]).ok();
    project
}

fn computed() -> Vec<String> {
    EXPRESSIONS.iter().map(|(name, ..)| format!("computed:{name}")).collect()
}

/// What feastr writes, as the script shows what Feast gives.
fn read(project: &Project, path: &str) -> Json {
    feast(project, &[json!({ "read": { "path": project.path(path) } })]).remove(0)
}

/// A column of a table that `feast_steps.py` shows.
fn column<'a>(table: &'a Json, name: &str) -> Vec<&'a Json> {
    let position = table["names"].as_array().unwrap().iter().position(|known| known == name);
    let position = position.unwrap_or_else(|| panic!("no {name} in {}", table["names"]));
    table["rows"].as_array().unwrap().iter().map(|row| &row[position]).collect()
}

/// What has no value is nothing to some and no number to others.
fn same(one: &Json, other: &Json) -> bool {
    let is_nothing = |value: &Json| value.is_null() || value == "NaN";
    match (one.as_f64(), other.as_f64()) {
        (Some(one), Some(other)) => one == other,
        _ => one == other || (is_nothing(one) && is_nothing(other)),
    }
}

#[test]
fn training_data_is_computed_as_python_does() {
    let project = repo();
    for (service, full) in [(true, false), (true, true), (false, false)] {
        let mut args: Vec<String> =
            ["get-historical", "--entities", "data/rows.parquet", "-o", "out.parquet"].map(str::to_owned).into();
        let wanted = if service {
            args.extend(["--feature-service".to_owned(), "all".to_owned()]);
            json!({ "service": "all" })
        } else {
            args.extend(["--features".to_owned(), computed().join(",")]);
            json!({ "features": computed() })
        };
        args.extend(full.then(|| "--full-feature-names".to_owned()));
        project.feastr(&args).ok();
        let mut step = json!({ "entities": project.path("data/rows.parquet"), "full_feature_names": full });
        step.as_object_mut().unwrap().extend(wanted.as_object().unwrap().clone());
        let theirs = feast(&project, &[json!({ "historical": step })]).remove(0);
        let ours = read(&project, "out.parquet");
        let names = |table: &Json| {
            let mut names: Vec<String> = serde_json::from_value(table["names"].clone()).unwrap();
            names.sort();
            names
        };
        assert_eq!(names(&ours), names(&theirs));
        let last = |table: &Json| {
            let names: Vec<String> = serde_json::from_value(table["names"].clone()).unwrap();
            names[names.len() - EXPRESSIONS.len()..].to_vec()
        };
        assert_eq!(last(&ours), last(&theirs), "computed features stand behind all others");
        for (name, _, sql) in EXPRESSIONS {
            let name = if full { format!("computed__{name}") } else { (*name).to_owned() };
            for (row, (one, other)) in column(&ours, &name).iter().zip(column(&theirs, &name)).enumerate() {
                assert!(same(one, other), "{name} ({sql}), row {row}: {one}, and in Python {other}");
            }
        }
    }
}

#[test]
fn online_values_are_computed_as_python_does() {
    let project = repo();
    project.feastr(&["materialize", "2025-01-01", "2026-02-01", "-q"]).ok();
    let tips = [2, 0, -3, 1, 5, 6, 7];
    let keys: Vec<i64> = (0..ROWS as i64).chain([404]).collect();
    let mut args: Vec<String> = ["get-online", "--json", "--features"].map(str::to_owned).into();
    args.push(computed().join(","));
    for (key, tip) in keys.iter().zip(tips) {
        args.extend(["--entity".to_owned(), format!("thing_id={key}"), format!("--request=tip={tip}")]);
    }
    let answer: Json = serde_json::from_str(&project.feastr(&args).ok().stdout).unwrap();
    let entities: Vec<Json> = keys.iter().zip(tips).map(|(key, tip)| json!({ "thing_id": key, "tip": tip })).collect();
    let step = json!({ "online": { "entities": entities, "features": computed() } });
    let theirs = feast(&project, &[step]).remove(0);
    let names: Vec<&str> =
        answer["metadata"]["feature_names"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(names.len(), EXPRESSIONS.len() + 1, "inputs are not shown: {names:?}");
    for (name, _, sql) in EXPRESSIONS {
        let position = names.iter().position(|known| known == name).unwrap();
        let ours = answer["results"][position]["values"].as_array().unwrap();
        let theirs = theirs[*name]["values"].as_array().unwrap();
        for (row, (one, other)) in ours.iter().zip(theirs).enumerate() {
            assert!(same(one, other), "{name} ({sql}), row {row}: {one}, and in Python {other}");
        }
    }
}

#[test]
fn training_and_serving_agree() {
    let project = repo();
    project.feastr(&["materialize", "2025-01-01", "2026-02-01", "-q"]).ok();
    project
        .feastr(&[
            "get-historical",
            "--entities",
            "data/rows.parquet",
            "-o",
            "out.jsonl",
            "--features",
            &computed().join(","),
        ])
        .ok();
    let rows: Vec<Json> = project.read("out.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let answer = project.feastr(&[
        "get-online",
        "--json",
        "--entities",
        "data/rows.parquet",
        "--features",
        &computed().join(","),
    ]);
    let answer: Json = serde_json::from_str(&answer.ok().stdout).unwrap();
    let names = answer["metadata"]["feature_names"].as_array().unwrap();
    // Bytes are written in another way.
    for (name, dtype, sql) in EXPRESSIONS.iter().filter(|(_, dtype, _)| *dtype != "Bytes") {
        let position = names.iter().position(|known| known == name).unwrap();
        for (row, online) in answer["results"][position]["values"].as_array().unwrap().iter().enumerate() {
            let trained = &rows[row][name];
            // Online, times are seconds.
            let trained = match trained.as_str().filter(|_| *dtype == "UnixTimestamp") {
                Some(text) => json!(chrono::DateTime::parse_from_rfc3339(text).unwrap().timestamp()),
                None => trained.clone(),
            };
            let is_same = same(online, &trained)
                || (*dtype == "Float32" && online.as_f64().map(|x| x as f32) == trained.as_f64().map(|x| x as f32));
            assert!(is_same, "{name} ({sql}), row {row}: online {online}, in training {trained}");
        }
    }
}

#[test]
fn a_value_that_cannot_be_computed_is_named() {
    let project = repo();
    let text = definitions().replace("on_demand_feature_views:\n", "on_demand_feature_views:\n  - {name: failing, sources: [values_of, request], schema: [{name: share, dtype: Int64, sql: 100 // tip}, {name: next, dtype: Int64, sql: i64 + 1}]}\n");
    project.write("definitions.yaml", text);
    project.feastr(&["apply", "-q"]).ok();
    let failed = project.feastr(&[
        "get-historical",
        "--entities",
        "data/rows.parquet",
        "--features",
        "failing:share,failing:next",
        "-o",
        "out.parquet",
    ]);
    let failed = failed.failed();
    assert!(failed.stderr.contains("`share` of row 2 of data/rows.parquet cannot be computed"), "{}", failed.stderr);
    assert!(!project.path("out.parquet").exists());
    project.feastr(&["materialize", "2025-01-01", "2026-02-01", "-q"]).ok();
    let answer = project.feastr(&[
        "get-online",
        "--json",
        "--entity",
        "thing_id=0",
        "--entity",
        "thing_id=1",
        "--features",
        "failing:share,failing:next",
        "--request",
        "tip=5",
        "--request",
        "tip=0",
    ]);
    let answer: Json = serde_json::from_str(&answer.ok().stdout).unwrap();
    assert_eq!(answer["results"][1]["values"], json!([20, null]));
    assert_eq!(answer["results"][1]["statuses"], json!(["PRESENT", "INVALID"]));
    assert_eq!(answer["results"][2]["values"], json!([-6, 1]));
    project.write("feature_store.yaml", format!("{}feastr: {{strict: true}}\n", settings("p")));
    let strict = ["get-online", "--entity", "thing_id=1", "--features", "failing:share", "--request", "tip=0"];
    let message = "`share` of entity 1 cannot be computed: Division by zero";
    assert!(project.feastr(&strict).failed().stderr.contains(message));
}

#[test]
fn stored_views_are_computed_when_they_are_materialized() {
    let project = repo();
    let text = definitions().replace("on_demand_feature_views:\n", "on_demand_feature_views:\n  - {name: kept, entities: [thing], sources: [values_of], write_to_online_store: true, schema: [{name: doubled, dtype: Float64, sql: f64 * 2}, {name: shout, dtype: String, sql: upper(text)}]}\n");
    project.write("definitions.yaml", text);
    project.feastr(&["apply", "-q"]).ok();
    project.feastr(&["materialize", "2025-01-01", "2026-02-01", "--views", "kept", "-q"]).ok();
    let wanted = ["kept:doubled", "kept:shout"];
    let answer = project.feastr(&[
        "get-online",
        "--json",
        "--entity",
        "thing_id=0",
        "--entity",
        "thing_id=404",
        "--features",
        &wanted.join(","),
    ]);
    let answer: Json = serde_json::from_str(&answer.ok().stdout).unwrap();
    assert_eq!(answer["results"][1]["values"], json!([0.2, null]));
    assert_eq!(answer["results"][1]["statuses"], json!(["PRESENT", "NOT_FOUND"]));
    assert_eq!(answer["results"][2]["values"], json!(["ÅBO", null]));
    // Python Feast reads them as it reads its own.
    let step = json!({ "online": { "entities": [{ "thing_id": 0 }, { "thing_id": 2 }], "features": wanted } });
    let theirs = feast(&project, &[step]).remove(0);
    assert_eq!(theirs["shout"]["values"], json!(["ÅBO", "IT'S"]));
    // Training computes them.
    project
        .feastr(&[
            "get-historical",
            "--entities",
            "data/rows.parquet",
            "-o",
            "kept.parquet",
            "--features",
            &wanted.join(","),
        ])
        .ok();
    let file = File::open(project.path("kept.parquet")).unwrap();
    let rows: usize = ParquetRecordBatchReaderBuilder::try_new(file)
        .unwrap()
        .build()
        .unwrap()
        .map(|batch| batch.unwrap().num_rows())
        .sum();
    assert_eq!(rows, ROWS + 1);
}
