//! Thousands of connections that ask nothing or send slowly, while others are answered.

use std::{net::TcpStream, process::Command};

use serde_json::{Value as Json, json};

use super::{
    answers::example,
    load::{Load, open_files, soon},
    server::{Connection, FeatureServer},
};
use crate::support::Project;

const CROWD: usize = 2_000;

/// How many bytes slow clients send one by one.
const SLOWLY: usize = 20;

fn body() -> Json {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } })
}

fn crowd(server: &FeatureServer<'_>, size: usize) -> Vec<Connection<TcpStream>> {
    rlimit::increase_nofile_limit(4 * CROWD as u64).unwrap();
    (0..size).map(|_| server.connect()).collect()
}

#[test]
fn idle_connections_keep_nobody_out() {
    let project = example();
    let server = FeatureServer::start(&project, &["--keep-alive-timeout", "600"]);
    let files = open_files(&server);
    let load = Load::start(&server, 4, &body());
    let mut idle = crowd(&server, CROWD);
    load.until_status(200);
    // Half of them have asked before.
    for connection in idle.iter_mut().step_by(2) {
        connection.ask("GET", "/health", "").ok();
    }
    load.until_status(200);
    for connection in &mut idle {
        connection.ask("POST", "/get-online-features", &body().to_string()).ok();
    }
    drop(idle);
    load.end().concat().into_iter().for_each(|seen| drop(seen.answer.ok()));
    soon("connections are closed", || open_files(&server) <= files + 4);
}

#[test]
fn slow_connections_keep_nobody_out() {
    let project = example();
    let server = FeatureServer::start(
        &project,
        &["--keep-alive-timeout", "600", "--deadline", "600s", "--max-concurrent-requests", "8"],
    );
    let load = Load::start(&server, 4, &body());
    let mut slow = crowd(&server, CROWD);
    let body = body().to_string();
    let head = format!("POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n", body.len());
    // All are in their heads, then in their bodies.
    for part in [head.as_bytes(), body.as_bytes()] {
        for byte in &part[..SLOWLY] {
            slow.iter_mut().for_each(|connection| connection.send(&[*byte]));
        }
        load.until_status(200);
        if part == head.as_bytes() {
            slow.iter_mut().for_each(|connection| connection.send(&part[SLOWLY..]));
        }
    }
    for connection in &mut slow {
        connection.send(&body.as_bytes()[SLOWLY..]);
        connection.response().unwrap().ok();
    }
    load.end().concat().into_iter().for_each(|seen| drop(seen.answer.ok()));
}

/// A server whose process may have so many files open, or more if it asks for it.
fn limited<'a>(project: &'a Project, kind: &str, files: u32, args: &[&str]) -> FeatureServer<'a> {
    let serve = project.command(&["serve", "--port", "0"]);
    let mut command = Command::new("sh");
    command.arg("-c").arg(format!("ulimit {kind} {files}; exec \"$0\" \"$@\"")).arg(serve.get_program());
    command.args(serve.get_args()).args(args).current_dir(project.folder.path());
    FeatureServer::launch(project, command)
}

#[test]
fn it_takes_as_many_connections_as_the_system_lets_it() {
    let project = example();
    let server = limited(&project, "-Sn", 200, &["--keep-alive-timeout", "600"]);
    let idle = crowd(&server, 400);
    server.features(&body()).ok();
    drop(idle);
}

#[test]
fn when_there_is_no_room_for_connections_it_waits_until_there_is() {
    let project = example();
    let server = limited(&project, "-n", 100, &["--keep-alive-timeout", "3"]);
    let mut kept = server.connect();
    kept.ask("POST", "/get-online-features", &body().to_string()).ok();
    let idle = crowd(&server, 200);
    for _ in 0..20 {
        kept.ask("POST", "/get-online-features", &body().to_string()).ok();
    }
    // Idle connections are closed, and others have room.
    server.features(&body()).ok();
    drop(idle);
    server.features(&body()).ok();
}
