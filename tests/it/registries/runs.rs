//! The table of runs as an older feastr made it: without its index.

use feastr::{
    model::{Interval, RunCounts, RunRecord, RunState, Timestamp},
    registry::{self, Locking},
};

use super::{Backend, TestRegistry, on_every_backend, read};
use crate::servers::{Kind, PASSWORD};

on_every_backend!(@ sqlite Sqlite a_missing_index_is_made_where_tables_are);
on_every_backend!(@ postgres Postgres a_missing_index_is_made_where_tables_are who_may_not_make_the_index_does_without);
on_every_backend!(@ mariadb MariaDb a_missing_index_is_made_where_tables_are who_may_not_make_the_index_does_without);

pub fn run(id: &str) -> RunRecord {
    let now = Timestamp::from_micros(1_700_000_000_000_000);
    RunRecord {
        id: id.to_owned(),
        view: "stats".to_owned(),
        interval: Interval { start: now, end: now },
        started: now,
        by: "materialize of cron".to_owned(),
        counts: RunCounts::default(),
        shards: None,
        state: RunState::Done { finished: now },
    }
}

/// Fails when there is no index.
fn drop_index(test: &TestRegistry) {
    let on_table = if test.backend == Backend::MariaDb { " ON feastr_runs" } else { "" };
    test.execute(&format!("DROP INDEX idx_feastr_runs_view{on_table}"));
}

fn a_missing_index_is_made_where_tables_are(backend: Backend) {
    let test = TestRegistry::new(backend);
    test.open().record_run("p", &run("1")).unwrap();
    drop_index(&test);
    // Only where tables are made, too.
    for mode in ["verify", "skip"] {
        let settings = test.settings_with(&format!("schema_mode: {mode}"));
        registry::open(&read(&settings), Locking::default()).record_run("p", &run(mode)).unwrap();
    }
    test.execute("CREATE INDEX idx_feastr_runs_view ON feastr_runs (started)");
    drop_index(&test);
    test.open().record_run("p", &run("2")).unwrap();
    drop_index(&test);
    test.open().create_run_log().unwrap();
    drop_index(&test);
    assert_eq!(test.open().runs("p", &[], 10).unwrap().len(), 4);
}

fn who_may_not_make_the_index_does_without(backend: Backend) {
    let test = TestRegistry::new(backend);
    test.open().record_run("p", &run("1")).unwrap();
    drop_index(&test);
    let (server, writer) = (backend.server().unwrap(), format!("writer_{}", test.database));
    let rights = "SELECT, INSERT, UPDATE, DELETE";
    server.execute(
        &test.database,
        &match server.kind {
            Kind::Postgres => format!(
                "CREATE USER {writer} PASSWORD '{PASSWORD}'; GRANT {rights} ON ALL TABLES IN SCHEMA public TO {writer}"
            ),
            Kind::MariaDb => {
                format!("GRANT {rights} ON {}.* TO {writer}@'%' IDENTIFIED BY '{PASSWORD}'", test.database)
            }
        },
    );
    let settings = test.settings.replace("feast:", &format!("{writer}:"));
    registry::open(&read(&settings), Locking::default()).record_run("p", &run("2")).unwrap();
    assert_eq!(test.open().runs("p", &[], 10).unwrap().len(), 2);
}
