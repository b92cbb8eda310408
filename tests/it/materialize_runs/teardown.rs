//! Removing projects with their online values.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use feastr::{
    model::{Timestamp, ViewId},
    registry::{Leftover, Row, Write, put_leftover},
};

use super::{
    END, START, applied,
    cleanup::{TABLE, exists, in_postgres, noted},
    registry, values,
};
use crate::support::Project;

const PROJECT: &str = "feastlocal";
const VIEW: &str = "driver_hourly_stats";

fn rows(project: &Project) -> Vec<Row> {
    registry(project).snapshot(PROJECT).unwrap().rows
}

/// Runs a teardown beside a run on the view, and looks what is there while it waits.
fn teardown_during_a_run(project: &Project, meanwhile: impl FnOnce()) {
    let run = registry(project).lock_view(ViewId { project: PROJECT, name: VIEW }).unwrap();
    let mut child = project.command(&["teardown", "--yes"]).stderr(Stdio::piped()).spawn().unwrap();
    let mut words = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let waits = words.any(|line| line.starts_with(&format!("waiting for the lock of view `{VIEW}`")));
    assert!(waits, "nothing is removed under a run");
    meanwhile();
    drop(run);
    assert!(child.wait().unwrap().success());
    assert_eq!(rows(project), []);
}

#[test]
fn teardown_waits_for_a_run_before_it_removes_anything() {
    let (project, test) = in_postgres();
    let before = (rows(&project), test.rows(TABLE));
    teardown_during_a_run(&project, || assert_eq!((rows(&project), test.rows(TABLE)), before));
    assert!(!exists(&test));

    let project = applied();
    project.feastr(&["materialize", START, END]).ok();
    let before = (rows(&project), values(&project, TABLE));
    teardown_during_a_run(&project, || assert_eq!((rows(&project), values(&project, TABLE)), before));
    assert_eq!(project.feastr(&["teardown", "--yes"]).ok().stdout, "");
}

#[test]
fn what_a_killed_teardown_left_is_removed_by_the_next() {
    let (project, test) = in_postgres();
    let note = Leftover {
        view: VIEW.to_owned(),
        features: vec!["acc_rate".to_owned()],
        join_keys: vec!["driver_id".to_owned()],
        whole: true,
    };
    let mut writes = put_leftover(&note, Timestamp::now());
    writes.extend(rows(&project).into_iter().map(|row| Write::Delete { kind: row.kind, name: row.name }));
    registry(&project).update(PROJECT, &mut |_| Some(writes.clone())).unwrap();
    assert_eq!((rows(&project), exists(&test)), (Vec::new(), true));
    project.feastr(&["teardown", "--yes"]).ok();
    assert_eq!((noted(&project), exists(&test)), (Vec::new(), false));
    let said = project.feastr(&["teardown", "--yes"]).ok().stderr;
    assert!(said.contains("nothing to remove"), "{said}");
}

#[test]
fn a_store_that_is_away_is_told_before_anything_is_removed() {
    let (project, test) = in_postgres();
    let before = rows(&project);
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings.replace("  database: ", "  database: no_"));
    let said = project.feastr(&["teardown", "--yes"]).failed().stderr;
    assert!(said.contains("there is no database `no_"), "{said}");
    assert_eq!((rows(&project), exists(&test)), (before, true));
}

#[test]
fn teardown_removes_the_values_of_the_project_alone() {
    let (project, test) = in_postgres();
    project.edit("feature_store.yaml", "project: feastlocal", "project: my_feastlocal");
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", START, END]).ok();
    project.feastr(&["teardown", "--yes"]).ok();
    assert!(exists(&test), "another project's");
    assert!(
        test.postgres()
            .query_one("SELECT to_regclass('my_feastlocal_driver_hourly_stats') IS NULL", &[])
            .unwrap()
            .get::<_, bool>(0)
    );
}
