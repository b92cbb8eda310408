//! How little is asked of a store.

use super::{JOIN, day, define, feastr, feastr_at, upload, write};
use crate::{
    servers::{
        buckets::{Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

/// How many of the requests are for listings, for what is known of an object, and for its bytes.
fn counted(seen: &[String]) -> (usize, usize, usize) {
    let count = |is: &dyn Fn(&str) -> bool| seen.iter().filter(|line| is(line)).count();
    let lists = count(&|line| line.contains("list-type=2"));
    (lists, count(&|line| line.starts_with("HEAD ")), count(&|line| line.starts_with("GET ")) - lists)
}

#[test]
fn a_file_is_looked_at_with_two_requests() {
    let project = Project::new(&[]);
    write(&project.path("data/one.parquet"), &day(0..50, "2026-01-02", 7.0), 10);
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    define(&project, &format!("{bucket}/one.parquet"), "");
    feastr_at(&project, server, &meddler.endpoint(), &["plan"]).ok();
    let seen = meddler.seen();
    // What is known of it, and its footer; what was added to it matters to those who read rows.
    assert_eq!(counted(&seen), (0, 1, 1), "{seen:?}");
}

#[test]
fn who_may_not_list_reads_the_object_alone() {
    const DENIED: &str = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>";
    let project = Project::new(&[]);
    write(&project.path("data/one.parquet"), &day(0..50, "2026-01-02", 7.0), 10);
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    meddler.meddle(|line| match line.contains("list-type=2") {
        true => Act::Answer("403 Forbidden", DENIED),
        false => Act::Pass,
    });
    define(&project, &format!("{bucket}/one.parquet"), "");
    project.write("entities.csv", "id,event_timestamp\n7,2026-01-02T12:00:00Z\n");
    feastr_at(&project, server, &meddler.endpoint(), &["apply", "--yes"]).ok();
    let joined = feastr_at(&project, server, &meddler.endpoint(), &JOIN).ok().stdout;
    assert!(joined.contains("7,2026-01-02T12:00:00Z,7.07"), "{joined}");
    // A folder is nothing without a listing.
    define(&project, &format!("{bucket}/"), "");
    let said = feastr_at(&project, server, &meddler.endpoint(), &["plan"]).failed().stderr;
    assert!(said.contains("Access Denied (AccessDenied)"), "{said}");
}

#[test]
fn files_of_a_folder_are_listed_once_and_looked_at_with_one_request() {
    let project = Project::new(&[]);
    for index in 0..20 {
        write(&project.path(&format!("data/{index}.parquet")), &day(0..5, "2026-01-02", 7.0), 10);
    }
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    for path in ["", "*.parquet"] {
        define(&project, &format!("{bucket}/{path}"), "");
        feastr_at(&project, server, &meddler.endpoint(), &["plan"]).ok();
        let seen = meddler.seen();
        assert_eq!(counted(&seen), (1, 0, 20), "{path} {seen:?}");
    }
}

#[test]
fn days_that_nobody_asks_about_are_not_opened() {
    let project = Project::new(&[]);
    for index in 1..=28 {
        let name = format!("2026-01-{index:02}");
        write(&project.path(&format!("data/day={name}/x.parquet")), &day(0..5, &name, 0.0), 10);
    }
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    define(&project, &format!("{bucket}/day=*/*.parquet"), "    date_partition_column: day\n");
    feastr(&project, server, &["apply", "--yes"]).ok();
    let run = ["materialize", "2026-01-10", "2026-01-12T23:00:00"];
    feastr_at(&project, server, &meddler.endpoint(), &run).ok();
    let seen = meddler.seen();
    let (lists, heads, gets) = counted(&seen);
    assert_eq!((lists, heads), (2, 0), "{seen:?}");
    assert!((6..=12).contains(&gets), "{seen:?}");
    project.write("entities.csv", "id,event_timestamp\n3,2026-01-11T12:00:00Z\n");
    project.edit("definitions.yaml", "ttl: 0", "ttl: 1d");
    feastr(&project, server, &["apply", "--yes"]).ok();
    feastr_at(&project, server, &meddler.endpoint(), &JOIN).ok();
    let joined = meddler.seen();
    assert_eq!((counted(&joined).0, counted(&joined).1), (1, 0), "{joined:?}");
    let seen = [seen, joined].concat();
    let other = seen
        .iter()
        .find(|line| line.contains(".parquet") && !["10/", "11/", "12/"].iter().any(|day| line.contains(day)));
    assert_eq!(other, None);
}

#[test]
fn of_row_groups_only_those_of_the_times_are_read() {
    let project = Project::new(&[]);
    // Two row groups that are further from one another than what is fetched as one.
    let rows = [day(0..60_000, "2026-01-01", 1.0), day(0..60_000, "2026-02-01", 2.0)];
    let rows = arrow::compute::concat_batches(&rows[0].schema(), &rows).unwrap();
    write(&project.path("data/one.parquet"), &rows, 60_000);
    let size = std::fs::metadata(project.path("data/one.parquet")).unwrap().len();
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    define(&project, &format!("{bucket}/one.parquet"), "");
    project.write("entities.csv", "id,event_timestamp\n7,2026-01-02T12:00:00Z\n");
    feastr(&project, server, &["apply", "--yes"]).ok();
    let joined = feastr_at(&project, server, &meddler.endpoint(), &JOIN).ok().stdout;
    assert!(joined.contains("7,2026-01-02T12:00:00Z,7.01"), "{joined}");
    let starts = meddler.seen().into_iter().filter_map(|line| {
        let (_, range) = line.split_once("bytes=")?;
        range.split_once('-')?.0.parse::<u64>().ok()
    });
    // But for the footer, which is at the end.
    let second = starts.filter(|start| (size / 2..size - (64 << 10)).contains(start)).count();
    assert_eq!(second, 0);
}

/// The first bytes of the ranges that are asked for, and how many bytes these have together.
fn ranges(seen: &[String]) -> (Vec<u64>, u64) {
    let range = |line: &String| {
        let (first, last) = line.split_once("bytes=")?.1.split_once('-')?;
        Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()?))
    };
    let ranges: Vec<(u64, u64)> = seen.iter().filter_map(range).collect();
    (ranges.iter().map(|(first, _)| *first).collect(), ranges.iter().map(|(first, last)| last - first + 1).sum())
}

#[test]
fn of_row_groups_only_those_of_the_keys_are_read() {
    let project = Project::new(&[]);
    let server = shared(Store::SeaweedFs);
    // A file whose row groups have keys of their own, and one for each thousand of keys.
    write(&project.path("data/one.parquet"), &day(0..120_000, "2026-01-01", 1.0), 30_000);
    for index in 0..10 {
        let rows = day(index * 1_000..(index + 1) * 1_000, "2026-01-01", 1.0);
        write(&project.path(&format!("data/many/{index}.parquet")), &rows, 1_000);
    }
    // The keys of these are in the names of their folders alone.
    for id in 0..10 {
        let rows = day(id..id + 1, "2026-01-01", 1.0).project(&[1, 2]).unwrap();
        write(&project.path(&format!("data/folders/id={id}/x.parquet")), &rows, 1_000);
    }
    let size = std::fs::metadata(project.path("data/one.parquet")).unwrap().len();
    let bucket = server.create_bucket();
    upload(&project.path("data"), &server.open(&bucket));
    let meddler = Meddler::before(server.port());
    let joined = |path: &str, id: i64| {
        define(&project, &format!("{bucket}/{path}"), "");
        project.write("entities.csv", format!("id,event_timestamp\n{id},2026-01-02T12:00:00Z\n"));
        feastr(&project, server, &["apply", "--yes", "-q"]).ok();
        let rows = feastr_at(&project, server, &meddler.endpoint(), &JOIN).ok().stdout;
        assert!(rows.contains(&format!("{id},2026-01-02T12:00:00Z,{id}.01")), "{rows}");
        meddler.seen()
    };
    let (starts, bytes) = ranges(&joined("one.parquet", 95_000));
    let footer = size - (64 << 10);
    assert!(starts.iter().all(|start| (size / 2..).contains(start)), "{starts:?} of {size}");
    assert!(starts.iter().any(|start| *start < footer), "{starts:?}");
    assert!(bytes < size / 2, "{bytes} of {size}");
    let seen = joined("many/", 4_321);
    // A listing, a footer of each; then keys and times of one, and the feature of its row.
    assert_eq!(counted(&seen), (1, 0, 12), "{seen:?}");
    assert_eq!(seen.iter().filter(|line| line.contains("/4.parquet")).count(), 3, "{seen:?}");
    let seen = joined("folders/", 7);
    assert_eq!(counted(&seen), (1, 0, 12), "{seen:?}");
}
