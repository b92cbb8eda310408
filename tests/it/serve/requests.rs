//! Ids of requests, lines of the log, and who asked for what.

use serde_json::{Value as Json, json};

use super::{answers::example, server::FeatureServer};

const RATE: &str = "driver_hourly_stats:conv_rate";

fn body() -> String {
    json!({ "features": [RATE], "entities": { "driver_id": [1001, 987_654_321] } }).to_string()
}

/// Lines that a server says, as soon as there are so many with a mark.
fn lines(server: &FeatureServer<'_>, mark: &str, count: usize) -> Vec<String> {
    loop {
        let lines: Vec<String> = server.said().lines().filter(|line| line.contains(mark)).map(str::to_owned).collect();
        if lines.len() >= count {
            return lines;
        }
    }
}

#[test]
fn requests_have_an_id_that_comes_back() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let ask = |headers: &str, path: &str| {
        let answer = server.connect().try_ask_with(headers, "POST", path, &body()).unwrap();
        answer.header("x-request-id").unwrap().to_owned()
    };
    assert_eq!(ask("x-request-id: order-17/a\r\n", "/get-online-features"), "order-17/a");
    assert_eq!(ask("X-Request-Id: order-18\r\n", "/nowhere"), "order-18");
    let made =
        [ask("", "/get-online-features"), ask("", "/nowhere"), ask("x-request-id: a b\r\n", "/get-online-features")];
    let are_ids =
        made.iter().all(|id| id.len() == 36 && id.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-'));
    assert!(are_ids && made[0] != made[1], "{made:?}");
}

#[test]
fn a_line_for_each_request_is_written_if_it_is_wanted() {
    let project = example();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let headers = format!("x-request-id: mine\r\ntraceparent: 00-{trace}-00f067aa0ba902b7-01\r\n");
    let server = FeatureServer::start(&project, &["--verbose", "--log-format", "json"]);
    server.connect().try_ask_with(&headers, "POST", "/get-online-features?secret=1", &body()).unwrap().ok();
    let line: Json = serde_json::from_str(&lines(&server, "\"mine\"", 1)[0]).unwrap();
    let of = |name: &str| line[name].clone();
    assert_eq!(
        [of("level"), of("message"), of("status")],
        [json!("debug"), json!("POST /get-online-features"), json!(200)]
    );
    assert_eq!([of("request_id"), of("trace_id")], [json!("mine"), json!(trace)]);
    assert!(line["millis"].is_number(), "{line}");
    server.said().lines().for_each(|line| drop(serde_json::from_str::<Json>(line).unwrap()));
    // As text, and not at all.
    let server = FeatureServer::start(&project, &["--verbose"]);
    server.ask("GET", "/health", "").ok();
    assert!(lines(&server, "DEBUG GET /health status=200", 1)[0].contains(" request_id="));
    for quiet in [&["--verbose", "--no-access-log"][..], &[]] {
        let server = FeatureServer::start(&project, quiet);
        server.ask("GET", "/health", "").ok();
        server.signal("-TERM");
        lines(&server, "Ending", 1);
        assert!(!server.said().contains("/health"), "{}", server.said());
    }
}

#[test]
fn troubles_are_told_with_the_request() {
    let project = example();
    project.write("data/online_store.db", "no database, and long enough to be taken for one by its length".repeat(20));
    let server = FeatureServer::start(&project, &[]);
    let answer = server.connect().try_ask_with("x-request-id: mine\r\n", "POST", "/get-online-features", &body());
    assert_eq!(answer.unwrap().status / 100, 5);
    let line = &lines(&server, "request_id=mine", 1)[0];
    assert!(line.contains("POST /get-online-features: "), "{line}");
    assert!(line.contains(" WARN ") || line.contains(" ERROR "), "{line}");
}

#[test]
fn a_registry_that_is_away_is_told_once_and_when_it_is_back() {
    let project = example();
    let registry = project.path("data/registry.db");
    let kept = std::fs::read(&registry).unwrap();
    let server = FeatureServer::start(&project, &[]);
    server.ask("POST", "/get-online-features", &body()).ok();
    // Whatever may lie beside it belongs to the old file.
    std::fs::remove_file(&registry).unwrap();
    std::fs::write(&registry, "no database, and long enough to be taken for one by its length".repeat(20)).unwrap();
    let away = lines(&server, "The registry cannot be read", 1);
    assert!(away[0].contains(" WARN "), "{away:?}");
    server.ask("POST", "/get-online-features", &body()).ok();
    std::fs::remove_file(&registry).unwrap();
    std::fs::write(&registry, kept).unwrap();
    lines(&server, "The registry is read again", 1);
    assert_eq!(server.said().matches("cannot be read").count(), 1, "{}", server.said());
}

#[test]
fn who_asked_for_what_is_written_without_values() {
    let project = example();
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", format!("{settings}\nfeature_server: {{metrics: {{audit_logging: true}}}}\n"));
    let server = FeatureServer::start(&project, &["--log-format", "json"]);
    server.connect().try_ask_with("x-request-id: mine\r\n", "POST", "/get-online-features", &body()).unwrap().ok();
    let unknown = json!({ "features": ["nothing:a", "nothing:b"], "entities": { "driver_id": [987_654_321] } });
    assert_eq!(server.features(&unknown).status, 404);
    server.ask("GET", "/health", "").ok();
    let said = lines(&server, "feast.audit", 2);
    assert!(said.len() == 2 && !server.said().contains("987654321"), "{said:?}");
    let [answered, failed] = [&said[0], &said[1]].map(|line| serde_json::from_str::<Json>(line).unwrap());
    let expected = json!({
        "event": "online_feature_request",
        "timestamp": answered["timestamp"],
        "requestor_id": "anonymous",
        "entity_keys": ["driver_id"],
        "entity_count": 2,
        "feature_views": ["driver_hourly_stats"],
        "feature_count": 1,
        "status": "success",
        "latency_ms": answered["latency_ms"],
        "request_id": "mine",
        "logger": "feast.audit",
    });
    assert_eq!(answered, expected);
    assert!(answered["timestamp"].is_string() && answered["latency_ms"].as_f64().unwrap() >= 0.0, "{answered}");
    assert_eq!((&failed["status"], &failed["feature_views"]), (&json!("error"), &json!(["nothing"])));
    assert_eq!((&failed["feature_count"], &failed["entity_count"]), (&json!(2), &json!(1)));
}
