//! Feast's own registry server, asked by feastr; and what Feast then finds in the registry.

use serde_json::json;

use super::point_at_address;
use crate::{
    interop::feast,
    interop_kinds::{assert_registered, folder},
    registries::Backend,
    servers::feast::FeastServer,
    support::{Project, sqlite_registry},
};

/// The repo whose registry Feast serves, its server, and a repo that asks it.
fn served() -> (Project, FeastServer, Project) {
    let owner = folder(Backend::Sqlite);
    let server = FeastServer::start_registry(owner.folder.path());
    let client = folder(Backend::Sqlite);
    point_at_address(&client, &format!("localhost:{}", server.port));
    (owner, server, client)
}

#[test]
fn every_kind_of_object_comes_changes_and_goes() {
    let (owner, _server, client) = served();
    client.feastr(&["apply", "--yes"]).ok();
    let plan = client.feastr(&["plan"]).ok().stdout;
    assert!(plan.contains("No changes"), "{plan}");
    let [objects] = feast(&owner, &[json!({"objects": {}})]).try_into().unwrap();
    assert_registered(&objects);
    // Without the server feastr finds the same.
    let plan = owner.feastr(&["plan"]).ok().stdout;
    assert!(plan.contains("No changes to registry"), "{plan}");

    client.feastr(&["materialize", "2020-01-01", "2030-01-01", "--allow-future", "--views", "driver_stats"]).ok();
    let described = owner.feastr(&["feature-views", "describe", "driver_stats", "--json"]).ok().json();
    assert!(described.to_string().contains("2030"), "{described}");
    let history = client.feastr(&["materialize", "history"]).failed().stderr;
    assert!(history.contains("keeps no history of runs"), "{history}");

    let log = client.feastr(&["registry", "log"]).failed().stderr;
    assert!(log.contains("keeps no log of changes"), "{log}");

    client.write("definitions.yaml", "");
    client.feastr(&["apply", "--yes"]).ok();
    let left = sqlite_registry(&owner.path("data/registry.db")).snapshot(&project_of(&owner)).unwrap();
    let left: Vec<String> = left.rows.iter().map(|row| row.id().to_string()).collect();
    // As with Feast, saved datasets stay.
    assert_eq!(left, ["project rides", "entity __dummy", "saved dataset training"]);
}

fn project_of(project: &Project) -> String {
    let settings = project.read("feature_store.yaml");
    let line = settings.lines().find_map(|line| line.strip_prefix("project:")).unwrap();
    line.trim().to_owned()
}
