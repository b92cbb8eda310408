//! Who may do what through a server that asks who one is.

use super::{RegistryServer, point_at};
use crate::{
    auth::guard,
    servers::identity_provider::{IdentityProvider, SigningKey},
    support::{Project, sqlite_registry},
};

const PERMISSIONS: &str = "permissions:
  - {name: admins, actions: ALL, policy: {roles: [admin]}}
  - {name: runners, types: [FeatureView], actions: [DESCRIBE, WRITE_ONLINE], policy: {roles: [runner]}}
  - {name: known, types: [Project, Entity, DataSource, FeatureService], actions: [DESCRIBE], policy: {roles: [runner]}}
  - {name: others, types: [Project], actions: [DESCRIBE, UPDATE], policy: {roles: [other]}}
  - {name: other, name_patterns: ['other_.*'], actions: ALL, policy: {roles: [other]}}
";

const OTHER: &str = "
entities: [{name: other_rider, join_keys: [driver_id], value_type: INT64}]
data_sources: [{name: other_source, type: file, path: data/driver_stats.parquet, timestamp_field: event_timestamp}]
feature_views:
  - {name: other_view, entities: [other_rider], source: other_source, schema: [{name: conv_rate, dtype: Float32}]}
";

struct House {
    provider: IdentityProvider,
    key: SigningKey,
    server: RegistryServer,
}

impl House {
    /// A server over the example, with permissions.
    fn new() -> Self {
        let key = SigningKey::edwards("mine");
        let provider = IdentityProvider::start(&[&key]);
        let project = Project::example();
        project.write("permissions.yaml", PERMISSIONS);
        project.feastr(&["apply"]).ok();
        guard(&project, &provider, "");
        Self { server: RegistryServer::over(project, &[]), provider, key }
    }

    /// The repo of somebody with a role.
    fn repo_of(&self, project: Project, role: &str) -> Project {
        point_at(&project, &self.server);
        let token = self.key.sign(&self.provider.claims(role, &[role]));
        let settings = project.read("feature_store.yaml");
        project.write("feature_store.yaml", format!("{settings}auth: {{type: oidc, token: {token}}}\n"));
        project
    }

    fn rows(&self) -> Vec<feastr::registry::Row> {
        sqlite_registry(&self.server.project.path("data/registry.db")).snapshot("feastlocal").unwrap().rows
    }
}

fn example() -> Project {
    let project = Project::example();
    project.write("permissions.yaml", PERMISSIONS);
    project
}

#[test]
fn who_writes_values_may_note_it_and_change_nothing_else() {
    let house = House::new();
    let project = house.repo_of(example(), "runner");
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let history = project.feastr(&["materialize", "history"]).ok().stdout;
    assert!(history.contains("driver_hourly_stats"), "{history}");
    let before = house.rows();
    project.edit("drivers.yaml", "ttl: 1d", "ttl: 2d");
    project.write("permissions.yaml", "");
    let denied = project.feastr(&["apply", "--yes"]).failed().stderr;
    assert!(denied.contains("`runner` is denied") && denied.contains("driver_hourly_stats"), "{denied}");
    assert_eq!(house.rows(), before);
}

#[test]
fn what_one_may_not_see_is_neither_overwritten_nor_removed() {
    let house = House::new();
    let before = house.rows();
    let mine = Project::new(&[("feature_store.yaml", &example().read("feature_store.yaml")), ("other.yaml", OTHER)]);
    mine.copy(&house.server.project.path("data/driver_stats.parquet"), "data/driver_stats.parquet");
    let mine = house.repo_of(mine, "other");
    let listed = mine.feastr(&["feature-views", "list"]).ok().stdout;
    assert!(!listed.contains("driver_hourly_stats"), "{listed}");
    mine.feastr(&["apply", "--yes"]).ok();
    let after = house.rows();
    for row in &before {
        assert!(after.contains(row), "{} is as it was", row.id());
    }
    assert_eq!(after.len(), before.len() + 3);
    assert!(mine.feastr(&["plan"]).ok().stdout.contains("No changes"));
    let log = mine.feastr(&["registry", "log", "--json"]).ok().stdout;
    assert!(log.contains("as other") && log.contains("other_view"), "who changed it the server knows: {log}");
    assert!(!log.contains("driver_hourly_stats"), "{log}");
    // The same names as those that others have are theirs.
    let theirs = house.repo_of(example(), "other");
    let denied = theirs.feastr(&["apply", "--yes"]).failed().stderr;
    assert!(denied.contains("`other` is denied"), "{denied}");
    assert_eq!(house.rows(), after);
}

#[test]
fn everything_of_a_project_goes_only_where_all_of_it_may_go() {
    let house = House::new();
    let before = house.rows();
    let other = house.repo_of(example(), "other");
    let denied = other.feastr(&["teardown", "--yes"]);
    assert_ne!(denied.code, 0);
    assert!(denied.stderr.contains("denied"), "{}", denied.stderr);
    assert_eq!(house.rows(), before);
    let admin = house.repo_of(example(), "admin");
    admin.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(house.rows(), []);
}

#[test]
fn who_is_nobody_is_told_so() {
    let house = House::new();
    let project = example();
    point_at(&project, &house.server);
    let refused = project.feastr(&["feature-views", "list"]).failed().stderr;
    assert!(refused.contains("wants to know who asks"), "{refused}");
    let stranger = SigningKey::edwards("of a stranger").sign(&house.provider.claims("admin", &["admin"]));
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", format!("{settings}auth: {{type: oidc, token: {stranger}}}\n"));
    let refused = project.feastr(&["feature-views", "list"]).failed().stderr;
    assert!(refused.contains("does not accept the token of `admin`"), "{refused}");
}

#[test]
fn what_the_server_guards_no_client_allows_itself() {
    let project = Project::example();
    let settings = project.read("feature_store.yaml");
    project.write("feature_store.yaml", settings + "feastr: {registry_server: {guards: true}}\n");
    let server = RegistryServer::over(project, &[]);
    let client = Project::example();
    point_at(&client, &server);
    client.feastr(&["apply"]).ok();
    client.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let rows = || sqlite_registry(&server.project.path("data/registry.db")).snapshot("feastlocal").unwrap().rows;
    let before = rows();
    client.write("services.yaml", "");
    let refused = client.feastr(&["apply", "--yes"]);
    assert_ne!(refused.code, 0);
    assert!(
        refused.stderr.contains("the registry server at") && refused.stderr.contains("driver_activity"),
        "{refused:?}"
    );
    assert_eq!(rows(), before);
}
