//! Runs that are cut off, and stores that cannot be used.

use rusqlite::Connection;

use crate::{
    killer::Killer,
    support::{Project, settings},
};

fn definitions(view: &str, round: u32) -> String {
    format!(
        "entities:\n  - {{name: driver, join_keys: [driver_id], value_type: INT64, description: round {round}}}\n\
         feature_views:\n  - name: {view}\n    entities: [driver]\n    source: {{name: stats, type: file, \
         path: data/driver_stats.parquet, timestamp_field: event_timestamp, description: round {round}}}\n    schema: \
         [{{name: conv_rate, dtype: Float32}}]\n"
    )
}

#[test]
fn a_killed_materialization_is_completed_by_the_next() {
    const RANGE: [&str; 3] = ["materialize", "2026-10-01", "2026-11-01"];
    let reference = Project::example();
    reference.feastr(&["apply"]).ok();
    let mut killer = Killer::new(&reference, &RANGE);
    let values = dump(&reference);
    assert_eq!(values.len(), 15);
    const KILLS: u32 = 30;
    while killer.cut_off < KILLS {
        let project = Project::example();
        project.feastr(&["apply"]).ok();
        killer.kill(&mut project.command(&RANGE));
        // Readable at any moment; an interval is there only with all of its values.
        project.feastr(&["get-online", "--feature-service", "driver_activity_v2", "--entity", "driver_id=1001"]).ok();
        let listed = project.feastr(&["feature-views", "list"]).ok().stdout;
        if listed.contains("2026-11-01") {
            assert_eq!(dump(&project), values);
        }
        project.feastr(&RANGE).ok();
        assert_eq!(dump(&project), values);
    }
}

fn dump(project: &Project) -> Vec<(Vec<u8>, String, Vec<u8>)> {
    let store = Connection::open(project.path("data/online_store.db")).unwrap();
    let mut statement = store
        .prepare("SELECT entity_key, feature_name, value FROM feastlocal_driver_hourly_stats ORDER BY 1, 2")
        .unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn a_registry_that_is_no_database_is_named() {
    let project = Project::example();
    project.write("data/registry.db", "this is text, and long enough to be no SQLite header at all, really");
    for command in [vec!["plan"], vec!["apply"], vec!["feature-views", "list"], vec!["materialize-incremental", "now"]]
    {
        let output = project.feastr(&command).failed();
        assert!(output.stderr.contains("data/registry.db is not an SQLite database"), "{}", output.stderr);
    }
}

#[test]
fn a_locked_registry_is_waited_for_and_then_reported() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.edit("services.yaml", "driver_activity_v1", "driver_activity_v0");
    let lock = Connection::open(project.path("data/registry.db")).unwrap();
    lock.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let output = project.feastr(&["apply", "--yes"]).failed();
    assert!(output.stderr.contains("is locked: another process is writing it"), "{}", output.stderr);
    lock.execute_batch("ROLLBACK").unwrap();
    project.feastr(&["apply", "--yes"]).ok();
}

/// `/dev/full` refuses every byte, as a full disk does.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_leaves_no_half_file() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let args = ["get-historical", "--feature-service", "driver_activity_v2", "--entities", "data/entity_rows.csv"];
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = project.command(&args);
    command.args(["--format", "csv"]).stdout(full);
    let output = crate::support::run_with_own_stdout(&mut command).failed();
    assert!(output.stderr.contains("no space left"), "{}", output.stderr);

    // A file that cannot be completed does not appear, and neither does a part of it.
    project.write("out/keep", "");
    let missing = project.feastr(&[&args[..], &["-o", "nowhere/rows.parquet"]].concat()).failed();
    assert!(missing.stderr.contains("cannot write nowhere/rows.parquet"), "{}", missing.stderr);
    let bad_rows = "driver_id,event_timestamp\n1001,2026-10-31T00:00:00Z\n1002,yesterday\n";
    project.write("rows.csv", bad_rows);
    let output = project.feastr(&[
        "get-historical",
        "--feature-service",
        "driver_activity_v2",
        "--entities",
        "rows.csv",
        "-o",
        "out/rows.csv",
    ]);
    output.failed();
    let left: Vec<_> =
        std::fs::read_dir(project.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["keep"]);
}

#[test]
fn fields_of_a_newer_feast_survive_changes_and_materialization() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let select = "SELECT feature_view_proto FROM feature_views";
    let proto: Vec<u8> = registry.query_row(select, [], |row| row.get(0)).unwrap();
    // Field 999, a text, behind everything else of the view.
    let unknown = [0xba, 0x3e, 0x05, b'n', b'e', b'w', b'e', b'r'];
    let newer = [proto.as_slice(), &unknown].concat();
    registry.execute("UPDATE feature_views SET feature_view_proto = ?1", [&newer]).unwrap();
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let after: Vec<u8> = registry.query_row(select, [], |row| row.get(0)).unwrap();
    assert!(after.ends_with(&unknown), "{after:?}");
    assert_ne!(after, newer);
}

#[test]
fn a_damaged_row_is_named_and_left_alone() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    registry
        .execute(
            "UPDATE feature_services SET feature_service_proto = x'ffff' WHERE feature_service_name LIKE '%v1'",
            [],
        )
        .unwrap();
    let output = project.feastr(&["apply"]).failed();
    assert!(output.stderr.contains("driver_activity_v1") && output.stderr.contains("damaged"), "{}", output.stderr);
    project.feastr(&["feature-views", "list"]).ok();
}

#[test]
fn a_failing_view_does_not_stop_the_others() {
    let project = Project::new(&[
        ("feature_store.yaml", &settings("two")),
        ("a.yaml", &definitions("good", 1)),
        (
            "b.yaml",
            "feature_views:\n  - name: bad\n    entities: [driver]\n    source: {name: gone, type: file, path: \
             data/gone.parquet, timestamp_field: t}\n    schema: [{name: x, dtype: Int64}]\n",
        ),
    ]);
    let example =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/feature_repo/data/driver_stats.parquet");
    project.copy(&example, "data/driver_stats.parquet");
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let output = project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).failed();
    assert!(output.stderr.contains("bad: there is no file `data/gone.parquet`"), "{}", output.stderr);
    assert!(output.stdout.contains("good") && output.stdout.contains("done"), "{}", output.stdout);
    let listed = project.feastr(&["feature-views", "list"]).ok().stdout;
    assert_eq!(listed.matches("2026-11-01").count(), 1, "{listed}");
}

#[test]
fn an_empty_source_is_refused_and_nothing_is_recorded() {
    use parquet::arrow::{ArrowWriter, arrow_reader::ParquetRecordBatchReaderBuilder};
    let project = Project::example();
    let data = project.path("data/driver_stats.parquet");
    let full = ParquetRecordBatchReaderBuilder::try_new(std::fs::File::open(&data).unwrap()).unwrap();
    let schema = full.schema().clone();
    ArrowWriter::try_new(std::fs::File::create(&data).unwrap(), schema, None).unwrap().close().unwrap();
    let output = project.feastr(&["apply"]).failed();
    assert!(output.stderr.contains("is empty: `data/driver_stats.parquet` has no rows"), "{}", output.stderr);
    assert!(!project.path("data/registry.db").exists(), "nothing is written");
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let output = project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).failed();
    assert!(output.stderr.contains("its source is empty"), "{}", output.stderr);
    assert!(!project.feastr(&["feature-views", "list"]).ok().stdout.contains("2026-11-01"));
}
