//! Folders named `key=value`: columns below the path of a source, and nothing above it.

use serde_json::json;

use super::{
    DAY, days, floats, historical, ints, materialize, online, online_of, refusal, repo, repo_with, texts, write_parquet,
};

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
