//! Files that go to and fro between a cluster and feastr in a bucket: Sail, and an S3 server.

use feastr::clients::runtime::wait;
use futures_util::TryStreamExt as _;
use parquet::file::reader::{FileReader as _, SerializedFileReader};
use serde_json::Value;

use super::same::{OWN, by, repo, settings_of};
use crate::{
    servers::{
        buckets::{ObjectStore, Store, shared},
        spark::SparkServer,
    },
    support::Project,
};

/// A repo whose cluster and feastr both reach a server of buckets.
fn house(server: &ObjectStore, bucket: &str) -> (Project, SparkServer) {
    let mut known = server.environment();
    let endpoint = ("AWS_ENDPOINT", server.endpoint());
    known.extend([endpoint, ("AWS_ALLOW_HTTP", "true".to_owned())]);
    let sail = SparkServer::sail_that_knows(&known);
    let mut project = repo();
    project.environment.extend(server.environment());
    let settings = project.read(&settings_of("sail"));
    let line = settings.lines().find(|line| line.contains("spark.remote")).unwrap();
    let place = format!("  spark_conf: {{spark.remote: '{}'}}\n  staging_location: {bucket}/staging", sail.address());
    project.write(&settings_of("sail"), settings.replace(line, &place));
    project.feastr(&["apply", "--yes"]).ok();
    (project, sail)
}

/// The names and contents of what is in a folder of the bucket.
fn objects(server: &ObjectStore, bucket: &str, folder: &str) -> Vec<(String, bytes::Bytes)> {
    let opened = server.open(bucket);
    let listed: Vec<_> = wait(opened.list(folder).try_collect()).unwrap();
    let read = |object: feastr::clients::buckets::Object| {
        let name = object.key.rsplit('/').next().unwrap().to_owned();
        (name, wait(opened.get(&object.key)).unwrap().unwrap().0)
    };
    listed.into_iter().map(read).collect()
}

#[test]
fn results_are_whole_when_their_manifest_is_there() {
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let (project, _sail) = house(server, &bucket);
    let folder = format!("{bucket}/results/one/");
    let join =
        ["get-historical", "--entities", "rows.parquet", "--features", "trips:trips,weather:degrees", "-o", &folder];
    let told = by(&project, "sail", &join).ok();
    assert!(told.stderr.contains(&format!("The engine wrote 300 rows to {folder}")), "{}", told.stderr);
    let there = objects(server, &bucket, "results/one");
    let names: Vec<&str> = there.iter().map(|(name, _)| name.as_str()).collect();
    assert!(
        names.contains(&"_feastr.json") && names.contains(&"_SUCCESS") && !names.contains(&"_INCOMPLETE"),
        "{names:?}"
    );
    let rows = |(name, bytes): &(String, bytes::Bytes)| {
        let file = name.ends_with(".parquet").then(|| SerializedFileReader::new(bytes.clone()).unwrap());
        file.map_or(0, |file| file.metadata().file_metadata().num_rows())
    };
    assert_eq!(there.iter().map(rows).sum::<i64>(), 300);
    let told = by(&project, "sail", &join).failed();
    assert!(told.stderr.contains("there is something already"), "{}", told.stderr);
}

#[test]
fn shards_are_taken_from_a_bucket() {
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let (project, _sail) = house(server, &bucket);
    let range = ["materialize", "2024-03-01", "2024-03-02T06:00:00Z", "--views", "trips"];
    let report: Value = by(&project, "sail", &[&range[..], &["--shards", "2", "--json"]].concat()).ok().json();
    let run = report["views"][0]["run"].as_str().unwrap();
    assert!(objects(server, &bucket, "staging").iter().any(|(name, _)| name == "_feastr.json"));
    for shard in ["1/2", "0/2"] {
        by(&project, "sail", &["materialize", "write", run, "--shard", shard]).ok();
    }
    assert_eq!(objects(server, &bucket, "staging").len(), 0);
    let values = |settings: &str| {
        let asked = ["get-online", "--features", "trips:trips,trips:word", "--entity", "driver_id=3", "--json"];
        by(&project, settings, &asked).ok().stdout
    };
    let by_shards = values("sail");
    by(&project, OWN, &range).ok();
    assert_eq!(by_shards, values(OWN));
}
