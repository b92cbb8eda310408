//! PostgreSQL stores that cannot be used: one sentence, a way out, never a password.

use std::path::Path;

use feastr::{
    config::{ClientCertificate, TlsConfig, TlsMode},
    online::Replace,
    problem::Problem,
};

use super::{Backend, TestStore, stats};
use crate::servers::{Kind, PASSWORD, free_port, shared};

/// Asserts that an error says something, gives help and keeps the password.
#[track_caller]
fn says(error: &Problem, part: &str) {
    assert!(error.message.contains(part), "{error:?}");
    assert!(error.help().is_some(), "{error:?}");
    assert!(!format!("{error:?}").contains(PASSWORD), "{error:?}");
}

#[test]
fn unreachable_servers_and_wrong_logins_are_named() {
    let test = TestStore::new(Backend::Postgres);
    let error = |change: &dyn Fn(&mut feastr::config::PostgresConfig)| {
        let store = test.postgres_with(|config| change(config));
        store.prepare_views("p", &["stats"]).unwrap_err()
    };
    says(
        &error(&|config| config.connection.server.database = "there_is_none".to_owned()),
        "there is no database `there_is_none`",
    );
    let wrong =
        error(&|config| config.connection.server.password = Some(feastr::config::Password("letmein".to_owned())));
    says(&wrong, "the password of `feast` is wrong for the online store postgresql://feast@127.0.0.1");
    let missing = error(&|config| config.connection.server.password = None);
    says(&missing, "password missing");
    assert!(missing.help().unwrap().contains("password: ${"));
    says(
        &error(&|config| config.connection.server.host = "nowhere.invalid".to_owned()),
        "the host `nowhere.invalid` is not known",
    );
    let free = free_port();
    says(&error(&|config| config.connection.server.port = Some(free)), "no server answers at");
}

#[test]
fn a_user_who_may_only_read_is_told() {
    let test = TestStore::new(Backend::Postgres);
    test.open().prepare_views("p", &["stats"]).unwrap();
    let mut client = test.postgres();
    let database: String = client.query_one("SELECT current_database()::text", &[]).unwrap().get(0);
    let reader = format!("reader_of_{database}");
    let create = format!("CREATE USER {reader} PASSWORD '{PASSWORD}'; GRANT SELECT ON p_stats TO {reader}");
    client.batch_execute(&create).unwrap();
    let store = test.postgres_with(|config| config.connection.server.user = Some(reader.clone()));
    assert_eq!(super::read(store.as_ref(), &[1]).len(), 1);
    let refused = format!("`{reader}` may not do this in the online store");
    says(&store.prepare_views("p", &["other"]).unwrap_err(), &refused);
    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
    says(&writer.write(&super::encoded(&[super::row(1, 1, 1)])).unwrap_err(), &refused);
    says(&store.remove_views(&[stats()], &mut |_| {}).unwrap_err(), &refused);
    let elsewhere = test.postgres_with(|config| {
        config.connection.server.user = Some(reader.clone());
        config.connection.schema = "features".to_owned();
    });
    says(&elsewhere.prepare_views("p", &["stats"]).unwrap_err(), &refused);
    client.batch_execute("CREATE SCHEMA features").unwrap();
    let error = elsewhere.prepare_views("p", &["stats"]).unwrap_err();
    says(&error, &format!("`{reader}` cannot use the schema `features`"));
}

#[test]
fn a_server_that_cannot_be_written_is_told() {
    let test = TestStore::new(Backend::Postgres);
    let store = test.open();
    store.prepare_views("p", &["stats"]).unwrap();
    let mut client = test.postgres();
    let database: String = client.query_one("SELECT current_database()::text", &[]).unwrap().get(0);
    client.batch_execute(&format!("ALTER DATABASE {database} SET default_transaction_read_only = on")).unwrap();
    let mut writer = store.writer(stats(), Replace::Outdated).unwrap();
    let error = writer.write(&super::encoded(&[super::row(1, 1, 1)])).unwrap_err();
    says(&error, "cannot be written: the server or the user is read-only");
    says(&store.prepare_views("p", &["other"]).unwrap_err(), "read-only");
    assert_eq!(super::read(store.as_ref(), &[1]).len(), 1);
}

#[test]
fn connections_are_encrypted_as_the_settings_say() {
    let test = TestStore::new(Backend::Postgres);
    let authority = shared(Kind::Postgres).certificate_of_authority();
    let open = |host: &str, mode, root: Option<&Path>, client: Option<ClientCertificate>| {
        let store = test.postgres_with(|config| {
            config.connection.server.host = host.to_owned();
            config.connection.server.tls = TlsConfig::new(mode, root.map(Path::to_owned));
            config.connection.client = client;
        });
        store.prepare_views("p", &["stats"])
    };
    open("127.0.0.1", TlsMode::Require, None, None).unwrap();
    open("localhost", TlsMode::VerifyFull, Some(&authority), None).unwrap();
    says(&open("127.0.0.1", TlsMode::VerifyFull, Some(&authority), None).unwrap_err(), "no encrypted connection");
    // A server that asks for no certificate takes one.
    let folder = authority.parent().unwrap();
    let own = ClientCertificate { certificate: folder.join("server.crt"), key: folder.join("server.key") };
    open("127.0.0.1", TlsMode::Require, None, Some(own.clone())).unwrap();
    let swapped = ClientCertificate { certificate: own.key, key: own.certificate };
    says(&open("127.0.0.1", TlsMode::Require, None, Some(swapped)).unwrap_err(), "cannot be read");
}
