//! Protected objects, and clean-up that a crash left behind.

use std::collections::BTreeMap;

use feastr::feast::messages::{FeatureView, decode, from_map, to_map};
use prost::Message;
use rusqlite::Connection;

use crate::support::Project;

/// Marks the view of the example as protected, as an apply of `protect: true` does.
fn protect(project: &Project) {
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let select = "SELECT feature_view_proto FROM feature_views";
    let proto: Vec<u8> = registry.query_row(select, [], |row| row.get(0)).unwrap();
    let mut view: FeatureView = decode(&proto).unwrap();
    let spec = view.spec.as_mut().unwrap();
    let mut tags: BTreeMap<String, String> = to_map(&spec.tags);
    tags.insert("feastr.protect".to_owned(), "true".to_owned());
    spec.tags = from_map(&tags);
    registry.execute("UPDATE feature_views SET feature_view_proto = ?1", [view.encode_to_vec()]).unwrap();
}

#[test]
fn a_protected_view_is_neither_broken_nor_deleted() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    protect(&project);
    let whole = project.read("drivers.yaml");
    project.edit(
        "drivers.yaml",
        "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n",
        "",
    );
    let plan = project.feastr(&["plan", "--allow", "*/*"]).refused();
    assert!(
        plan.stdout.contains(
            "Blocked: protected objects:\n  update feature view driver_hourly_stats: feature view driver_hourly_stats \
             is protected\n  If it is wanted, remove `protect: true`"
        ),
        "{}",
        plan.stdout
    );
    let refused = project.feastr(&["apply", "--yes"]).refused();
    assert!(refused.stderr.contains("feature view driver_hourly_stats is protected\n"), "{}", refused.stderr);
    assert!(refused.stderr.contains("help: If it is wanted, remove `protect: true`"), "{}", refused.stderr);

    // The way out: first the protection alone, then the rest.
    let less = project.read("drivers.yaml");
    project.write("drivers.yaml", whole);
    project.feastr(&["apply"]).ok();
    project.write("drivers.yaml", less);
    project.feastr(&["apply"]).refused();
    project.feastr(&["apply", "--yes"]).ok();
}

/// A run that was killed after its commit leaves the table, and its record.
#[test]
fn tables_of_removed_views_are_dropped_by_the_next_apply() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    let store = project.path("data/online_store.db");
    let kept = project.path("data/kept.db");
    let registry = project.path("data/registry.db");
    let recorded = || -> Vec<u8> {
        let registry = Connection::open(&registry).unwrap();
        registry.query_row("SELECT infra_proto FROM managed_infra", [], |row| row.get(0)).unwrap()
    };
    std::fs::copy(&store, &kept).unwrap();
    let record = recorded();
    let drivers = project.read("drivers.yaml");
    project.write("drivers.yaml", &drivers[..drivers.find("feature_views:").unwrap()]);
    project.write("services.yaml", "feature_services: []\n");
    project.feastr(&["apply", "--yes"]).ok();
    assert!(tables(&store).is_empty());
    // As if the run had ended between its commit and the clean-up.
    std::fs::copy(&kept, &store).unwrap();
    let connection = Connection::open(&registry).unwrap();
    connection.execute("UPDATE managed_infra SET infra_proto = ?1", [&record]).unwrap();
    drop(connection);
    let plan = project.feastr(&["plan"]).ok().stdout;
    assert!(plan.contains("No changes to registry\nDeleted sqlite table feastlocal_driver_hourly_stats"), "{plan}");
    // Nobody has to agree again.
    project.feastr(&["apply"]).ok();
    assert!(tables(&store).is_empty());
    assert_ne!(recorded(), record);
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

fn tables(store: &std::path::Path) -> Vec<String> {
    let store = Connection::open(store).unwrap();
    let mut statement = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
