//! Results that go to buckets: whole, or not at all.

use std::{
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use bytes::Bytes;
use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;

use super::sources::{day, define, feastr, feastr_at, write};
use crate::{
    servers::{
        buckets::{ObjectStore, Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

/// A repo with rows that are applied, and more entity rows than one part of an upload has.
pub fn project(server: &ObjectStore) -> Project {
    let project = Project::new(&[]);
    write(&project.path("data/one.parquet"), &day(0..2_000, "2026-01-02", 7.0), 1_000);
    define(&project, "data/one.parquet", "");
    let mut rows = "id,event_timestamp,note\n".to_owned();
    for row in 0..100_000 {
        rows.push_str(&format!("{},2026-01-03T00:00:00Z,{:0100}\n", row % 2_000, row));
    }
    project.write("entities.csv", rows);
    feastr(&project, server, &["apply", "--yes"]).ok();
    project
}

pub fn join(output: &str) -> [&str; 7] {
    ["get-historical", "--entities", "entities.csv", "--features", "v:p", "-o", output]
}

pub fn object(server: &ObjectStore, bucket: &str, key: &str) -> Option<Bytes> {
    wait(server.open(bucket).get(key)).unwrap().map(|(bytes, _)| bytes)
}

#[test]
fn rows_are_those_of_the_same_file() {
    for store in [Store::SeaweedFs, Store::VersityGw, Store::Gcs, Store::Azure] {
        let server = shared(store);
        let (project, bucket) = (project(server), server.create_bucket());
        for name in ["out.csv", "a b/out.parquet"] {
            let local = name.replace('/', "-");
            feastr(&project, server, &join(&local)).ok();
            let url = format!("{bucket}/{name}");
            let said = feastr(&project, server, &join(&url)).ok().stderr;
            assert!(said.contains(&format!("Wrote 100000 rows to {url} in")), "{said}");
            let there = object(server, &bucket, name).unwrap();
            assert!(there == project.read_bytes(&local), "{store:?} {name}");
        }
    }
}

#[test]
fn reports_are_objects() {
    let server = shared(Store::VersityGw);
    let (project, bucket) = (project(server), server.create_bucket());
    let report = format!("{bucket}/reports/run.json");
    feastr(&project, server, &["materialize", "2026-01-01", "2026-02-01", "--report", &report]).ok();
    let report = object(server, &bucket, "reports/run.json").unwrap();
    let report: serde_json::Value = serde_json::from_slice(&report).unwrap();
    assert_eq!(report["views"][0]["written"], 2_000, "{report}");
    let nowhere = ["materialize", "2026-01-01", "2026-02-01", "--overwrite", "--report", "s3://not-there/x/run.json"];
    let said = feastr(&project, server, &nowhere).failed().stderr;
    assert!(said.contains("there is no bucket `not-there`"), "{said}");
}

#[test]
fn datasets_are_saved_and_read_again() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let url = format!("{bucket}/datasets/one.parquet");
    let create =
        ["saved-datasets", "create", "one", "--features", "v:p", "--entities", "entities.csv", "-o", url.as_str()];
    feastr(&project, server, &create).ok();
    let again = [&create[..2], &["two"], &create[3..]].concat();
    let said = feastr(&project, server, &again).failed().stderr;
    assert!(said.contains(&format!("there is something at {url} already")), "{said}");
    feastr(&project, server, &["saved-datasets", "export", "one", "-o", "one.csv"]).ok();
    assert_eq!(project.read("one.csv").lines().count(), 100_001);
}

#[test]
fn what_fails_leaves_nothing() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let output = format!("{bucket}/out.csv");
    // The second part is not taken.
    meddler.meddle(|line| match line.contains("partNumber=2") {
        true => Act::Answer("400 Bad Request", "<Error><Code>EntityTooLarge</Code><Message>Too much</Message></Error>"),
        false => Act::Pass,
    });
    let said = feastr_at(&project, server, &meddler.endpoint(), &join(&output)).failed().stderr;
    assert!(said.contains(&format!("cannot write {output}: Too much (EntityTooLarge)")), "{said}");
    let seen = meddler.seen();
    assert!(seen.iter().any(|line| line.starts_with("DELETE ") && line.contains("uploadId=")), "{seen:?}");
    assert_eq!(object(server, &bucket, "out.csv"), None);

    // SeaweedFS makes buckets that are not there.
    let said = feastr(&project, shared(Store::VersityGw), &join("s3://not-there/out.csv")).failed().stderr;
    assert!(said.contains("cannot write s3://not-there/out.csv: there is no bucket `not-there`"), "{said}");
    let said = feastr(&project, server, &join(&format!("{bucket}/out"))).failed().stderr;
    assert!(said.contains("says no format"), "{said}");
}

#[test]
fn who_is_interrupted_leaves_nothing() {
    let server = shared(Store::SeaweedFs);
    // While rows are made, which wait until parts have arrived; and when all of them are on their way.
    for times in [6, 1] {
        let (project, bucket) = (project(server), server.create_bucket());
        let meddler = Meddler::before(server.port());
        meddler.meddle(|line| match line.contains("partNumber=") {
            true => Act::Late(Duration::from_secs(3600)),
            false => Act::Pass,
        });
        let entities = project.read("entities.csv");
        let (header, rows) = entities.split_once('\n').unwrap();
        project.write("entities.csv", format!("{header}\n{}", rows.repeat(times)));
        let output = format!("{bucket}/out.csv");
        let mut command = project.command(&join(&output));
        let mut running = command
            .envs(server.environment_at(&meddler.endpoint()))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let began = Instant::now();
        let mut seen = Vec::new();
        while !seen.iter().any(|line: &String| line.contains("partNumber=")) {
            assert!(began.elapsed() < Duration::from_secs(60), "{seen:?}");
            sleep(Duration::from_millis(20));
            seen.extend(meddler.seen());
        }
        let pid = running.id().to_string();
        assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
        assert!(!running.wait().unwrap().success());
        let seen = meddler.seen();
        assert!(seen.iter().any(|line| line.starts_with("DELETE ") && line.contains("uploadId=")), "{seen:?}");
        let left: Vec<_> = wait(server.open(&bucket).list("").try_collect()).unwrap();
        assert_eq!(left, []);
    }
}
