//! Views of two projects that would have the same online table.

use feastr::config::OnlineStoreConfig;
use rusqlite::Connection;

use super::values;
use crate::{
    online_sql::{Backend, TestStore},
    servers::{PASSWORD, USER},
    support::{Project, settings},
};

const TABLE: &str = "demo_eu_stats";

fn define(project: &Project, name: &str, view: &str, online: &str) {
    project.write(
        "feature_store.yaml",
        settings(name).replace("  type: sqlite\n  path: data/online_store.db\n", &format!("  {online}\n")),
    );
    project.write(
        "views.yaml",
        format!(
            "entities:\n  - {{name: driver, join_keys: [driver_id], value_type: INT64}}\nfeature_views:\n  \
             - name: {view}\n    entities: [driver]\n    source: {{name: s, type: file, \
             path: data/driver_stats.parquet, timestamp_field: event_timestamp}}\n    \
             schema: [{{name: conv_rate, dtype: Float32}}]\n"
        ),
    );
}

fn tables_of_two_projects(backend: Backend, remove: impl Fn(&Project)) {
    let (project, test) = (Project::new(&[]), TestStore::new(backend));
    project.copy(&super::example_data(), "data/driver_stats.parquet");
    let (online, elsewhere) = match &test.config {
        OnlineStoreConfig::Postgres(config) => (
            format!(
                "{{type: postgres, host: 127.0.0.1, port: {}, database: {}, user: {USER}, password: {PASSWORD}}}",
                config.connection.server.port.unwrap(),
                config.connection.server.database
            ),
            "{type: sqlite, path: data/online_stor2.db}".to_owned(),
        ),
        _ => (
            "{type: sqlite, path: data/online_store.db}".to_owned(),
            "{type: sqlite, path: data/online_stor2.db}".to_owned(),
        ),
    };
    let rows = || match backend {
        Backend::Postgres => test.rows(TABLE).len(),
        Backend::Sqlite => values(&project, TABLE).len(),
    };
    let exists = || match backend {
        Backend::Postgres => test.postgres().query_one("SELECT to_regclass($1) IS NOT NULL", &[&TABLE]).unwrap().get(0),
        Backend::Sqlite => {
            let store = Connection::open(project.path("data/online_store.db")).unwrap();
            store.prepare("SELECT 1 FROM sqlite_master WHERE name = ?1").unwrap().exists([TABLE]).unwrap()
        }
    };
    define(&project, "demo", "eu_stats", &online);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", "2026-10-01", "2026-11-01"]).ok();
    let stored = rows();
    assert_ne!(stored, 0);

    define(&project, "demo_eu", "stats", &online);
    for command in [["plan"].as_slice(), &["apply", "--yes"]] {
        let output = project.feastr(command).failed();
        let told = "feature view stats cannot be applied: the registry holds feature view eu_stats, and both have \
                    the online table `demo_eu_stats`: that one in project `demo`, this one in `demo_eu` (views.yaml:4:";
        assert!(output.stderr.contains(told), "{}", output.stderr);
    }
    // Neither project is in the way of a name that is not taken.
    define(&project, "demo_eu", "trips", &online);
    project.feastr(&["plan"]).ok();

    // Python Feast would have let it happen.
    define(&project, "demo_eu", "stats", &elsewhere);
    project.feastr(&["apply"]).ok();
    let registry = Connection::open(project.path("data/registry.db")).unwrap();
    let infra: Vec<u8> = registry
        .query_row("SELECT infra_proto FROM managed_infra WHERE project_id = 'demo_eu'", [], |row| row.get(0))
        .unwrap();
    let at = infra.windows(12).position(|part| part == b"online_stor2").unwrap();
    let infra = [&infra[..at], b"online_store", &infra[at + 12..]].concat();
    registry.execute("UPDATE managed_infra SET infra_proto = ?1 WHERE project_id = 'demo_eu'", [infra]).unwrap();
    drop(registry);
    define(&project, "demo", "eu_stats", &online);
    remove(&project);
    assert_eq!(rows(), stored);

    // The last one takes the table along.
    define(&project, "demo_eu", "stats", &online);
    project.feastr(&["teardown", "--yes"]).ok();
    assert!(!exists());
}

#[test]
fn a_table_that_another_project_has_is_refused_and_never_removed() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        tables_of_two_projects(backend, |project| {
            project.feastr(&["teardown", "--yes"]).ok();
        });
        tables_of_two_projects(backend, |project| {
            project.write("views.yaml", "");
            project.feastr(&["apply", "--yes"]).ok();
        });
    }
}
