//! Rows that are pushed to the history of sources in buckets.

use std::sync::atomic::{AtomicUsize, Ordering};

use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;
use serde_json::json;

use super::sources::{day, define, feastr, feastr_at, upload, write};
use crate::{
    serve::server::FeatureServer,
    servers::{
        buckets::{ObjectStore, Store, shared},
        meddler::{Act, Meddler},
    },
    support::Project,
};

/// A repo over a source in a bucket, which has these files, with a push source before it.
fn project(server: &ObjectStore, files: &[&str], path: &str, more: &str) -> (Project, String) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let folder = format!("data{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let (project, bucket) = (Project::new(&[]), server.create_bucket());
    for file in files {
        write(&project.path(&format!("{folder}/{file}")), &day(0..5, "2026-01-02", 7.0), 10);
    }
    upload(&project.path(&folder), &server.open(&bucket));
    define(&project, &format!("{bucket}/{path}"), more);
    let definitions = project.read("definitions.yaml");
    let definitions = definitions.replace("    source: s\n", "    source: pushed\n");
    let pushed = "  - {name: pushed, type: push, batch_source: s}\nfeature_views:";
    project.write("definitions.yaml", definitions.replacen("feature_views:", pushed, 1));
    feastr(&project, server, &["apply", "--yes"]).ok();
    (project, bucket)
}

const PUSH: [&str; 6] = ["push", "pushed", "-i", "rows.csv", "--to", "offline"];
const ROWS: &str = "id,ts,p\n1,2026-01-03T10:00:00Z,11.5\n2,2026-01-04T10:00:00Z,12.5\n";

fn keys(server: &ObjectStore, bucket: &str) -> Vec<String> {
    let listed: Vec<_> = wait(server.open(bucket).list("").try_collect()).unwrap();
    let mut keys: Vec<String> = listed.into_iter().map(|object| object.key).collect();
    keys.sort();
    keys
}

/// The features of the pushed rows at a time.
fn joined(project: &Project, server: &ObjectStore) -> String {
    project.write("entities.csv", "id,event_timestamp\n1,2026-02-01\n2,2026-02-01\n3,2026-02-01\n");
    let values = feastr(project, server, &super::sources::JOIN).ok().stdout;
    values.lines().skip(1).map(|line| format!("{} ", line.rsplit_once(',').unwrap().1)).collect()
}

#[test]
fn rows_are_added_as_new_files_that_are_read() {
    let partitioned = "    date_partition_column: day\n";
    let layouts: [(&[&str], &str, &str, &str); 4] = [
        (&["one.parquet"], "one.parquet", "", "one.parquet.d/push-"),
        (&["d/a.parquet", "d/b.parquet"], "d/", "", "d/push-"),
        (&["d/day=2026-01-02/a.parquet"], "d/day=*/*.parquet", partitioned, "d/day=2026-01-03/push-"),
        (&["d/day=2026-01-02/a.parquet"], "d", partitioned, "d/day=2026-01-03/push-"),
    ];
    for store in [Store::SeaweedFs, Store::VersityGw, Store::Gcs, Store::Azure] {
        let server = shared(store);
        for (files, path, more, added) in layouts {
            let (project, bucket) = project(server, files, path, more);
            assert_eq!(joined(&project, server), "1.07 2.07 3.07 ");
            project.write("rows.csv", ROWS);
            let said = feastr(&project, server, &PUSH).ok();
            assert!(said.stderr.contains(&format!("{bucket}/{added}")), "{store:?} {path} {}", said.stderr);
            assert_eq!(joined(&project, server), "11.5 12.5 3.07 ", "{store:?} {path}");
            let keys = keys(server, &bucket);
            let new: Vec<&String> = keys.iter().filter(|key| key.contains("push-")).collect();
            assert_eq!(new.len(), if more.is_empty() { 1 } else { 2 }, "{keys:?}");
            assert!(new[0].starts_with(added) && new[0].ends_with(".parquet"), "{keys:?}");
        }
    }
}

#[test]
fn added_rows_are_materialized_and_again_when_the_file_is_written_anew() {
    let server = shared(Store::VersityGw);
    let (project, bucket) = project(server, &["one.parquet"], "one.parquet", "");
    project.write("rows.csv", ROWS);
    feastr(&project, server, &PUSH).ok();
    let again = wait(server.open(&bucket).get("one.parquet")).unwrap().unwrap().0;
    super::sources::put(&server.open(&bucket), "one.parquet", again.to_vec());
    feastr(&project, server, &["materialize", "2026-01-01", "2026-02-01"]).ok();
    let online = feastr(&project, server, &["get-online", "--features", "v:p", "--entity", "id=1", "--json"]).ok();
    assert_eq!(online.json()["results"][1]["values"][0], json!(11.5));
}

#[test]
fn servers_add_rows_too() {
    let server = shared(Store::SeaweedFs);
    let (mut project, bucket) = project(server, &["d/a.parquet"], "d/", "");
    project.environment = server.environment();
    let features = FeatureServer::start(&project, &[]);
    let rows = json!({ "id": [1, 2], "ts": ["2026-01-03T10:00:00Z", "2026-01-04T10:00:00Z"], "p": [11.5, 12.5] });
    let push = json!({ "push_source_name": "pushed", "df": rows, "to": "offline" });
    features.ask("POST", "/push", &push.to_string()).ok();
    assert_eq!(joined(&project, server), "11.5 12.5 3.07 ");
    assert_eq!(keys(server, &bucket).len(), 2);
}

#[test]
fn what_is_not_added_is_not_there() {
    let server = shared(Store::SeaweedFs);
    let (project, bucket) =
        project(server, &["d/day=2026-01-02/a.parquet"], "d/day=*/*.parquet", "    date_partition_column: day\n");
    project.write("rows.csv", ROWS);
    let meddler = Meddler::before(server.port());
    let mut completions = 0;
    meddler.meddle(move |line| {
        let is_completion = line.starts_with("POST ") && line.contains("uploadId=");
        completions += usize::from(is_completion);
        match is_completion && completions == 2 {
            true => Act::Answer("403 Forbidden", super::writing::EXPIRED),
            false => Act::Pass,
        }
    });
    let both = [&PUSH[..5], &["online_and_offline"]].concat();
    let said = feastr_at(&project, server, &meddler.endpoint(), &both).failed().stderr;
    assert!(said.contains("The provided token has expired (ExpiredToken)"), "{said}");
    assert_eq!(keys(server, &bucket), ["d/day=2026-01-02/a.parquet"]);
    // It can be done again, and changes nothing where it is stored.
    feastr(&project, server, &both).ok();
    assert_eq!(joined(&project, server), "11.5 12.5 3.07 ");

    // No new file is sure to match.
    project.edit("definitions.yaml", "d/day=*/*.parquet", "d/day=*/a.parquet");
    feastr(&project, server, &["apply", "--yes"]).ok();
    let said = feastr(&project, server, &PUSH).failed().stderr;
    assert!(said.contains("no new file is sure to match"), "{said}");
}
