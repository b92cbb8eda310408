//! Which tokens count.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;

use super::{READ, SHORT, await_status, guarded, read};
use crate::{
    auth::{ask, ask_with, assert_denied, assert_unknown, question},
    serve::server::FeatureServer,
    servers::kubernetes::{ApiServer, NAMESPACE},
};

/// What is said of a token that the API server does not know.
const UNKNOWN: &str = "Kubernetes does not accept the access token";

#[test]
fn only_what_the_api_server_has_found_right_counts() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    assert_eq!(read(&server, &token).status, 200);
    // Feast takes the subject of a token whose review has failed from the token itself.
    let mut parts: Vec<&str> = token.split('.').collect();
    parts[2] = "c2lnbmF0dXJl";
    assert_unknown(&read(&server, &parts.join(".")), UNKNOWN);
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let claims = json!({ "sub": "system:serviceaccount:team:reader", "exp": 4_000_000_000_u64 });
    let unsigned = format!("{}.{}.", part(json!({ "alg": "none" })), part(claims));
    assert_unknown(&read(&server, &unsigned), UNKNOWN);
    for wrong in ["opaque", "a.b.c"] {
        assert_unknown(&read(&server, wrong), UNKNOWN);
    }
    assert_unknown(&ask_with(&server, "", READ, &question()), "there is no access token");
    assert!(!server.said().contains(&token), "{}", server.said());
}

#[test]
fn a_token_is_for_the_server() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "kubernetes: {audience: features.kubeflow.org}");
    let server = FeatureServer::start(&project, &[]);
    assert_eq!(read(&server, &api.token("team", "reader", Some("features.kubeflow.org"))).status, 200);
    for other in [None, Some("vault")] {
        let answer = read(&server, &api.token("team", "reader", other));
        assert_unknown(&answer, UNKNOWN);
        assert!(answer.header("www-authenticate").unwrap().contains("features.kubeflow.org"), "{answer:?}");
    }
}

#[test]
fn a_token_counts_no_longer_than_its_answer() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, SHORT);
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    assert_eq!(read(&server, &token).status, 200);
    api.revoke("team", "reader");
    assert_unknown(&await_status(&server, &token, 401), UNKNOWN);
}

#[test]
fn a_token_of_a_pod_ends_with_it() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, SHORT);
    let server = FeatureServer::start(&project, &[]);
    // Its account has to be there first.
    let whole = api.token("team", "reader", None);
    let spec = json!({ "serviceAccountName": "reader", "containers": [{ "name": "main", "image": "main" }] });
    api.put("pods", "team", json!({ "metadata": { "name": "notebook" }, "spec": spec }));
    let bound = json!({ "apiVersion": "v1", "kind": "Pod", "name": "notebook" });
    let token = api.token_of("team", "reader", &json!({ "boundObjectRef": bound, "expirationSeconds": 600 }));
    assert_eq!(read(&server, &token).status, 200);
    api.remove("pods", "team", "notebook");
    assert_unknown(&await_status(&server, &token, 401), UNKNOWN);
    assert_eq!(read(&server, &whole).status, 200);
}

#[test]
fn many_requests_with_a_token_are_one_question() {
    let api = ApiServer::start();
    api.bind(NAMESPACE, "super-reader", ("team", "reader"));
    let project = guarded(&api, "");
    let server = FeatureServer::start(&project, &[]);
    let token = api.token("team", "reader", None);
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| (0..5).for_each(|_| assert_eq!(read(&server, &token).status, 200)));
        }
    });
    assert_eq!(api.asked("tokenreviews"), 1);
    // What is none is not asked about for each request, either.
    (0..5).for_each(|_| assert_eq!(read(&server, "none").status, 401));
    assert_eq!(api.asked("tokenreviews"), 2);
}

#[test]
fn the_servers_of_a_store_know_each_other_by_their_secret() {
    let api = ApiServer::start();
    let project = guarded(&api, "");
    let server = FeatureServer::start_in(&project, &[], &[("INTRA_COMMUNICATION_BASE64", "c2vjcmv0")]);
    let part = |json: serde_json::Value| URL_SAFE_NO_PAD.encode(json.to_string());
    let said = |sub: &str| format!("{}.{}.", part(json!({ "alg": "none", "typ": "JWT" })), part(json!({ "sub": sub })));
    assert_eq!(read(&server, &said(":::c2vjcmv0")).status, 200);
    for wrong in ["c2vjcmv0", ":::other", "system:serviceaccount::c2vjcmv0"] {
        assert_unknown(&read(&server, &said(wrong)), UNKNOWN);
    }
    // An account that is called like the secret is an account.
    assert_denied(&ask(&server, &api.token("team", "c2vjcmv0", None), READ, &question()), "super-reader");
}
