//! Online stores: what all of them promise, and what tests of each of them share.

mod contract;
mod held;

use std::time::{Duration, Instant};

use feastr::{
    clients::runtime::wait,
    config::{
        OnlineStoreConfig, Password, PostgresConfig, PostgresConnection, RedisConfig, ServerUrl, TlsConfig, TlsMode,
    },
    feast::values::{
        entity_key::{EntityKeyEncoder, KeyPart},
        value::{Kind as ValueKind, Value},
    },
    model::Timestamp,
    online::{
        EncodedRow, Found, MemoryOnlineStore, OnlineStore, Replace, StoredValue, ViewFeatures, ViewLayout, WriteCounts,
    },
    problem::Problem,
};
use prost::Message as _;
use tempfile::TempDir;

use crate::{
    servers::{
        Kind as ServerKind, PASSWORD, Server, USER,
        redis::{RedisCluster, RedisSentinels, RedisServer},
        shared,
    },
    support::online_store,
};

/// Features of one view for some entities.
pub struct ReadRequest {
    pub view: String,
    pub features: Vec<String>,
    pub keys: Vec<Vec<u8>>,
}

/// Reads within a minute: for each request, each key, each feature.
pub fn read_all(store: &dyn OnlineStore, project: &str, requests: &[ReadRequest]) -> Result<Found, Problem> {
    let of = |(keys, request): (usize, &ReadRequest)| ViewFeatures {
        view: request.view.clone(),
        features: request.features.clone(),
        keys,
    };
    let prepared = store.prepare(project, requests.iter().enumerate().map(of).collect());
    let keys: Vec<Vec<Vec<u8>>> = requests.iter().map(|request| request.keys.clone()).collect();
    wait(prepared.read(&keys, Instant::now() + Duration::from_secs(60)))
}

/// A store of each kind with a name, which lives as long as the folder.
pub fn stores(folder: &TempDir) -> Vec<(&'static str, Box<dyn OnlineStore>)> {
    let postgres = shared(ServerKind::Postgres);
    let sqlite = OnlineStoreConfig::Sqlite { path: folder.path().join("online.db"), numbers: false };
    vec![
        ("memory", Box::new(MemoryOnlineStore::default())),
        ("sqlite", online_store(&sqlite)),
        ("postgres", online_store(&OnlineStoreConfig::Postgres(postgres_at(postgres, &postgres.create_database())))),
        ("redis", redis(RedisServer::shared().config())),
        ("redis cluster", redis(RedisCluster::shared().config())),
        ("redis sentinel", redis(RedisSentinels::shared().config())),
    ]
}

pub fn redis(config: RedisConfig) -> Box<dyn OnlineStore> {
    online_store(&OnlineStoreConfig::Redis(config))
}

/// The settings of a store in a database of a server.
pub fn postgres_at(server: &Server, database: &str) -> PostgresConfig {
    let url = ServerUrl {
        scheme: "postgresql",
        user: Some(USER.to_owned()),
        password: Some(Password(PASSWORD.to_owned())),
        host: "127.0.0.1".to_owned(),
        port: Some(server.port),
        database: database.to_owned(),
        tls: TlsConfig::new(TlsMode::Disable, None),
    };
    let schema = "public".to_owned();
    let connection = PostgresConnection { server: url, schema, client: None, keepalives_idle: None };
    PostgresConfig { connection, numbers: false }
}

/// A view to write to, with what it needs.
#[derive(Clone)]
pub struct View(pub ViewLayout);

impl View {
    pub fn new(project: &str, view: &str, join_keys: &[&str], features: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self(ViewLayout {
            project: project.to_owned(),
            view: view.to_owned(),
            features: owned(features),
            join_keys: owned(join_keys),
        })
    }

    /// The view of a test with one join key and two features.
    pub fn simple(project: &str) -> Self {
        Self::new(project, "stats", &["k"], &["a", "b"])
    }

    pub fn key(&self, parts: &[KeyPart<'_>]) -> Vec<u8> {
        let names: Vec<&str> = self.0.join_keys.iter().map(String::as_str).collect();
        let mut key = Vec::new();
        EntityKeyEncoder::new(&names).unwrap().encode(parts, &mut key).unwrap();
        key
    }

    pub fn number(&self, number: i64) -> Vec<u8> {
        self.key(&[KeyPart::Int64(number)])
    }

    /// A request for all features.
    pub fn of(&self, keys: Vec<Vec<u8>>) -> ReadRequest {
        ReadRequest { view: self.0.view.clone(), features: self.0.features.clone(), keys }
    }
}

/// A row that owns its parts.
#[derive(Clone)]
pub struct Row {
    pub key: Vec<u8>,
    pub event: Timestamp,
    pub created: Option<Timestamp>,
    pub values: Vec<Vec<u8>>,
}

impl Row {
    pub fn new(key: Vec<u8>, seconds: i64, values: &[Value]) -> Self {
        let values = values.iter().map(Value::encode_to_vec).collect();
        Self { key, event: at(seconds), created: None, values }
    }

    pub fn created(self, seconds: i64) -> Self {
        Self { created: Some(at(seconds)), ..self }
    }

    pub fn encoded(&self) -> EncodedRow<'_> {
        let values = self.values.iter().map(Vec::as_slice).collect();
        EncodedRow { key: &self.key, event: self.event, created: self.created, values }
    }
}

/// A moment in seconds since 1970.
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

pub fn int(number: i64) -> Value {
    ValueKind::Int64(number).into()
}

/// Writes rows in one go.
pub fn write(store: &dyn OnlineStore, view: &View, replace: Replace, rows: &[Row]) -> Result<WriteCounts, Problem> {
    let mut writer = store.writer(view.0.clone(), replace)?;
    let encoded: Vec<EncodedRow<'_>> = rows.iter().map(Row::encoded).collect();
    let (first, second) = (writer.write(&encoded)?, writer.finish()?);
    Ok(WriteCounts { written: first.written + second.written, skipped: first.skipped + second.skipped })
}

/// The values of some entities of one view.
pub fn read(store: &dyn OnlineStore, view: &View, keys: &[Vec<u8>]) -> Vec<Vec<StoredValue>> {
    read_all(store, &view.0.project, &[view.of(keys.to_vec())]).unwrap().remove(0)
}

pub fn found(value: &Value, seconds: i64) -> StoredValue {
    StoredValue::Found { value: value.encode_to_vec(), event: at(seconds) }
}

pub const fn counts(written: u64, skipped: u64) -> WriteCounts {
    WriteCounts { written, skipped }
}
