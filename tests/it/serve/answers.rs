//! Answers to requests that are right, and to those that are not.

use serde_json::json;

use super::server::FeatureServer;
use crate::support::Project;

/// The example with its values in the online store.
pub fn example() -> Project {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2000-01-01", "now"]).ok();
    project
}

#[test]
fn it_lives_and_is_ready_when_its_stores_are() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let health = server.ask("GET", "/health", "").ok();
    assert_eq!(health.body, "");
    let ready = server.ask("GET", "/ready", "").ok().json();
    assert_eq!((&ready["ready"], &ready["ending"]), (&json!(true), &json!(false)));
    assert_eq!(ready["registry"]["problem"], json!(null));
    assert!(ready["registry"]["read"].is_string(), "{ready}");
    // A repo whose registry cannot be read is served by nobody, and says why.
    project.edit("feature_store.yaml", "sqlite:///data/registry.db", "postgresql://nobody@127.0.0.1:1/gone");
    let server = FeatureServer::start(&project, &[]);
    server.ask("GET", "/health", "").ok();
    let unready = server.ask("GET", "/ready", "");
    assert_eq!((unready.status, &unready.json()["ready"]), (503, &json!(false)));
    assert!(unready.json()["registry"]["problem"].is_string(), "{unready:?}");
}

#[test]
fn features_are_those_of_the_command_line() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let names = ["driver_hourly_stats:conv_rate", "driver_hourly_stats:avg_daily_trips"];
    let args = ["get-online", "--json", "--features", names[0], names[1], "--entity", "driver_id=1001"];
    let given = project.feastr(&[&args[..], &["--entity", "driver_id=7"]].concat()).ok().json();
    let body = json!({ "features": names, "entities": { "driver_id": [1001, 7] } });
    assert_eq!(server.features(&body).ok().json(), given);
    let mut full = body;
    full["full_feature_names"] = json!(true);
    let answer = server.features(&full).ok();
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert_eq!(answer.column("driver_hourly_stats__conv_rate"), given["results"][1]);
    let versions = json!({ "features": [names[0]], "entities": { "driver_id": [1001] }, "include_feature_view_version_metadata": true });
    let metadata = &server.features(&versions).ok().json()["metadata"];
    assert_eq!(metadata["feature_view_metadata"], json!([{ "name": "driver_hourly_stats" }]));
}

#[test]
fn entities_come_in_words_by_other_names_and_with_what_nobody_needs() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let ask = |entities: serde_json::Value| {
        server.features(&json!({ "features": ["driver_hourly_stats:conv_rate"], "entities": entities }))
    };
    let expected = ask(json!({ "driver_id": [1001] })).ok();
    for entities in [
        json!({ "driver_id": ["1001"] }),
        json!({ "driver_id": [1001.0] }),
        json!({ "driver": [1001] }),
        json!({ "driver_id": [1001], "other": [null] }),
    ] {
        assert_eq!(ask(entities.clone()).ok().json(), expected.json(), "{entities}");
    }
    for (entities, word) in [
        (json!({}), "missing"),
        (json!({ "driver_id": [] }), "no entities"),
        (json!({ "other": [1] }), "missing"),
        (json!({ "driver_id": [null] }), "is null"),
        (json!({ "driver_id": ["abc"] }), "`abc`"),
        (json!({ "driver_id": [1001.5] }), "1001.5"),
        (json!({ "driver_id": [true] }), "true"),
        (json!({ "driver_id": [[1]] }), "[1]"),
        (json!({ "driver_id": [1e300] }), "1e"),
        (json!({ "driver_id": [1001, 1002], "other": [1] }), "`other` has 1"),
    ] {
        let refused = ask(entities.clone());
        assert_eq!(refused.status, 400, "{entities}: {refused:?}");
        let failure = refused.failure();
        assert_eq!((&failure["module"], &failure["class"]), (&json!("feast.errors"), &json!("FeastError")));
        assert!(failure["message"].as_str().unwrap().contains(word), "{failure}");
    }
}

#[test]
fn mistakes_have_the_classes_of_feast() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let features = |names: &[&str]| json!({ "features": names, "entities": { "driver_id": [1001] } });
    let conv_rate = "driver_hourly_stats:conv_rate";
    for (body, status, class) in [
        (features(&["nope:conv_rate"]), 404, "FeatureViewNotFoundException"),
        (features(&["driver_hourly_stats:nope"]), 404, "SpecifiedFeaturesNotPresentError"),
        (json!({ "feature_service": "nope", "entities": {} }), 404, "FeatureServiceNotFoundException"),
        (features(&[conv_rate, conv_rate]), 400, "FeatureNameCollisionError"),
        (features(&["driver_hourly_stats"]), 400, "FeastError"),
        (features(&[]), 400, "FeastError"),
        (json!({ "entities": {} }), 400, "FeastError"),
        (features(&["driver_hourly_stats@v3:conv_rate"]), 501, "FeastError"),
    ] {
        let answer = server.features(&body);
        assert_eq!((answer.status, &answer.failure()["class"]), (status, &json!(class)), "{body}: {answer:?}");
    }
    for path in ["/search", "/retrieve-online-documents"] {
        assert_eq!(server.ask("POST", path, "{}").status, 501);
    }
}

#[test]
fn other_paths_and_methods_are_answered_as_fastapi_does() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let missing = server.ask("GET", "/nope", "");
    assert_eq!((missing.status, missing.json()), (404, json!({ "detail": "Not Found" })));
    let wrong = server.ask("GET", "/get-online-features", "");
    assert_eq!((wrong.status, wrong.json()), (405, json!({ "detail": "Method Not Allowed" })));
    assert_eq!(wrong.header("allow"), Some("POST"));
}

#[test]
fn what_can_be_asked_is_described() {
    let project = example();
    let server = FeatureServer::start(&project, &[]);
    let api = server.ask("GET", "/openapi.json", "").ok().json();
    let body = &api["components"]["schemas"]["OnlineFeaturesRequest"];
    assert_eq!(body["required"], json!(["entities"]), "{api}");
    let paths: Vec<&String> = api["paths"].as_object().unwrap().keys().collect();
    let expected = [
        "/get-online-features",
        "/health",
        "/materialize",
        "/materialize-incremental",
        "/push",
        "/ready",
        "/retrieve-online-documents",
        "/search",
        "/write-to-online-store",
    ];
    assert_eq!(paths, expected);
    // What it refers to is there.
    let text = api.to_string();
    for name in text.split("#/components/schemas/").skip(1).map(|rest| rest.split('"').next().unwrap()) {
        assert!(api["components"]["schemas"][name].is_object(), "{name}");
    }
    // The example is a request that can be sent.
    let example = |name: &str| body["properties"][name]["example"].clone();
    server.features(&json!({ "entities": example("entities"), "features": example("features") })).ok();
    let page = server.ask("GET", "/docs", "").ok();
    assert!(page.header("content-type").unwrap().starts_with("text/html"));
    // Nothing is taken from elsewhere.
    assert!(!page.body.contains("://") && page.body.contains("openapi.json"));
}

#[test]
fn a_feature_that_is_called_as_a_join_key_gives_no_two_columns_of_one_name() {
    let project = example();
    let definitions = "entities:\n  - {name: car, join_keys: [car_id], value_type: INT64}\nfeature_views:\n  - name: cars\n    \
                       entities: [car]\n    source: {name: cars, type: file, path: data/cars.parquet, timestamp_field: \
                       event_timestamp}\n    schema: [{name: driver_id, dtype: Int64}]\n";
    project.write("cars.yaml", definitions);
    project.feastr(&["apply", "--skip-source-validation"]).ok();
    let server = FeatureServer::start(&project, &[]);
    let entities = json!({ "driver_id": [1001], "car_id": [1] });
    let both = json!({ "features": ["cars:driver_id", "driver_hourly_stats:conv_rate"], "entities": entities });
    let refused = server.features(&both);
    assert_eq!((refused.status, &refused.failure()["class"]), (400, &json!("FeatureNameCollisionError")));
    // A key that nobody needs makes way.
    let alone = server.features(&json!({ "features": ["cars:driver_id"], "entities": entities })).ok();
    assert_eq!(alone.json()["metadata"]["feature_names"], json!(["car_id", "driver_id"]));
    assert_eq!(alone.column("driver_id")["statuses"], json!(["NOT_FOUND"]));
}

#[test]
fn what_is_applied_is_served_without_a_start() {
    let project = example();
    let server = FeatureServer::start(&project, &["--registry_ttl_sec", "0"]);
    let body = json!({ "features": ["driver_hourly_stats:renamed"], "entities": { "driver_id": [1001] } });
    assert_eq!(server.features(&body).status, 404);
    project.edit("drivers.yaml", "conv_rate", "renamed");
    let services = project.read("services.yaml").replace("conv_rate", "renamed");
    project.write("services.yaml", services);
    project.feastr(&["apply", "--skip-source-validation", "--yes"]).ok();
    server.features(&body).ok();
}
