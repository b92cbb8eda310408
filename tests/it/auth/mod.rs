//! Who may ask servers: tokens that are right and those that are not, and what permissions let people do.

mod denials;
mod hostile;
mod keycloak;
mod keys;
mod matrix;
mod recorded;
mod settings;
pub mod stock_client;

use serde_json::{Value as Json, json};

use crate::{
    serve::server::{FeatureServer, Response},
    servers::identity_provider::IdentityProvider,
    support::Project,
};

/// Readers of values, and writers of them.
pub const PERMISSIONS: &str = "permissions:
  - {name: reader, types: [FeatureView], actions: [READ_ONLINE], policy: {roles: [super-reader]}}
  - {name: writer, types: [FeatureView], name_patterns: [driver_.*], actions: WRITE, policy: {roles: [fresh-writer]}}
";

/// The example with values, permissions and these settings besides.
pub fn guarded(provider: &IdentityProvider, own: &str) -> Project {
    let project = crate::serve::answers::example();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply"]).ok();
    guard(&project, provider, own);
    project
}

/// Has a repo's server take tokens of a provider.
pub fn guard(project: &Project, provider: &IdentityProvider, own: &str) {
    let settings = project.read("feature_store.yaml") + &provider.server_settings();
    project.write("feature_store.yaml", settings + &format!("feastr: {{auth: {{{own}}}}}\n"));
}

/// A question for values.
pub fn question() -> Json {
    json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": { "driver_id": [1001] } })
}

/// The answer to a request with a token.
pub fn ask(server: &FeatureServer<'_>, token: &str, path: &str, body: &Json) -> Response {
    ask_with(server, &format!("authorization: Bearer {token}\r\n"), path, body)
}

/// The answer to a request with headers.
pub fn ask_with(server: &FeatureServer<'_>, headers: &str, path: &str, body: &Json) -> Response {
    server.connect().try_ask_with(headers, "POST", path, &body.to_string()).expect("the connection was closed")
}

/// Asserts that somebody was sent away as stock clients know it, with no word of what is stored.
#[track_caller]
pub fn assert_unknown(answer: &Response, why: &str) {
    assert_eq!((answer.status, answer.json()), (401, json!({ "detail": "Invalid or expired access token" })), "{why}");
    let challenge = answer.header("www-authenticate").unwrap();
    assert!(challenge.starts_with("Bearer ") && challenge.contains(why), "{challenge} has no {why}");
}

/// Asserts that somebody is known and may not.
#[track_caller]
pub fn assert_denied(answer: &Response, why: &str) {
    assert_eq!(answer.status, 403, "{answer:?}");
    let failure = answer.failure();
    assert_eq!([&failure["module"], &failure["class"]], ["feast.errors", "FeastPermissionError"]);
    let message = failure["message"].as_str().unwrap();
    assert!(message.contains(why), "{message} has no {why}");
}
