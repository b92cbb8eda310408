//! Servers that go away while they are written.

use std::{thread, time::Duration};

use feastr::{
    config::{OnlineStoreConfig, Password},
    online::{Replace, StoredValue},
};

use super::{Backend, Row, TestStore, counts, encoded, postgres_at, read, row, stats, write};
use crate::online::read_all;
use crate::{
    servers::{Kind, Server},
    support::online_store,
};

#[test]
fn a_batch_is_written_when_the_server_is_back() {
    let mut server = Server::start(Kind::Postgres);
    let database = server.create_database();
    let store = online_store(&OnlineStoreConfig::Postgres(postgres_at(&server, &database)));
    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
    let rows: Vec<Row> = (0..500).map(|number| row(number, 100, 1)).collect();
    assert_eq!(writer.write(&encoded(&rows[..250])).unwrap(), counts(250, 0));
    server.kill();
    thread::scope(|scope| {
        scope.spawn(|| {
            thread::sleep(Duration::from_millis(700));
            server.restart();
        });
        assert_eq!(writer.write(&encoded(&rows[250..])).unwrap(), counts(250, 0));
    });
    writer.finish().unwrap();
    let numbers: Vec<u32> = (0..500).collect();
    assert!(read(store.as_ref(), &numbers).iter().all(|values| values[0] != StoredValue::NotFound));
    // Who starts to write, or reads, learns of it at once.
    server.kill();
    let error = store.writer(stats(), Replace::Outdated).map(drop).unwrap_err();
    assert!(error.message.contains("no server answers at postgresql://feast@127.0.0.1"), "{error:?}");
    let error = read_all(store.as_ref(), "p", &[]).unwrap_err();
    assert!(error.message.contains("no server answers"), "{error:?}");
}

#[test]
fn a_replica_that_takes_over_may_lack_what_was_confirmed() {
    let mut server = Server::start(Kind::Postgres);
    let database = server.create_database();
    let store = online_store(&OnlineStoreConfig::Postgres(postgres_at(&server, &database)));
    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
    assert_eq!(writer.write(&encoded(&[row(1, 100, 1)])).unwrap(), counts(1, 0));
    // A server that starts again is still the same one.
    server.kill();
    server.restart();
    writer.flush().unwrap();
    server.kill();
    server.restart_as_replica();
    server.execute("postgres", "SELECT pg_promote()");
    assert_eq!(writer.write(&encoded(&[row(2, 100, 1)])).unwrap(), counts(1, 0));
    let error = writer.finish().unwrap_err();
    assert!(error.message.contains("another PostgreSQL server took over at postgresql://feast@127.0.0.1"), "{error:?}");
    let mut again = store.writer(stats(), Replace::Outdated).unwrap();
    again.write(&encoded(&[row(1, 100, 1)])).unwrap();
    again.finish().unwrap();
}

#[test]
fn a_user_without_rights_to_the_history_writes() {
    let test = TestStore::new(Backend::Postgres);
    test.execute(
        "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE plain LOGIN PASSWORD 'plain'",
    );
    test.execute("CREATE SCHEMA plain AUTHORIZATION plain");
    let store = test.postgres_with(|config| {
        config.connection.schema = "plain".to_owned();
        config.connection.server.user = Some("plain".to_owned());
        config.connection.server.password = Some(Password("plain".to_owned()));
    });
    assert_eq!(write(store.as_ref(), stats(), Replace::Outdated, &[row(1, 1, 1)]), counts(1, 0));
}

#[test]
fn a_connection_that_is_cut_is_made_again() {
    let test = TestStore::new(Backend::Postgres);
    let store = test.open();
    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
    let mut administrator = test.postgres();
    for round in 0..5 {
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                   WHERE datname = current_database() AND application_name = 'feastr'";
        assert_eq!(administrator.query(cut, &[]).unwrap().len(), 1);
        let rows: Vec<Row> = (0..50).map(|number| row(number, round, round)).collect();
        assert_eq!(writer.write(&encoded(&rows)).unwrap(), counts(50, 0));
    }
    assert_eq!(test.rows("p_stats").len(), 100);
}
