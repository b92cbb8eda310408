//! Tables as an older or a newer Feast makes them.

use super::{
    Backend, TestRegistry, on_every_backend,
    repo::{Repo, registered},
};

on_every_backend!(@ sqlite Sqlite tables_of_an_older_feast_are_completed columns_of_a_newer_feast_are_kept);
on_every_backend!(@ postgres Postgres tables_of_an_older_feast_are_completed columns_of_a_newer_feast_are_kept);
on_every_backend!(@ mariadb MariaDb tables_of_an_older_feast_are_completed columns_of_a_newer_feast_are_kept);

/// A registry with what round 1 declares, and its repo.
fn applied(backend: Backend) -> (TestRegistry, Repo) {
    let test = TestRegistry::new(backend);
    let repo = Repo::new(&test);
    repo.declare(1);
    repo.project.feastr(&["apply"]).ok();
    (test, repo)
}

fn tables_of_an_older_feast_are_completed(backend: Backend) {
    let (test, repo) = applied(backend);
    for table in ["label_views", "permissions", "feature_view_version_history", "feast_metadata"] {
        test.execute(&format!("DROP TABLE {table}"));
    }
    test.execute("ALTER TABLE feature_views DROP COLUMN user_metadata");
    repo.project.feastr(&["plan", "--detailed-exitcode"]).ok();
    repo.declare(2);
    repo.project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(registered(&test), Some(2));
    repo.project.feastr(&["plan", "--detailed-exitcode"]).ok();
}

fn columns_of_a_newer_feast_are_kept(backend: Backend) {
    let (test, repo) = applied(backend);
    test.execute("ALTER TABLE entities ADD COLUMN lineage VARCHAR(20)");
    test.execute("ALTER TABLE feature_services ADD COLUMN tier INTEGER NOT NULL DEFAULT 7");
    test.execute("UPDATE entities SET lineage = 'kept'");
    test.execute("UPDATE feature_services SET tier = 8");
    repo.declare(2);
    repo.project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(registered(&test), Some(2));
    assert_eq!(count(&test, "entities WHERE lineage = 'kept'"), 2);
    assert_eq!(count(&test, "feature_services WHERE tier = 8"), 1);

    // A column that must have a value, which only the newer Feast knows.
    test.execute("DROP TABLE permissions");
    test.execute(
        "CREATE TABLE permissions (permission_name VARCHAR(255) NOT NULL, project_id VARCHAR(255) NOT NULL, \
         last_updated_timestamp BIGINT NOT NULL, permission_proto BLOB NOT NULL, level INTEGER NOT NULL, \
         PRIMARY KEY (permission_name, project_id))"
            .replace("BLOB", if backend == Backend::Postgres { "BYTEA" } else { "BLOB" })
            .as_str(),
    );
    repo.declare(3);
    repo.project.write(
        "more.yaml",
        "permissions:\n  - {name: reader, types: [FeatureView], policy: {roles: [analyst]}, actions: [READ]}\n",
    );
    let refused = repo.project.feastr(&["apply", "--yes"]).failed();
    assert!(refused.stderr.contains("level"), "{}", refused.stderr);
    assert_eq!(registered(&test), Some(2));
    assert_eq!(count(&test, "permissions"), 0);
    std::fs::remove_file(repo.project.path("more.yaml")).unwrap();
    repo.project.feastr(&["apply", "--yes"]).ok();
    assert_eq!(registered(&test), Some(3));
}

fn count(test: &TestRegistry, table: &str) -> i64 {
    let query = format!("SELECT count(*) FROM {table}");
    match test.backend {
        Backend::Postgres => {
            test.backend.server().unwrap().postgres(&test.database).query_one(&query, &[]).unwrap().get(0)
        }
        Backend::MariaDb => {
            let mut connection = test.backend.server().unwrap().mysql(&test.database);
            mysql::prelude::Queryable::query_first(&mut connection, query).unwrap().unwrap()
        }
        _ => rusqlite::Connection::open(test.path()).unwrap().query_row(&query, [], |row| row.get(0)).unwrap(),
    }
}
