//! Tokens on the way to feature servers.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU32, Ordering},
};

use feastr::{
    auth::login::Tokens,
    clients::runtime::wait,
    config::{AuthConfig, AuthMethod},
    model::Timestamp,
    problem::Kind,
};
use serde_json::{Value as Json, json};

use super::{client, http::Http, provider::Provider};
use crate::support::Project;

/// What the server of features has to say about everybody.
fn answer() -> Json {
    let column = |value: Json| json!({ "values": [value], "statuses": ["PRESENT"], "event_timestamps": ["2021-04-12T00:00:00Z"] });
    json!({
        "metadata": { "feature_names": ["driver_id", "conv_rate"] },
        "results": [column(json!(1001)), column(json!(0.5))],
    })
}

const ASK: [&str; 5] = ["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1001"];

/// A repo that asks a server of features.
fn asking(provider: &Provider, server: &Http, more: &str) -> Project {
    let project = client(provider, more);
    project.feastr(&["apply"]).ok();
    let store = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";
    project.edit("feature_store.yaml", store, &format!("online_store: {{type: remote, path: '{}'}}\n", server.url("")));
    project
}

#[test]
fn requests_say_who_asks() {
    let (provider, server) = (Provider::start(), Http::start(|_, _| (200, answer())));
    asking(&provider, &server, ", username: ann, password: right").feastr(&ASK).ok();
    let asked = server.asked("/get-online-features");
    assert!(asked[0].authorization.as_ref().is_some_and(|header| header.starts_with("Bearer ")), "{asked:?}");
    assert_eq!(provider.grants(), ["password"]);
}

#[test]
fn a_token_that_is_not_accepted_is_got_anew_once() {
    let provider = Provider::start();
    let count = AtomicU32::new(0);
    let server = Http::start(move |_, _| match count.fetch_add(1, Ordering::SeqCst) {
        0 => (401, json!({ "detail": "Invalid or expired access token" })),
        _ => (200, answer()),
    });
    asking(&provider, &server, ", client_secret: hush").feastr(&ASK).ok();
    let asked = server.asked("/get-online-features");
    assert_eq!(asked.len(), 2);
    assert_ne!(asked[0].authorization, asked[1].authorization);
    assert_eq!(provider.grants().len(), 2);
}

#[test]
fn a_server_that_never_accepts_a_token_is_told_with_what_to_do() {
    let provider = Provider::start();
    let server = Http::start(|_, _| (401, json!({ "detail": "Invalid or expired access token" })));
    let project = asking(&provider, &server, ", username: ann, password: right");
    let said = project.feastr(&ASK).failed().stderr;
    assert_eq!(server.asked("/get-online-features").len(), 2);
    for part in
        ["does not accept the token of `ann`: Invalid or expired access token", "http://idp", "tokens for store"]
    {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let settings = project.read("feature_store.yaml").replace("type: oidc", "type: no_auth");
    project.write("feature_store.yaml", settings);
    let said = project.feastr(&ASK).failed().stderr;
    assert!(said.contains("wants to know who asks") && said.contains("set `auth`"), "{said}");
}

#[test]
fn who_may_not_is_told_so() {
    let provider = Provider::start();
    let exception = json!({
        "module": "feast.errors", "class": "FeastPermissionError", "message": "Permission error:\nreader denied it",
    });
    let server = Http::start(move |_, _| (403, Json::String(exception.to_string())));
    let said = asking(&provider, &server, ", username: ann, password: right").feastr(&ASK).failed().stderr;
    for part in ["403 Forbidden: Permission error: reader denied it", "you are `ann` there"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
}

/// Tokens of a client that asks a provider.
fn tokens(provider: &Provider, more: &str) -> Tokens {
    let project = client(provider, more);
    let text = project.read("feature_store.yaml");
    let file = Arc::new(feastr::diagnostics::SourceText::settings("/repo/feature_store.yaml", text));
    let paths = ["/repo", "/repo/feature_store.yaml"].map(std::path::Path::new);
    let config =
        feastr::config::load(&file, paths, &|_| None, &mut feastr::diagnostics::Diagnostics::default()).unwrap();
    Tokens::new(&config.auth, |_| None, Timestamp::now)
}

#[test]
fn many_who_ask_at_once_make_one_request() {
    let provider = Provider::start();
    let tokens = tokens(&provider, ", client_secret: hush");
    let seen = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| {
                let token = wait(tokens.token()).unwrap().unwrap();
                seen.lock().unwrap().push(token.header());
            });
        }
    });
    let mut seen = seen.into_inner().unwrap();
    seen.dedup();
    assert_eq!((seen.len(), provider.grants().len()), (1, 1));

    // So do many whose token is refused.
    let refused = wait(tokens.token()).unwrap().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..16 {
            scope.spawn(|| assert_ne!(wait(tokens.instead_of(&refused)).unwrap().unwrap().header(), refused.header()));
        }
    });
    assert_eq!(provider.grants().len(), 2);
}

#[test]
fn tokens_are_kept_until_shortly_before_their_end() {
    let provider = Provider::start();
    let ask = |tokens: &Tokens| wait(tokens.token()).unwrap().unwrap();
    let margin = tokens(&provider, ", client_secret: hush, token_refresh_margin_seconds: 1");
    provider.set_lives(20);
    assert_eq!(ask(&margin).header(), ask(&margin).header());
    let usual = tokens(&provider, ", client_secret: hush");
    assert_ne!(ask(&usual).header(), ask(&usual).header(), "30 seconds before its end a token is not used");
}

#[test]
fn without_auth_no_token_is_sent() {
    let none = AuthConfig { method: AuthMethod::None, ..AuthConfig::default() };
    let tokens = Tokens::new(&none, |_| Some("set".to_owned()), Timestamp::now);
    assert!(wait(tokens.token()).unwrap().is_none());
    let problem = tokens.not_accepted("the server", "who are you", None);
    assert_eq!(problem.kind, Kind::Unauthenticated);
}
