//! Online stores with a table per view, the PostgreSQL one on a real server.

mod contract;
mod errors;
mod interop;
mod outages;
mod tables;
mod writers;

use feastr::{
    config::{OnlineStoreConfig, PostgresConfig},
    feast::values::entity_key::{EntityKeyEncoder, KeyPart},
    online::{EncodedRow, OnlineStore, Replace, StoredValue, ViewLayout, WriteCounts},
};
use prost::Message as _;
use rusqlite::Connection;
use tempfile::TempDir;

use crate::{
    online::{Row, View, at, counts, int, postgres_at},
    servers::{Kind, shared},
    support::online_store,
};

/// Makes a test of each function for each backend: `contract::postgres::it_works`.
macro_rules! on_every_backend {
    ($($test:ident),* $(,)?) => {
        crate::online_sql::on_every_backend!(@ sqlite Sqlite $($test)*);
        crate::online_sql::on_every_backend!(@ postgres Postgres $($test)*);
    };
    (@ $module:ident $backend:ident $($test:ident)*) => {
        mod $module {
            $(#[test] fn $test() { super::$test(&crate::online_sql::TestStore::new(crate::online_sql::Backend::$backend)); })*
        }
    };
}
use on_every_backend;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backend {
    Sqlite,
    Postgres,
}

/// An empty store of its own.
pub struct TestStore {
    pub backend: Backend,
    pub folder: TempDir,
    pub config: OnlineStoreConfig,
}

/// A row of a table: key, feature, value, text, event and creation in seconds.
pub type Stored = (Vec<u8>, String, Vec<u8>, Option<String>, i64, Option<i64>);

impl TestStore {
    pub fn new(backend: Backend) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = match backend {
            Backend::Sqlite => OnlineStoreConfig::Sqlite { path: folder.path().join("online.db"), numbers: false },
            Backend::Postgres => {
                let server = shared(Kind::Postgres);
                OnlineStoreConfig::Postgres(postgres_at(server, &server.create_database()))
            }
        };
        Self { backend, folder, config }
    }

    pub fn open(&self) -> Box<dyn OnlineStore> {
        online_store(&self.config)
    }

    /// The same, with columns for numbers in new tables.
    pub fn open_with_numbers(&self) -> Box<dyn OnlineStore> {
        let config = match self.config.clone() {
            OnlineStoreConfig::Sqlite { path, .. } => OnlineStoreConfig::Sqlite { path, numbers: true },
            OnlineStoreConfig::Postgres(config) => {
                OnlineStoreConfig::Postgres(PostgresConfig { numbers: true, ..config })
            }
            other => panic!("{} has no tables", other.kind()),
        };
        online_store(&config)
    }

    /// The PostgreSQL store with other settings.
    pub fn postgres_with(&self, change: impl FnOnce(&mut PostgresConfig)) -> Box<dyn OnlineStore> {
        let OnlineStoreConfig::Postgres(mut config) = self.config.clone() else { panic!("SQLite") };
        change(&mut config);
        online_store(&OnlineStoreConfig::Postgres(config))
    }

    /// A connection to the database, where it is PostgreSQL.
    pub fn postgres(&self) -> postgres::Client {
        let OnlineStoreConfig::Postgres(config) = &self.config else { panic!("SQLite") };
        shared(Kind::Postgres).postgres(&config.connection.server.database)
    }

    /// A connection to the file, where it is SQLite.
    pub fn sqlite(&self) -> Connection {
        Connection::open(self.folder.path().join("online.db")).unwrap()
    }

    /// Carries out statements that both understand.
    pub fn execute(&self, statements: &str) {
        match self.backend {
            Backend::Sqlite => self.sqlite().execute_batch(statements).unwrap(),
            Backend::Postgres => self.postgres().batch_execute(statements).unwrap(),
        }
    }

    /// What is in a table, sorted.
    pub fn rows(&self, table: &str) -> Vec<Stored> {
        let select = |seconds: fn(&str) -> String| {
            let (event, created) = (seconds("event_ts"), seconds("created_ts"));
            format!("SELECT entity_key, feature_name, value, value_text, {event}, {created} FROM \"{table}\"")
        };
        let mut rows: Vec<Stored> = match self.backend {
            Backend::Sqlite => {
                let connection = self.sqlite();
                let mut statement = connection.prepare(&select(str::to_owned)).unwrap();
                let rows = statement.query_map([], |row| {
                    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?))
                });
                rows.unwrap().map(Result::unwrap).collect()
            }
            Backend::Postgres => {
                let select = select(|column| format!("extract(epoch FROM {column})::bigint"));
                let rows = self.postgres().query(&select, &[]).unwrap();
                let row =
                    |row: &postgres::Row| (row.get(0), row.get(1), row.get(2), row.get(3), row.get(4), row.get(5));
                rows.iter().map(row).collect()
            }
        };
        rows.sort();
        rows
    }
}

/// A view `p_stats` with two features.
pub fn stats() -> ViewLayout {
    layout("p", "stats", &["trips", "rate"])
}

pub fn layout(project: &str, view: &str, features: &[&str]) -> ViewLayout {
    ViewLayout {
        project: project.to_owned(),
        view: view.to_owned(),
        features: features.iter().map(|&name| name.to_owned()).collect(),
        join_keys: vec!["id".to_owned()],
    }
}

pub fn key(number: u32) -> Vec<u8> {
    let (mut key, text) = (Vec::new(), format!("{number:010}"));
    EntityKeyEncoder::new(&["id"]).unwrap().encode(&[KeyPart::String(&text)], &mut key).unwrap();
    key
}

pub fn integer(number: i64) -> Vec<u8> {
    int(number).encode_to_vec()
}

/// A row of [`stats`] whose features have the same value.
pub fn row(number: u32, seconds: i64, value: i64) -> Row {
    Row::new(key(number), seconds, &[int(value), int(value)])
}

/// Rows as a writer takes them.
pub fn encoded(rows: &[Row]) -> Vec<EncodedRow<'_>> {
    rows.iter().map(Row::encoded).collect()
}

/// Writes rows in one batch.
pub fn write(store: &dyn OnlineStore, layout: ViewLayout, replace: Replace, rows: &[Row]) -> WriteCounts {
    crate::online::write(store, &View(layout), replace, rows).unwrap()
}

/// The values of [`stats`] of some entities.
pub fn read(store: &dyn OnlineStore, numbers: &[u32]) -> Vec<Vec<StoredValue>> {
    let keys: Vec<Vec<u8>> = numbers.iter().copied().map(key).collect();
    crate::online::read(store, &View(stats()), &keys)
}

pub fn found(value: i64, seconds: i64) -> StoredValue {
    crate::online::found(&int(value), seconds)
}
