//! Stock Python Feast as the client: `registry: {registry_type: remote}`.

use serde_json::{Value as Json, json};

use super::repo;
use crate::{
    interop::python,
    servers::{
        grpc::GrpcServer,
        keycloak::{CLIENT, SECRET, shared},
    },
    support::Project,
};

/// A folder of a client of a server.
fn client(server: &GrpcServer<'_>, more: &str) -> Project {
    let port = server.address.port();
    Project::new(&[(
        "feature_store.yaml",
        &format!(
            "project: shop\nprovider: local\nregistry:\n  registry_type: remote\n  path: localhost:{port}\nonline_store:\n  \
             type: sqlite\n  path: data/online.db\noffline_store:\n  type: duckdb\n{more}entity_key_serialization_version: 3\n"
        ),
    )])
}

fn asked(client: &Project) -> Json {
    let answers = python("registry_client.py", &[client.path("").into()]);
    serde_json::from_str(&answers).unwrap_or_else(|error| panic!("{error}: {answers}"))
}

const KINDS: [&str; 13] = [
    "entity",
    "file_source",
    "push_source",
    "request_source",
    "kafka_source",
    "feature_view",
    "on_demand_feature_view",
    "stream_feature_view",
    "label_view",
    "feature_service",
    "permission",
    "saved_dataset",
    "validation_reference",
];

#[test]
fn python_feast_applies_gets_lists_and_deletes_every_kind() {
    let project = repo();
    let server = GrpcServer::registry(&project, &["--host", "localhost"]);
    let answers = asked(&client(&server, ""));
    for kind in KINDS {
        let of_kind = &answers[kind];
        assert_eq!(of_kind["applied"], Json::Null, "{kind}: {answers}");
        assert_eq!(of_kind["is_same"], json!(true), "{kind}: {answers}");
        assert_eq!(of_kind["is_listed"], json!(true), "{kind}: {answers}");
        assert_eq!(of_kind["deleted"], Json::Null, "{kind}: {answers}");
        let gone = of_kind["gone"].as_str().unwrap();
        assert!(gone.contains("NotFound"), "{kind}: {gone}");
    }
    assert_eq!(answers["projects"], json!(["shop"]), "{answers}");
    assert_eq!(answers["description"], "what is sold");
    assert_eq!(answers["unchanged"], json!(true), "{answers}");
    assert_eq!(answers["intervals"], json!(1), "{answers}");
    assert_eq!(answers["kept_intervals"], json!(1), "{answers}");
    assert_eq!(answers["computed"], json!([2.0]), "{answers}");
    assert_eq!(answers["any"], "OnDemandFeatureView", "{answers}");
    assert_eq!(answers["all_views"], json!(["computed", "sales", "streamed"]), "{answers}");
    assert_eq!(answers["reflected"], json!([55, "google.protobuf.Duration"]), "{answers}");
    assert_eq!(answers["of_source"], json!(["sales"]), "{answers}");
    assert_eq!(answers["infra"], json!(["shop_sales"]), "{answers}");
    assert_eq!(answers["whole"], json!(["user"]), "{answers}");
    assert_eq!(
        answers["conflict"].as_str().map(|text| text.split(':').next().unwrap()),
        Some("ConflictingFeatureViewNames")
    );
    assert_eq!(answers["project_deleted"], Json::Null, "{answers}");
    assert_eq!(answers["store_applied"], json!(["item", ["item_facts"], "facts_file"]), "{answers}");
}

const PERMISSIONS: &str = "permissions:
  - {name: everything, actions: [ALL], policy: {roles: [super-reader]}}
";

#[test]
fn python_feast_may_what_its_user_may_with_tokens_of_a_real_keycloak() {
    let keycloak = shared();
    let project = repo();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply", "-q"]).ok();
    let discovery = keycloak.discovery_url();
    let own = format!("auth: {{type: oidc, auth_discovery_url: '{discovery}', client_id: {CLIENT}}}\n");
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &own);
    let server = GrpcServer::registry(&project, &["--host", "localhost"]);
    let of = |user: &str| {
        let auth = format!(
            "auth:\n  type: oidc\n  auth_discovery_url: {discovery}\n  client_id: {CLIENT}\n  client_secret: {SECRET}\n  \
             username: {user}\n  password: {user}\n"
        );
        asked(&client(&server, &auth))
    };
    let eve = of("eve");
    for kind in KINDS {
        for what in ["applied", "deleted"] {
            let refused = eve[kind][what].as_str().unwrap_or_else(|| panic!("{kind} {what}: {eve}"));
            let is_refused =
                refused.starts_with("FeastPermissionError") || (what == "deleted" && refused.contains("NotFound"));
            assert!(is_refused, "{kind} {what}: {refused}");
        }
        assert_ne!(eve[kind]["is_listed"], json!(true), "{kind}: {eve}");
    }
    let admin = of("admin");
    for kind in KINDS {
        assert_eq!((&admin[kind]["applied"], &admin[kind]["is_same"]), (&Json::Null, &json!(true)), "{kind}: {admin}");
    }
}
