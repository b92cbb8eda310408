//! The Redis online store as Feast left it after the same commands, byte for byte.

use std::collections::{BTreeMap, BTreeSet};

use feastr::{
    feast::registry::messages::{Timestamp as TimestampMessage, decode},
    model::Timestamp,
};
use serde_json::{Value as Json, json};

use super::{
    online_values::{Materialized, assert_same_value, micros},
    registry_rows::{files, golden_root, read_json},
    repos::RecordedRepo,
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

/// Puts recorded hashes into a database.
pub(super) fn load(db: u8, keys: &Json) {
    let mut connection = RedisServer::shared().connect_to(db);
    for (key, fields) in recorded(keys) {
        let pairs: Vec<_> = fields.into_iter().collect();
        redis::cmd("HSET").arg(key).arg(pairs).exec(&mut connection).unwrap();
    }
}

fn stored(db: u8) -> Hashes {
    RedisServer::shared().dump(db).into_iter().map(|(key, (fields, _))| (key, fields)).collect()
}

fn lifetimes(db: u8) -> Vec<i64> {
    RedisServer::shared().dump(db).into_values().map(|(_, seconds)| seconds).collect()
}

/// A recorded repo with its values in a database of the server.
fn apply(recorded: &RecordedRepo, db: u8, more: &str) -> Project {
    redis::cmd("FLUSHDB").exec(&mut RedisServer::shared().connect_to(db)).unwrap();
    let (project, settings) = (&recorded.project, RedisServer::shared().settings(db));
    let repo = recorded.declare(&format!(
        "project: {project}\nregistry:\n  registry_type: sql\n  path: sqlite:///data/registry.db\n{settings}{more}\
         offline_store:\n  type: duckdb\nentity_key_serialization_version: 3\n"
    ));
    repo.feastr(&["apply"]).ok();
    repo
}

fn project_of(keys: &Json) -> &str {
    let projects: BTreeSet<&str> = array(keys).iter().map(|key| text(&key["project_suffix"])).collect();
    assert_eq!(projects.len(), 1, "{projects:?}");
    projects.into_iter().next().unwrap()
}

fn repo_of(keys: &Json) -> RecordedRepo {
    RecordedRepo::of_project(project_of(keys))
}

/// The views of which there are values, each with the event times of its rows in microseconds.
fn event_times(keys: &Json) -> BTreeMap<String, Vec<i64>> {
    let mut times = BTreeMap::<String, Vec<i64>>::new();
    for field in array(keys).iter().flat_map(|key| array(&key["fields"])) {
        if let Some(view) = text(&field["field"]).strip_prefix("_ts:") {
            let time: TimestampMessage = decode(&from_hex(&field["value_hex"])).unwrap();
            times.entry(view.to_owned()).or_default().push(Timestamp::from(time).micros());
        }
    }
    times
}

fn newest(keys: &Json) -> i64 {
    event_times(keys).into_values().flatten().max().unwrap()
}

/// Of these rows the oldest and the newest time. Who materializes from the one to the other finds the same rows:
/// they were the newest ones of a window that was at least as wide.
pub(super) fn window(keys: &Json) -> [String; 2] {
    let times: Vec<i64> = event_times(keys).into_values().flatten().collect();
    [times.iter().min(), times.iter().max()].map(|time| Timestamp::from_micros(*time.unwrap()).to_string())
}

/// The states of a store, by the name that they share, in their order: `x_redis_1_word.json`, `x_redis_2_word.json`.
pub(super) fn numbered_states() -> BTreeMap<String, Vec<Json>> {
    let mut states = BTreeMap::<String, BTreeMap<u32, Json>>::new();
    for path in files(&golden_root().join("online"), ".json") {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let Some((prefix, number)) = stem.split_once("_redis_") else { continue };
        let Ok(number) = number.split('_').next().unwrap().parse() else { continue };
        states.entry(prefix.to_owned()).or_default().insert(number, read_json(&path));
    }
    assert!(!states.is_empty());
    states.into_iter().map(|(prefix, states)| (prefix, states.into_values().collect())).collect()
}

#[test]
fn the_recorded_steps_leave_the_recorded_values() {
    for (prefix, states) in numbered_states() {
        let (db, repo) = (1, apply(&repo_of(&states[0]), 1, ""));
        let (mut reached, mut latest_end) = (0, i64::MIN);
        for step in array(&golden(&format!("online/{prefix}_intervals.json"))) {
            let args: Vec<&str> = array(&step["args"]).iter().map(text).collect();
            repo.feastr(&args).ok();
            latest_end = latest_end.max(micros(&step["args"][if args[0] == "materialize" { 2 } else { 1 }]));
            let stored = stored(db);
            if let Some(next) = states.get(reached) {
                // The next state is due when a window has reached its newest row.
                let may_be = newest(next) <= latest_end && step["redis_unchanged"] != true;
                let must_be = reached == 0 || newest(next) > newest(&states[reached - 1]);
                if may_be && (must_be || stored == recorded(next)) {
                    reached += 1;
                }
            }
            assert_eq!(stored, recorded(&states[reached - 1]), "{prefix}: {step}");
            if reached == states.len() {
                break;
            }
        }
        assert_eq!(reached, states.len(), "{prefix}: not every state was reached");
        assert!(lifetimes(db).iter().all(|seconds| *seconds == -1));
    }
}

#[test]
fn values_live_as_long_as_the_recorded_ones() {
    let golden = golden("online/key_ttl_seconds.json");
    let (db, seconds) = (2, golden["key_ttl_seconds"].as_i64().unwrap());
    let recorded_repo = repo_of(&golden["after_first"]);
    let repo = apply(&recorded_repo, db, &format!("  key_ttl_seconds: {seconds}\n"));
    let whole = |lifetimes: Vec<i64>| {
        !lifetimes.is_empty() && lifetimes.iter().all(|left| (seconds - 60..=seconds).contains(left))
    };
    let [start, end] = window(&golden["after_first"]);
    let materialize = |view: &str| repo.feastr(&["materialize", &start, &end, "--views", view]).ok();
    let views: Vec<String> = event_times(&golden["after_first"]).into_keys().collect();
    let [first] = &views[..] else { panic!("{views:?}") };
    let of_first = recorded_repo.views().find(|view| view.name == *first).unwrap();
    let second = recorded_repo.views().find(|view| view.name != *first && view.entities == of_first.entities).unwrap();
    materialize(first);
    assert_eq!(stored(db), recorded(&golden["after_first"]));
    assert!(whole(lifetimes(db)), "{:?}", lifetimes(db));
    let mut connection = RedisServer::shared().connect_to(db);
    for key in stored(db).keys() {
        redis::cmd("EXPIRE").arg(key).arg(100).exec(&mut connection).unwrap();
    }
    // The same rows again are skipped, and renew nothing.
    materialize(first);
    assert!(lifetimes(db).iter().all(|left| *left <= 100), "{:?}", lifetimes(db));
    // Another view of the same entities does.
    materialize(&second.name);
    assert!(whole(lifetimes(db)), "{:?}", lifetimes(db));
}

#[test]
fn a_removed_view_and_a_teardown_leave_what_was_recorded() {
    let golden = golden("online/delete_and_teardown.json");
    let (db, repo) = (3, apply(&repo_of(&golden["before"]), 3, ""));
    let [start, end] = window(&golden["before"]);
    repo.feastr(&["materialize", &start, &end]).ok();
    assert_eq!(stored(db), recorded(&golden["before"]));
    let left = event_times(&golden["after_view_removed"]);
    let removed: Vec<String> =
        event_times(&golden["before"]).into_keys().filter(|view| !left.contains_key(view)).collect();
    assert!(!removed.is_empty());
    remove(&repo, &removed);
    repo.feastr(&["apply", "--yes"]).ok();
    assert_eq!(stored(db), recorded(&golden["after_view_removed"]));
    repo.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(stored(db), recorded(&golden["after_teardown"]));
}

/// Removes views from the definitions, and services that select from them.
fn remove(repo: &Project, views: &[String]) {
    let selects = |member: &Json| {
        views.iter().any(|view| *member == **view || member.get(view).is_some() || member["view"] == **view)
    };
    let mut definitions = repo.feastr(&["export", "--json"]).ok().json();
    let mut retain = |kind: &str, keep: &dyn Fn(&Json) -> bool| {
        let objects = definitions.get_mut(kind).and_then(Json::as_array_mut);
        objects.into_iter().for_each(|objects| objects.retain(|object| keep(object)));
    };
    retain("feature_views", &|view| !views.iter().any(|name| view["name"] == **name));
    retain("feature_services", &|service| !array(&service["features"]).iter().any(selects));
    for file in files(repo.folder.path(), ".yaml") {
        if file.parent() == Some(repo.folder.path()) && file.file_name().unwrap() != "feature_store.yaml" {
            std::fs::remove_file(file).unwrap();
        }
    }
    repo.write("definitions.yaml", json!(definitions).to_string());
}

/// Everything that Feast wrote of a project, with one of its engines or another.
#[test]
fn every_type_of_value() {
    let mut recordings = BTreeMap::<String, Vec<Json>>::new();
    for path in files(&golden_root().join("online"), "_redis.json") {
        let keys = read_json(&path);
        recordings.entry(project_of(&keys).to_owned()).or_default().push(keys);
    }
    assert!(!recordings.is_empty());
    for (project, recordings) in recordings {
        let (db, recorded_repo) = (4, RecordedRepo::of_project(&project));
        let repo = apply(&recorded_repo, db, "");
        let all = json!(recordings.iter().flat_map(array).collect::<Vec<_>>());
        let [start, end] = window(&all);
        repo.feastr(&["materialize", &start, &end]).ok();
        let (start, end) = (micros(&json!(start)), micros(&json!(end)));
        let views =
            recorded_repo.views().map(|view| (view.name.as_str(), Materialized::new(&recorded_repo, view, start, end)));
        let sources: BTreeMap<&str, Materialized> = views.collect();
        let (stored, mut compared) = (stored(db), 0);
        for key in array(&all) {
            let redis_key = from_hex(&key["key_hex"]);
            let ours = &stored[&redis_key];
            let entity_key = redis_key.strip_suffix(project.as_bytes()).unwrap();
            for field in array(&key["fields"]) {
                let (bytes, theirs) = (&ours[&from_hex(&field["field_hex"])], from_hex(&field["value_hex"]));
                match text(&field["field"]).rsplit_once(':').unwrap() {
                    ("_ts", _) => assert_eq!(*bytes, theirs, "{field}"),
                    // What Feast changed on the way feastr does not.
                    (view, feature) => {
                        let right = sources[view].right(feature, entity_key, &theirs);
                        assert_same_value(bytes, &right, field);
                        compared += 1;
                    }
                }
            }
        }
        assert!(compared > 0, "{project}");
        let keys: BTreeSet<Vec<u8>> = array(&all).iter().map(|key| from_hex(&key["key_hex"])).collect();
        assert!(stored.into_keys().eq(keys));
    }
}
