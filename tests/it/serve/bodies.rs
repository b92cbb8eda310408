//! Bodies that are none: whatever they are, it is the client's mistake, and the server goes on.

use serde_json::json;

use super::{answers::example, server::FeatureServer};

fn right() -> String {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } }).to_string()
}

#[test]
fn bodies_that_are_not_what_is_wanted_are_refused_with_their_place() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    for (body, place) in [
        (json!({}), json!(["body", "entities"])),
        (json!({ "features": ["a:b"] }), json!(["body", "entities"])),
        (json!({ "entities": { "driver_id": 1001 } }), json!(["body", "entities", "driver_id"])),
        (json!({ "entities": [] }), json!(["body", "entities"])),
        (json!({ "entities": null }), json!(["body", "entities"])),
        (json!({ "features": "a:b", "entities": {} }), json!(["body", "features"])),
        (json!({ "features": ["a:b", 7], "entities": {} }), json!(["body", "features", 1])),
        (json!({ "feature_service": 7, "entities": {} }), json!(["body", "feature_service"])),
        (json!({ "full_feature_names": "x", "entities": {} }), json!(["body", "full_feature_names"])),
        (json!([1]), json!(["body"])),
        (json!(null), json!(["body"])),
    ] {
        let refused = server.features(&body);
        assert_eq!((refused.status, &refused.json()["detail"][0]["loc"]), (422, &place), "{body}: {refused:?}");
    }
    let missing = server.features(&json!({})).json();
    assert_eq!(missing["detail"][0]["type"], "missing");
}

#[test]
fn broken_deep_and_foreign_bodies_are_mistakes_of_the_client() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let right = right();
    for end in 0..right.len() {
        let refused = server.ask("POST", "/get-online-features", &right[..end]);
        assert_eq!(refused.status, 422, "{}: {refused:?}", &right[..end]);
    }
    let deep =
        |levels: usize| format!(r#"{{"entities": {{"driver_id": [{}1{}]}}}}"#, "[".repeat(levels), "]".repeat(levels));
    assert_eq!(server.ask("POST", "/get-online-features", &deep(100_000)).status, 422);
    assert_eq!(server.ask("POST", "/get-online-features", &format!("{right} x")).status, 422);
    let mut connection = server.connect();
    connection.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n\xff\xfe");
    assert_eq!(connection.response().unwrap().status, 422);
    // What nobody asks for may be anything.
    let more = right.replacen('{', r#"{"surprise": [{"x": 1e99}], "#, 1);
    server.ask("POST", "/get-online-features", &more).ok();
}

#[test]
fn bodies_that_are_too_long_are_not_read() {
    let project = example();
    let server = FeatureServer::start(&project, &["--body-limit", "1000"]);
    server.ask("POST", "/get-online-features", &right()).ok();
    let long = format!("{}{}", right(), " ".repeat(1_000));
    assert_eq!(server.ask("POST", "/get-online-features", &long).status, 413);
    // One that says how long it is: the answer comes before it.
    let mut connection = server.connect();
    connection.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: 100000000\r\n\r\n{");
    assert_eq!(connection.response().unwrap().status, 413);
    // One that does not.
    let mut connection = server.connect();
    connection.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    for _ in 0..100 {
        if !connection.try_send(chunk.as_bytes()) {
            break;
        }
    }
    // Who still sends may find the connection closed before the answer is read.
    assert!(connection.response().is_none_or(|response| response.status == 413));
    server.ask("POST", "/get-online-features", &right()).ok();
}

#[test]
fn compressed_bodies_are_refused() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let ask = |encoding: &str| {
        let mut connection = server.connect();
        let body = right();
        connection.send(
            format!(
                "POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-encoding: {encoding}\r\ncontent-length: \
                 {}\r\n\r\n{body}",
                body.len()
            )
            .as_bytes(),
        );
        connection.response().unwrap().status
    };
    assert_eq!(["gzip", "zstd", "GZIP, br", "identity"].map(ask), [415, 415, 415, 200]);
}

#[test]
fn a_body_that_breaks_off_leaves_nothing_behind() {
    let project = example();
    let server = FeatureServer::start(&project, &["--max-concurrent-requests", "1"]);
    for _ in 0..20 {
        let mut connection = server.connect();
        connection.send(b"POST /get-online-features HTTP/1.1\r\nhost: x\r\ncontent-length: 500\r\n\r\n{\"entities\"");
    }
    server.ask("POST", "/get-online-features", &right()).ok();
}

#[test]
fn what_is_no_http_is_refused_or_left() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let post = "POST /get-online-features HTTP/1.1\r\nhost: x\r\n";
    let long = format!("GET /{} HTTP/1.1\r\nhost: x\r\n\r\n", "x".repeat(1 << 20));
    let many = format!("{post}{}\r\n", "a: b\r\n".repeat(100_000));
    for bytes in [
        b"\0\x01\x02\xff\xfe\r\n\r\n".as_slice(),
        b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03",
        b"GET\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET /health HTTP/9.9\r\n\r\n",
        long.as_bytes(),
        many.as_bytes(),
        format!("{post}content-length: -1\r\n\r\n").as_bytes(),
        format!("{post}content-length: 99999999999999999999\r\n\r\n").as_bytes(),
        format!("{post}content-length: 2\r\ncontent-length: 3\r\n\r\n{{}}").as_bytes(),
        format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n").as_bytes(),
        format!("{post}transfer-encoding: gzip\r\n\r\n").as_bytes(),
    ] {
        let mut connection = server.connect();
        // It may be left before it has sent all of it.
        connection.try_send(bytes);
        connection.stop_sending();
        let answer = connection.response();
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(80)]).into_owned();
        assert!(answer.as_ref().is_none_or(|answer| (400..500).contains(&answer.status)), "{shown}: {answer:?}");
    }
    server.ask("POST", "/get-online-features", &right()).ok();
    assert!(!server.said().contains("panicked"), "{}", server.said());
}
