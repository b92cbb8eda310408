//! Who may tell of events, what is not taken, and when somebody has to come again.

use serde_json::json;

use super::{Lake, Place, TOKEN, counts, created, tell, tell_with};

#[test]
fn only_those_with_the_token_may_tell() {
    let lake = Lake::new(Place::Sqlite);
    let server = lake.serve(&[]);
    let body = json!({ "Records": [created("stats/x.csv", "A")] }).to_string();
    let status = |headers: &str| tell_with(&server, headers, &body).status;
    let nobody = tell_with(&server, "", &body);
    assert_eq!((nobody.status, nobody.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(status("authorization: Bearer wrong\r\n"), 403);
    assert_eq!(status(&format!("authorization: Bearer {TOKEN}x\r\n")), 403);
    assert!(lake.jobs().is_empty());
    assert_eq!(status(&format!("authorization: Bearer {TOKEN}\r\n")), 200);
    assert!(!server.said().contains(TOKEN));
}

#[test]
fn a_server_without_a_token_says_where_to_set_one() {
    let lake = Lake::new(Place::Sqlite);
    lake.project.edit("feature_store.yaml", &format!(", token: {TOKEN}"), "");
    let run =
        |args: &[&str]| lake.project.feastr(&[&["serve-entity-index", "--port", "0"], args].concat()).failed().stderr;
    assert!(run(&[]).contains("FEASTR_ENTITY_INDEX_TOKEN"));
    assert!(run(&["--no-token", "--host", "0.0.0.0"]).contains("--host 127.0.0.1"));
    assert!(run(&["--token-file", "none"]).contains("cannot read the tokens"));
    let body = json!({ "Records": [created("x", "A")] }).to_string();
    let open = lake.serve(&["--no-token"]);
    assert_eq!(counts(tell_with(&open, "", &body)), [0, 0, 1]);
    lake.project.write("tokens", "old\nnew\n");
    let guarded = lake.serve(&["--token-file", "tokens"]);
    let status = |token: &str| tell_with(&guarded, &format!("authorization: Bearer {token}\r\n"), &body).status;
    assert_eq!(["old", "new", "other"].map(status), [200, 200, 403]);
    let mut command = lake.project.command(&["entity-index", "serve", "--port", "0"]);
    command.env("FEASTR_ENTITY_INDEX_TOKEN", "by-environment");
    let named = crate::serve::server::FeatureServer::launch(&lake.project, command);
    assert_eq!(tell_with(&named, "authorization: Bearer by-environment\r\n", &body).status, 200);
}

#[test]
fn who_asks_whether_somebody_listens_is_answered() {
    let lake = Lake::new(Place::Sqlite);
    let server = lake.serve(&[]);
    let validation = json!([{ "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent", "subject": "",
        "eventTime": "2026-01-01T00:00:00Z", "data": { "validationCode": "c0de" } }]);
    let asked = |headers: &str| tell_with(&server, headers, &validation.to_string());
    // Event Grid says what it is, and need not have the token.
    let answer = asked("aeg-event-type: SubscriptionValidation\r\n").ok();
    assert_eq!(answer.json(), json!({ "validationResponse": "c0de" }));
    assert_eq!(asked("aeg-event-type: Notification\r\n").status, 401);
    let events = json!({ "Records": [created("stats/x.csv", "A")] }).to_string();
    assert_eq!(tell_with(&server, "aeg-event-type: SubscriptionValidation\r\n", &events).status, 400);
    let origin = "webhook-request-origin: eventgrid.azure.net\r\n";
    let allowed = server.connect().try_ask_with(origin, "OPTIONS", "/events", "").unwrap();
    assert_eq!((allowed.status, allowed.header("webhook-allowed-origin")), (200, Some("eventgrid.azure.net")));
    assert!(lake.jobs().is_empty());
}

#[test]
fn topics_are_confirmed_where_the_settings_say() {
    // In place of the service of topics: it confirms whoever comes with the right token.
    let visits = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let place = format!("http://127.0.0.1:{}", visits.local_addr().unwrap().port());
    let visited = std::thread::spawn(move || {
        let (mut stream, _) = visits.accept().unwrap();
        let mut head = [0; 4096];
        let count = std::io::Read::read(&mut stream, &mut head).unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
        String::from_utf8_lossy(&head[..count]).lines().next().unwrap().to_owned()
    });
    let lake = Lake::new(Place::Sqlite);
    let asked = |server: &crate::serve::server::FeatureServer<'_>| {
        let body = json!({ "Type": "SubscriptionConfirmation", "TopicArn": "arn:aws:sns:x:1:lake", "Message": "subscribe",
            "SubscribeURL": format!("{place}/?Action=ConfirmSubscription&Token=s3cret") });
        // The token as the password of an URL, as topics send it.
        use base64::Engine as _;
        let login = base64::engine::general_purpose::STANDARD.encode(format!("events:{TOKEN}"));
        assert_eq!(tell_with(server, "", &body.to_string()).status, 401);
        tell_with(server, &format!("authorization: Basic {login}\r\n"), &body.to_string())
    };
    let server = lake.serve(&[]);
    let refused = asked(&server);
    let said = refused.json()["help"].as_str().unwrap().to_owned();
    assert_eq!(refused.status, 403);
    assert!(said.contains(&format!("subscriptions: [{place}]")) && !said.contains("s3cret"), "{said}");
    drop(server);
    lake.project.edit("feature_store.yaml", "buckets: {", &format!("subscriptions: ['{place}'], buckets: {{"));
    let server = lake.serve(&[]);
    assert_eq!(asked(&server).ok().json(), json!({ "confirmed": "arn:aws:sns:x:1:lake" }));
    assert_eq!(visited.join().unwrap(), "GET /?Action=ConfirmSubscription&Token=s3cret HTTP/1.1");
    assert!(!server.said().contains("s3cret"));
}

#[test]
fn bodies_that_tell_of_nothing_are_refused() {
    let lake = Lake::new(Place::Sqlite);
    let server = lake.serve(&["--body-limit", "2000"]);
    let header = format!("authorization: Bearer {TOKEN}\r\n");
    for body in ["", "{", "[1]", "{\"Records\": [{\"s3\": {}}]}", "{\"hello\": 1}"] {
        let refused = tell_with(&server, &header, body);
        assert_eq!(refused.status, 400, "{body}");
        assert!(refused.json()["error"].is_string());
    }
    let long = tell_with(&server, &header, &" ".repeat(2001));
    assert_eq!(long.status, 413);
    assert_eq!(counts(tell_with(&server, &header, "{\"Records\": []}")), [0, 0, 0]);
    assert_eq!(server.ask("GET", "/events", "").status, 200);
    assert_eq!(server.ask("GET", "/ready", "").ok().json(), json!({ "ready": true }));
    assert_eq!(server.ask("POST", "/other", "").status, 404);
}

#[test]
fn with_too_many_jobs_events_are_to_come_again() {
    for place in Place::all() {
        let lake = Lake::new(place);
        let server = lake.serve(&["--max-waiting", "1"]);
        // It is no CSV, and is tried again.
        lake.project.write("lake/stats/bad.csv", "driver_id\n1\n");
        assert_eq!(counts(tell(&server, &[created("stats/bad.csv", "A")])), [1, 0, 0]);
        let refused = tell(&server, &[created("stats/x.csv", "B")]);
        assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
        assert_eq!(lake.jobs().len(), 1);
        lake.write_stats("bad.csv", &[("1", 1)]);
        lake.settled();
        assert_eq!(counts(tell(&server, &[created("stats/x.csv", "B")])), [1, 0, 0]);
    }
}
