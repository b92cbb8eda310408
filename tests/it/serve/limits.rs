//! What clients and stores can do to a server: nothing for longer than it allows.

use std::{sync::mpsc, thread};

use serde_json::json;

use super::{answers::example, server::FeatureServer};
use crate::{
    servers::redis::RedisServer,
    support::{Project, settings},
};

fn body() -> serde_json::Value {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } })
}

/// The example over a Redis of its own.
fn over(redis: &RedisServer) -> Project {
    let project = Project::example();
    let sqlite = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    project.write("feature_store.yaml", settings("limits").replace(sqlite, &redis.settings(0)));
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    project
}

/// Redis takes requests and answers none for a time, in milliseconds.
fn pause(redis: &RedisServer, millis: u64) {
    redis::cmd("CLIENT").arg("PAUSE").arg(millis).arg("ALL").exec(&mut redis.connect_to(0)).unwrap();
}

#[test]
fn a_store_that_is_silent_is_waited_for_until_the_deadline() {
    let redis = RedisServer::start("");
    let project = over(&redis);
    let server = FeatureServer::start(&project, &["--deadline", "1s"]);
    server.features(&body()).ok();
    pause(&redis, 4_000);
    let late = server.features(&body());
    assert_eq!((late.status, &late.failure()["class"]), (504, &json!("FeastError")), "{late:?}");
    while server.features(&body()).status != 200 {}
}

#[test]
fn a_store_that_is_away_is_told_and_found_again() {
    let mut redis = RedisServer::start("");
    let project = over(&redis);
    let server = FeatureServer::start(&project, &[]);
    let before = server.features(&body()).ok();
    redis.kill();
    let away = server.features(&body());
    assert_eq!((away.status, away.header("retry-after")), (503, Some("1")), "{away:?}");
    assert!(!away.body.contains(crate::servers::PASSWORD), "{away:?}");
    // What was found before is believed for a moment.
    while server.ask("GET", "/ready", "").status == 200 {}
    let unready = server.ask("GET", "/ready", "");
    assert!(unready.json()["online_store"]["problem"].is_string(), "{unready:?}");
    server.ask("GET", "/health", "").ok();
    redis.restart();
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    while server.features(&body()).status != 200 {}
    assert_eq!(server.features(&body()).json(), before.json());
    while server.ask("GET", "/ready", "").status != 200 {}
}

#[test]
fn who_asks_while_everybody_is_busy_is_sent_away() {
    let redis = RedisServer::start("");
    let project = over(&redis);
    let server = FeatureServer::start(&project, &["--max-concurrent-requests", "2", "--deadline", "60s"]);
    server.features(&body()).ok();
    // Longer than three requests take to come, and shorter than Redis is waited for. It would not even hear UNPAUSE.
    pause(&redis, 10_000);
    let (answered, answers) = mpsc::channel();
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (mut connection, answered) = (server.connect(), answered.clone());
            thread::spawn(move || {
                let answer = connection.ask("POST", "/get-online-features", &body().to_string());
                answered.send(answer).unwrap();
            })
        })
        .collect();
    // Two of them wait for Redis.
    let busy = answers.recv().unwrap();
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("1")), "{busy:?}");
    assert!(busy.failure()["message"].as_str().unwrap().contains("too many"), "{busy:?}");
    server.ask("GET", "/health", "").ok();
    clients.into_iter().for_each(|client| client.join().unwrap());
    answers.try_iter().for_each(|answer| drop(answer.ok()));
    server.features(&body()).ok();
}

#[test]
fn slow_clients_are_left() {
    let project = example();
    let server = FeatureServer::start(
        &project,
        &["--keep-alive-timeout", "1", "--deadline", "1s", "--max-concurrent-requests", "1"],
    );
    // Nothing, half of a head, a head without its body, and nothing more after an answer.
    let mut silent = server.connect();
    let mut halted = server.connect();
    halted.send(b"POST /get-online-features HTTP/1.1\r\nho");
    let mut bodiless = server.connect();
    bodiless.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{");
    let mut idle = server.connect();
    idle.ask("GET", "/health", "").ok();
    // They hold no place.
    server.features(&body()).ok();
    assert!(silent.is_closed());
    assert_eq!(bodiless.response().unwrap().status, 408);
    assert!(idle.is_closed());
    // Who has sent half of a head may be told so first.
    assert!(halted.response().is_none_or(|answer| answer.status == 408));
}
