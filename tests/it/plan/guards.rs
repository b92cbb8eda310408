//! Protected objects, and clean-up that a crash left behind.

use rusqlite::Connection;

use crate::support::Project;

/// Protects the view of the example.
fn protect(project: &Project) {
    project.edit(
        "drivers.yaml",
        "  - name: driver_hourly_stats\n",
        "  - name: driver_hourly_stats\n    protect: true\n",
    );
    project.feastr(&["apply"]).ok();
}

#[test]
fn a_protected_view_is_neither_broken_nor_deleted() {
    let project = Project::example();
    let whole = project.read("drivers.yaml");
    protect(&project);
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
    let less = project.read("drivers.yaml").replace("    protect: true\n", "");
    project.write("drivers.yaml", whole);
    project.feastr(&["apply"]).ok();
    project.write("drivers.yaml", less);
    project.feastr(&["apply"]).refused();
    project.feastr(&["apply", "--yes"]).ok();
}

#[test]
fn a_teardown_stops_at_protected_objects_and_those_of_others() {
    let project = Project::example();
    protect(&project);
    let refused = project.feastr(&["teardown", "--yes", "--allow", "*/*"]).refused();
    assert!(
        refused.stderr.contains(
            "error: 1 change is refused, and nothing was done:\n  delete feature view driver_hourly_stats: it goes with \
             the project; feature view driver_hourly_stats is protected\nhelp: If it is wanted, remove `protect: true`"
        ),
        "{}",
        refused.stderr
    );
    project.edit("drivers.yaml", "    protect: true\n", "");
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", format!("{settings}feastr: {{name: team-a}}\n"));
    project.feastr(&["apply"]).ok();

    project.write("feature_store.yaml", format!("{settings}feastr: {{name: team-b}}\n"));
    let refused = project.feastr(&["teardown", "--yes"]).refused();
    assert!(
        refused.stderr.contains("delete feature view driver_hourly_stats: it was applied by repo `team-a`\n"),
        "{}",
        refused.stderr
    );
    assert!(refused.stderr.contains("--allow delete:feature-view/driver_hourly_stats"), "{}", refused.stderr);
    assert!(project.feastr(&["feature-views", "list"]).ok().stdout.contains("driver_hourly_stats"));
    assert_eq!(tables(&project.path("data/online_store.db")), ["feastlocal_driver_hourly_stats"]);
    project.feastr(&["teardown", "--yes", "--allow", "delete:*/*"]).ok();
    assert!(tables(&project.path("data/online_store.db")).is_empty());
    assert_eq!(project.feastr(&["projects", "list", "--json"]).ok().json(), serde_json::json!([]));
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

/// Values that stayed would come back to life under a feature of the same name.
#[test]
fn values_of_a_removed_feature_go_from_sqlite_too() {
    let project = Project::example();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01", "--quiet"]).ok();
    let column = "      - {name: acc_rate, dtype: Float32, description: Share of trips without complaint}\n";
    project.edit("drivers.yaml", column, "");
    let plan = project.feastr(&["plan"]).refused().stdout;
    assert!(plan.contains("Will be lost:\n  the online values of `driver_hourly_stats.acc_rate`\n"), "{plan}");
    let applied = project.feastr(&["apply", "--yes"]).ok();
    assert!(applied.stderr.contains("Removed online values of 5 entities"), "{}", applied.stderr);
    let store = Connection::open(project.path("data/online_store.db")).unwrap();
    let features: Vec<String> = store
        .prepare("SELECT DISTINCT feature_name FROM feastlocal_driver_hourly_stats ORDER BY 1")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(features, ["avg_daily_trips", "conv_rate"]);
    project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

fn tables(store: &std::path::Path) -> Vec<String> {
    let store = Connection::open(store).unwrap();
    let mut statement = store.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}
