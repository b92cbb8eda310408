//! Entities come in any format, from a file, a pipe or standard input, to both commands alike.

use std::{
    fs::File,
    process::{Command, Stdio},
    sync::Arc,
};

use arrow::{
    array::{ArrayRef, Int32Array, RecordBatch, StringArray},
    ipc::writer::{FileWriter, StreamWriter},
};
use parquet::arrow::ArrowWriter;

use crate::support::{Output, Project, run};

const FEATURES: [&str; 2] = ["--features", "driver_hourly_stats:conv_rate,driver_hourly_stats:avg_daily_trips"];
const ROWS: [(i32, &str); 3] =
    [(1003, "2026-10-30T22:41:00Z"), (1001, "2021-04-12T10:59:42Z"), (1002, "2026-10-31T00:00:00Z")];

/// The example, materialized, with the same entity rows in files of all formats; their names.
fn project() -> (Project, Vec<&'static str>) {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "2030-01-01", "--allow-future"]).ok();
    let csv: String = ROWS.iter().map(|(id, at)| format!("{id},{at},mine\n")).collect();
    let csv = format!("driver_id,event_timestamp,note\n{csv}");
    let json: String = ROWS
        .iter()
        .map(|(id, at)| format!("{{\"driver_id\": {id}, \"event_timestamp\": \"{at}\", \"note\": \"mine\"}}\n"))
        .collect();
    project.write("e.csv", &csv);
    project.write("e.csv.zst", zstd::encode_all(csv.as_bytes(), 0).unwrap());
    project.write("e.jsonl", json);
    let ids: ArrayRef = Arc::new(Int32Array::from_iter_values(ROWS.map(|(id, _)| id)));
    let times: ArrayRef = Arc::new(StringArray::from_iter_values(ROWS.map(|(_, at)| at)));
    let notes: ArrayRef = Arc::new(StringArray::from_iter_values(ROWS.map(|_| "mine")));
    let batch = RecordBatch::try_from_iter([("driver_id", ids), ("event_timestamp", times), ("note", notes)]).unwrap();
    let mut writer =
        ArrowWriter::try_new(File::create(project.path("e.parquet")).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    let mut writer = FileWriter::try_new(File::create(project.path("e.arrow")).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    let mut writer = StreamWriter::try_new(File::create(project.path("e.stream")).unwrap(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.finish().unwrap();
    (project, vec!["e.csv", "e.csv.zst", "e.jsonl", "e.parquet", "e.arrow", "e.stream"])
}

/// A command over the rows of a file, which it is given by name or on standard input.
fn ask(project: &Project, command: &[&str], file: &str, stdin: bool) -> Output {
    let entities = if stdin { "-" } else { file };
    let mut run_of = project.command(&[command, &["--entities", entities], &FEATURES].concat());
    if stdin {
        run_of.stdin(File::open(project.path(file)).unwrap());
    }
    run(&mut run_of)
}

#[test]
fn current_features_of_rows_in_any_format() {
    let (project, files) = project();
    let pairs = ROWS.map(|(id, _)| format!("--entity=driver_id={id}"));
    let pairs: Vec<&str> = pairs.iter().map(String::as_str).collect();
    let expected = project.feastr(&[&["get-online", "--json"], pairs.as_slice(), &FEATURES].concat()).ok().stdout;
    assert!(!expected.contains("NOT_FOUND"), "{expected}");
    for file in files {
        for stdin in [false, true] {
            let output = ask(&project, &["get-online", "--json"], file, stdin).ok();
            assert_eq!(output.stdout, expected, "{file}, stdin: {stdin}");
            let shown = if stdin { "stdin" } else { file };
            let ignored = format!("{shown}: columns that are not join keys are ignored: event_timestamp, note\n");
            assert_eq!(output.stderr, ignored);
        }
    }
}

#[test]
fn training_rows_of_rows_in_any_format() {
    let (project, files) = project();
    let command = ["get-historical", "--format", "csv"];
    let expected = ask(&project, &command, "e.csv", false).ok().stdout;
    assert_eq!(expected.lines().count(), 4, "{expected}");
    for file in files {
        for stdin in [false, true] {
            assert_eq!(ask(&project, &command, file, stdin).ok().stdout, expected, "{file}, stdin: {stdin}");
        }
    }
}

/// As shells make one of `<(…)`.
#[test]
#[cfg(unix)]
fn pipes_have_names_too() {
    let (project, _) = project();
    let expected = ask(&project, &["get-online", "--json"], "e.csv", false).ok().stdout;
    assert!(Command::new("mkfifo").arg(project.path("pipe")).status().unwrap().success());
    let mut writer = Command::new("sh");
    let mut writer =
        writer.args(["-c", "cat e.csv >pipe"]).current_dir(project.folder.path()).stdin(Stdio::null()).spawn().unwrap();
    assert_eq!(ask(&project, &["get-online", "--json"], "pipe", false).ok().stdout, expected);
    writer.wait().unwrap();
}
