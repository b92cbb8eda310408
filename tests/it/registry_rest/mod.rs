//! The REST API of the registry's server.

mod changes;
mod datasets;
mod described;
mod recorded;
mod rights;
mod wrong;

use serde_json::Value as Json;

use crate::{
    serve::server::{FeatureServer, Response},
    support::Project,
};

/// A server of REST alone.
pub fn serve(project: &Project) -> FeatureServer<'_> {
    let args = ["serve-registry", "--no-grpc", "--rest-api", "--rest-port", "0"];
    FeatureServer::launch(project, project.command(&args))
}

/// The answer to a request, perhaps with a token.
pub fn ask(server: &FeatureServer<'_>, token: Option<&str>, method: &str, path: &str, body: &Json) -> Response {
    let headers = token.map(|token| format!("authorization: Bearer {token}\r\n")).unwrap_or_default();
    let body = if body.is_null() { String::new() } else { body.to_string() };
    server.connect().try_ask_with(&headers, method, path, &body).expect("the connection was closed")
}

/// What is told at a path.
#[track_caller]
pub fn get(server: &FeatureServer<'_>, path: &str) -> Json {
    ask(server, None, "GET", path, &Json::Null).ok().json()
}

/// The names of what is listed under a word.
#[track_caller]
pub fn names(answer: &Json, key: &str) -> Vec<String> {
    let listed = answer[key].as_array().unwrap_or_else(|| panic!("no {key}: {answer}"));
    let name = |entry: &Json| entry["spec"]["name"].as_str().or_else(|| entry["name"].as_str()).unwrap().to_owned();
    listed.iter().map(name).collect()
}
