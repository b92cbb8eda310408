//! Entity rows: their keys and times are read strictly, everything else passes through.

use super::{DAY, days, historical, ints, online_of, repo, texts, times, write_parquet};
use crate::support::Project;

/// A repo with values of the ids 1, 2 and 7.
fn stats() -> Project {
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    write_parquet(
        &project,
        "data/s.parquet",
        vec![("id", ints([1, 2, 7])), ("ts", times([DAY, "2026-01-31T00:00:00Z", DAY])), ("p", ints([10, 20, 70]))],
    );
    project.feastr(&["apply"]).ok();
    project
}

#[test]
fn folders_above_say_nothing_about_columns() {
    let project = stats();
    for folder in ["id=7", "event_timestamp=2025-01-01", "note=x", "id=7/note=x/id=2"] {
        let columns =
            vec![("id", ints([1])), ("event_timestamp", times(["2026-02-01T00:00:00Z"])), ("note", texts(["mine"]))];
        write_parquet(&project, &format!("{folder}/e.parquet"), columns);
        project.write(&format!("{folder}/e.csv"), "id,event_timestamp,note\n1,2026-02-01T00:00:00Z,mine\n");
        let row = r#"{"id":1,"event_timestamp":"2026-02-01T00:00:00Z","note":"mine"}"#;
        project.write(&format!("{folder}/e.jsonl"), format!("{row}\n"));
        for ending in ["parquet", "csv", "jsonl"] {
            let rows = historical(&project, &format!("{folder}/e.{ending}"));
            assert_eq!(rows, ["1,2026-02-01T00:00:00Z,mine,10"], "{folder}/e.{ending}");
        }
    }
}

/// The last row of a file of many alike and another one.
fn after_many(project: &Project, one: &str, last: &str) -> String {
    let many = format!("{one}\n").repeat(25_000);
    project.write("e.csv", format!("id,event_timestamp,amount\n{many}{last}\n"));
    historical(project, "e.csv").pop().unwrap()
}

#[test]
fn rows_are_not_read_by_what_comes_before_them() {
    let project = stats();
    let row = after_many(&project, "1,2026-02-01T00:00:00Z,5", "2,2026-02-01T00:00:00Z,0.75");
    assert_eq!(row, "2,2026-02-01T00:00:00Z,0.75,20");
    let row = after_many(&project, "1,2026-02-01,5", "2,2026-02-01T12:30:00Z,1");
    assert_eq!(row, "2,2026-02-01T12:30:00Z,1,20");
    let many = "1,2026-02-01T00:00:00Z,5\n".repeat(25_000);
    for (last, expected) in [
        ("1.6,2026-02-01T00:00:00Z,1", "line 25002 of e.csv, column `id`: `1.6` is not an Int64"),
        ("1,01/02/2026,1", "line 25002 of e.csv, column `event_timestamp`: `01/02/2026` is not a time"),
    ] {
        project.write("e.csv", format!("id,event_timestamp,amount\n{many}{last}\n"));
        let error = project.feastr(&["get-historical", "--entities", "e.csv", "--features", "v:p"]).failed().stderr;
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn ambiguous_days_are_refused() {
    let project = stats();
    for rows in ["1,01/02/2026\n", "1,01/02/2026\n1,01/13/2026\n", "1,2026-02-01\n1,1 Feb 2026\n"] {
        project.write("e.csv", format!("id,event_timestamp\n{rows}"));
        let error = project.feastr(&["get-historical", "--entities", "e.csv", "--features", "v:p"]).failed().stderr;
        assert!(error.contains("of e.csv, column `event_timestamp`: `") && error.contains("is not a time"), "{error}");
    }
}

#[test]
fn other_columns_come_out_as_they_are() {
    let project = stats();
    project.write(
        "e.csv",
        "id,event_timestamp,flag,version,big,empty,day,quoted\n1,2026-02-01T00:00:00Z,T,1.10,12345678901234567890123,,\
         01/02/2026,\"a,\"\"b\"\"\"\n7,2026-02-01T00:00:00Z,NULL,007,1e400,NaN,x, y \n",
    );
    let expected = [
        "1,2026-02-01T00:00:00Z,T,1.10,12345678901234567890123,,01/02/2026,\"a,\"\"b\"\"\",10",
        "7,2026-02-01T00:00:00Z,NULL,007,1e400,NaN,x, y ,70",
    ];
    assert_eq!(historical(&project, "e.csv"), expected);
    let args = ["get-historical", "--entities", "e.csv", "--features", "v:p", "--format", "jsonl"];
    let lines = project.feastr(&args).ok().stdout;
    let row: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!((&row["flag"], &row["version"], &row["empty"]), (&"T".into(), &"1.10".into(), &"".into()));
}

#[test]
fn json_rows_may_have_any_other_members() {
    let project = stats();
    let rows = [
        r#"{"id":1,"event_timestamp":"2026-02-01","note":"a","deep":{"k":[1,2]},"mixed":1.50}"#,
        r#"{"id":2,"event_timestamp":"2026-02-01","deep":3,"mixed":"x","late":true}"#,
        r#"{"id":7,"event_timestamp":"2026-02-01T00:00:00.5Z","note":null,"deep":[],"mixed":false}"#,
    ];
    project.write("e.jsonl", rows.map(|row| format!("{row}\n")).concat());
    let expected = [
        "1,2026-02-01T00:00:00Z,a,\"{\"\"k\"\":[1,2]}\",1.50,,10",
        "2,2026-02-01T00:00:00Z,,3,x,true,20",
        "7,2026-02-01T00:00:00.500Z,,[],false,,70",
    ];
    assert_eq!(historical(&project, "e.jsonl"), expected);
}

#[test]
fn numbers_may_be_written_as_texts() {
    let project = stats();
    let rows = r#"{"id":"7","event_timestamp":"2026-02-01"}
{"id":2.0,"event_timestamp":"2026-02-01"}
{"id":null,"event_timestamp":"2026-02-01"}
"#;
    project.write("e.jsonl", rows);
    let keys = texts(["007", "2.0", " 1 "]);
    let times = times(["2026-02-01T00:00:00Z"; 3]);
    write_parquet(&project, "e.parquet", vec![("id", keys), ("event_timestamp", times)]);
    let values = |file| {
        historical(&project, file).iter().map(|row| row.rsplit_once(',').unwrap().1.to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(values("e.parquet"), ["70", "20", "10"]);
    assert_eq!(values("e.jsonl"), ["70", "20", ""]);
}

/// What both commands say about a key, as a value or as the end of a message.
fn both(project: &Project, key: &str) -> [Result<String, String>; 2] {
    project.write("e.csv", format!("id,event_timestamp\n\"{key}\",2026-02-01\n"));
    let args = ["get-historical", "--entities", "e.csv", "--features", "v:p", "--format", "csv"];
    let historical = project.feastr(&args);
    let entity = format!("id={key}");
    let online = project.feastr(&["get-online", "--features", "v:p", "--entity", &entity, "--json"]);
    let reason = |error: &str| error.lines().next().unwrap().rsplit_once(" is not ").unwrap().1.to_owned();
    [
        match historical.code {
            0 => Ok(historical.stdout.lines().last().unwrap().rsplit_once(',').unwrap().1.to_owned()),
            _ => Err(reason(&historical.failed().stderr)),
        },
        match online.code {
            0 => {
                let value = online.json()["results"][1]["values"][0].clone();
                Ok(if value.is_null() { String::new() } else { value.to_string() })
            }
            _ => Err(reason(&online.failed().stderr)),
        },
    ]
}

#[test]
fn texts_of_keys_mean_the_same_to_both_commands() {
    let project = stats();
    project.feastr(&["materialize", super::EARLIER, super::LATER]).ok();
    for (key, value) in [
        ("7", Some("70")),
        ("007", Some("70")),
        ("+7", Some("70")),
        ("7.0", Some("70")),
        ("0.7e1", Some("70")),
        ("8", Some("")),
        ("-7", Some("")),
        ("1.6", None),
        ("seven", None),
        ("0x7", None),
        ("7_0", None),
        ("9223372036854775808", None),
    ] {
        let expected = value.map(str::to_owned).ok_or_else(|| "an Int64".to_owned());
        assert_eq!(both(&project, key), [expected.clone(), expected], "{key}");
    }
}

#[test]
fn keys_of_texts_are_texts() {
    let project = super::repo_with("data/s.parquet", "", "STRING", &[("p", "Int64")]);
    let columns = vec![("id", texts(["7", "007", "7.0", "True"])), ("ts", days(4)), ("p", ints([1, 2, 3, 4]))];
    write_parquet(&project, "data/s.parquet", columns);
    super::materialize(&project);
    project.write("e.csv", "id,event_timestamp\n7,2026-02-01\n007,2026-02-01\n7.0,2026-02-01\nTrue,2026-02-01\n");
    let values: Vec<String> =
        historical(&project, "e.csv").iter().map(|row| row.rsplit_once(',').unwrap().1.to_owned()).collect();
    assert_eq!(values, ["1", "2", "3", "4"]);
    let online: Vec<_> = ["7", "007", "7.0", "True"].map(|id| online_of(&project, "p", id)).into();
    assert_eq!(online, [1, 2, 3, 4]);
}
