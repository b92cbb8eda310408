//! Folders of files, parted by columns.

use std::{
    fs,
    os::unix::process::ExitStatusExt as _,
    process::{Command, Stdio},
    thread::sleep,
    time::Duration,
};

use super::{CITIES, applied_with, run};
use crate::{
    killer::Killer,
    support::{self, Project},
};

/// All rows that DuckDB finds in files, as texts in a certain order.
fn rows(project: &Project, files: &str) -> Vec<String> {
    let database = duckdb::Connection::open_in_memory().unwrap();
    let files = project.path(files);
    let sql = format!(
        "SELECT concat_ws('|', driver_id, epoch_us(event_timestamp), coalesce(city :: VARCHAR, 'null'), \
         coalesce(day :: VARCHAR, 'null'), conv_rate, avg_daily_trips) FROM read_parquet('{}', hive_partitioning = true) \
         ORDER BY ALL",
        files.display()
    );
    let mut statement = database.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| row.get(0)).unwrap();
    rows.map(Result::unwrap).collect()
}

#[test]
fn folders_hold_what_a_file_would() {
    let project = applied_with(CITIES);
    run(&project, &["-o", "rows.parquet"]).ok();
    let said = run(&project, &["-o", "out/", "--partition-by", "day,city"]).ok();
    assert!(said.stderr.contains("Wrote 5 rows to out/"), "{}", said.stderr);
    assert_eq!(rows(&project, "out/**/*.parquet"), rows(&project, "rows.parquet"));
    for folder in [
        "out/day=2026-10-30/city=Köln%2FBonn%3A 50%25",
        "out/day=2026-10-31/city=__HIVE_DEFAULT_PARTITION__",
        "out/day=__HIVE_DEFAULT_PARTITION__/city=",
    ] {
        assert!(project.path(folder).join("data_0.parquet").is_file(), "{folder}");
    }
    run(&project, &["-o", "texts", "--partition-by", "city", "--format", "csv"]).ok();
    assert_eq!(project.read("texts/city=Rom/data_0.csv").lines().count(), 3);
}

#[test]
fn what_is_there_is_not_touched() {
    let project = applied_with(CITIES);
    project.write("out/mine.txt", "mine");
    project.write("file", "mine");
    for (place, why) in [("out", "there is a folder with files already"), ("file", "there is a file of this name")] {
        let refused = run(&project, &["-o", place, "--partition-by", "city"]).failed().stderr;
        assert!(refused.contains(&format!("cannot write {place}: {why}")), "{refused}");
        assert!(refused.contains("remove it, or name another folder with --output"), "{refused}");
    }
    assert_eq!((project.read("out/mine.txt"), project.read("file")), ("mine".to_owned(), "mine".to_owned()));
    for (args, why) in [
        (&["-o", "new", "--partition-by", "town"][..], "no column `town` to partition by"),
        (&["--partition-by", "city", "-o", "-"], "standard output is no folder"),
        (&["--partition-by", "city", "-o", "new", "--format", "table"], "a folder of tables for the screen"),
        (&["--compression", "zstd", "-o", "new.csv"], "--compression is for parquet"),
        (&["--row-group-size", "5"], "--row-group-size is for parquet"),
    ] {
        let refused = run(&project, args).failed().stderr;
        assert!(refused.contains(why), "{args:?}: {refused}");
    }
    let names = fs::read_dir(project.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(!names.into_iter().any(|name| name.to_string_lossy().contains("new")), "something is left");
}

#[test]
fn a_run_that_is_killed_leaves_nothing_under_the_name() {
    let project = applied_with(&many_rows(20_000));
    let args = [&super::RETRIEVAL[..], &["-o", "out", "--partition-by", "city"]].concat();
    let mut killer = Killer::new(&project, &args);
    let whole = fs::read_dir(project.path("out")).unwrap().count();
    assert_eq!(whole, 50);
    while killer.cut_off < 8 {
        let _ = fs::remove_dir_all(project.path("out"));
        killer.kill(&mut project.command(&args));
        if project.path("out").exists() {
            assert_eq!(fs::read_dir(project.path("out")).unwrap().count(), whole);
        }
    }
    let _ = fs::remove_dir_all(project.path("out"));
    support::run(&mut project.command(&args)).ok();
}

/// Hidden files and folders beside an output that is not complete.
fn hidden(project: &Project) -> usize {
    let names = fs::read_dir(project.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.into_iter().filter(|name| name.to_string_lossy().ends_with(".part")).count()
}

#[test]
fn ctrl_c_leaves_nothing_at_all() {
    const SIGINT: &str = "-2";
    let project = applied_with(&many_rows(200_000));
    for output in [&["-o", "out", "--partition-by", "city"][..], &["-o", "out.parquet"]] {
        // The parent of the tests may have told their children to ignore Ctrl-C.
        let mut command = Command::new("env");
        command.args(["--default-signal=INT", env!("CARGO_BIN_EXE_feastr")]).args(super::RETRIEVAL).args(output);
        let mut child = command.current_dir(project.folder.path()).stderr(Stdio::null()).spawn().unwrap();
        while hidden(&project) == 0 {
            sleep(Duration::from_millis(1));
        }
        Command::new("kill").args([SIGINT, &child.id().to_string()]).status().unwrap();
        assert_eq!(child.wait().unwrap().signal(), Some(2), "{output:?}");
        assert_eq!((hidden(&project), project.path(output[1]).exists()), (0, false), "{output:?}");
    }
}

#[test]
fn a_full_disk_leaves_nothing_at_all() {
    let project = applied_with(&many_rows(20_000));
    for output in [&["-o", "out", "--partition-by", "city", "--format", "csv"][..], &["-o", "out.parquet"]] {
        let historical = project.command(&[&super::RETRIEVAL[..], output].concat());
        // The limit is an error of each write, where a shell does not leave the signal to kill.
        let mut limited = Command::new("sh");
        limited.args(["-c", "trap '' XFSZ; exec prlimit --fsize=5000 \"$@\"", "sh"]);
        limited.arg(historical.get_program()).args(historical.get_args()).current_dir(project.folder.path());
        let refused = support::run(&mut limited).failed().stderr;
        assert!(refused.contains(&format!("cannot write {}", output[1])), "{refused}");
        assert_eq!((hidden(&project), project.path(output[1]).exists()), (0, false), "{output:?}");
    }
}

/// Entity rows in fifty cities.
pub(super) fn many_rows(count: usize) -> String {
    let row = |row: usize| {
        let (driver, hour, city) = (1001 + row % 5, row % 24, row % 50);
        format!(
            "{{\"driver_id\": {driver}, \"event_timestamp\": \"2026-10-31T{hour:02}:00:00Z\", \"city\": \"city {city}\"}}\n"
        )
    };
    (0..count).map(row).collect()
}
