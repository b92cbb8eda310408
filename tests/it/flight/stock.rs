//! Stock Python Feast as the client: `offline_store: {type: remote}`.

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

/// A folder of a client, whose registry is that of the server's repo.
fn client(project: &Project, server: &GrpcServer<'_>, more: &str) -> Project {
    let registry = project.path("data/registry.db");
    let (registry, port) = (registry.display(), server.address.port());
    Project::new(&[(
        "feature_store.yaml",
        &format!(
            "project: feastlocal\nprovider: local\nregistry:\n  registry_type: sql\n  path: sqlite:///{registry}\n\
             online_store:\n  type: sqlite\n  path: data/online.db\noffline_store:\n  type: remote\n  host: localhost\n  \
             port: {port}\n{more}entity_key_serialization_version: 3\n"
        ),
    )])
}

fn asked(client: &Project) -> Json {
    let answers = python("offline_client.py", &[client.path("").into()]);
    serde_json::from_str(&answers).unwrap_or_else(|error| panic!("{error}: {answers}"))
}

#[test]
fn every_call_of_python_feast_is_answered() {
    let project = repo();
    let server = GrpcServer::offline(&project, &["--host", "localhost"]);
    let client = client(&project, &server, "");
    let answers = asked(&client);
    let frame = &answers["frame"];
    assert_eq!(frame["columns"], json!(["driver_id", "event_timestamp", "conv_rate", "avg_daily_trips"]), "{answers}");
    assert_eq!(frame["rows"], 3);
    assert_eq!(answers["first_conv_rate"], json!(0.504_208_624_362_945_6));
    let columns = answers["full_names"]["columns"].as_array().unwrap();
    assert!(columns.contains(&json!("driver_hourly_stats__conv_rate")), "{answers}");
    let columns = answers["service"]["columns"].as_array().unwrap();
    assert!(columns.contains(&json!("conv_rate_plus_val2")) && columns.contains(&json!("acc_rate")), "{answers}");
    assert_eq!(answers["service_value"], json!(0.504_208_624_362_945_6 + 10.0));
    assert_eq!(
        answers["aliased"]["columns"],
        json!(["origin_id", "event_timestamp", "origin__conv_rate"]),
        "{answers}"
    );
    assert_eq!(answers["aliased_value"], answers["first_conv_rate"]);
    assert!(answers["range"]["rows"].as_u64().unwrap() > 100, "{answers}");
    assert_eq!(answers["sql"]["rows"], 1, "{answers}");
    assert_eq!(answers["indexed"]["columns"], frame["columns"], "{answers}");
    assert_eq!(answers["pull_latest"]["rows"], 5, "{answers}");
    assert!(answers["pull_all"]["rows"].as_u64().unwrap() > 1_800, "{answers}");
    assert!(answers["pull_all_without_dates"]["rows"].as_u64().unwrap() > 1_800, "{answers}");
    assert_eq!(answers["written"], json!(answers["pull_all"]["rows"].as_u64().unwrap() + 1), "{answers}");
    assert_eq!(answers["wrong_columns"], "ArrowInvalid", "{answers}");
    assert_eq!(answers["validated"], Json::Null, "{answers}");
    let types = answers["types"].as_array().unwrap();
    assert!(types.contains(&json!(["conv_rate", "float"])), "{answers}");
    assert_eq!(answers["logged"], Json::Null, "{answers}");
    assert_eq!(std::fs::read_dir(project.path("data/log")).unwrap().count(), 1);
    assert_eq!(answers["persisted"], Json::Null, "{answers}");
    assert!(project.path("data/kept.parquet").is_file());
    assert_eq!(answers["persisted_nowhere"], "DataSourceObjectNotFoundException", "{answers}");
    assert_eq!(answers["unknown_view"], "FeatureViewNotFoundException", "{answers}");
    assert_eq!(answers["older"]["rows"], 1, "{answers}");
}

const PERMISSIONS: &str = "permissions:
  - {name: reader, types: [FeatureView], actions: [READ_OFFLINE], policy: {roles: [super-reader]}}
";

#[test]
fn python_feast_gets_what_its_user_may_with_tokens_of_a_real_keycloak() {
    let keycloak = shared();
    let project = repo();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply", "-q", "--skip-source-validation"]).ok();
    let discovery = keycloak.discovery_url();
    let own = format!("auth: {{type: oidc, auth_discovery_url: '{discovery}', client_id: {CLIENT}}}\n");
    project.write("feature_store.yaml", project.read("feature_store.yaml") + &own);
    let server = GrpcServer::offline(&project, &["--host", "localhost"]);
    let of = |user: &str| {
        let auth = format!(
            "auth:\n  type: oidc\n  auth_discovery_url: {discovery}\n  client_id: {CLIENT}\n  client_secret: {SECRET}\n  \
             username: {user}\n  password: {user}\n"
        );
        asked(&client(&project, &server, &auth))
    };
    let is_denied = |answer: &Json| answer.as_str().is_some_and(|text| text.starts_with("FeastPermissionError"));
    let admin = of("admin");
    for allowed in ["frame", "full_names", "service", "aliased", "range"] {
        assert!(admin[allowed]["rows"].as_u64().is_some_and(|rows| rows > 0), "{allowed}: {admin}");
    }
    for denied in ["pull_latest", "pull_all", "wrote", "types", "logged", "persisted", "validated"] {
        assert!(is_denied(&admin[denied]), "{denied}: {admin}");
    }
    let eve = of("eve");
    for denied in
        ["frame", "full_names", "service", "aliased", "range", "sql", "pull_latest", "wrote", "logged", "persisted"]
    {
        assert!(is_denied(&eve[denied]), "{denied}: {eve}");
    }
    assert!(!eve.to_string().contains("0.504"), "no value in any answer: {eve}");
    assert!(!project.path("data/kept.parquet").exists() && !project.path("data/log").exists());
}
