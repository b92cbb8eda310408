//! feastr as the client of its own server.

use serde_json::Value as Json;

use super::repo;
use crate::{servers::grpc::GrpcServer, support::Project};

/// A repo whose offline store is the server, with the registry of the server's.
pub(super) fn client(project: &Project, server: &GrpcServer<'_>) -> Project {
    let (registry, port) = (project.path("data/registry.db"), server.address.port());
    let client = Project::new(&[(
        "feature_store.yaml",
        &format!(
            "project: feastlocal\nprovider: local\nregistry:\n  registry_type: sql\n  path: sqlite:///{}\nonline_store:\n  \
             type: sqlite\n  path: data/online.db\noffline_store:\n  type: remote\n  host: 127.0.0.1\n  port: {port}\n",
            registry.display()
        ),
    )]);
    client.write(
        "data/rows.csv",
        "driver_id,origin_id,event_timestamp\n1001,1002,2021-04-12T00:00:00Z\n5,3,2021-04-12T00:00:00Z\n",
    );
    client
}

pub(super) fn asked(project: &Project, args: &[&str]) -> Vec<Json> {
    let args = [&["get-historical", "--json", "--entities", "data/rows.csv"], args].concat();
    project.feastr(&args).ok().stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn answers_are_those_of_the_files_themselves() {
    let project = repo();
    let server = GrpcServer::offline(&project, &[]);
    let client = client(&project, &server);
    project.write("data/rows.csv", client.read("data/rows.csv"));
    for args in [
        &["--features", "driver_hourly_stats:conv_rate,driver_hourly_stats:acc_rate"][..],
        &["--features", "driver_hourly_stats:conv_rate", "--full-feature-names"],
        &["--feature-service", "by_origin"],
    ] {
        let answer = asked(&client, args);
        assert_eq!(answer, asked(&project, args), "{args:?}");
        assert_eq!(answer.len(), 2);
    }
    client.feastr(&["materialize", "2021-04-01", "2021-05-01", "-q", "--views", "driver_hourly_stats"]).ok();
    let online = ["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1001", "--json"];
    assert!(client.feastr(&online).ok().stdout.contains("0.504"));
    let said = server.said();
    assert!(said.contains("DoExchange get_historical_features") && said.contains("DoExchange pull_"), "{said}");
}
