//! CSV sources: values are what is declared, whatever other rows look like.

use std::io::Write;

use serde_json::{Value as Json, json};

use super::{DAY, define, historical, materialize, online, online_of, refusal, repo_with};
use crate::support::Project;

const CSV: &str = "    file_format: csv\n";

fn repo(features: &[(&str, &str)]) -> Project {
    repo_with("data/s.csv", CSV, "INT64", features)
}

#[test]
fn values_are_not_read_by_what_comes_before_them() {
    let project = repo(&[("p", "Float64"), ("q", "String")]);
    let many: String = (1..=60_000).map(|row| format!("{row},{DAY},{row},{row}\n")).collect();
    project.write("data/s.csv", format!("id,ts,p,q\n{many}60001,{DAY},0.5,abc\n"));
    materialize(&project);
    assert_eq!(online(&project, 60_001), 0.5);
    assert_eq!(online_of(&project, "q", "60001"), "abc");
    assert_eq!(online_of(&project, "q", "60000"), "60000");
    define(&project, "data/s.csv", CSV, "INT64", &[("q", "Int64")]);
    project.feastr(&["apply", "--yes"]);
    let error = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
    assert!(error.contains("line 60002 of data/s.csv, column `q`: `abc` is not an Int64"), "{error}");
}

#[test]
fn a_text_is_what_is_declared() {
    for (text, dtype, expected) in [
        ("0.12345678901234567890", "Decimal", json!("0.12345678901234567890")),
        ("12345", "String", json!("12345")),
        ("1.10", "String", json!("1.10")),
        ("True", "String", json!("True")),
        ("01/02/2026", "String", json!("01/02/2026")),
        ("NULL", "String", json!("NULL")),
        (" x ", "String", json!(" x ")),
        ("", "String", json!("")),
        ("", "Int64", Json::Null),
        ("NA", "Int64", Json::Null),
        ("7.0", "Int64", json!(7)),
        ("9007199254740993", "Int64", json!(9_007_199_254_740_993_i64)),
        ("1e3", "Int32", json!(1000)),
        ("inf", "Float64", json!("Infinity")),
        ("NaN", "Float64", Json::Null),
        ("T", "Bool", json!(true)),
        ("0", "Bool", json!(false)),
        ("2026-01-01T05:00:00+02:00", "UnixTimestamp", json!(1_767_236_400)),
        ("\"[1, 2]\"", "Array(Int64)", json!([1, 2])),
        ("\"{\"\"a\"\": 1}\"", "Struct(a: Int64, b: String)", json!({"a": 1, "b": null})),
    ] {
        let project = repo(&[("p", dtype)]);
        project.write("data/s.csv", format!("id,ts,p\n1,{DAY},{text}\n"));
        materialize(&project);
        assert_eq!(online(&project, 1), expected, "{text} as {dtype}");
    }
}

#[test]
fn floats_stand_beside_nan_and_null() {
    let project = repo(&[("p", "Float64")]);
    project.write("data/s.csv", format!("id,ts,p\n1,{DAY},1.5\n2,{DAY},NaN\n3,{DAY},NULL\n4,{DAY},\n"));
    materialize(&project);
    assert_eq!([1, 2, 3, 4].map(|id| online(&project, id)), [json!(1.5), Json::Null, Json::Null, Json::Null]);
    project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n");
    let values: Vec<_> = historical(&project, "e.csv").iter().map(|row| row[23..].to_owned()).collect();
    assert_eq!(values, ["1.5", "NaN", ""]);
}

#[test]
fn what_does_not_fit_is_named_with_its_line() {
    for (text, dtype) in [
        ("1.6", "Int64"),
        ("2147483648", "Int32"),
        ("9223372036854775808", "Int64"),
        ("yes", "Bool"),
        ("2", "Bool"),
        ("1e39", "Float32"),
        ("1e999", "Float64"),
        ("02/01/2026", "UnixTimestamp"),
        ("20260102", "UnixTimestamp"),
        ("1767225600", "UnixTimestamp"),
        ("1_000", "Decimal"),
        ("{}", "Uuid"),
        ("[1", "Json"),
        ("[1]", "Map"),
        ("[1.5]", "Array(Int64)"),
    ] {
        let project = repo(&[("p", dtype)]);
        project.write("data/s.csv", format!("id,ts,p\n1,{DAY},\n2,{DAY},{text}\n"));
        project.feastr(&["apply"]).ok();
        project.write("e.csv", "id,event_timestamp\n2,2026-02-01\n");
        for run in [
            &["materialize", super::EARLIER, super::LATER][..],
            &["get-historical", "--entities", "e.csv", "--features", "v:p"],
        ] {
            let error = project.feastr(run).failed().stderr;
            assert!(error.contains("line 3 of data/s.csv, column `p`: `"), "{text} as {dtype}: {error}");
        }
    }
}

#[test]
fn dialects_are_told_by_the_heading() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(format!("id,ts,p\n1,{DAY},5\n").as_bytes()).unwrap();
    let zstd = zstd::encode_all(format!("id,ts,p\n1,{DAY},5\n").as_bytes(), 0).unwrap();
    for (path, bytes) in [
        ("data/bom.csv", format!("\u{feff}id,ts,p\r\n1,{DAY},5\r\n").into_bytes()),
        ("data/semi.csv", format!("id;ts;p\n1;{DAY};5\n").into_bytes()),
        ("data/bar.csv", format!("id|ts|p\n1|{DAY}|5\n").into_bytes()),
        ("data/tab.csv", format!("id\tts\tp\n1\t{DAY}\t5\n").into_bytes()),
        ("data/tab.tsv", format!("id\tts\tp\n1\t{DAY}\t5\n").into_bytes()),
        ("data/z.csv.gz", packed.finish().unwrap()),
        ("data/z.csv.zst", zstd),
        ("data/q.csv", format!("id,ts,\"note, long\",p\n1,{DAY},x,5\n").into_bytes()),
        ("data/lines.csv", format!("id,ts,\"two\nlines\",p\r\n1,{DAY},\"a\r\nb,\"\"c\"\"\",5\r\n").into_bytes()),
        ("data/quoted.csv", format!("\"id\",\"ts\",\"p\"\n\"1\",\"{DAY}\",\"5\"").into_bytes()),
        ("data/index.csv", format!(",id,ts,p\n0,1,{DAY},5\n").into_bytes()),
        // Commas in a value say nothing.
        ("data/commas.csv", format!("id;ts;p;note\n1;{DAY};5;a,b,c,d,e,f,g\n").into_bytes()),
    ] {
        let project = repo_with(path, CSV, "INT64", &[("p", "Int64")]);
        project.write(path, bytes);
        materialize(&project);
        assert_eq!(online(&project, 1), 5, "{path}");
    }
}

#[test]
fn a_column_twice_is_refused_where_it_is_used() {
    let project = repo(&[("p", "Int64")]);
    project.write("data/s.csv", format!("id,ts,p,x,x\n1,{DAY},5,1,2\n"));
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
    for heading in ["id,ts,p,p,x", "id,ts,p,id,x", "id,ts,p,ts,x"] {
        project.write("data/s.csv", format!("{heading}\n1,{DAY},5,1,2\n"));
        let error = refusal(&project);
        let twice = heading.split(',').nth(3).unwrap();
        assert!(error.contains("data/s.csv") && error.contains(&format!("`{twice}`")), "{error}");
        assert!(!error.contains("has no column"), "{error}");
    }
}

#[test]
fn times_may_be_declared_otherwise() {
    let formats = "    timestamp_format: \"%d/%m/%Y\"\n    delimiter: \";\"\n";
    let project = repo_with("data/s.csv", &format!("{CSV}{formats}"), "INT64", &[("p", "Int64")]);
    project.write("data/s.csv", "id;ts;p\n1;02/01/2026;5\n1;01/02/2026;6\n");
    materialize(&project);
    assert_eq!(online(&project, 1), 6);
    project.write("e.csv", "id,event_timestamp\n1,2026-01-31\n1,2026-02-01\n");
    assert_eq!(historical(&project, "e.csv"), ["1,2026-01-31T00:00:00Z,5", "1,2026-02-01T00:00:00Z,6"]);
    for (format, first, second) in [
        ("epoch_seconds", "1767225600", "1767225600.000000001"),
        ("epoch_millis", "1767225600000", "1767225600000.001"),
        ("epoch_nanos", "1767225600000000000", "1767225600000000001"),
    ] {
        let settings = format!("{CSV}    timestamp_format: {format}\n");
        let project = repo_with("data/s.csv", &settings, "INT64", &[("p", "Int64")]);
        project.write("data/s.csv", format!("id,ts,p\n1,{second},5\n1,{first},6\n"));
        materialize(&project);
        assert_eq!(online(&project, 1), 5, "{format}");
        project.write("data/s.csv", format!("id,ts,p\n1,{DAY},5\n"));
        let error = project.feastr(&["materialize", super::EARLIER, super::LATER]).failed().stderr;
        assert!(error.contains("line 2 of data/s.csv, column `ts`"), "{error}");
    }
}

#[test]
fn values_that_do_not_fit_may_be_counted_instead() {
    let project = repo(&[("p", "Int64")]);
    project.edit(
        "definitions.yaml",
        "    ttl: 0\n",
        "    ttl: 0\n    materialize: {checks: {out_of_range: as_null}}\n",
    );
    project.write("data/s.csv", format!("id,ts,p\n1,{DAY},1.6\n2,{DAY},abc\n3,{DAY},3\n"));
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", super::EARLIER, super::LATER, "--report", "r.json"]).ok();
    assert_eq!([1, 2, 3].map(|id| online(&project, id)), [Json::Null, Json::Null, json!(3)]);
    let report: Json = serde_json::from_str(&project.read("r.json")).unwrap();
    assert_eq!(report["views"][0]["out_of_range"], 2);
}
