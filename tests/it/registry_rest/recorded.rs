//! What real Feast answered, over the registry that it had: the same status, the same words, the same objects.

use std::fs;

use serde_json::{Map, Value as Json};

use super::{ask, serve};
use crate::{
    golden::{Recording, committed_root, read_json},
    support::Project,
};

/// Requests whose answers are others on purpose, or are made of words or of what the recording did not keep.
const OTHERS: [(&str, &str); 7] = [
    ("/openapi.json", "a description of our own"),
    ("/metrics/recently_visited", "what this server was asked"),
    ("/monitoring/", "not supported"),
    ("/version", "a version of our own"),
    ("/materialization_jobs", "Feast asks for page 0 and finds nothing"),
    ("/saved_datasets/data/", "what is not there is 404"),
    ("/entities/all?limit=1", "lists come by name here"),
];

/// The registry that Feast served.
pub fn recorded_project() -> Project {
    let recording = Recording::of_registry_server();
    recording.restore();
    let project = Project { folder: recording.folder, environment: Vec::new() };
    let settings = "project: feastlocal\nregistry: {registry_type: sql, path: sqlite:///registry.db}\nonline_store: {type: \
                    sqlite, path: online.db}\noffline_store: {type: duckdb}\nentity_key_serialization_version: 3\n";
    fs::write(project.path("feature_store.yaml"), settings).unwrap();
    project
}

#[test]
fn answers_are_those_of_feast() {
    let project = recorded_project();
    let server = serve(&project);
    let exchanges = read_json(&committed_root().join("registry_server/rest.json"));
    let mut compared = 0;
    for exchange in exchanges.as_array().unwrap() {
        let (path, recorded) = (exchange["path"].as_str().unwrap(), &exchange["response"]);
        if OTHERS.iter().any(|(part, _)| path.contains(part)) {
            continue;
        }
        let answer = ask(&server, None, exchange["method"].as_str().unwrap(), path, &Json::Null);
        assert_eq!(u64::from(answer.status), recorded["status"].as_u64().unwrap(), "{path}: {answer:?}");
        let (mut ours, mut theirs) = (plain(answer.json()), plain(recorded["json"].clone()));
        if answer.status >= 400 {
            // Words are our own; what they are about is Feast's.
            for json in [&mut ours, &mut theirs] {
                let detail = json["detail"].take();
                assert!(!detail.as_str().unwrap().is_empty(), "{path}: {answer:?}");
            }
        }
        assert_eq!(ours, theirs, "{path}");
        compared += 1;
    }
    assert!(compared > 45, "only {compared}");
}

/// Without what belongs to the run or to the row: the name of the project within views, which Feast drops when it reads
/// them, times of request sources, which it makes anew, definitions, which are YAML here and only of objects, a pagination
/// that it takes for a view, and the order of lists, which is by name here.
fn plain(json: Json) -> Json {
    match json {
        Json::Object(members) => {
            let mut kept: Map<String, Json> = members
                .into_iter()
                .filter(|(name, _)| !["featureDefinition", "registryLastUpdated"].contains(&name.as_str()))
                .map(|(name, value)| {
                    let value = match name.as_str() {
                        "spec" => without(value, "project"),
                        "requestDataSource" => without(value, "meta"),
                        _ => value,
                    };
                    (name, plain(value))
                })
                .collect();
            kept.sort_keys();
            Json::Object(kept)
        }
        Json::Array(entries) => {
            let is_entry = |entry: &Json| entry.get("totalCount").is_none();
            let mut entries: Vec<Json> = entries.into_iter().filter(is_entry).map(plain).collect();
            entries.sort_by_key(ToString::to_string);
            Json::Array(entries)
        }
        other => other,
    }
}

fn without(mut json: Json, name: &str) -> Json {
    if let Json::Object(members) = &mut json {
        members.shift_remove(name);
    }
    json
}
