//! How a server ends: requests that it has taken are answered.

use std::{fs, os::unix::process::ExitStatusExt as _, sync::mpsc, thread};

use serde_json::json;

#[cfg(target_os = "linux")]
use super::outages::example_over;
use super::{answers::example, server::FeatureServer};
#[cfg(target_os = "linux")]
use crate::servers::redis::RedisServer;

const SIGTERM: i32 = 15;

fn body() -> String {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } }).to_string()
}

/// Shells let what they run in the background ignore Ctrl-C; so do programs that the tests start then, and feastr among them.
fn interrupts_are_ignored() -> bool {
    const SIGINT: u64 = 2;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| u64::from_str_radix(line.strip_prefix("SigIgn:")?.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (SIGINT - 1) & 1 == 1)
}

#[test]
fn what_is_being_answered_is_answered_before_the_end() {
    let signals = if interrupts_are_ignored() { &["-TERM"][..] } else { &["-TERM", "-INT"] };
    for signal in signals {
        let project = example();
        let mut server = FeatureServer::start(&project, &[]);
        let body = body();
        let mut open = server.connect();
        let head = format!("POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
        open.send(head.as_bytes());
        open.send(&body.as_bytes()[..10]);
        // It has the head, as it has what came after it.
        server.ask("GET", "/health", "").ok();
        server.signal(signal);
        while std::net::TcpStream::connect(server.address).is_ok() {}
        open.send(&body.as_bytes()[10..]);
        let answer = open.response().unwrap().ok();
        assert!(answer.column("conv_rate")["values"][0].is_number());
        assert_eq!(server.wait().code(), Some(0), "{}", server.said());
    }
}

#[test]
fn clients_under_load_get_whole_answers() {
    let project = example();
    let mut server = FeatureServer::start(&project, &[]);
    let (answered, count) = mpsc::channel();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            let (mut connection, answered, body) = (server.connect(), answered.clone(), body());
            thread::spawn(move || {
                // An answer that breaks off would be a panic.
                while let Some(answer) = connection.try_ask("POST", "/get-online-features", &body) {
                    answer.ok();
                    answered.send(()).unwrap();
                }
            })
        })
        .collect();
    count.iter().take(200).for_each(drop);
    server.signal("-TERM");
    clients.into_iter().for_each(|client| client.join().unwrap());
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
}

#[cfg(target_os = "linux")]
#[test]
fn requests_that_wait_for_a_store_are_answered_before_the_end() {
    let redis = RedisServer::start("");
    let project = example_over(&redis.settings(0));
    let mut server = FeatureServer::start(&project, &["--deadline", "60s", "--max-concurrent-requests", "50"]);
    let right = server.ask("POST", "/get-online-features", &body()).ok();
    let mut idle = server.connect();
    idle.ask("GET", "/health", "").ok();
    let paused = redis.pause();
    let (answered, answers) = mpsc::channel();
    let clients: Vec<_> = (0..51)
        .map(|_| {
            let (mut connection, answered) = (server.connect(), answered.clone());
            thread::spawn(move || {
                answered.send(connection.ask("POST", "/get-online-features", &body())).unwrap();
                assert!(connection.is_closed());
            })
        })
        .collect();
    // When one is sent away the others have all places, so they were read.
    let sent_away = answers.recv().unwrap();
    assert_eq!(sent_away.status, 503, "{sent_away:?}");
    server.signal("-TERM");
    while std::net::TcpStream::connect(server.address).is_ok() {}
    drop(paused);
    clients.into_iter().for_each(|client| client.join().unwrap());
    let taken: Vec<_> = answers.try_iter().collect();
    assert_eq!(taken.len(), 50);
    taken.into_iter().for_each(|answer| assert_eq!(answer.ok().body, right.body));
    assert!(idle.is_closed());
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
}

#[test]
fn it_says_that_it_ends_while_it_still_answers() {
    let project = example();
    let mut server = FeatureServer::start(&project, &["--shutdown-delay", "1h"]);
    server.ask("GET", "/ready", "").ok();
    server.signal("-TERM");
    let ready = loop {
        let ready = server.ask("GET", "/ready", "");
        if ready.status != 200 {
            break ready;
        }
    };
    assert_eq!((ready.status, &ready.json()["ending"]), (503, &json!(true)));
    server.ask("POST", "/get-online-features", &body()).ok();
    server.ask("GET", "/health", "").ok();
    // Who cannot wait says it again.
    server.signal("-TERM");
    assert_eq!(server.wait().signal(), Some(SIGTERM));
}

#[test]
fn clients_that_never_finish_do_not_hold_the_end() {
    let project = example();
    let mut server = FeatureServer::start(&project, &["--shutdown-timeout", "1s", "--deadline", "1h"]);
    let mut open = server.connect();
    open.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{");
    server.ask("GET", "/health", "").ok();
    server.signal("-TERM");
    assert_eq!(server.wait().code(), Some(0), "{}", server.said());
}
