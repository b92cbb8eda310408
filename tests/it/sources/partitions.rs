//! Folders named `key=value`: columns below the path of a source, and nothing above it.

use std::sync::Arc;

use arrow::array::TimestampMicrosecondArray;
use serde_json::json;

use super::{
    DAY, days, floats, historical, ints, materialize, micros, online, online_of, refusal, repo, repo_with, texts,
    write_parquet,
};
use crate::support::Project;

#[test]
fn keys_features_and_times_may_be_in_names_of_folders() {
    let project = repo("data/k", &[("p", "Int64")]);
    write_parquet(&project, "data/k/id=1/a.parquet", vec![("ts", days(1)), ("p", ints([5]))]);
    write_parquet(&project, "data/k/id=2/a.parquet", vec![("ts", days(1)), ("p", ints([6]))]);
    materialize(&project);
    assert_eq!((online(&project, 1), online(&project, 2)), (json!(5), json!(6)));
    project.write("e.csv", "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n");
    let rows = historical(&project, "e.csv");
    assert_eq!(rows, ["1,2026-02-01T00:00:00Z,5", "2,2026-02-01T00:00:00Z,6", "3,2026-02-01T00:00:00Z,"]);

    for path in ["data/y", "data/y/*/*.parquet", "data/y/p=2*"] {
        let project = repo(path, &[("p", "Int64")]);
        write_parquet(&project, "data/y/p=2026/a.parquet", vec![("id", ints([1])), ("ts", days(1))]);
        materialize(&project);
        assert_eq!(online(&project, 1), 2026, "{path}");
    }

    for day in ["2026-01-01", "2026-01-01 12%3A30%3A00"] {
        let project = repo("data/d", &[("p", "Int64")]);
        let columns = vec![("id", ints([1])), ("p", ints([5]))];
        write_parquet(&project, &format!("data/d/ts={day}/a.parquet"), columns);
        materialize(&project);
        assert_eq!(online(&project, 1), 5, "{day}");
    }
}

#[test]
fn a_file_is_read_by_its_url() {
    let project = repo("data/f.parquet", &[("p", "Int64")]);
    let url = format!("file://{}", project.path("data/f.parquet").display());
    project.edit("definitions.yaml", "data/f.parquet", &url);
    write_parquet(&project, "data/f.parquet", vec![("id", ints([1])), ("ts", days(1)), ("p", ints([5]))]);
    materialize(&project);
    assert_eq!(online(&project, 1), 5);
}

#[test]
fn folders_above_the_path_are_names() {
    let path = "id=7/ts=2020-01-01/p=9";
    for (source, file) in [(path.to_owned(), "s.parquet"), (format!("{path}/s.parquet"), "s.parquet")] {
        let project = repo(&source, &[("p", "Int64")]);
        let columns = vec![("id", ints([1])), ("ts", days(1)), ("p", ints([5]))];
        write_parquet(&project, &format!("{path}/{file}"), columns);
        materialize(&project);
        assert_eq!(online(&project, 1), 5, "{source}");
        assert_eq!(online(&project, 7), json!(null), "{source}");
    }
    // They do not fill what the file lacks.
    let project = repo(&format!("{path}/s.parquet"), &[("p", "Int64")]);
    write_parquet(&project, &format!("{path}/s.parquet"), vec![("id", ints([1])), ("ts", days(1))]);
    let error = refusal(&project);
    assert!(error.contains("has no column `p`"), "{error}");
}

#[test]
fn values_have_the_declared_type() {
    let project = repo("data/s", &[("p", "String"), ("q", "Float64"), ("r", "Bool"), ("day", "UnixTimestamp")]);
    let columns = |id| vec![("id", ints([id])), ("ts", days(1))];
    let null = "__HIVE_DEFAULT_PARTITION__";
    write_parquet(&project, "data/s/p=007/q=1/r=true/day=2026-01-02/a.parquet", columns(1));
    write_parquet(&project, "data/s/p=a%2Fb%3D/q=0.5/r=0/day=2026-01-02/a.parquet", columns(2));
    write_parquet(&project, &format!("data/s/p={null}/q={null}/r={null}/day={null}/a.parquet"), columns(3));
    materialize(&project);
    let row = |id| ["p", "q", "r", "day"].map(|feature| online_of(&project, feature, id));
    assert_eq!(row("1"), [json!("007"), json!(1.0), json!(true), json!(1_767_312_000)]);
    assert_eq!(row("2"), [json!("a/b="), json!(0.5), json!(false), json!(1_767_312_000)]);
    assert_eq!(row("3"), [json!(null), json!(null), json!(null), json!(null)]);
}

#[test]
fn names_that_do_not_fit_are_refused_by_plan() {
    for (folder, columns, said) in [
        ("p=abc", vec![("id", ints([1])), ("ts", days(1))], "`abc`"),
        ("p=1.6", vec![("id", ints([1])), ("ts", days(1))], "`1.6`"),
        ("id=x7", vec![("ts", days(1)), ("p", ints([1]))], "`x7`"),
        ("ts=01-02-2026", vec![("id", ints([1])), ("p", ints([1]))], "`01-02-2026`"),
    ] {
        let project = repo("data/s", &[("p", "Int64")]);
        let good = vec![("id", ints([1])), ("ts", days(1)), ("p", ints([1]))];
        let name = folder.split('=').next().unwrap();
        let good: Vec<_> = good.into_iter().filter(|(column, _)| *column != name).collect();
        write_parquet(&project, &format!("data/s/{name}=2026/a.parquet"), good.clone());
        let good_folder = if name == "ts" { "ts=2026-01-01" } else { &format!("{name}=2026") };
        std::fs::remove_dir_all(project.path(&format!("data/s/{name}=2026"))).unwrap();
        write_parquet(&project, &format!("data/s/{good_folder}/a.parquet"), good);
        project.feastr(&["plan"]).ok();
        write_parquet(&project, &format!("data/s/{folder}/a.parquet"), columns);
        let error = refusal(&project);
        assert!(error.contains(said) && error.contains(folder.split('=').next().unwrap()), "{folder}: {error}");
        assert!(error.contains("definitions.yaml:"), "{folder}: {error}");
    }
}

#[test]
fn the_file_counts_where_both_have_a_column() {
    for (folder, warned) in [("p=5", false), ("p=05", false), ("p=6", true)] {
        let project = repo("data/s", &[("p", "Int64")]);
        let columns = vec![("id", ints([1])), ("ts", days(1)), ("p", ints([5]))];
        write_parquet(&project, &format!("data/s/{folder}/a.parquet"), columns);
        let output = project.feastr(&["plan"]).ok();
        assert_eq!(output.stderr.contains("names of folders"), warned, "{folder}: {}", output.stderr);
        materialize(&project);
        assert_eq!(online(&project, 1), 5, "{folder}");
    }
    // Some files have it, and the folders of others.
    let project = repo("data/s", &[("p", "Float64")]);
    let columns = vec![("id", ints([1])), ("ts", days(1)), ("p", floats([0.5]))];
    write_parquet(&project, "data/s/a.parquet", columns);
    write_parquet(&project, "data/s/p=7/b.parquet", vec![("id", ints([2])), ("ts", days(1))]);
    materialize(&project);
    assert_eq!((online(&project, 1), online(&project, 2)), (json!(0.5), json!(7.0)));
}

#[test]
fn texts_lie_in_partitions_too() {
    for (format, file, rows) in
        [("csv", "a.csv", format!("id,ts\n1,{DAY}\n")), ("json", "a.jsonl", format!("{{\"id\":1,\"ts\":\"{DAY}\"}}\n"))]
    {
        let project = repo_with("data/s", &format!("    file_format: {format}\n"), "INT64", &[("p", "String")]);
        project.write(&format!("data/s/p=1.10/{file}"), rows);
        materialize(&project);
        assert_eq!(online(&project, 1), "1.10", "{format}");
    }
}

#[test]
fn keys_of_texts_are_in_folders_as_they_are() {
    let project = repo_with("data/s", "", "STRING", &[("p", "String")]);
    write_parquet(&project, "data/s/id=007/a.parquet", vec![("ts", days(1)), ("p", texts(["x"]))]);
    materialize(&project);
    assert_eq!(online_of(&project, "p", "007"), "x");
    assert_eq!(online_of(&project, "p", "7"), json!(null));
}

/// The days of March 2026, of which all but two are damaged: who opens them fails.
fn days_of_march(declared: &str) -> Project {
    let project = repo_with("data/days", declared, "INT64", &[("p", "Int64")]);
    project.edit("definitions.yaml", "ttl: 0", "ttl: 1d");
    for day in 1..=31 {
        let path = format!("data/days/day=2026-03-{day:02}/a.parquet");
        std::fs::create_dir_all(project.path(&path).parent().unwrap()).unwrap();
        if (15..=16).contains(&day) {
            let at = TimestampMicrosecondArray::from_value(micros(&format!("2026-03-{day}T06:00:00Z")), 1);
            write_parquet(&project, &path, vec![("id", ints([1])), ("ts", Arc::new(at)), ("p", ints([day]))]);
        } else {
            project.write(&path, "not parquet");
        }
    }
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    project
}

#[test]
fn files_of_days_that_nobody_asks_about_are_not_opened() {
    let project = days_of_march("    date_partition_column: day\n");
    project.write("e.csv", "id,event_timestamp\n1,2026-03-16T05:59:59Z\n1,2026-03-16T06:00:00Z\n");
    assert_eq!(historical(&project, "e.csv"), ["1,2026-03-16T05:59:59Z,15", "1,2026-03-16T06:00:00Z,16"]);
    let explain = ["get-historical", "--entities", "e.csv", "--features", "v:p", "--explain", "--json"];
    let explained: serde_json::Value = serde_json::from_str(&project.feastr(&explain).ok().stdout).unwrap();
    assert_eq!(explained["views"][0]["files"], json!({"read": 2, "all": 31}));
    let range = ["get-historical", "--features", "v:p", "--start", "2026-03-16", "--end", "2026-03-16T23:00:00Z"];
    assert!(project.feastr(&[range.as_slice(), &["--format", "csv"]].concat()).ok().stdout.ends_with("Z,16\n"));
    // A day later one of the files has to be opened.
    project.write("e.csv", "id,event_timestamp\n1,2026-03-17T00:00:00Z\n");
    let output = project.feastr(&["get-historical", "--entities", "e.csv", "--features", "v:p"]);
    assert!(output.stderr.contains("day=2026-03-17"), "{}", output.stderr);

    // Nobody says that the folders are about the time of events.
    let project = days_of_march("");
    project.write("e.csv", "id,event_timestamp\n1,2026-03-16T06:00:00Z\n");
    assert_eq!(project.feastr(&["get-historical", "--entities", "e.csv", "--features", "v:p"]).code, 1);
}
