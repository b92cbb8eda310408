//! Stock Python Feast as the client of a server of features gets what it reads from the store itself.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::server::FeatureServer;
use crate::{
    interop::{EARLIER, LATER, feast, online_steps, shop},
    registries::Backend,
    servers::redis::RedisServer,
    support::Project,
};

fn same_values(online_store: &str) {
    let project = shop(Backend::Sqlite);
    project.edit("feature_store.yaml", SQLITE, online_store);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", EARLIER, LATER]).ok();
    let near = feast(&project, &steps());
    // The client takes values whatever their statuses are.
    for args in [&["--feast-statuses"][..], &[]] {
        let server = FeatureServer::start(&project, args);
        same_from(&project, &server, online_store, &near);
    }
}

/// What is asked for. Stock clients cannot read an empty list, of which they would have to guess the type.
fn steps() -> Vec<Json> {
    let mut steps = online_steps();
    for features in steps.iter_mut().filter_map(|step| step["online"]["features"].as_array_mut()) {
        features.retain(|feature| !LISTS.contains(&feature.as_str().unwrap()));
    }
    steps
}

fn same_from(project: &Project, server: &FeatureServer<'_>, online_store: &str, near: &[Json]) {
    let local = project.read("feature_store.yaml");
    let remote = format!("online_store:\n  type: remote\n  path: http://{}\n", server.address);
    project.edit("feature_store.yaml", online_store, &remote);
    let far = feast(project, &steps());
    assert!(!near.is_empty());
    for ((near, far), step) in near.iter().zip(&far).zip(steps()) {
        let values = |answer: &Json| -> BTreeMap<String, Json> {
            let columns = answer.as_object().unwrap();
            columns.iter().map(|(name, column)| (name.clone(), column["values"].clone())).collect()
        };
        assert_eq!(values(far), values(near), "{step}");
    }
    // Exceptions are raised again as Feast's own.
    let ask =
        |features: &[&str], entities: Json| json!({ "ask_server": { "features": features, "entities": entities } });
    let steps = [
        ask(&["nope:x"], json!({ "customer_id": [1] })),
        ask(&["customer_profile:nope"], json!({ "customer_id": [1] })),
        ask(&["customer_profile:visits"], json!({})),
    ];
    let raised = ["FeatureViewNotFoundException", "SpecifiedFeaturesNotPresentError", "FeastError"];
    assert_eq!(feast(project, &steps), raised.map(Json::from));
    project.write("feature_store.yaml", local);
}

/// Features that hold lists, some of them empty.
const LISTS: [&str; 5] = [
    "customer_profile:basket_sizes",
    "customer_profile:ratings",
    "customer_profile:labels",
    "customer_profile:flags",
    "customer_profile:logins",
];

const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";

#[test]
fn python_feast_reads_the_same_values_from_a_server_over_sqlite() {
    same_values(SQLITE);
}

#[test]
fn python_feast_reads_the_same_values_from_a_server_over_redis() {
    let redis = RedisServer::start("");
    same_values(&redis.settings(0));
}
