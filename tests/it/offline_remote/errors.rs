//! Offline servers that are away, refuse, or are none, and what is said of them.

use std::{net::TcpListener, path::Path, sync::Arc, thread};

use feastr::{
    config::load,
    diagnostics::{Diagnostics, SourceText},
    model::{DataSource, FileSource, SourceKind},
    offline::{self, Cancel},
    problem::Kind,
};

use super::{ask_server, asking};
use crate::{
    servers::{create_folder, feast::FeastServer, free_port, server_certificate},
    support::Project,
};

const ASK: [&str; 7] = [
    "get-historical",
    "--entities",
    "data/entity_rows.csv",
    "--features",
    "driver_hourly_stats:conv_rate",
    "-o",
    "data/joined.jsonl",
];

fn applied() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project
}

/// What is said when a server is asked.
fn said(project: &Project) -> String {
    let said = asking(project, &ASK).failed().stderr;
    assert!(!project.path("data/joined.jsonl").exists(), "an output of a failure");
    said
}

#[test]
fn a_server_that_is_away_is_told() {
    let project = applied();
    ask_server(&project, free_port(), ", connection_retries: 0");
    let said = said(&project);
    for part in
        ["the offline server at http://localhost:", "cannot be reached", "`host` and `port` under `offline_store`"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn something_else_is_no_offline_server() {
    let project = applied();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    ask_server(&project, listener.local_addr().unwrap().port(), ", connection_retries: 0");
    thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let _ = std::io::Write::write_all(&mut &stream, b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
    });
    let said = said(&project);
    assert!(said.contains("the offline server at"), "{said}");
}

#[test]
fn a_query_that_is_called_off_ends_while_the_server_is_silent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("project: p\nregistry: r.db\noffline_store: {{type: remote, host: localhost, port: {port}}}\n");
    let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
    let paths = ["/repo", "/repo/feature_store.yaml"].map(Path::new);
    let config = load(&file, paths, &|_| None, &mut Diagnostics::default()).unwrap();
    let cancel = Cancel::default();
    let store = offline::open(&config, |_| None, &Arc::default()).cancelled_by(&cancel);
    let source = DataSource::new("s", SourceKind::File(FileSource { path: "s".to_owned(), ..FileSource::default() }));
    thread::scope(|scope| {
        let asking = scope.spawn(|| store.inspect(&source).unwrap_err());
        // It asks as soon as somebody listens.
        let _silent = listener.accept().unwrap();
        cancel.cancel();
        assert_eq!(asking.join().unwrap().kind, Kind::Cancelled);
    });
    assert_eq!(store.inspect(&source).unwrap_err().kind, Kind::Cancelled);
}

#[test]
fn a_server_that_knows_other_definitions_says_so() {
    let project = applied();
    let elsewhere = applied();
    elsewhere.feastr(&["teardown", "--yes"]);
    let server = FeastServer::start_offline(elsewhere.folder.path(), &[]);
    ask_server(&project, server.port, "");
    let said = said(&project);
    for part in ["the offline server at", "driver_hourly_stats", "the server has definitions of its own"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

#[test]
fn servers_that_encrypt_prove_who_they_are() {
    let (project, folder) = (applied(), create_folder());
    server_certificate(&folder);
    let [certificate, key, authority] =
        ["server.crt", "server.key", "ca.crt"].map(|file| folder.join(file).display().to_string());
    let server = FeastServer::start_offline(project.folder.path(), &["--key", &key, "--cert", &certificate]);
    ask_server(&project, server.port, &format!(", scheme: https, cert: '{authority}'"));
    asking(&project, &ASK).ok();
    assert!(!project.read("data/joined.jsonl").is_empty());
    std::fs::remove_file(project.path("data/joined.jsonl")).unwrap();
    let other = create_folder();
    server_certificate(&other);
    ask_server(&project, server.port, &format!(", scheme: https, cert: '{}'", other.join("ca.crt").display()));
    let said = said(&project);
    for part in ["does not prove who it is", "`cert` under `offline_store`"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}
