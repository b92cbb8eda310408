//! What Feast's server of features answered, asked of feastr's with the statuses of Feast over stores with the same bytes.
//! What differs, and is meant to, is said in docs/compatibility.md.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use super::{
    online_redis::{load, numbered_states},
    registry_rows::{files, golden_root, read_json},
    repos::RecordedRepo,
    vectors::{array, golden, text},
};
use crate::{
    serve::server::{FeatureServer, Response},
    servers::redis::RedisServer,
    support::{Project, settings},
};

/// What Feast answers, and feastr takes for a mistake: fractions and booleans as whole numbers, and one of two join keys.
const REFUSED: [&str; 4] =
    ["odfv_float_request", "entity_float_value", "entity_bool_value", "composite_one_key_missing"];

/// What Feast fails at, and feastr answers: numbers that are texts, and views without entities alone.
const ANSWERED: [&str; 2] = ["odfv_text_request", "entityless"];

/// The null among moments, which Feast's server answers as the number that stands for it.
const NULL_MOMENT: i64 = i64::MIN;

/// A feature that has this number as a number.
const WHOLE_RANGE: &str = "f_int64_full";

/// What the Python functions of the recorded on-demand views compute, and the services that take it.
const COMPUTED: &str = "
on_demand_feature_views:
  - name: transformed_conv_rate
    sources: [driver_hourly_stats, vals_to_add]
    schema:
      - {name: conv_rate_plus_val1, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
      - {name: conv_rate_plus_val2, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}
  - name: transformed_conv_rate_fresh
    sources: [driver_hourly_stats_fresh, vals_to_add]
    schema:
      - {name: conv_rate_plus_val1, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add}
      - {name: conv_rate_plus_val2, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add_2}
feature_services:
  - {name: driver_activity_v1, features: [driver_hourly_stats: [conv_rate], transformed_conv_rate]}
  - {name: driver_activity_v2, features: [driver_hourly_stats, transformed_conv_rate]}
  - {name: driver_activity_v3, features: [driver_hourly_stats_fresh, transformed_conv_rate_fresh]}
";

/// An answer by the names of its columns.
fn columns(answer: &Json) -> BTreeMap<String, Json> {
    let names = array(&answer["metadata"]["feature_names"]).iter().map(|name| text(name).to_owned());
    let mut columns: BTreeMap<String, Json> = names.zip(array(&answer["results"]).iter().cloned()).collect();
    assert_eq!(columns.len(), array(&answer["results"]).len(), "columns of one name: {answer}");
    // Sets have no order, which the recordings of a value do not agree on either.
    for (_, column) in columns.iter_mut().filter(|(name, _)| name.contains("_set_")) {
        let sets = column["values"].as_array_mut().unwrap().iter_mut().filter_map(Json::as_array_mut);
        sets.for_each(|set| set.sort_by_key(Json::to_string));
    }
    columns
}

/// The recorded answer as it should be.
fn right(answer: &Json) -> BTreeMap<String, Json> {
    let mut columns = columns(answer);
    for (_, column) in columns.iter_mut().filter(|(name, _)| *name != WHOLE_RANGE) {
        let values = column["values"].as_array_mut().unwrap();
        values.iter_mut().filter(|value| value.as_i64() == Some(NULL_MOMENT)).for_each(|value| *value = Json::Null);
    }
    columns
}

/// Asks what was asked, and compares what is answered.
fn check(server: &FeatureServer<'_>, name: &str, body: &Json, recorded: &Json) {
    let answer = server.features(body);
    let (status, theirs) = (recorded["status"].as_u64().unwrap(), &recorded["json"]);
    if REFUSED.contains(&name) || status != 200 && !ANSWERED.contains(&name) {
        assert!((400..500).contains(&answer.status), "{name}: {answer:?}");
        assert_same_class(name, theirs, &answer);
        return;
    }
    assert_eq!(answer.status, 200, "{name}: {answer:?}");
    if ANSWERED.contains(&name) {
        return;
    }
    let ours = answer.json();
    assert_eq!(columns(&ours), right(theirs), "{name}");
    assert_eq!(ours["metadata"]["feature_view_metadata"], theirs["metadata"]["feature_view_metadata"], "{name}");
    // Of the order only that of the entities is Feast's: they come first.
    let names = |answer: &Json| array(&answer["metadata"]["feature_names"]).to_vec();
    let asked = body["entities"].as_object().unwrap();
    let keys = names(theirs).iter().take_while(|name| asked.contains_key(text(name))).count();
    assert_eq!(names(&ours)[..keys], names(theirs)[..keys], "{name}");
}

/// Where Feast names an exception of its own, so does feastr.
fn assert_same_class(name: &str, theirs: &Json, answer: &Response) {
    let theirs = theirs.as_str().and_then(|text| serde_json::from_str::<Json>(text).ok());
    let Some(class) = theirs.as_ref().and_then(|failure| failure.get("class")) else { return };
    assert_eq!(answer.failure()["class"], *class, "{name}: {answer:?}");
}

fn requests(server: &str) -> Vec<Json> {
    let all = golden("serving/requests.json");
    let of_server: Vec<Json> = array(&all).iter().filter(|case| case["server"] == server).cloned().collect();
    assert!(!of_server.is_empty());
    of_server
}

/// A recorded repo over a database of Redis, applied.
fn over_redis(project: &str, db: u8) -> Project {
    redis::cmd("FLUSHDB").exec(&mut RedisServer::shared().connect_to(db)).unwrap();
    let redis = RedisServer::shared().settings(db);
    let sqlite = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    let repo = RecordedRepo::of_project(project).declare(&settings(project).replace(sqlite, &redis));
    repo.feastr(&["apply"]).ok();
    repo
}

fn project_of(keys: &Json) -> String {
    text(&array(keys)[0]["project_suffix"]).to_owned()
}

fn is_for_features(case: &Json) -> bool {
    case["request"]["method"] == "POST"
        && case["request"]["path"] == "/get-online-features"
        && case["request"]["json"].is_object()
}

#[test]
fn values_of_every_type_are_answered_as_they_were() {
    let recordings: Vec<Json> =
        files(&golden_root().join("online"), "_redis.json").iter().map(|file| read_json(file)).collect();
    let repo = over_redis(&project_of(&recordings[0]), 14);
    for keys in &recordings {
        load(14, keys);
    }
    let server = FeatureServer::start(&repo, &["--feast-statuses"]);
    let mut views = BTreeSet::new();
    for case in requests("extra").iter().filter(|case| is_for_features(case)) {
        let body = &case["request"]["json"];
        check(&server, text(&case["name"]), body, &case["response"]);
        let features = body["features"].as_array().into_iter().flatten();
        views.extend(features.map(|feature| text(feature).split(':').next().unwrap().to_owned()));
    }
    assert!(views.len() > 20, "{views:?}");
}

#[test]
fn requests_are_answered_as_they_were_while_values_change() {
    let states = numbered_states();
    let before = states.values().last().unwrap().last().unwrap();
    let repo = over_redis(&project_of(before), 15);
    compute(&repo);
    load(15, before);
    let server = FeatureServer::start(&repo, &["--feast-statuses", "--registry_ttl_sec", "0", "--allow-future"]);
    let mut pushed = false;
    let mut asked = 0;
    for case in requests("local") {
        let (request, name) = (&case["request"], text(&case["name"]));
        if is_for_features(&case) {
            check(&server, name, &request["json"], &case["response"]);
            asked += 1;
        } else if request["path"] == "/push" && case["response"]["status"] == 200 && !pushed {
            server.ask("POST", "/push", &request["json"].to_string()).ok();
            pushed = true;
        } else if request["path"] == "/push" {
            // What came of all the other writes.
            load(15, &golden("serving/redis_after.json"));
        }
    }
    assert!(pushed && asked > 30, "{asked}");
}

/// Applies the on-demand views.
pub(super) fn compute(repo: &Project) {
    repo.write("computed.yaml", COMPUTED);
    repo.feastr(&["apply"]).ok();
}

#[test]
fn a_store_that_knows_what_it_lacks_has_the_same_values() {
    let states = numbered_states();
    let keys = states.values().last().unwrap().last().unwrap();
    let project = project_of(keys);
    let repo = RecordedRepo::of_project(&project).declare(&settings(&project));
    repo.feastr(&["apply"]).ok();
    compute(&repo);
    let [start, end] = super::online_redis::window(keys);
    repo.feastr(&["materialize", &start, &end]).ok();
    let exact = FeatureServer::start(&repo, &[]);
    let server = FeatureServer::start(&repo, &["--feast-statuses"]);
    for case in array(&golden("serving/sqlite_online_store.json")) {
        let (body, theirs) = (&case["request"], &case["response"]["json"]);
        let (ours, theirs) = (columns(&server.features(body).ok().json()), columns(theirs));
        let without_statuses = |columns: BTreeMap<String, Json>| -> BTreeMap<String, Json> {
            let plain = |column: Json| json!([column["values"], column["event_timestamps"]]);
            columns.into_iter().map(|(name, column)| (name, plain(column))).collect()
        };
        // What Feast does not find feastr finds neither.
        let of_us = columns(&exact.features(body).ok().json());
        for (name, column) in &theirs {
            let statuses = array(&column["statuses"]).iter().zip(array(&of_us[name]["statuses"]));
            let is_same = statuses.into_iter().all(|(theirs, ours)| (theirs == "NOT_FOUND") <= (ours == "NOT_FOUND"));
            assert!(is_same, "{}: {name}", case["name"]);
        }
        assert_eq!(without_statuses(ours), without_statuses(theirs), "{}", case["name"]);
    }
}
