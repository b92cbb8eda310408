//! Python Feast and feastr on the same PostgreSQL store.

use std::collections::BTreeSet;

use serde_json::{Value as Json, json};

use super::{Backend, TestStore};
use crate::{
    interop::{
        EARLIER, LATER, MATERIALIZED_BY_PYTHON, MIDDLE, assert_nothing_to_do, assert_same_answer, feast,
        online_requests, online_steps, shop,
    },
    servers::{Kind, PASSWORD, USER, shared},
    support::Project,
};

/// The repo of the interop tests with its values in a database of its own.
fn shop_in_postgres() -> (Project, TestStore) {
    let (project, test) = (shop(crate::registries::Backend::Sqlite), TestStore::new(Backend::Postgres));
    let database: String = test.postgres().query_one("SELECT current_database()::text", &[]).unwrap().get(0);
    let port = shared(Kind::Postgres).port;
    project.edit(
        "feature_store.yaml",
        "  type: sqlite\n  path: data/online_store.db\n",
        &format!(
            "  type: postgres\n  host: 127.0.0.1\n  port: {port}\n  database: {database}\n  db_schema: features\n  \
             user: {USER}\n  password: {PASSWORD}\n"
        ),
    );
    (project, test)
}

fn assert_same_answers(project: &Project, answers: &[Json]) {
    for (request, feast) in online_requests().iter().zip(answers) {
        assert_same_answer(request, &request.online(project), feast);
    }
}

#[test]
fn python_feast_reads_what_feastr_wrote() {
    let (project, test) = shop_in_postgres();
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", EARLIER, MIDDLE]).ok();
    let answers = feast(&project, &online_steps());
    assert_same_answers(&project, &answers);
    // Python Feast writes the same rows, before or after feastr.
    let rows = |test: &TestStore| MATERIALIZED_BY_PYTHON.map(|view| test.rows(&format!("features\".\"shop_{view}")));
    let before = rows(&test);
    assert!(before.iter().all(|rows| !rows.is_empty()));
    let mut steps =
        vec![json!({ "materialize": { "start": EARLIER, "end": MIDDLE, "views": MATERIALIZED_BY_PYTHON } })];
    feast(&project, &steps);
    assert_eq!(rows(&test), before);
    // Python Feast goes on where feastr stopped.
    steps = vec![json!({ "materialize": { "start": MIDDLE, "end": LATER, "views": MATERIALIZED_BY_PYTHON } })];
    steps.extend(online_steps());
    let answers = feast(&project, &steps);
    assert_same_answers(&project, &answers[1..]);
    assert_ne!(rows(&test), before);
    assert_nothing_to_do(&project);
}

#[test]
fn feastr_reads_what_python_feast_wrote() {
    let (project, test) = shop_in_postgres();
    let mut steps = vec![
        json!({ "apply": {} }),
        json!({ "materialize": { "start": EARLIER, "end": MIDDLE, "views": MATERIALIZED_BY_PYTHON } }),
    ];
    steps.extend(online_steps());
    let answers = feast(&project, &steps);
    assert_same_answers(&project, &answers[2..]);
    assert_nothing_to_do(&project);
    // feastr goes on where Python Feast stopped, in the tables that Feast made.
    let tables = tables(&test);
    project.feastr(&["apply"]).ok();
    project.feastr(&["materialize", MIDDLE, LATER]).ok();
    assert_eq!(self::tables(&test), tables);
    assert_same_answers(&project, &feast(&project, &online_steps()));
}

#[test]
fn both_create_and_remove_the_same_tables() {
    let (by_feastr, ours) = shop_in_postgres();
    by_feastr.feastr(&["apply"]).ok();
    let (by_python, theirs) = shop_in_postgres();
    feast(&by_python, &[json!({ "apply": {} })]);
    let (ours_made, mut theirs_made) = (tables(&ours), tables(&theirs));
    // Feast's index for searching texts, which feastr does not do.
    theirs_made.retain(|part| !part.contains("_fts_idx"));
    assert_eq!(ours_made, theirs_made);
    assert!(ours_made.iter().any(|part| part.contains("shop_stock_ek")), "{ours_made:?}");
    // An apply by Python adds the rest and no more.
    feast(&by_feastr, &[json!({ "apply": {} })]);
    assert_eq!(tables(&ours), tables(&theirs));
    // A view that goes takes its table along, and a teardown all of them.
    let definitions = by_python.read("definitions.yaml");
    let place = |text: &str| definitions.find(text).unwrap();
    let (views, next) = (&definitions[..place("  - name: weather")], place("  - name: customer_city"));
    by_python.write("definitions.yaml", format!("{views}{}", &definitions[next..place("feature_services:")]));
    by_python.feastr(&["apply", "--yes"]).ok();
    let left = tables(&theirs);
    assert!(left.iter().any(|part| part.contains("shop_stock")));
    assert!(!left.iter().any(|part| part.contains("shop_weather")));
    by_python.feastr(&["teardown", "--yes"]).ok();
    assert_eq!(tables(&theirs), BTreeSet::new());
    feast(&by_feastr, &[json!({ "teardown": {} })]);
    assert_eq!(tables(&ours), BTreeSet::new());
}

/// Columns and indexes of the tables in a database.
fn tables(test: &TestStore) -> BTreeSet<String> {
    let parts = "SELECT format('%s.%s %s %s %s', table_schema, table_name, column_name, data_type, is_nullable) \
                 FROM information_schema.columns WHERE table_schema IN ('features', 'public') \
                 UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname IN ('features', 'public')";
    test.postgres().query(parts, &[]).unwrap().iter().map(|row| row.get(0)).collect()
}
