//! Stock Python Feast, with the `auth` of its own, as the client of a server that takes the tokens of a real Keycloak.

use serde_json::{Value as Json, json};

use super::PERMISSIONS;
use crate::{
    interop::feast,
    serve::{answers::example, server::FeatureServer},
    servers::keycloak::{CLIENT, SECRET, shared},
    support::Project,
};

const SQLITE: &str = "online_store:\n  type: sqlite\n  path: data/online_store.db\n";

/// A push source before the history of drivers.
const PUSHED: &str = "
data_sources:
  - {name: stats_push, type: push, batch_source: driver_hourly_stats_source}
feature_views:
  - {name: driver_fresh, entities: [driver], schema: [{name: conv_rate, dtype: Float32}], source: stats_push}
";

/// What Feast's client gets that says who it is by these settings.
pub fn as_client(project: &Project, address: &str, auth: &str, steps: &[Json]) -> Vec<Json> {
    let remote = format!("online_store:\n  type: remote\n  path: http://{address}\n");
    let settings = crate::support::settings("feastlocal").replace(SQLITE, &remote);
    assert!(settings.contains("remote"), "{settings}");
    let kept = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + auth);
    let results = feast(project, steps);
    project.write("feature_store.yaml", kept);
    results
}

#[test]
fn python_feast_reads_and_writes_as_its_user_may() {
    let keycloak = shared();
    let project = example();
    project.write("permissions.yaml", PERMISSIONS);
    project.write("pushed.yaml", PUSHED);
    project.feastr(&["apply"]).ok();
    let discovery = keycloak.discovery_url();
    let server_auth = format!("auth: {{type: oidc, auth_discovery_url: '{discovery}', client_id: {CLIENT}}}\n");
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &server_auth);
    let server = FeatureServer::start(&project, &["--feast-statuses"]);
    let address = server.address.to_string();
    let of = |user: &str, steps: &[Json]| {
        let auth = format!(
            "auth: {{type: oidc, auth_discovery_url: '{discovery}', client_id: {CLIENT}, client_secret: {SECRET}, username: \
             {user}, password: {user}}}\n"
        );
        as_client(&project, &address, &auth, steps)
    };
    let read =
        json!({ "online": { "features": ["driver_hourly_stats:conv_rate"], "entities": [{ "driver_id": 1001 }] } });
    let push = json!({ "push": { "source": "stats_push", "rows": "data/driver_stats.parquet", "to": "online" } });
    let materialize = json!({ "materialize": {
        "start": "2021-01-01T00:00:00", "end": "2021-06-01T00:00:00", "views": ["driver_hourly_stats"],
    } });
    let raised = |step: &Json| json!({ "raised": step });

    let admin = of("admin", &[read.clone(), raised(&push), raised(&materialize)]);
    assert_eq!(admin[0]["conv_rate"]["statuses"], json!(["PRESENT"]), "{admin:?}");
    assert!(admin[0]["conv_rate"]["values"][0].is_number(), "{admin:?}");
    assert_eq!(admin[1..], [json!("FeastPermissionError"), json!("FeastPermissionError")]);
    let bob = of("bob", &[raised(&push), raised(&materialize), raised(&read)]);
    assert_eq!(bob, [json!("nothing"), json!("nothing"), json!("FeastPermissionError")]);
    let eve = of("eve", &[raised(&read), raised(&push), raised(&materialize)]);
    assert_eq!(eve, vec![json!("FeastPermissionError"); 3]);
    // Who sends no token at all is not let in either.
    let nobody = as_client(&project, &address, "", &[raised(&read)]);
    assert_ne!(nobody, [json!("nothing")]);
}
