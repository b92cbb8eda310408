//! What Feast's server of features answered to tokens, asked of feastr's that is as lenient: Feast looks neither at who has issued
//! a token nor for whom it is.

use std::collections::BTreeMap;

use jsonwebtoken::Algorithm;
use serde_json::{Value as Json, json};

use super::{ask, ask_with, guard, question};
use crate::{
    golden::{read_json, registry_rows::committed_root},
    serve::server::{FeatureServer, Response},
    servers::identity_provider::{IdentityProvider, SigningKey, now, token_of},
    support::Project,
};

/// What was registered where the answers were recorded, as far as they show it.
const DEFINITIONS: &str = "
data_sources:
  - {name: vals_to_add, type: request, schema: [{name: val_to_add, dtype: Int64}]}
  - {name: driver_stats_push_source, type: push, batch_source: driver_hourly_stats_source}
feature_views:
  - name: driver_hourly_stats_fresh
    entities: [driver]
    schema: [{name: conv_rate, dtype: Float32}]
    source: driver_stats_push_source
on_demand_feature_views:
  - name: transformed_conv_rate
    sources: [driver_hourly_stats, vals_to_add]
    schema: [{name: conv_rate_plus_val1, dtype: Float64, sql: CAST(conv_rate AS DOUBLE) + val_to_add}]
permissions:
  - {name: reader, types: [FeatureView, OnDemandFeatureView], actions: [READ_ONLINE], policy: {roles: [super-reader]}}
";

fn project(provider: &IdentityProvider) -> Project {
    let project = Project::example();
    project.write("more.yaml", DEFINITIONS);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "now", "--views", "driver_hourly_stats"]).ok();
    guard(&project, provider, "check_audience: false, check_issuer: false");
    project.edit("feature_store.yaml", "client_id: store", "client_id: feast-client");
    project
}

/// The requests of the recording, by what they are called there.
fn request(call: &str) -> (&'static str, Json) {
    let frame = json!({
        "driver_id": [1001], "conv_rate": [0.5], "acc_rate": [0.5], "avg_daily_trips": [1],
        "event_timestamp": ["2025-01-02T10:00:00+00:00"], "created": ["2025-01-02T10:00:00+00:00"],
    });
    let range = json!({ "start_ts": "2000-01-01T00:00:00", "end_ts": "2021-01-01T00:00:00" });
    match call.split(" (").next().unwrap() {
        "get-online-features of one view" => ("/get-online-features", question()),
        "on-demand view" => (
            "/get-online-features",
            json!({ "features": ["transformed_conv_rate:conv_rate_plus_val1"], "entities": { "driver_id": [1001], "val_to_add": [1] } }),
        ),
        "feature service" => (
            "/get-online-features",
            json!({ "feature_service": "driver_activity_v1", "entities": { "driver_id": [1001] } }),
        ),
        "push online" => {
            ("/push", json!({ "push_source_name": "driver_stats_push_source", "df": frame, "to": "online" }))
        }
        "write-to-online-store" => {
            ("/write-to-online-store", json!({ "feature_view_name": "driver_hourly_stats", "df": frame }))
        }
        "materialize" => ("/materialize", range),
        "materialize-incremental" => ("/materialize-incremental", json!({ "end_ts": range["end_ts"] })),
        other => panic!("{other} is no request of the recording"),
    }
}

/// The tokens of the recording, by their names.
fn tokens(recorded: &Json, key: &SigningKey, stranger: &SigningKey) -> BTreeMap<String, String> {
    let sign = |(name, claims): (&String, &Json)| {
        let mut claims = claims.clone();
        claims["iat"] = json!(now());
        claims["exp"] = match name.as_str() {
            "expired" => json!(now() - 60),
            "expired_within_leeway" => json!(now() - 3),
            _ => json!(now() + 300),
        };
        let token = match name.as_str() {
            "unknown_signing_key" => stranger.sign(&claims),
            "unknown_key_id" => {
                key.sign_with(&jsonwebtoken::Header { kid: Some("unknown".to_owned()), ..key.header() }, &claims)
            }
            "alg_none_no_secret_configured" => token_of(&json!({ "alg": "none" }), &claims, ""),
            _ => key.sign(&claims),
        };
        (name.clone(), token)
    };
    let mut tokens: BTreeMap<_, _> = recorded["token_claims"].as_object().unwrap().iter().map(sign).collect();
    tokens.insert("not_a_token".to_owned(), "not a token".replace(' ', "-"));
    tokens
}

fn compare(name: &str, answer: &Response, recorded: &Json) {
    let response = &recorded["response"];
    assert_eq!(u64::from(answer.status), response["status"].as_u64().unwrap(), "{name}: {answer:?}");
    assert_eq!(answer.header("content-type"), response["headers"]["content-type"].as_str(), "{name}");
    match answer.status {
        200 => {
            let (ours, theirs) = (answer.json(), &response["json"]);
            assert_eq!(ours["metadata"]["feature_names"], theirs["metadata"]["feature_names"], "{name}");
            assert_eq!(ours["results"][1]["statuses"], theirs["results"][1]["statuses"], "{name}");
        }
        401 => assert_eq!(&answer.json(), &response["json"], "{name}"),
        _ => {
            let theirs: Json = serde_json::from_str(response["json"].as_str().unwrap()).unwrap();
            let ours = answer.failure();
            assert_eq!([&ours["module"], &ours["class"]], [&theirs["module"], &theirs["class"]], "{name}");
            // Both name what is denied, and the object.
            let message = theirs["message"].as_str().unwrap();
            let action = ["READ_ONLINE", "WRITE_ONLINE"].into_iter().find(|action| message.contains(action)).unwrap();
            assert!(ours["message"].as_str().unwrap().contains(action), "{name}: {ours}");
        }
    }
}

#[test]
fn tokens_are_answered_as_by_feast() {
    let recorded = read_json(&committed_root().join("auth/oidc.json"));
    let [key, stranger] = ["mine", "mine"].map(|id| SigningKey::rsa(id, Algorithm::RS256));
    let provider = IdentityProvider::start(&[&key]);
    let project = project(&provider);
    let server = FeatureServer::start(&project, &["--feast-statuses"]);
    let tokens = tokens(&recorded, &key, &stranger);
    let mut compared = 0;
    for recorded in recorded["feature_server"].as_array().unwrap() {
        let (token, call) = (recorded["token"].as_str().unwrap(), recorded["call"].as_str());
        let name = format!("{token}: {call:?}");
        let answer = match (token, call) {
            ("none", Some("health without token")) => server.ask("GET", "/health", ""),
            // Feast's page to talk to is none of feastr's.
            (_, Some("chat without token")) => continue,
            ("none", _) => ask_with(&server, "", "/get-online-features", &question()),
            ("basic scheme", _) => {
                let right = &tokens["role_in_resource_access"];
                ask_with(&server, &format!("authorization: Basic {right}\r\n"), "/get-online-features", &question())
            }
            ("lower case bearer", _) => {
                let right = &tokens["role_in_resource_access"];
                ask_with(&server, &format!("authorization: bearer {right}\r\n"), "/get-online-features", &question())
            }
            (token, call) => {
                let (path, body) = request(call.unwrap());
                ask(&server, &tokens[token], path, &body)
            }
        };
        match call {
            Some("health without token") => assert_eq!(answer.status, 200),
            _ => compare(&name, &answer, recorded),
        }
        compared += 1;
    }
    assert!(compared > 25, "{compared}");
    assert!(server.said().contains("check_audience: false") && server.said().contains("check_issuer: false"));
}
