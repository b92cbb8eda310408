//! Servers that are away, silent, broken or something else, and what is said of them.

use std::{
    io::{BufRead as _, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use serde_json::json;

use super::{SETTINGS, ask_server, asking};
use crate::{
    servers::{create_certificate, create_folder, free_port},
    support::{Output, Project, run},
};

/// A request as a server got it: its lines up to the body, and the body.
#[derive(Debug, Clone)]
struct Received {
    head: String,
    body: String,
}

/// A server of a few lines, which sends these bytes to everybody.
struct Tiny {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

impl Tiny {
    /// Answers with a body of this type.
    fn answering(status: &str, content_type: &str, body: &str) -> Self {
        let head =
            format!("HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {}\r\n\r\n", body.len());
        Self::sending((head + body).into_bytes(), None)
    }

    fn sending(answer: Vec<u8>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (port, received) = (listener.local_addr().unwrap().port(), Arc::default());
        let heard = Arc::clone(&received);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                match &tls {
                    None => serve(stream, &answer, &heard),
                    Some(tls) => {
                        let connection = ServerConnection::new(Arc::clone(tls)).unwrap();
                        serve(StreamOwned::new(connection, stream), &answer, &heard);
                    }
                }
            }
        });
        Self { port, received }
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }
}

/// Hears one request and answers it. Who does not like us goes away, which is no mistake here.
fn serve(mut stream: impl Read + Write, answer: &[u8], heard: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(&mut stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        match reader.read_line(&mut head) {
            Ok(0) | Err(_) => return,
            Ok(_) => {}
        }
    }
    let length = head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    heard.lock().unwrap().push(Received { head, body: String::from_utf8(body).unwrap() });
    let _ = stream.write_all(answer).and_then(|()| stream.flush());
}

fn project(url: &str, more: &str) -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    ask_server(&project, url, more);
    project
}

const ASK: [&str; 7] = [
    "get-online",
    "--features",
    "driver_hourly_stats:conv_rate",
    "--entity",
    "driver_id=1001",
    "--entity",
    "driver_id=7",
];

fn ask(project: &Project) -> Output {
    asking(project, &ASK)
}

/// What is said of a server that answers so.
fn said(url: &str) -> String {
    ask(&project(url, "  connection_retries: 0\n")).failed().stderr
}

fn answer(names: &[&str], results: &serde_json::Value) -> String {
    json!({"metadata": {"feature_names": names}, "results": results}).to_string()
}

fn column(values: &serde_json::Value) -> serde_json::Value {
    json!({"values": values, "statuses": ["PRESENT", "NOT_FOUND"], "event_timestamps": ["2026-01-31T12:00:00.25Z", "1970-01-01T00:00:00Z"]})
}

/// A good answer to [`ASK`].
fn good() -> String {
    answer(&["driver_id", "conv_rate"], &json!([column(&json!([1001, 7])), column(&json!([0.5, null]))]))
}

#[test]
fn a_good_answer_is_shown() {
    let server = Tiny::answering("200 OK", "application/json", &good());
    let project = project(&server.url(), "");
    let table = ask(&project).ok().stdout;
    assert_eq!(table.lines().nth(1).unwrap().split_whitespace().collect::<Vec<_>>(), ["1001", "0.5"]);
    assert!(table.contains("(not found)"), "{table}");
    let json = asking(&project, &[&ASK[..], &["--json"]].concat()).ok().json();
    assert_eq!(json["results"][1]["event_timestamps"], json!(["2026-01-31T12:00:00.250Z", "1970-01-01T00:00:00Z"]));
    let received = &server.received()[0];
    assert!(received.head.starts_with("POST /get-online-features HTTP/1.1\r\n"), "{}", received.head);
    let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    let asked = json!({"entities": {"driver_id": [1001, 7]}, "full_feature_names": false, "features": ["driver_hourly_stats:conv_rate"]});
    assert_eq!(body, asked);
}

#[test]
fn other_answers_are_said_to_be_none() {
    let values = |values: serde_json::Value| {
        answer(&["driver_id", "conv_rate"], &json!([column(&json!([1001, 7])), column(&values)]))
    };
    for (status, kind, body, message) in [
        ("200 OK", "text/html", "<!doctype html><p>Sign in</p>".to_owned(), "gave no answer, with a web page"),
        ("200 OK", "application/json", "{\"metadata\": {".to_owned(), "gave no answer, with something that is no JSON"),
        (
            "200 OK",
            "application/json",
            "{\"metadata\": {}}".to_owned(),
            "is not understood: missing field `feature_names`",
        ),
        ("200 OK", "application/json", String::new(), "gave no answer, without a word"),
        (
            "200 OK",
            "application/json",
            values(json!([0.1, null])).replace("0.1", "\"a\""),
            "answers a value of `conv_rate` that is not as registered: \"a\" is no value of type Float32",
        ),
        (
            "200 OK",
            "application/json",
            good().replace("NOT_FOUND", "GONE"),
            "answers a status of `conv_rate` that does not exist: GONE",
        ),
        (
            "200 OK",
            "application/json",
            good().replace("conv_rate", "other"),
            "was asked for `conv_rate`, which is not in its answer",
        ),
        (
            "200 OK",
            "application/json",
            answer(&["conv_rate"], &json!([{"values": [], "statuses": [], "event_timestamps": []}])),
            "was asked for 2 values of `conv_rate` and answers 0 values",
        ),
        (
            "401 Unauthorized",
            "application/json",
            json!({"detail": "Invalid or expired access token"}).to_string(),
            "wants to know who asks: Invalid or expired access token",
        ),
        (
            "403 Forbidden",
            "application/json",
            json!(json!({"module": "feast.errors", "class": "FeastPermissionError", "message": "not you"}).to_string())
                .to_string(),
            "answers 403 Forbidden: not you",
        ),
        (
            "500 Internal Server Error",
            "application/json",
            json!("pop from an empty set").to_string(),
            "answers 500 Internal Server Error: pop from an empty set",
        ),
        (
            "502 Bad Gateway",
            "text/html",
            "<html><title>502</title></html>".to_owned(),
            "answers 502 Bad Gateway, with a web page",
        ),
        (
            "503 Service Unavailable",
            "application/json",
            json!({"error": "loading"}).to_string(),
            "answers 503 Service Unavailable: loading",
        ),
    ] {
        let server = Tiny::answering(status, kind, &body);
        let stderr = said(&server.url());
        assert!(
            stderr.contains(&format!("the feature server at {} {message}", server.url()))
                || stderr.contains(&format!("the answer of the feature server at {} {message}", server.url())),
            "{status} {body}: {stderr}"
        );
        assert!(stderr.contains("help: "), "{stderr}");
        assert_eq!(server.received().len(), 1, "nothing is asked twice");
    }
}

#[test]
fn what_is_no_server_of_http_is_said() {
    for (sent, message) in [
        (&b"+OK ready\r\n"[..], "gave no answer: "),
        (b"", "gave no answer: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"metadata\"", "ended its answer before it was complete: "),
        (
            b"HTTP/1.1 302 Found\r\nLocation: https://joe:secret@login.example.com/\r\nContent-Length: 0\r\n\r\n",
            "sends elsewhere: to https://login.example.com/",
        ),
    ] {
        let stderr = said(&Tiny::sending(sent.to_vec(), None).url());
        assert!(stderr.contains(message) && stderr.contains("help: "), "{stderr}");
        assert!(!stderr.contains("secret"), "{stderr}");
    }
}

#[test]
fn a_server_that_is_away_is_waited_for_a_little() {
    let port = free_port();
    let url = format!("http://127.0.0.1:{port}");
    let stderr = said(&url);
    assert!(stderr.contains(&format!("the feature server at {url} cannot be reached: ")), "{stderr}");
    assert!(stderr.contains("start it, or correct `path` under `online_store` in feature_store.yaml"), "{stderr}");
    let nowhere = said("http://no-such-host.invalid:6566");
    assert!(nowhere.contains("cannot be reached: "), "{nowhere}");
    // It comes back while connecting is tried again.
    let project = project(&url, "  connection_retries: 50\n");
    let asking = thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&project));
        thread::sleep(std::time::Duration::from_millis(700));
        let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
        let body = good();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        serve(listener.accept().unwrap().0, answer.as_bytes(), &Mutex::default());
        asking.join().unwrap()
    });
    asking.ok();
}

#[test]
fn passwords_are_sent_and_not_shown() {
    let server = Tiny::answering("401 Unauthorized", "application/json", "{\"detail\": \"no\"}");
    let url = format!("http://joe:se%40cret@127.0.0.1:{}", server.port);
    let output = asking(&project(&url, ""), &[&ASK[..], &["--verbose"]].concat()).failed();
    assert!(
        output.stderr.contains(&format!("the feature server at {} answers 401", server.url())),
        "{}",
        output.stderr
    );
    assert!(!output.stderr.contains("cret") && !output.stderr.contains("joe"), "{}", output.stderr);
    // joe:se@cret
    assert!(
        server.received()[0].head.to_ascii_lowercase().contains("authorization: basic am9lonnlqgnyzxq="),
        "{:?}",
        server.received()
    );
}

#[test]
fn a_proxy_is_asked_where_variables_name_one() {
    let proxy = Tiny::answering("200 OK", "application/json", &good());
    let project = project("http://features.example.com:6566", "");
    let mut command = project.command(&[&["--feature-store-yaml", SETTINGS][..], &ASK].concat());
    run(command.env("HTTP_PROXY", proxy.url())).ok();
    let head = &proxy.received()[0].head;
    assert!(head.starts_with("POST http://features.example.com:6566/get-online-features HTTP/1.1"), "{head}");
}

#[test]
fn pushes_and_runs_say_what_the_server_says() {
    let server = Tiny::answering(
        "422 Unprocessable Entity",
        "application/json",
        &json!({"detail": [{"loc": ["body", "end_ts"], "msg": "not then"}]}).to_string(),
    );
    let project = project(&server.url(), "");
    let run = asking(&project, &["materialize", "2026-01-01", "2026-02-01"]).failed();
    assert!(run.stderr.contains("answers 422 Unprocessable Entity: body.end_ts: not then"), "{}", run.stderr);
    let received = &server.received()[0];
    assert!(received.head.starts_with("POST /materialize HTTP/1.1"), "{}", received.head);
    let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
    assert_eq!(
        body,
        json!({"start_ts": "2026-01-01T00:00:00Z", "end_ts": "2026-02-01T00:00:00Z", "feature_views": null})
    );
}

/// A server's certificate is for the name `localhost`.
#[test]
fn servers_prove_who_they_are() {
    let folder = create_folder();
    create_certificate(&|program: &Path| Command::new(program), &folder);
    let body = good();
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes();
    let certificates =
        CertificateDer::pem_file_iter(folder.join("server.crt")).unwrap().collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_file(folder.join("server.key")).unwrap();
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let server = Tiny::sending(answer, Some(Arc::new(tls)));
    let trusted = format!("  cert: {}/ca.crt\n", folder.display());
    let url = format!("https://localhost:{}", server.port);
    ask(&project(&url, &trusted)).ok();
    let unknown = ask(&project(&url, "")).failed().stderr;
    assert!(
        unknown.contains("does not prove who it is: ") && unknown.contains("with `cert` under `online_store`"),
        "{unknown}"
    );
    let other_name = ask(&project(&url.replace("localhost", "127.0.0.1"), &trusted)).failed().stderr;
    assert!(other_name.contains("does not prove who it is: "), "{other_name}");
    let missing = ask(&project(&url, "  cert: gone.pem\n")).failed().stderr;
    assert!(missing.contains("gone.pem cannot be read"), "{missing}");
    std::fs::write(folder.join("empty.pem"), "").unwrap();
    let empty = ask(&project(&url, &format!("  cert: {}/empty.pem\n", folder.display()))).failed().stderr;
    assert!(empty.contains("there are no certificates of authorities in"), "{empty}");
    // And one who does not speak TLS at all.
    let plain = Tiny::answering("200 OK", "application/json", &body);
    let stderr = said(&plain.url().replace("http:", "https:"));
    assert!(stderr.contains("cannot be reached: "), "{stderr}");
    std::fs::remove_dir_all(folder).unwrap();
}

/// A server that accepts and is silent is not waited for beyond the deadline, whoever waits.
#[test]
fn a_silent_server_is_left_at_the_deadline() {
    use std::time::{Duration, Instant};

    use feastr::{
        clients::runtime::wait,
        config::{OnlineStoreConfig, RemoteConfig, ServerAddress},
        online::{self, Asked, Online, Question},
        problem::Kind,
    };
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://127.0.0.1:{}", silent.local_addr().unwrap().port());
    let config = RemoteConfig::new(ServerAddress::parse(&url).unwrap());
    let Online::Server(server) = online::open(&OnlineStoreConfig::Remote(config), &Arc::default()) else {
        panic!("a store")
    };
    let question = Question { asked: Asked::Service("s".to_owned()), full_feature_names: false, entities: Vec::new() };
    let problem = wait(server.ask(&question, Instant::now() + Duration::from_millis(300))).unwrap_err();
    assert_eq!(
        (problem.kind, problem.message),
        (Kind::Deadline, format!("the feature server at {url} did not answer in time"))
    );
    // It was connected to, and is not any more.
    let (mut stream, _): (TcpStream, _) = silent.accept().unwrap();
    let mut request = Vec::new();
    let _ = stream.read_to_end(&mut request);
    assert!(request.starts_with(b"POST /get-online-features"));
}
