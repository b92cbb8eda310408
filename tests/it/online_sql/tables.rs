//! The tables of the PostgreSQL store.

use std::thread;

use feastr::online::Replace;

use super::{Backend, TestStore, counts, layout, row, stats, write};

#[test]
fn tables_are_created_once_in_the_schema_of_the_settings() {
    let test = TestStore::new(Backend::Postgres);
    let store = test.postgres_with(|config| config.connection.schema = "features".to_owned());
    store.prepare_views("p", &["stats"]).unwrap();
    let mut client = test.postgres();
    let tables = "SELECT schemaname::text, tablename::text FROM pg_tables WHERE tablename LIKE 'p\\_%'";
    let table = client.query_one(tables, &[]).unwrap();
    assert_eq!((table.get(0), table.get(1)), ("features", "p_stats"));
    let file: u32 = client.query_one("SELECT 'features.p_stats'::regclass::oid", &[]).unwrap().get(0);
    store.prepare_views("p", &["stats", "other"]).unwrap();
    write(store.as_ref(), stats(), Replace::Outdated, &[row(1, 1, 1)]);
    assert_eq!(client.query_one("SELECT 'features.p_stats'::regclass::oid", &[]).unwrap().get::<_, u32>(0), file);
    let columns = "SELECT string_agg(column_name || ' ' || data_type, ', ' ORDER BY ordinal_position) \
                   FROM information_schema.columns WHERE table_name = 'p_stats'";
    assert_eq!(
        client.query_one(columns, &[]).unwrap().get::<_, String>(0),
        "entity_key bytea, feature_name text, value bytea, value_text text, vector_value bytea, \
         event_ts timestamp with time zone, created_ts timestamp with time zone"
    );
}

#[test]
fn a_table_in_public_is_not_that_of_another_schema() {
    let test = TestStore::new(Backend::Postgres);
    test.open().prepare_views("p", &["stats"]).unwrap();
    let store = test.postgres_with(|config| config.connection.schema = "features".to_owned());
    write(store.as_ref(), stats(), Replace::Outdated, &[row(1, 1, 1)]);
    assert_eq!(test.rows("features\".\"p_stats").len(), 2);
    assert_eq!(test.rows("p_stats").len(), 0);
}

#[test]
fn a_schema_that_cannot_be_used_is_named() {
    let test = TestStore::new(Backend::Postgres);
    let refused = |schema: &str| {
        let store = test.postgres_with(|config| config.connection.schema = schema.to_owned());
        store.prepare_views("p", &["stats"]).unwrap_err()
    };
    // Feast's search path is in lower case.
    let error = refused("Features");
    assert!(error.message.contains("cannot use the schema `Features`"), "{error:?}");
    assert_eq!(error.help().as_deref(), Some("Feast looks for schemas in lower case: write `db_schema: features`"));
}

#[test]
fn long_names_are_cut_as_postgresql_does_and_never_to_the_same() {
    let test = TestStore::new(Backend::Postgres);
    let store = test.open();
    let long = "é".repeat(40);
    store.prepare_views("p", &[&long]).unwrap();
    store.prepare_views("p", &[&long]).unwrap();
    assert_eq!(
        write(store.as_ref(), layout("p", &long, &["f", "g"]), Replace::Outdated, &[row(1, 1, 1)]),
        counts(1, 0)
    );
    let error = store.prepare_views("p", &[&format!("{long}a"), &format!("{long}b")]).unwrap_err();
    assert!(error.message.contains("would be one: PostgreSQL keeps 63 bytes"), "{error:?}");
    assert_eq!(store.remove_views(&[layout("p", &long, &["f"])], &mut |_| {}).unwrap(), 1);
}

#[test]
fn several_programs_create_the_same_tables() {
    let test = TestStore::new(Backend::Postgres);
    let views: Vec<String> = (0..20).map(|number| format!("view_{number}")).collect();
    let views: Vec<&str> = views.iter().map(String::as_str).collect();
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let store = test.postgres_with(|config| config.connection.schema = "features".to_owned());
                store.prepare_views("p", &views).unwrap();
            });
        }
    });
    let count = "SELECT count(*) FROM pg_tables WHERE schemaname = 'features' AND tablename LIKE 'p\\_view\\_%'";
    assert_eq!(test.postgres().query_one(count, &[]).unwrap().get::<_, i64>(0), 20);
}
