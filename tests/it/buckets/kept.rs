//! What else is kept in buckets: results of an offline server, and registries that are imported from.

use arrow::array::RecordBatch;
use serde_json::{Value as Json, json};
use tonic::Code;

use super::sources::feastr;
use crate::{
    flight::{
        client::{Client, drivers, historical, marker, pull},
        repo,
    },
    servers::{
        buckets::{ObjectStore, Store, shared},
        grpc::GrpcServer,
    },
    support::{Project, settings},
};

/// What an offline server does with results that are kept as a source.
fn persist(more: Json) -> Json {
    let command = json!({
        "api": "persist", "data_source_name": "kept", "allow_overwrite": false, "timeout": null,
        "retrieve_func": "get_historical_features",
    });
    let mut command = historical(&["driver_hourly_stats:conv_rate"], command);
    command.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    command
}

fn kept(client: &Client) -> RecordBatch {
    let about = json!({
        "data_source_name": "kept", "feature_name_columns": ["conv_rate"], "created_timestamp_column": null,
        "start_date": null, "end_date": null,
    });
    client.exchange(&pull("pull_all_from_table_or_query", about), Some(&marker())).unwrap()
}

/// The repo, whose source `kept` is at this path, which may be asked for in the store.
fn keeping(server: &ObjectStore, path: &str) -> Project {
    let mut project = repo();
    project.edit("offline_server.yaml", "path: data/kept.parquet", &format!("path: '{path}'"));
    project.environment = server.environment();
    project.feastr(&["apply", "-q", "--skip-source-validation"]).ok();
    project
}

#[test]
fn results_of_an_offline_server_are_kept_where_a_source_has_them() {
    let server = shared(Store::SeaweedFs);
    for key in ["kept.parquet", "kept"] {
        let project = keeping(server, &format!("{}/{key}", server.create_bucket()));
        let offline = GrpcServer::offline(&project, &[]);
        let client = Client::of(&offline);
        let rows = drivers(&[(1001, "2021-04-12T00:00:00Z"), (1002, "2021-04-12T00:00:00Z")]);
        client.put(&persist(json!({})), Some(&rows)).unwrap();
        assert_eq!(kept(&client).num_rows(), 2);
        let refused = client.put(&persist(json!({})), Some(&rows)).unwrap_err();
        assert_eq!(refused.code(), Code::FailedPrecondition, "{refused:?}");
        client.put(&persist(json!({ "allow_overwrite": true })), Some(&rows.slice(0, 1))).unwrap();
        assert_eq!(kept(&client).num_rows(), 1);
    }
}

#[test]
fn a_registry_in_a_bucket_is_imported_from() {
    let server = shared(Store::SeaweedFs);
    let bucket = server.create_bucket();
    let from = Project::example();
    let registry = format!("{bucket}/registry.pb");
    from.write("feature_store.yaml", format!("project: feastlocal\nprovider: local\nregistry: {registry}\n"));
    feastr(&from, server, &["apply"]).ok();
    let to = Project::new(&[("feature_store.yaml", &settings("taken_over"))]);
    feastr(&to, server, &["import", "--from", &registry]).ok();
    let exported =
        |project: &Project| feastr(project, server, &["export", "--json"]).ok().json()["feature_views"].clone();
    feastr(&to, server, &["apply", "--skip-source-validation"]).ok();
    assert_eq!(exported(&to), exported(&from));
    let nothing = format!("{bucket}/other.pb");
    let said = feastr(&to, server, &["import", "--from", &nothing, "--force"]).failed().stderr;
    assert!(said.contains(&nothing), "{said}");
}
