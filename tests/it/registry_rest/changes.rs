//! Objects of every kind that come and go, and that Feast and feastr read afterwards.

use serde_json::{Value as Json, json};

use super::{ask, get, names, serve};
use crate::{serve::server::FeatureServer, support::Project};

#[track_caller]
fn post(server: &FeatureServer<'_>, path: &str, status: u16, body: &Json) {
    let answer = ask(server, None, "POST", path, body);
    assert_eq!(answer.status, status, "{path}: {answer:?}");
}

#[test]
fn what_is_posted_is_registered_and_gone_when_it_is_deleted() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = serve(&project);
    let of = |body: Json| {
        let mut body = body;
        body["project"] = "feastlocal".into();
        body
    };
    post(
        &server,
        "/entities",
        201,
        &of(json!({"name": "rider", "join_key": "rider_id", "value_type": 4, "owner": "Jo"})),
    );
    let file =
        json!({"name": "rides", "timestamp_field": "event_timestamp", "file_options": {"uri": "data/rides.parquet"}});
    post(&server, "/data_sources", 201, &of(file));
    let view = json!({
        "name": "rider_rides", "entities": ["rider"], "batch_source": "rides", "ttl_seconds": 3600,
        "features": [{"name": "tips", "value_type": 6, "description": "Money"}, {"name": "trips", "value_type": 4}],
        "tags": {"team": "rides"},
    });
    post(&server, "/feature_views", 201, &of(view));
    let members = json!([{"feature_view_name": "rider_rides", "feature_names": ["tips"]}]);
    post(&server, "/feature_services", 201, &of(json!({"name": "tipping", "features": members})));
    let policy = json!({"role_based_policy": {"roles": ["reader"]}});
    let permission = json!({"name": "read", "types": ["FEATURE_VIEW"], "actions": ["DESCRIBE"], "policy": policy});
    post(&server, "/permissions", 201, &of(permission));
    let dataset = of(json!({"name": "training", "storage_path": "data/t.parquet", "feature_service_name": "tipping"}));
    post(&server, "/saved_datasets", 200, &dataset);
    post(&server, "/saved_datasets", 409, &dataset);

    let view = get(&server, "/feature_views/rider_rides?project=feastlocal&include_relationships=true");
    assert_eq!((&view["type"], &view["spec"]["ttl"]), (&json!("featureView"), &json!("3600s")));
    assert_eq!(view["spec"]["entityColumns"], json!([{"name": "rider_id", "valueType": "INT64"}]));
    assert_eq!(view["spec"]["batchSource"]["fileOptions"]["uri"], "data/rides.parquet");
    assert!(view["relationships"].as_array().unwrap().len() > 4, "{view}");
    assert!(view["featureDefinition"].as_str().unwrap().contains("ttl: 1h"), "{view}");
    let dataset = get(&server, "/saved_datasets/training?project=feastlocal");
    assert_eq!(
        (&dataset["spec"]["features"], &dataset["spec"]["joinKeys"]),
        (&json!(["rider_rides:tips"]), &json!(["rider_id"]))
    );
    let entity = get(&server, "/entities/rider?project=feastlocal");
    assert_eq!(names(&entity, "dataSources"), ["rides"]);
    // Others read what was posted as if it had been applied.
    let listed = project.feastr(&["feature-views", "describe", "rider_rides", "--output", "json"]).ok().json();
    assert_eq!(listed["spec"]["features"][0]["description"], "Money");
    let definitions = project.feastr(&["export"]).ok().stdout;
    assert!(definitions.contains("name: tipping") && definitions.contains("roles: [reader]"), "{definitions}");
    let log = project.feastr(&["registry", "log", "--json"]).ok().stdout;
    assert!(log.contains("POST /feature_views") && log.contains("127.0.0.1"), "{log}");

    for (path, kind) in [
        ("/saved_datasets/training", "savedDatasets"),
        ("/permissions/read", "permissions"),
        ("/feature_services/tipping", "featureServices"),
        ("/feature_views/rider_rides", "featureViews"),
        ("/data_sources/rides", "dataSources"),
        ("/entities/rider", "entities"),
    ] {
        ask(&server, None, "DELETE", &format!("{path}?project=feastlocal"), &Json::Null).ok();
        let (list, name) = path[1..].split_once('/').unwrap();
        let left = names(&get(&server, &format!("/{list}?project=feastlocal")), kind);
        assert!(!left.contains(&name.to_owned()), "{path}: {left:?}");
        assert_eq!(ask(&server, None, "GET", &format!("{path}?project=feastlocal"), &Json::Null).status, 404);
    }
}

#[test]
fn reading_writes_nothing_and_visits_are_remembered() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let server = serve(&project);
    let registry = project.path("data/registry.db");
    let before = std::fs::read(&registry).unwrap();
    for path in [
        "/entities/driver?project=feastlocal",
        "/api/v1/feature_views/driver_hourly_stats?project=feastlocal",
        "/features/driver_hourly_stats/conv_rate?project=feastlocal",
        "/lineage/complete/all",
        "/search?query=driver",
        "/metrics/resource_counts",
        "/feature_views/all?include_relationships=true",
    ] {
        get(&server, path);
    }
    assert_eq!(std::fs::read(&registry).unwrap(), before);
    let visits = get(&server, "/metrics/recently_visited?project=feastlocal");
    let seen: Vec<(&str, &str)> = visits["visits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|visit| (visit["object"].as_str().unwrap(), visit["object_name"].as_str().unwrap()))
        .collect();
    assert_eq!(seen, [("entities", "driver"), ("feature_views", "driver_hourly_stats"), ("features", "conv_rate")]);
    assert_eq!(visits["visits"][1]["path"], "/api/v1/feature_views/driver_hourly_stats");
    let entities = get(&server, "/metrics/recently_visited?object=entities");
    assert_eq!(entities["visits"].as_array().unwrap().len(), 1, "{entities}");
}
