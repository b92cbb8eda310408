//! What one does with a repo, through a server.

use feastr::{
    model::ViewId,
    registry::{self, Locking},
};

use super::{RegistryServer, client_of};
use crate::{
    registries::read,
    serve::server::FeatureServer,
    support::{Project, sqlite_registry},
};

const START: &str = "2026-10-01";
const END: &str = "2026-11-01";

#[test]
fn a_repo_is_applied_materialized_and_looked_at() {
    let server = RegistryServer::start(&[]);
    let project = client_of(&server);
    let plan = project.feastr(&["plan", "--out", "plan.json"]).ok().stdout;
    assert!(plan.contains("driver_hourly_stats"), "{plan}");
    project.feastr(&["apply", "plan.json"]).ok();
    assert!(project.feastr(&["plan"]).ok().stdout.contains("No changes"));
    let listed = project.feastr(&["feature-views", "list"]).ok().stdout;
    assert!(listed.contains("driver_hourly_stats"), "{listed}");
    project.feastr(&["feature-views", "describe", "driver_hourly_stats"]).ok();
    project.feastr(&["materialize", START, END]).ok();
    let asked = ["get-online", "--features", "driver_hourly_stats:conv_rate", "--entity", "driver_id=1001", "--json"];
    assert!(project.feastr(&asked).ok().stdout.contains("PRESENT"));
    let history = project.feastr(&["materialize", "history"]).ok().stdout;
    assert!(history.contains("driver_hourly_stats"), "{history}");
    project.feastr(&["drift"]).ok();
    assert!(project.feastr(&["export"]).ok().stdout.contains("driver_hourly_stats"));
    let serving = FeatureServer::start(&project, &[]);
    let question = r#"{"features": ["driver_hourly_stats:conv_rate"], "entities": {"driver_id": [1001]}}"#;
    let answer = serving.ask("POST", "/get-online-features", question);
    assert_eq!(answer.status, 200, "{answer:?}");
    // What is stored is what would be stored without a server.
    let other = Project::example();
    other.feastr(&["apply"]).ok();
    other.feastr(&["materialize", START, END]).ok();
    let rows = |project: &Project| {
        let snapshot = sqlite_registry(&project.path("data/registry.db")).snapshot("feastlocal").unwrap();
        let notes: Vec<String> = snapshot.metadata.into_keys().collect();
        let names: Vec<String> = snapshot.rows.iter().map(|row| row.id().to_string()).collect();
        (names, snapshot.versions, notes, snapshot.infra.is_some())
    };
    assert_eq!(rows(&server.project), rows(&other));
}

#[test]
fn a_saved_plan_that_is_stale_is_told_so() {
    let server = RegistryServer::start(&[]);
    let [one, other] = [client_of(&server), client_of(&server)];
    one.feastr(&["plan", "--out", "plan.json"]).ok();
    other.feastr(&["apply"]).ok();
    other.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    other.feastr(&["apply"]).ok();
    let stale = one.feastr(&["apply", "plan.json"]).refused().stderr;
    assert!(stale.contains("stale") || stale.contains("saved plan"), "{stale}");
}

#[test]
fn a_view_is_materialized_by_one_at_a_time() {
    let server = RegistryServer::start(&[]);
    let project = client_of(&server);
    project.feastr(&["apply"]).ok();
    let who = "materialize of alice@ci-7 (pid 412)".to_owned();
    let registry = registry::open(&read(&server.settings()), Locking { who, ..Locking::default() });
    let view = ViewId { project: "feastlocal", name: "driver_hourly_stats" };
    let lock = registry.lock_view(view).unwrap();
    let waited = project.feastr(&["materialize", START, END, "--lock-timeout", "1s"]);
    assert_ne!(waited.code, 0);
    assert!(waited.stderr.contains("held by materialize of alice@ci-7 (pid 412)"), "{}", waited.stderr);
    drop(lock);
    project.feastr(&["materialize", START, END]).ok();
}

#[test]
fn projects_are_copied_from_and_to_servers() {
    let [one, other] = [RegistryServer::start(&[]), RegistryServer::start(&[])];
    let project = client_of(&one);
    project.feastr(&["apply"]).ok();
    let url = format!("grpc://{}", other.address);
    project.feastr(&["registry", "copy", ".", &url]).ok();
    let copy = client_of(&other);
    assert!(copy.feastr(&["plan"]).ok().stdout.contains("No changes"));
    let again = project.feastr(&["registry", "copy", ".", &url]);
    assert!(again.code != 0 && again.stderr.contains("is not empty"), "{}", again.stderr);
    // And back, into a file.
    let back = Project::example();
    back.feastr(&["registry", "copy", &url, "copied.db"]).ok();
    let rows = |settings: &str| {
        let snapshot = registry::open(&read(settings), Locking::default()).snapshot("feastlocal").unwrap();
        snapshot.rows.iter().map(feastr::registry::Row::id).collect::<Vec<_>>()
    };
    assert_eq!(rows(&format!("{{path: {}}}", back.path("copied.db").display())), rows(&one.settings()));
}
