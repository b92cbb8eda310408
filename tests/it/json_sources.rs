//! Sources in JSON lines.

use serde_json::{Value as Json, json};

use crate::support::{Project, settings};

const ROWS: &str = r#"{"id":1,"at":"2026-10-01T00:00:00Z","j":{"k":1},"m":{"a":1,"b":[1]},"d":"1.50","n":9007199254740993,"t":"2026-10-01T05:00:00+02:00"}
{"id":2,"at":"2026-10-01T00:00:00.5Z","j":{"z":"a"},"m":{"c":1.5},"d":2.5,"n":1e3,"t":"2026-10-01T05:00:00"}
{"id":3,"at":"2026-10-01T02:00:00+02:00","j":{"k":12345678901234567890123},"d":null,"n":-1.0,"x":5}
{"id":4,"at":"2026-10-01T00:00:00Z","j":[1,"x"],"m":{},"d":12345678901234567890,"l":["2026-10-01T05:00:00Z"],"s":{"a":7}}
"#;

/// A repo with a view over these rows.
fn repo(schema: &str, rows: &str) -> Project {
    let definitions = format!(
        "entities: [{{name: e, join_keys: [id], value_type: INT64}}]\nfeature_views:\n  - name: v\n    entities: [e]\n    \
         schema: [{schema}]\n    source: {{name: s, type: file, path: rows.jsonl, file_format: json, timestamp_field: \
         at}}\n"
    );
    let files =
        [("feature_store.yaml", settings("p")), ("definitions.yaml", definitions), ("rows.jsonl", rows.to_owned())];
    Project::new(&files.each_ref().map(|(path, text)| (*path, text.as_str())))
}

/// The values of a feature of the first entities.
fn values(project: &Project, feature: &str, entities: usize) -> Vec<Json> {
    let reference = format!("v:{feature}");
    let entity = |id: usize| {
        let id = format!("id={id}");
        let output = project.feastr(&["get-online", "--features", &reference, "--entity", &id, "--json"]).ok();
        output.json()["results"][1]["values"][0].clone()
    };
    (1..=entities).map(entity).collect()
}

#[test]
fn values_stay_what_is_written() {
    let project = repo(
        "{name: j, dtype: Json}, {name: m, dtype: Map}, {name: d, dtype: Decimal}, {name: n, dtype: Int64}, {name: t, \
         dtype: UnixTimestamp}, {name: l, dtype: Array(UnixTimestamp)}, {name: s, dtype: 'Struct(a: Float32)'}",
        ROWS,
    );
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-09-01", "2026-11-01"]).ok();
    let text = |text: &str| Json::from(text);
    assert_eq!(
        values(&project, "j", 4),
        [text(r#"{"k":1}"#), text(r#"{"z":"a"}"#), text(r#"{"k":12345678901234567890123}"#), text(r#"[1,"x"]"#)]
    );
    assert_eq!(values(&project, "m", 4), [json!({"a": 1, "b": [1]}), json!({"c": 1.5}), Json::Null, json!({})]);
    assert_eq!(values(&project, "d", 4), [text("1.50"), text("2.5"), Json::Null, text("12345678901234567890")]);
    assert_eq!(values(&project, "n", 3), [json!(9_007_199_254_740_993_i64), json!(1000), json!(-1)]);
    assert_eq!(values(&project, "t", 2), [1_790_823_600, 1_790_830_800]);
    assert_eq!(values(&project, "l", 4)[3], json!([1_790_830_800]));
    assert_eq!(values(&project, "s", 4)[3], json!({"a": 7.0}));
}

#[test]
fn columns_are_checked_by_the_first_rows() {
    let project = repo("{name: j, dtype: Json}, {name: gone, dtype: Int64}", ROWS);
    let error = project.feastr(&["plan"]).failed().stderr;
    assert!(error.contains("`rows.jsonl` has no column `gone`") && !error.contains("no column `j`"), "{error}");
    project.edit("definitions.yaml", "timestamp_field: at", "timestamp_field: id");
    let error = project.feastr(&["plan"]).failed().stderr;
    assert!(error.contains("column `id` of `rows.jsonl` holds int64 values, not times"), "{error}");
    let project = repo("", ROWS);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-09-01", "2026-11-01"]).ok();
    assert_eq!(values(&project, "x", 3), [Json::Null, Json::Null, json!(5)]);
}

#[test]
fn a_forgotten_format_is_named() {
    let project = repo("{name: j, dtype: Json}", ROWS);
    for (path, format) in [("rows.jsonl", "json"), ("rows.ndjson", "json"), ("rows.csv", "csv")] {
        project.write(path, ROWS);
        project.edit("definitions.yaml", "rows.jsonl, file_format: json", path);
        let error = project.feastr(&["plan"]).failed().stderr;
        assert!(error.contains(&format!("set `file_format: {format}`")), "{error}");
        project.edit("definitions.yaml", path, "rows.jsonl, file_format: json");
    }
}

#[test]
fn a_moment_may_be_a_number_of_seconds() {
    let rows = r#"{"id":1,"at":"2026-10-01","t":1790000000}
{"id":2,"at":"2026-10-01","t":null}
"#;
    let project = repo("{name: t, dtype: UnixTimestamp}", rows);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-09-01", "2026-11-01"]).ok();
    assert_eq!(values(&project, "t", 1), [1_790_000_000]);
    project.write("rows.jsonl", rows.replace("1790000000", "\"yesterday\""));
    let error = project.feastr(&["materialize", "2026-09-01", "2026-11-01"]).failed().stderr;
    assert!(error.contains("line 1 of rows.jsonl, column `t`: `yesterday` is not a time"), "{error}");
}
