//! Which files are read: a name that exists is that file, and what writers keep beside data is none.

use super::{DAY, days, historical, ints, materialize, online, repo, texts, times, write_parquet};
use crate::support::{Project, settings};

fn write(project: &Project, path: &str, id: i64, value: i64) {
    write_parquet(project, path, vec![("id", ints([id])), ("ts", days(1)), ("p", ints([value]))]);
}

#[test]
fn a_path_that_exists_is_no_pattern() {
    for (name, twin) in [("s[1]", "s1"), ("s?", "sx"), ("s*", "sy"), ("s{a,b}", "sa"), ("{s}", "s")] {
        let path = format!("data/{name}.parquet");
        let project = repo(&path, &[("p", "Int64")]);
        write(&project, &path, 1, 111);
        write(&project, &format!("data/{twin}.parquet"), 1, 999);
        materialize(&project);
        assert_eq!(online(&project, 1), 111, "{name}");
        let rows = format!("e{name}.csv");
        project.write(&rows, "id,event_timestamp\n1,2026-02-01T00:00:00Z\n");
        project.write(&format!("e{twin}.csv"), "id,event_timestamp\n2,2026-02-01T00:00:00Z\n");
        assert_eq!(historical(&project, &rows), ["1,2026-02-01T00:00:00Z,111"], "{name}");
    }
}

#[test]
fn files_of_a_folder_are_no_patterns() {
    let project = repo("data/f", &[("p", "Int64")]);
    write(&project, "data/f/p[1].parquet", 1, 111);
    write(&project, "data/f/p1.parquet", 2, 222);
    materialize(&project);
    assert_eq!((online(&project, 1), online(&project, 2)), (111.into(), 222.into()));
}

#[test]
fn the_path_of_the_repo_is_no_pattern() {
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    let definitions = project.read("definitions.yaml");
    for (folder, value) in [("r[1]", 111), ("r1", 999)] {
        project.write(&format!("{folder}/feature_store.yaml"), settings("demo"));
        project.write(&format!("{folder}/definitions.yaml"), &definitions);
        write(&project, &format!("{folder}/data/s.parquet"), 1, value);
    }
    // A pattern below a folder whose name looks like one is still a pattern.
    project.edit("r[1]/definitions.yaml", "data/s.parquet", "data/*.parquet");
    let in_folder = |args: &[&str]| project.feastr(&[&["--chdir", "r[1]"], args].concat()).ok();
    in_folder(&["apply"]);
    in_folder(&["materialize", super::EARLIER, super::LATER]);
    let answer = in_folder(&["get-online", "--features", "v:p", "--entity", "id=1", "--json"]).json();
    assert_eq!(answer["results"][1]["values"][0], 111);
}

fn write_on(project: &Project, path: &str, day: &str, value: i64) {
    write_parquet(project, path, vec![("id", ints([1])), ("ts", times([day])), ("p", ints([value]))]);
}

#[test]
fn what_writers_keep_beside_data_is_left_out() {
    let project = repo("data/s", &[("p", "Int64")]);
    write_on(&project, "data/s/part-0.parquet", DAY, 1);
    write_on(&project, "data/s/_temporary/0/part-1.parquet", "2026-01-02T00:00:00Z", 666);
    write_on(&project, "data/s/.part-2.parquet", "2026-01-03T00:00:00Z", 777);
    write_on(&project, "data/s/deep/_spark/part-3.parquet", "2026-01-04T00:00:00Z", 888);
    project.write("data/s/_SUCCESS", "");
    project.write("data/s/.part-0.parquet.crc", "x");
    project.write("data/s/README.txt", "about these data");
    materialize(&project);
    assert_eq!(online(&project, 1), 1);
    let listed = project.feastr(&["plan", "--verbose"]).ok();
    let listed = listed.stdout + &listed.stderr;
    for name in ["_temporary", ".part-2.parquet", "_SUCCESS", "README.txt"] {
        assert!(listed.lines().any(|line| line.contains("left out") && line.contains(name)), "{name}: {listed}");
    }
    assert!(listed.lines().any(|line| line.contains("read") && line.contains("data/s/part-0.parquet")), "{listed}");
}

#[test]
fn checkpoints_of_delta_tables_are_no_data() {
    let project = repo("data/s", &[("p", "Int64")]);
    write_on(&project, "data/s/part-0.parquet", DAY, 1);
    write_parquet(&project, "data/s/_delta_log/00000000000000000010.checkpoint.parquet", vec![("txn", texts(["x"]))]);
    materialize(&project);
    assert_eq!(online(&project, 1), 1);
}

#[test]
fn endings_in_capitals_and_missing_ones_are_read_too() {
    let project = repo("data/s", &[("p", "Int64")]);
    write(&project, "data/s/A.PARQUET", 1, 10);
    write(&project, "data/s/part-00000", 2, 20);
    write(&project, "data/s/deep/b.pq", 3, 30);
    materialize(&project);
    assert_eq!([1, 2, 3].map(|id| online(&project, id)), [10, 20, 30].map(serde_json::Value::from));
}

/// A folder of another user in the repo, such as the volume of a database.
#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_opened_is_a_warning() {
    use std::{
        fs,
        os::unix::{
            fs::{MetadataExt, PermissionsExt},
            process::CommandExt,
        },
        process::Command,
    };

    use crate::support::run;

    const NOBODY: u32 = 65_534;
    let project = repo("data/s.parquet", &[("p", "Int64")]);
    write(&project, "data/s.parquet", 1, 5);
    fs::create_dir(project.path("pgdata")).unwrap();
    let mode = |path: &str, mode| fs::set_permissions(project.path(path), PermissionsExt::from_mode(mode)).unwrap();
    mode("pgdata", 0o000);
    // Nothing is closed to root.
    let is_root = fs::metadata(project.path("pgdata")).unwrap().uid() == 0;
    let plan = || {
        if !is_root {
            return project.feastr(&["plan"]);
        }
        for path in ["", "data"] {
            mode(path, 0o777);
        }
        let program = tempfile::tempdir().unwrap();
        fs::set_permissions(program.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let copy = program.path().join("feastr");
        fs::copy(env!("CARGO_BIN_EXE_feastr"), &copy).unwrap();
        run(Command::new(copy).arg("plan").current_dir(project.path("")).env_clear().uid(NOBODY).gid(NOBODY))
    };
    let output = plan().ok();
    assert!(output.stderr.contains("pgdata"), "{}", output.stderr);
    project.write(".feastignore", "pgdata\n");
    let output = plan().ok();
    assert!(!output.stderr.contains("pgdata"), "{}", output.stderr);
    mode("pgdata", 0o700);
}
