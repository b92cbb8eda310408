//! Folders of files in buckets: whole, or not there, or marked as what they are.

use std::{
    process::{Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use bytes::Bytes;
use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;

use super::sources::{day, define, feastr, feastr_at, put, write};
use crate::{
    servers::{
        buckets::{ObjectStore, Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

/// A repo that is applied, and entity rows of four cities.
fn project(server: &ObjectStore) -> Project {
    let project = Project::new(&[]);
    write(&project.path("data/one.parquet"), &day(0..200, "2026-01-02", 7.0), 1_000);
    define(&project, "data/one.parquet", "");
    let mut rows = "id,event_timestamp,city\n".to_owned();
    for (row, city) in (0..200).zip(["Rom", "Köln/Bonn: 50%", "", "a b+c"].iter().cycle()) {
        rows.push_str(&format!("{row},2026-01-03T00:00:00Z,{city}\n"));
    }
    project.write("entities.csv", rows);
    feastr(&project, server, &["apply", "--yes"]).ok();
    project
}

fn join(output: &str) -> [&str; 11] {
    let about = ["get-historical", "--entities", "entities.csv", "--features", "v:p", "-o", output];
    let [a, b, c, d, e, f, g] = about;
    [a, b, c, d, e, f, g, "--partition-by", "city", "--format", "csv"]
}

fn create<'a>(url: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let create = ["saved-datasets", "create", "one", "--features", "v:p", "--entities", "entities.csv", "-o", url];
    [&create[..], more].concat()
}

/// The keys in a folder, from there on, and what the objects are.
fn objects(server: &ObjectStore, bucket: &str, folder: &str) -> Vec<(String, Bytes)> {
    let bucket = server.open(bucket);
    let listed: Vec<_> = wait(bucket.list(folder).try_collect()).unwrap();
    let mut keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
    keys.sort();
    let bytes = |key: &str| wait(bucket.get(key)).unwrap().unwrap().0;
    let short = |key: &str| key.strip_prefix(folder).unwrap().trim_start_matches('/').to_owned();
    keys.iter().map(|key| (short(key), bytes(key))).collect()
}

fn names(server: &ObjectStore, bucket: &str, folder: &str) -> Vec<String> {
    objects(server, bucket, folder).into_iter().map(|(name, _)| name).collect()
}

fn is_completion(line: &str) -> bool {
    line.starts_with("POST ") && line.contains("uploadId=")
}

#[test]
fn folders_have_the_files_of_those_here() {
    for store in [Store::SeaweedFs, Store::VersityGw, Store::Gcs, Store::Azure] {
        let server = shared(store);
        let (project, bucket) = (project(server), server.create_bucket());
        feastr(&project, server, &join("here")).ok();
        let url = format!("{bucket}/results/all/");
        let said = feastr(&project, server, &join(&url)).ok().stderr;
        assert!(said.contains(&format!("Wrote 200 rows to {url} in")), "{said}");
        let there = objects(server, &bucket, "results/all");
        let (success, files) = there.split_first().unwrap();
        assert_eq!((success.0.as_str(), success.1.len()), ("_SUCCESS", 0), "{store:?}");
        assert_eq!(files.len(), 4, "{store:?}");
        for (name, bytes) in files {
            assert!(*bytes == project.read_bytes(&format!("here/{name}")), "{store:?} {name}");
        }
    }
}

#[test]
fn what_is_there_is_not_touched() {
    let server = shared(Store::VersityGw);
    let (project, bucket) = (project(server), server.create_bucket());
    let there = server.open(&bucket);
    put(&there, "out/mine.txt", b"mine".to_vec());
    put(&there, "file", b"mine".to_vec());
    for (place, why) in [
        ("out/", "there is a folder with files already"),
        ("file", "there is an object of this name, and not a folder"),
    ] {
        let url = format!("{bucket}/{place}");
        let refused = feastr(&project, server, &join(&url)).failed().stderr;
        assert!(refused.contains(&format!("cannot write {url}: {why}")), "{refused}");
        assert!(refused.contains("help: remove it, or name another folder"), "{refused}");
    }
    let new = format!("{bucket}/new");
    let none = [&join("")[..6], &[&new], &["--partition-by", "town"]].concat();
    assert!(feastr(&project, server, &none).failed().stderr.contains("no column `town` to partition by"));
    let refused = feastr(&project, server, &join("s3://not-there/new")).failed().stderr;
    assert!(refused.contains("there is no bucket `not-there`"), "{refused}");
    assert_eq!(names(server, &bucket, ""), ["file", "out/mine.txt"]);
}

#[test]
fn datasets_in_folders_are_replaced_as_a_whole() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let url = format!("{bucket}/datasets/one");
    feastr(&project, server, &create(&url, &[])).ok();
    assert_eq!(names(server, &bucket, "datasets/one"), ["_SUCCESS", "data_0.parquet"]);
    let export = ["saved-datasets", "export", "one", "--format", "csv"];
    let first = feastr(&project, server, &export).ok().stdout;
    assert_eq!(first.lines().count(), 201);
    let again = [&["saved-datasets", "create", "two"], &create(&url, &[])[3..]].concat();
    let refused = feastr(&project, server, &again).failed().stderr;
    assert!(refused.contains("there is a folder with files already"), "{refused}");
    assert!(refused.contains("--allow-overwrite"), "{refused}");

    // A file that does not appear takes the others along, and what was there is there as it was.
    project.write("entities.csv", "id,event_timestamp,city\n7,2026-01-03T00:00:00Z,Rom\n");
    let meddler = Meddler::before(server.port());
    meddler.meddle(|line| match is_completion(line) {
        true => {
            Act::Answer("400 Bad Request", "<Error><Code>InvalidPart</Code><Message>A part is lost</Message></Error>")
        }
        false => Act::Pass,
    });
    let replace = create(&url, &["--allow-overwrite"]);
    let said = feastr_at(&project, server, &meddler.endpoint(), &replace).failed().stderr;
    assert!(said.contains("A part is lost (InvalidPart)"), "{said}");
    assert_eq!(names(server, &bucket, "datasets/one"), ["_SUCCESS", "data_0.parquet"]);
    assert_eq!(feastr(&project, server, &export).ok().stdout, first);

    feastr(&project, server, &replace).ok();
    assert_eq!(feastr(&project, server, &export).ok().stdout.lines().count(), 2);
    assert_eq!(names(server, &bucket, "datasets/one").len(), 2);
}

#[test]
fn a_folder_of_many_files_vanishes_with_one_of_them() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let mut completions = 0;
    meddler.meddle(move |line| {
        completions += usize::from(is_completion(line));
        match is_completion(line) && completions == 3 {
            true => Act::Answer("403 Forbidden", super::writing::EXPIRED),
            false => Act::Pass,
        }
    });
    let url = format!("{bucket}/out");
    let said = feastr_at(&project, server, &meddler.endpoint(), &join(&url)).failed().stderr;
    assert!(said.contains("The provided token has expired (ExpiredToken)"), "{said}");
    assert_eq!(names(server, &bucket, ""), [""; 0]);
}

#[test]
fn who_is_interrupted_takes_all_parts_back() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    // The first file is begun, and the others wait for it.
    let mut begun = 0;
    meddler.meddle(move |line| {
        begun += usize::from(line.contains("?uploads"));
        if line.contains("?uploads") && begun == 1 { Act::Late(Duration::from_secs(2)) } else { Act::Pass }
    });
    let mut command = project.command(&join(&format!("{bucket}/out")));
    let command = command.envs(server.environment_at(&meddler.endpoint())).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    let (began, mut seen) = (Instant::now(), Vec::new());
    let count = |seen: &[String], is: &dyn Fn(&str) -> bool| seen.iter().filter(|line| is(line)).count();
    while count(&seen, &|line| line.contains("?uploads")) == 0 {
        assert!(began.elapsed() < Duration::from_secs(60), "{seen:?}");
        sleep(Duration::from_millis(20));
        seen.extend(meddler.seen());
    }
    let pid = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(!running.wait().unwrap().success());
    seen.extend(meddler.seen());
    let begun = count(&seen, &|line| line.contains("?uploads"));
    let removed = count(&seen, &|line| line.starts_with("DELETE ") && line.contains("uploadId="));
    let appeared = count(&seen, &is_completion);
    // All of them or none, whoever was faster.
    assert!(begun == removed + appeared && (removed == 0 || appeared == 0), "{seen:?}");
    assert_eq!(names(server, &bucket, "").is_empty(), appeared == 0);
}

/// Completions wait, and the program is killed when the first ones are done.
#[test]
fn what_a_killed_run_leaves_is_not_read() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) = (project(server), server.create_bucket());
    let meddler = Meddler::before(server.port());
    let mut completions = 0;
    meddler.meddle(move |line| {
        completions += usize::from(is_completion(line));
        if is_completion(line) && completions > 2 { Act::Late(Duration::from_secs(30)) } else { Act::Pass }
    });
    let url = format!("{bucket}/out");
    let mut command = project.command(&join(&url));
    let command = command.envs(server.environment_at(&meddler.endpoint())).stdout(Stdio::null()).stderr(Stdio::null());
    let mut running = command.spawn().unwrap();
    let began = Instant::now();
    while names(server, &bucket, "out").len() < 3 {
        assert!(began.elapsed() < Duration::from_secs(60));
        sleep(Duration::from_millis(20));
    }
    // Somebody else does not write there, either.
    let refused = feastr(&project, server, &join(&url)).failed().stderr;
    assert!(refused.contains("there is a folder already that somebody is filling"), "{refused}");
    running.kill().unwrap();
    running.wait().unwrap();
    let left = names(server, &bucket, "out");
    assert!(left.contains(&"_INCOMPLETE".to_owned()) && !left.contains(&"_SUCCESS".to_owned()), "{left:?}");

    let dataset = format!("{bucket}/out/");
    for path in [dataset.clone(), format!("{bucket}/out/*/*.csv")] {
        define(&project, &path, "    file_format: csv\n");
        let said = feastr(&project, server, &["plan"]).failed().stderr;
        assert!(said.contains(&format!("the folder {bucket}/out is not whole: somebody is filling it")), "{said}");
    }
    define(&project, "data/one.parquet", "");
    feastr(&project, server, &create(&dataset, &["--allow-overwrite"])).ok();
    let there = names(server, &bucket, "out");
    assert_eq!((there.len(), there[0].as_str()), (2, "_SUCCESS"), "{there:?}");
    assert!(
        feastr(&project, server, &["saved-datasets", "export", "one", "--format", "csv"]).ok().stdout.len() > 2_000
    );
}
