//! Materializations that a server is asked for, waited for or not.

use std::{process::Stdio, thread::sleep, time::Duration};

use serde_json::{Value as Json, json};

use super::server::{FeatureServer, Response};
use crate::{
    servers::redis::RedisServer,
    support::{Project, settings},
};

const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
const VIEW: &str = "driver_hourly_stats";

/// The example over a store, with a second view, applied.
fn applied(online_store: &str) -> Project {
    let project = Project::example();
    project.write("feature_store.yaml", settings("demo").replace(SQLITE, online_store));
    let more = "feature_views:\n  - {name: trips, entities: [driver], schema: [{name: avg_daily_trips, dtype: Int64}], source: \
                driver_hourly_stats_source}\n";
    project.write("trips.yaml", more);
    project.feastr(&["apply"]).ok();
    project
}

fn ask(server: &FeatureServer<'_>, path: &str, body: &Json) -> Response {
    server.ask("POST", path, &body.to_string())
}

fn everything() -> Json {
    json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": "now" })
}

fn of(views: &[&str]) -> Json {
    let mut body = everything();
    body["feature_views"] = json!(views);
    body
}

fn trips(server: &FeatureServer<'_>, view: &str) -> Json {
    let body = json!({ "features": [format!("{view}:avg_daily_trips")], "entities": { "driver_id": [1001] } });
    server.features(&body).ok().column("avg_daily_trips")["values"][0].clone()
}

/// Views and states of the runs in the history, the newest first.
fn history(project: &Project) -> Vec<(String, String)> {
    let runs = project.feastr(&["materialize", "history", "--json"]).ok().json();
    let text = |run: &Json, name: &str| run[name].as_str().unwrap().to_owned();
    runs.as_array().unwrap().iter().map(|run| (text(run, "view"), text(run, "state"))).collect()
}

fn run(view: &str, state: &str) -> (String, String) {
    (view.to_owned(), state.to_owned())
}

fn wait_for(what: &str, is_true: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if is_true() {
            return;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("{what} does not come");
}

/// Redis takes requests and answers none for a time, in milliseconds.
fn pause(redis: &RedisServer, millis: u64) {
    redis::cmd("CLIENT").arg("PAUSE").arg(millis).arg("ALL").exec(&mut redis.connect_to(0)).unwrap();
}

#[test]
fn what_is_asked_for_is_served_and_in_the_history() {
    let redis = RedisServer::start("");
    for online_store in [SQLITE.to_owned(), redis.settings(0)] {
        let project = applied(&online_store);
        let server = FeatureServer::start(&project, &[]);
        assert_eq!(ask(&server, "/materialize", &of(&[VIEW])).ok().body, "null");
        assert_eq!(history(&project), [run(VIEW, "done")]);
        assert!(trips(&server, VIEW).is_i64());
        assert_eq!(ask(&server, "/materialize-incremental", &json!({ "end_ts": "now" })).ok().body, "null");
        assert!(history(&project).contains(&run("trips", "done")));
        assert_eq!(trips(&server, "trips"), trips(&server, VIEW));
        ask(&server, "/materialize", &json!({ "disable_event_timestamp": true, "full_feature_names": true })).ok();
        let runs = project.feastr(&["materialize", "history", "--json"]).ok().json();
        assert!(runs[0]["by"].as_str().unwrap().starts_with("serve of "), "{runs}");
        assert_eq!(runs.as_array().unwrap().len(), 5, "{runs}");
        assert!(server.said().contains("Materialized driver_hourly_stats ("), "{}", server.said());
        // No views are none.
        ask(&server, "/materialize", &of(&[])).ok();
        assert_eq!(history(&project).len(), 5);
    }
}

#[test]
fn mistakes_are_those_of_the_client() {
    let project = applied(SQLITE);
    let server = FeatureServer::start(&project, &[]);
    let body = |name: &str, value: Json| {
        let mut body = everything();
        body[name] = value;
        body
    };
    for (path, body, status, class) in [
        ("/materialize", json!({}), 400, "FeastError"),
        ("/materialize", json!({ "start_ts": "2025-01-01" }), 400, "FeastError"),
        ("/materialize", body("start_ts", json!("soon")), 400, "FeastError"),
        ("/materialize", body("start_ts", json!("2199-01-01")), 400, "FeastError"),
        ("/materialize", body("end_ts", json!("2200-01-01")), 409, "FeastError"),
        ("/materialize", of(&["nope"]), 404, "FeatureViewNotFoundException"),
        ("/materialize?async=true", of(&[VIEW, "nope"]), 404, "FeatureViewNotFoundException"),
        ("/materialize?async=true", body("start_ts", json!("soon")), 400, "FeastError"),
        ("/materialize-incremental", json!({ "end_ts": "soon" }), 400, "FeastError"),
        ("/materialize-incremental", json!({ "end_ts": "2200-01-01" }), 409, "FeastError"),
        ("/materialize", body("version", json!("v1")), 400, "FeastError"),
    ] {
        let answer = ask(&server, path, &body);
        assert_eq!((answer.status, &answer.failure()["class"]), (status, &json!(class)), "{path} {body}: {answer:?}");
    }
    for (path, body, place) in [
        ("/materialize", body("start_ts", json!(7)), json!(["body", "start_ts"])),
        ("/materialize", body("feature_views", json!("a")), json!(["body", "feature_views"])),
        ("/materialize", body("feature_views", json!(["a", 7])), json!(["body", "feature_views", 1])),
        ("/materialize", body("disable_event_timestamp", json!("x")), json!(["body", "disable_event_timestamp"])),
        ("/materialize", body("version", json!(1)), json!(["body", "version"])),
        ("/materialize?async=maybe", everything(), json!(["query", "async"])),
        ("/materialize?force=", everything(), json!(["query", "force"])),
        ("/materialize-incremental", json!({}), json!(["body", "end_ts"])),
        ("/materialize-incremental", json!({ "end_ts": null }), json!(["body", "end_ts"])),
    ] {
        let refused = ask(&server, path, &body);
        assert_eq!((refused.status, &refused.json()["detail"][0]["loc"]), (422, &place), "{path} {body}: {refused:?}");
    }
    assert_eq!(history(&project), []);
}

#[test]
fn a_view_that_fails_is_told_after_the_others_are_done() {
    let project = applied(SQLITE);
    let more = "data_sources: [{name: gone, type: file, path: data/gone.parquet, timestamp_field: event_timestamp}]\n\
                feature_views:\n  - {name: lost, entities: [driver], schema: [{name: x, dtype: Int64}], source: gone}\n";
    project.write("lost.yaml", more);
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let failed = ask(&server, "/materialize", &everything());
    assert!(failed.status >= 400, "{failed:?}");
    let message = failed.failure()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("view `lost`: ") && message.contains("gone.parquet"), "{message}");
    assert!(trips(&server, "trips").is_i64());
    let states = history(&project);
    assert!(states.contains(&run("lost", "failed")) && states.contains(&run("trips", "done")), "{states:?}");
    // Nobody waits for it: the log tells.
    let accepted = ask(&server, "/materialize?async=1", &of(&["lost"]));
    assert_eq!(accepted.status, 202);
    wait_for("the failure", || server.said().matches("view `lost`: ").count() == 2);
}

#[test]
fn jobs_that_nobody_waits_for_are_accepted_once() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let server = FeatureServer::start(&project, &[]);
    pause(&redis, 4_000);
    let accepted = ask(&server, "/materialize?async=true", &of(&[VIEW]));
    assert_eq!((accepted.status, accepted.json()), (202, json!({ "status": "accepted", "feature_views": [VIEW] })));
    for (path, body) in
        [("/materialize?async=true", everything()), ("/materialize-incremental?async=true", json!({ "end_ts": "now" }))]
    {
        let busy = ask(&server, path, &body);
        assert_eq!((busy.status, &busy.json()["feature_views"]), (409, &json!([VIEW])), "{busy:?}");
        assert!(busy.json()["error"].as_str().unwrap().contains(VIEW), "{busy:?}");
    }
    // Who insists comes after it, and other views have nothing to do with it.
    let forced = ask(&server, "/materialize?async=true&force=true", &of(&[VIEW]));
    assert_eq!((forced.status, &forced.json()["feature_views"]), (202, &json!([VIEW])));
    let other = ask(&server, "/materialize?async=true", &of(&["trips"]));
    assert_eq!((other.status, &other.json()["feature_views"]), (202, &json!(["trips"])));
    wait_for("the end of all", || history(&project).iter().filter(|(_, state)| state == "done").count() == 3);
    let said = || server.said().matches("Materialized ").count();
    wait_for("the word about each", || said() == 3);
    assert_eq!(ask(&server, "/materialize?async=true", &of(&[VIEW])).status, 202);
}

#[test]
fn what_another_program_materializes_is_not_begun() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let server = FeatureServer::start(&project, &[]);
    pause(&redis, 4_000);
    let mut command = project.command(&["materialize", "2000-01-01", "now", "--views", VIEW]);
    let mut other = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for("the other program", || history(&project).contains(&run(VIEW, "running")));
    let busy = ask(&server, "/materialize?async=true", &everything());
    assert_eq!((busy.status, &busy.json()["feature_views"]), (409, &json!([VIEW])), "{busy:?}");
    // Who waits for the answer waits for that, too.
    ask(&server, "/materialize", &everything()).ok();
    assert!(other.wait().unwrap().success());
    assert_eq!(history(&project).iter().filter(|(_, state)| state == "done").count(), 3);
}

#[test]
fn so_many_go_on_at_a_time_and_one_goes_on_if_its_client_leaves() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let server = FeatureServer::start(&project, &["--materialize-jobs", "1"]);
    pause(&redis, 3_000);
    let mut client = server.connect();
    let body = of(&[VIEW]).to_string();
    let head = format!("POST /materialize HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    client.send(format!("{head}{body}").as_bytes());
    wait_for("the first", || history(&project) == [run(VIEW, "running")]);
    drop(client);
    assert_eq!(ask(&server, "/materialize?async=true", &of(&["trips"])).status, 202);
    assert_eq!(history(&project), [run(VIEW, "running")]);
    wait_for("both", || history(&project) == [run("trips", "done"), run(VIEW, "done")]);
}

#[cfg(unix)]
#[test]
fn at_the_end_jobs_that_go_on_are_waited_for_and_others_are_not_begun() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let mut server = FeatureServer::start(&project, &["--materialize-jobs", "1"]);
    pause(&redis, 3_000);
    assert_eq!(ask(&server, "/materialize?async=true", &of(&[VIEW])).status, 202);
    wait_for("the first", || history(&project) == [run(VIEW, "running")]);
    assert_eq!(ask(&server, "/materialize?async=true", &of(&["trips"])).status, 202);
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    assert_eq!(history(&project), [run(VIEW, "done")]);
    wait_for("the word about it", || server.said().contains("Not materialized: trips: the server is about to end"));
}

#[cfg(unix)]
#[test]
fn jobs_that_take_too_long_at_the_end_are_cut_off() {
    let redis = RedisServer::start("");
    let project = applied(&redis.settings(0));
    let mut server = FeatureServer::start(&project, &["--shutdown-timeout", "1s"]);
    pause(&redis, 10_000);
    assert_eq!(ask(&server, "/materialize?async=true", &of(&[VIEW])).status, 202);
    wait_for("it", || history(&project) == [run(VIEW, "running")]);
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    wait_for("the word about it", || server.said().contains("Materializations are cut off"));
    assert_eq!(history(&project), [run(VIEW, "interrupted")]);
    // It can be done again at once.
    redis::cmd("PING").exec(&mut redis.connect_to(0)).unwrap();
    project.feastr(&["materialize", "2000-01-01", "now", "--views", VIEW]).ok();
}
