//! Datasets that are made over REST.

use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use serde_json::{Value as Json, json};

use super::{ask, get, serve};
use crate::support::Project;

#[test]
fn a_dataset_is_made_and_read() {
    let project = Project::example();
    project.feastr(&["apply", "-q"]).ok();
    let settings = project.read("feature_store.yaml") + "feastr: {registry_server: {datasets: data/sets}}\n";
    project.write("feature_store.yaml", settings);
    let server = serve(&project);
    let wanted = json!({
        "name": "training", "project": "feastlocal", "feature_service_name": "driver_activity_v1",
        "entity_keys": ["driver_id"], "entity_values": "1001", "end_date": "2026-10-31", "storage_path": "t.parquet",
        "tags": {"team": "rides"},
    });
    let begun = ask(&server, None, "POST", "/saved_datasets/create", &wanted).ok().json();
    let path = format!("/api/v1/saved_datasets/jobs/{}", begun["job_id"].as_str().unwrap());
    let began = Instant::now();
    let job = loop {
        let job = get(&server, &path);
        if job["completed_at"] != "" {
            break job;
        }
        assert!(began.elapsed() < Duration::from_secs(60), "{job}");
        sleep(Duration::from_millis(20));
    };
    assert_eq!((&job["status"], &job["error"]), (&json!("completed"), &json!("")), "{job}");
    let completed = |status: &str| get(&server, &format!("/saved_datasets/jobs?project=feastlocal&status={status}"));
    assert_eq!(completed("completed")["jobs"], json!([job]));
    assert_eq!(completed("running")["jobs"], json!([]));
    let data = get(&server, "/saved_datasets/data/training?project=feastlocal&limit=5");
    assert_eq!((&data["total_rows"], &data["rows"][0]["driver_id"]), (&json!(1), &json!(1001)), "{data}");
    let dataset = get(&server, "/saved_datasets/training?project=feastlocal");
    assert_eq!(dataset["spec"]["tags"], json!({"team": "rides"}));
    assert_eq!(dataset["spec"]["storage"]["fileStorage"]["uri"], "data/sets/feastlocal/t.parquet");

    let without = |key: &str| {
        let mut body = wanted.clone();
        body.as_object_mut().unwrap().remove(key);
        ask(&server, None, "POST", "/saved_datasets/create", &body)
    };
    for key in ["name", "feature_service_name", "entity_keys", "entity_values", "storage_path"] {
        assert_eq!(without(key).status, 422, "{key}");
    }
    assert_eq!(ask(&server, None, "POST", "/saved_datasets/create", &Json::Null).status, 422);
}

/// As in Feast, where a word of a path is a name if nothing else can be done with the word.
#[test]
fn words_of_paths_are_names_where_they_cannot_be_words() {
    let project = Project::example();
    project.feastr(&["apply", "-q"]).ok();
    let server = serve(&project);
    let dataset = json!({"name": "create", "project": "feastlocal", "storage_path": "data/t.parquet"});
    ask(&server, None, "POST", "/saved_datasets", &dataset).ok();
    assert_eq!(get(&server, "/saved_datasets/create?project=feastlocal")["spec"]["name"], "create");
    for name in ["all", "rider"] {
        let entity = json!({"name": name, "project": "feastlocal", "join_key": "k", "value_type": 4});
        assert_eq!(ask(&server, None, "POST", "/entities", &entity).status, 201);
    }
    assert!(get(&server, "/entities/all?project=feastlocal")["entities"].is_array(), "the list of all projects");
    // Whoever writes it in another way means the name.
    assert_eq!(get(&server, "/entities/%61ll?project=feastlocal")["spec"]["name"], "all");
    let gone = ask(&server, None, "DELETE", "/api/v1/entities/all?project=feastlocal", &Json::Null).ok().json();
    assert_eq!((&gone["name"], &gone["status"]), (&json!("all"), &json!("deleted")), "{gone}");
    assert_eq!(ask(&server, None, "GET", "/entities/%61ll?project=feastlocal", &Json::Null).status, 404);
    assert_eq!(ask(&server, None, "PUT", "/entities/all", &Json::Null).status, 405);
}
