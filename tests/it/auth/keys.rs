//! The keys of the identity provider: when they change, and when nobody can ask for them.

use std::{thread::sleep, time::Duration};

use jsonwebtoken::Algorithm;

use super::{ask, assert_unknown, guard, guarded, question};
use crate::{
    serve::server::{FeatureServer, PATIENCE},
    servers::identity_provider::{IdentityProvider, SigningKey},
};

const PATH: &str = "/get-online-features";

/// Asks until the status of the answer is this one.
fn ask_until(server: &FeatureServer<'_>, token: &str, status: u16) {
    let began = std::time::Instant::now();
    loop {
        let answer = ask(server, token, PATH, &question());
        if answer.status == status {
            return;
        }
        assert!(began.elapsed() < PATIENCE, "{answer:?}");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn keys_that_change_are_found_and_those_that_are_gone_do_not_count() {
    let (first, second) = (SigningKey::edwards("first"), SigningKey::elliptic("second", Algorithm::ES256));
    let provider = IdentityProvider::start(&[&first]);
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    let claims = provider.claims("ann", &["super-reader"]);
    let (old, new) = (first.sign(&claims), second.sign(&claims));
    assert_eq!(ask(&server, &old, PATH, &question()).status, 200);
    // The token of a key that is not known yet has them looked at.
    provider.publish(&[&second]);
    ask_until(&server, &new, 200);
    // What was found right with a key that is gone does not count any more.
    assert_unknown(&ask(&server, &old, PATH, &question()), "no key of the identity provider");
}

#[test]
fn tokens_of_made_up_keys_are_no_flood_for_the_provider() {
    let (key, stranger) = (SigningKey::edwards("mine"), SigningKey::edwards("stranger"));
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    let claims = provider.claims("ann", &["super-reader"]);
    assert_eq!(ask(&server, &key.sign(&claims), PATH, &question()).status, 200);
    let (before, began) = (provider.asked(), std::time::Instant::now());
    for number in 0..50 {
        let header = jsonwebtoken::Header { kid: Some(format!("made-up-{number}")), ..stranger.header() };
        assert_unknown(&ask(&server, &stranger.sign_with(&header, &claims), PATH, &question()), "no key");
    }
    let seconds = u32::try_from(began.elapsed().as_secs()).unwrap();
    let asked = provider.asked() - before;
    assert!(asked <= seconds + 2, "{asked} times in {seconds} s");
}

#[test]
fn while_the_provider_is_away_keys_that_are_known_go_on_to_count() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, "");
    project.edit("feature_store.yaml", "client_id: store", "client_id: store, jwks_cache_lifespan_seconds: 0.1");
    let server = FeatureServer::start(&project, &[]);
    assert_eq!(ask(&server, &key.sign(&provider.claims("ann", &["super-reader"])), PATH, &question()).status, 200);
    provider.set_away(true);
    sleep(Duration::from_millis(200));
    for user in ["bob", "carol"] {
        let token = key.sign(&provider.claims(user, &["super-reader"]));
        assert_eq!(ask(&server, &token, PATH, &question()).status, 200);
    }
    assert!(server.said().contains("keys that are known go on to count"), "{}", server.said());
    let ready = server.ask("GET", "/ready", "").ok().json();
    assert!(ready["identity_provider"]["problem"].is_null(), "{ready}");
}

#[test]
fn while_the_provider_is_silent_keys_that_are_known_go_on_to_count() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = guarded(&provider, "");
    project.edit("feature_store.yaml", "client_id: store", "client_id: store, jwks_cache_lifespan_seconds: 0.1");
    let server = FeatureServer::start(&project, &[]);
    assert_eq!(ask(&server, &key.sign(&provider.claims("ann", &["super-reader"])), PATH, &question()).status, 200);
    let silence = provider.silence();
    sleep(Duration::from_millis(200));
    for user in 0..20 {
        let token = key.sign(&provider.claims(&format!("user-{user}"), &["super-reader"]));
        assert_eq!(ask(&server, &token, PATH, &question()).status, 200);
    }
    drop(silence);
}

#[test]
fn without_any_key_nobody_is_let_in_and_the_reason_is_said() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    provider.set_away(true);
    let project = guarded(&provider, "");
    let server = FeatureServer::start(&project, &[]);
    let token = key.sign(&provider.claims("ann", &["super-reader"]));
    let answer = ask(&server, &token, PATH, &question());
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")));
    let message = answer.failure()["message"].as_str().unwrap().to_owned();
    assert!(
        message.contains("the identity provider at http://127.0.0.1") && message.contains("auth_discovery_url"),
        "{message}"
    );
    // It lives all the same, and lets people in as soon as it can.
    server.ask("GET", "/health", "").ok();
    let unready = server.ask("GET", "/ready", "");
    assert_eq!((unready.status, &unready.json()["ready"]), (503, &false.into()));
    assert!(unready.json()["identity_provider"]["problem"].is_string(), "{unready:?}");
    provider.set_away(false);
    ask_until(&server, &token, 200);
    let began = std::time::Instant::now();
    while server.ask("GET", "/ready", "").status != 200 {
        assert!(began.elapsed() < PATIENCE, "{}", server.said());
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_wrong_discovery_url_is_told() {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = crate::serve::answers::example();
    guard(&project, &provider, "");
    project.edit("feature_store.yaml", "/.well-known/openid-configuration", "/realms/none");
    let server = FeatureServer::start(&project, &[]);
    let answer = ask(&server, &key.sign(&provider.claims("ann", &[])), PATH, &question());
    assert_eq!(answer.status, 503);
    let message = answer.failure()["message"].as_str().unwrap().to_owned();
    assert!(message.contains("does not give its description") && message.contains("auth_discovery_url"), "{message}");
}
