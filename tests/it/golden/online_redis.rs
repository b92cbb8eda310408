//! The Redis online store as Feast left it after the same commands, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::{
    online_values::DIFFERENT,
    registry_rows::golden_root,
    vectors::{array, from_hex, golden, text},
};
use crate::{servers::redis::RedisServer, support::Project};

/// Fields and values by key.
type Hashes = BTreeMap<Vec<u8>, BTreeMap<Vec<u8>, Vec<u8>>>;

fn recorded(keys: &Json) -> Hashes {
    let fields = |key: &Json| {
        let pairs = array(&key["fields"]).iter();
        pairs.map(|field| (from_hex(&field["field_hex"]), from_hex(&field["value_hex"]))).collect()
    };
    array(keys).iter().map(|key| (from_hex(&key["key_hex"]), fields(key))).collect()
}

fn stored(db: u8) -> Hashes {
    RedisServer::shared().dump(db).into_iter().map(|(key, (fields, _))| (key, fields)).collect()
}

fn lifetimes(db: u8) -> Vec<i64> {
    RedisServer::shared().dump(db).into_values().map(|(_, seconds)| seconds).collect()
}

/// A repo of the recordings, with its values in a database of the server.
fn repo(project: &str, db: u8, more: &str) -> Project {
    let settings = RedisServer::shared().settings(db);
    Project::new(&[(
        "feature_store.yaml",
        &format!(
            "project: {project}\nregistry:\n  registry_type: sql\n  path: sqlite:///data/registry.db\n{settings}{more}\
             offline_store:\n  type: duckdb\nentity_key_serialization_version: 3\n"
        ),
    )])
}

fn local(db: u8, more: &str) -> Project {
    let repo = repo("feastlocal", db, more);
    repo.write("definitions.yaml", include_str!("../../repos/golden/local/definitions.yaml"));
    repo.write("fresh.yaml", include_str!("../../repos/golden/local/fresh.yaml"));
    let source = golden_root().join("registry/local_pandas/input/data/driver_stats.parquet");
    repo.copy(&source, "data/driver_stats.parquet");
    repo.feastr(&["apply"]).ok();
    repo
}

#[test]
fn the_recorded_steps_leave_the_recorded_values() {
    let (db, repo) = (1, local(1, ""));
    let steps = golden("online/local_intervals.json");
    let states = ["1_materialize", "2_incremental", "2_incremental", "2_incremental", "3_null_row"];
    for (step, state) in array(&steps).iter().zip(states) {
        let args: Vec<&str> = array(&step["args"]).iter().map(text).collect();
        repo.feastr(&args).ok();
        assert_eq!(stored(db), recorded(&golden(&format!("online/local_redis_{state}.json"))), "{step}");
    }
    assert!(lifetimes(db).iter().all(|seconds| *seconds == -1));
}

#[test]
fn values_live_as_long_as_the_recorded_ones() {
    let golden = golden("online/key_ttl_seconds.json");
    let (db, seconds) = (2, golden["key_ttl_seconds"].as_i64().unwrap());
    let repo = local(db, &format!("  key_ttl_seconds: {seconds}\n"));
    let whole = |lifetimes: Vec<i64>| {
        !lifetimes.is_empty() && lifetimes.iter().all(|left| (seconds - 60..=seconds).contains(left))
    };
    let materialize = |view: &str| {
        repo.feastr(&["materialize", "2021-04-11T19:00:00", "2021-04-12T00:00:00", "--views", view]).ok();
    };
    materialize("driver_hourly_stats");
    assert_eq!(stored(db), recorded(&golden["after_first"]));
    assert!(whole(lifetimes(db)), "{:?}", lifetimes(db));
    let mut connection = RedisServer::shared().connect_to(db);
    for key in stored(db).keys() {
        redis::cmd("EXPIRE").arg(key).arg(100).exec(&mut connection).unwrap();
    }
    // The same rows again are skipped, and renew nothing.
    materialize("driver_hourly_stats");
    assert!(lifetimes(db).iter().all(|left| *left <= 100), "{:?}", lifetimes(db));
    // Another view of the same entities does.
    materialize("driver_hourly_stats_fresh");
    assert!(whole(lifetimes(db)), "{:?}", lifetimes(db));
}

#[test]
fn a_removed_view_and_a_teardown_leave_what_was_recorded() {
    let golden = golden("online/delete_and_teardown.json");
    let (db, repo) = (3, local(3, ""));
    repo.feastr(&["materialize", "2021-04-11T19:00:00", "2021-04-12T00:00:00"]).ok();
    assert_eq!(stored(db), recorded(&golden["before"]));
    std::fs::remove_file(repo.path("fresh.yaml")).unwrap();
    repo.feastr(&["apply", "--yes"]).ok();
    assert_eq!(stored(db), recorded(&golden["after_view_removed"]));
    repo.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(stored(db), recorded(&golden["after_teardown"]));
}

#[test]
fn every_type_of_value() {
    let (db, repo) = (4, repo("feastextra", 4, ""));
    repo.write("definitions.yaml", include_str!("../../repos/golden/extra/definitions.yaml"));
    let data = golden_root().join("registry/extra/input/data");
    for file in std::fs::read_dir(data).unwrap().map(Result::unwrap) {
        repo.copy(&file.path(), &format!("data/{}", file.file_name().to_str().unwrap()));
    }
    repo.feastr(&["apply"]).ok();
    repo.feastr(&["materialize", "2021-02-11T00:00:00", "2021-04-12T01:00:00"]).ok();
    // Feast wrote with each of its engines; one of them cannot write a view without entities.
    let recordings = ["dask", "duckdb"].map(|engine| golden(&format!("online/extra_{engine}_redis.json")));
    let stored = stored(db);
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut different = BTreeSet::new();
    for key in recordings.iter().flat_map(array) {
        let ours = &stored[&from_hex(&key["key_hex"])];
        for field in array(&key["fields"]) {
            let (bytes, theirs) = (hex(&ours[&from_hex(&field["field_hex"])]), text(&field["value_hex"]));
            let feature = text(&field["field"]).rsplit(':').next().unwrap();
            match DIFFERENT.iter().find(|(name, one, _)| (*name, *one) == (feature, theirs)) {
                // What Feast changed on the way, and feastr does not.
                Some((.., right)) => {
                    assert_eq!(bytes, *right, "{field}");
                    different.insert((feature.to_owned(), theirs.to_owned()));
                }
                None => assert_eq!(bytes, theirs, "{field}"),
            }
        }
    }
    assert!(!different.is_empty());
    let keys: Vec<Vec<u8>> = array(&recordings[0]).iter().map(|key| from_hex(&key["key_hex"])).collect();
    assert!(stored.keys().eq(&keys.into_iter().collect::<BTreeSet<_>>()));
}
