//! Who may ask for what, where people are asked who they are.

use feastr::feast::FeastError;
use serde_json::json;
use tonic::{Code, Status};

use super::{
    client::{Client, drivers, historical, json_rows, marker, pull},
    repo,
};
use crate::{
    auth::guard,
    servers::{
        grpc::GrpcServer,
        identity_provider::{IdentityProvider, SigningKey},
    },
    support::Project,
};

const PERMISSIONS: &str = "permissions:
  - {name: reader, types: [FeatureView], actions: [READ_OFFLINE], policy: {roles: [super-reader]}}
  - {name: sources, types: [DataSource], actions: [READ_OFFLINE], policy: {roles: [engineer]}}
  - {name: writer, types: [FeatureView, FeatureService, DataSource], actions: [WRITE_OFFLINE], policy: {roles: [writer]}}
";

fn guarded() -> (IdentityProvider, SigningKey, Project) {
    let key = SigningKey::edwards("mine");
    let provider = IdentityProvider::start(&[&key]);
    let project = repo();
    project.write("permissions.yaml", PERMISSIONS);
    project.feastr(&["apply", "-q", "--skip-source-validation"]).ok();
    guard(&project, &provider, "");
    (provider, key, project)
}

#[track_caller]
fn assert_refused(refused: &Status, code: Code) {
    assert_eq!(refused.code(), code, "{refused:?}");
    let error = FeastError::find(refused.message()).unwrap_or_else(|| panic!("{refused:?}"));
    assert_eq!([error.module.as_str(), error.class.as_str()], ["feast.errors", "FeastPermissionError"]);
    assert!(!refused.message().contains("0.504"), "no value in it: {refused:?}");
}

#[test]
fn what_is_read_and_written_has_to_be_permitted() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::offline(&project, &[]);
    let as_user = |user: &str, roles: &[&str]| Client::of(&server).with_token(&key.sign(&provider.claims(user, roles)));
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let features = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    let newest = pull("pull_latest_from_table_or_query", json!({}));
    let write =
        json!({ "api": "offline_write_batch", "feature_view_names": ["driver_hourly_stats"], "name_aliases": [null] });
    let log = json!({ "api": "write_logged_features", "feature_service_name": "driver_activity_logged" });
    let persist = historical(
        &["driver_hourly_stats:conv_rate"],
        json!({
            "api": "persist", "data_source_name": "kept", "allow_overwrite": true, "timeout": null,
            "retrieve_func": "get_historical_features",
        }),
    );

    let reader = as_user("ann", &["super-reader"]);
    assert_eq!(json_rows(&reader.exchange(&features, Some(&rows)).unwrap())[0]["conv_rate"], json!(0.504_208_6));
    assert_refused(&reader.exchange(&newest, Some(&marker())).unwrap_err(), Code::PermissionDenied);
    for command in [&write, &log, &persist] {
        assert_refused(&reader.put(command, Some(&rows)).unwrap_err(), Code::PermissionDenied);
    }
    assert!(!project.path("data/kept.parquet").exists());

    let engineer = as_user("tom", &["engineer"]);
    assert_eq!(engineer.exchange(&newest, Some(&marker())).unwrap().num_rows(), 5);
    assert_refused(&engineer.exchange(&features, Some(&rows)).unwrap_err(), Code::PermissionDenied);

    let writer = as_user("bob", &["writer", "engineer"]);
    let source = pull(
        "pull_all_from_table_or_query",
        json!({ "feature_name_columns": ["conv_rate", "acc_rate", "avg_daily_trips"] }),
    );
    let own = writer.exchange(&source, Some(&marker())).unwrap();
    writer.put(&write, Some(&own.slice(0, 1))).unwrap();
    // It is a read besides.
    assert_refused(&writer.put(&persist, Some(&rows)).unwrap_err(), Code::PermissionDenied);

    let eve = as_user("eve", &[]);
    for (command, rows) in [(&features, &rows), (&newest, &marker())] {
        assert_refused(&eve.exchange(command, Some(rows)).unwrap_err(), Code::PermissionDenied);
    }
    let said = server.said();
    assert!(said.contains("`eve` is denied") && !said.contains("0.504"), "{said}");
}

#[test]
fn who_is_not_known_is_not_let_in() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::offline(&project, &[]);
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z")]);
    let features = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    let mut expired = provider.claims("ann", &["super-reader"]);
    expired["exp"] = json!(1_000_000_000);
    let foreign = SigningKey::edwards("mine");
    for client in [
        Client::of(&server),
        Client::of(&server).with_token("not.a.token"),
        Client::of(&server).with_token(&key.sign(&expired)),
        Client::of(&server).with_token(&foreign.sign(&provider.claims("ann", &["super-reader"]))),
    ] {
        assert_refused(&client.exchange(&features, Some(&rows)).unwrap_err(), Code::Unauthenticated);
        assert_refused(&client.put(&features, Some(&rows)).unwrap_err(), Code::Unauthenticated);
        assert_refused(&client.info(&features).unwrap_err(), Code::Unauthenticated);
        assert_refused(&client.get(b"x").unwrap_err(), Code::Unauthenticated);
    }
}

#[test]
fn nobody_finds_what_others_have_sent() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::offline(&project, &[]);
    let token = |user: &str| key.sign(&provider.claims(user, &["super-reader"]));
    let [ann, bob] = ["ann", "bob"].map(|user| Client::of(&server).with_token(&token(user)));
    let command = historical(&["driver_hourly_stats:conv_rate"], json!({}));
    ann.put(&command, Some(&drivers(&[(1001, "2021-04-12T00:00:00Z")]))).unwrap();
    let ticket = ann.info(&command).unwrap().endpoint[0].ticket.clone().unwrap().ticket;
    assert!(bob.flights().is_empty() && ann.flights().len() == 1);
    assert_eq!(bob.info(&command).unwrap_err().code(), Code::NotFound);
    assert_eq!(bob.get(&ticket).unwrap_err().code(), Code::NotFound);
    assert_eq!(ann.get(&ticket).unwrap().num_rows(), 1);
}

#[test]
fn a_query_reads_no_file_but_those_of_sources_that_one_may_read() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::offline(&project, &[]);
    let client = |roles: &[&str]| Client::of(&server).with_token(&key.sign(&provider.claims("ann", roles)));
    let asked = |roles: &[&str], sql: &str| {
        client(roles)
            .exchange(&historical(&["driver_hourly_stats:conv_rate"], json!({ "entity_df_sql": sql })), Some(&marker()))
    };
    let own = "SELECT driver_id, event_timestamp, acc_rate AS seen FROM 'data/driver_stats.parquet' LIMIT 3";
    assert_eq!(asked(&["super-reader", "engineer"], own).unwrap().num_rows(), 3);
    let refused = asked(&["super-reader"], own).unwrap_err();
    assert!(refused.message().contains("no file of a data source that you may read"), "{refused:?}");
    for file in ["feature_store.yaml", "data/registry.db", "/etc/passwd", "data/../feature_store.yaml"] {
        let sql = format!("SELECT 1 AS driver_id, now() AS event_timestamp, content FROM read_text('{file}')");
        let refused = asked(&["super-reader", "engineer"], &sql).unwrap_err();
        assert!(!format!("{refused:?}").contains("registry_type"), "{refused:?}");
    }
}

#[test]
fn a_source_that_somebody_describes_is_one_that_they_may_read() {
    let (provider, key, project) = guarded();
    let server = GrpcServer::offline(&project, &[]);
    let engineer = Client::of(&server).with_token(&key.sign(&provider.claims("tom", &["engineer"])));
    let asked = |path: &str| {
        let source = json!({ "type": "BATCH_FILE", "timestampField": "event_timestamp",
            "name": "driver_hourly_stats_source", "fileOptions": { "uri": path } });
        let api = "get_table_column_names_and_types_from_data_source";
        engineer.exchange(&json!({ "api": api, "data_source_proto": source.to_string() }), Some(&marker()))
    };
    assert_eq!(asked("data/driver_stats.parquet").unwrap().num_rows(), 6);
    // The name is that of a source that they may read, and the place is another one.
    assert_refused(&asked("data/other.parquet").unwrap_err(), Code::PermissionDenied);
}

#[test]
fn who_asked_for_what_is_written_down_without_values() {
    let (provider, key, project) = guarded();
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + "feature_server: {metrics: {audit_logging: true}}\n");
    let server = GrpcServer::offline(&project, &[]);
    let as_user = |user: &str, roles: &[&str]| Client::of(&server).with_token(&key.sign(&provider.claims(user, roles)));
    let rows = drivers(&[(1001, "2021-04-12T00:00:00Z"), (987_654_321, "2021-04-12T00:00:00Z")]);
    let features = historical(&["driver_hourly_stats:conv_rate", "driver_hourly_stats:acc_rate"], json!({}));
    as_user("ann", &["super-reader"]).exchange(&features, Some(&rows)).unwrap();
    as_user("eve", &[]).exchange(&features, Some(&rows)).unwrap_err();
    let line = |who: &str| {
        let mark = format!("\"requestor_id\":\"{who}\"");
        let said = loop {
            let said = server.said();
            if said.contains(&mark) {
                break said;
            }
        };
        serde_json::from_str::<serde_json::Value>(said.lines().find(|line| line.contains(&mark)).unwrap()).unwrap()
    };
    let ann = line("ann");
    let expected = json!({
        "event": "offline_feature_retrieval", "method": "to_arrow", "feature_views": ["driver_hourly_stats"],
        "feature_count": 2, "row_count": 2, "status": "success",
    });
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&ann[name], value, "{ann}");
    }
    assert!(ann["start_time"].as_str() <= ann["end_time"].as_str() && ann["duration_ms"].is_f64(), "{ann}");
    let eve = line("eve");
    assert_eq!((&eve["status"], &eve["row_count"]), (&json!("error"), &json!(0)), "{eve}");
    assert!(!server.said().contains("987654321") && !server.said().contains("0.504"), "{}", server.said());
}
