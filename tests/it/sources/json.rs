//! Sources of JSON lines, beside those of `json_sources`.

use serde_json::json;

use super::{DAY, materialize, online, repo_with};

const JSON: &str = "    file_format: json\n";

#[test]
fn a_byte_order_mark_and_folders_are_read() {
    let row = format!(r#"{{"id":1,"ts":"{DAY}","p":5}}"#);
    for (source, files) in [
        ("data/b.jsonl", &["data/b.jsonl"][..]),
        ("data/j", &["data/j/a.jsonl", "data/j/b.NDJSON", "data/j/deep/c.json"]),
    ] {
        let project = repo_with(source, JSON, "INT64", &[("p", "Int64")]);
        for (number, file) in files.iter().enumerate() {
            let row = row.replace("\"id\":1", &format!("\"id\":{}", number + 1));
            project.write(file, format!("\u{feff}{row}\r\n"));
        }
        materialize(&project);
        for number in 1..=files.len() {
            assert_eq!(online(&project, number as i64), 5, "{source}");
        }
    }
}

#[test]
fn numbers_are_no_event_times_unless_declared() {
    let rows = format!("{{\"id\":1,\"ts\":\"{DAY}\",\"p\":5}}\n{{\"id\":2,\"ts\":1767225600,\"p\":6}}\n");
    let project = repo_with("data/s.jsonl", JSON, "INT64", &[("p", "Int64")]);
    project.write("data/s.jsonl", &rows);
    project.feastr(&["apply"]).ok();
    let error = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
    assert!(error.contains("line 2 of data/s.jsonl, column `ts`: `1767225600` is not a time"), "{error}");
    for (format, time) in [("epoch_seconds", "1767225600"), ("epoch_millis", "1767225600000.5")] {
        let settings = format!("{JSON}    timestamp_format: {format}\n");
        let project = repo_with("data/s.jsonl", &settings, "INT64", &[("p", "Int64")]);
        project.write(
            "data/s.jsonl",
            format!("{{\"id\":1,\"ts\":{time},\"p\":5}}\n{{\"id\":2,\"ts\":\"{time}\",\"p\":6}}\n"),
        );
        materialize(&project);
        assert_eq!([1, 2].map(|id| online(&project, id)), [json!(5), json!(6)], "{format}");
    }
}

#[test]
fn numbers_keep_their_digits() {
    let many: String = (1..=2_000).map(|row| format!("{{\"id\":{row},\"ts\":\"{DAY}\",\"p\":{row}}}\n")).collect();
    for (dtype, written, expected) in [
        ("Float64", "0.5", json!(0.5)),
        ("Decimal", "12345678901234567890.10", json!("12345678901234567890.10")),
        ("String", "1.10", json!("1.10")),
        ("String", "{\"a\": [1]}", json!("{\"a\": [1]}")),
        ("Int64", "9007199254740993", json!(9_007_199_254_740_993_i64)),
        ("Int64", "7.0", json!(7)),
        ("Int64", "null", json!(null)),
    ] {
        let project = repo_with("data/s.jsonl", JSON, "INT64", &[("p", dtype)]);
        project.write("data/s.jsonl", format!("{many}{{\"id\":2001,\"ts\":\"{DAY}\",\"p\":{written}}}\n"));
        materialize(&project);
        assert_eq!(online(&project, 2_001), expected, "{written} as {dtype}");
    }
    let project = repo_with("data/s.jsonl", JSON, "INT64", &[("p", "Int64")]);
    project.write("data/s.jsonl", format!("{many}{{\"id\":2001,\"ts\":\"{DAY}\",\"p\":1.6}}\n"));
    project.feastr(&["apply"]).ok();
    let error = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
    assert!(error.contains("line 2001 of data/s.jsonl, column `p`: `1.6` is not an Int64"), "{error}");
}

/// JSON has no numbers for these, also where the first rows have no others.
#[test]
fn floats_may_be_named_in_all_first_rows() {
    let project = repo_with("data/s.jsonl", JSON, "INT64", &[("p", "Float64"), ("q", "Float32")]);
    let named = format!(r#"{{"id":1,"ts":"{DAY}","p":"Infinity","q":"NaN"}}"#);
    project.write("data/s.jsonl", format!("{named}\n"));
    materialize(&project);
    assert_eq!(online(&project, 1), "Infinity");
    let numbers = r#"{"id":1,"ts":"2026-01-02","p":0.5,"q":1}"#.to_string();
    project.write("data/s.jsonl", format!("{named}\n{numbers}\n"));
    materialize(&project);
    assert_eq!(online(&project, 1), 0.5);
}
