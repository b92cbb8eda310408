//! Where the newest values are served from, behind one trait.

mod encode;
mod patience;
mod postgres;
mod redis;
mod sqlite;
mod store;

use crate::config::OnlineStoreConfig;

pub use encode::{BatchEncoder, EncodeBatchError, EncodedBatch};
pub use store::{
    EncodedRow, OnlineStore, OnlineWriter, ReadRequest, RecordedTables, Replace, StoredValue, ViewLayout, WriteCounts,
};

/// The online store the settings name. Nothing is opened yet.
pub fn open(config: &OnlineStoreConfig) -> Box<dyn OnlineStore> {
    match config {
        OnlineStoreConfig::Sqlite { path, numbers } => Box::new(sqlite::SqliteOnlineStore::new(path.clone(), *numbers)),
        OnlineStoreConfig::Postgres(config) => Box::new(postgres::PostgresOnlineStore::new(config)),
        OnlineStoreConfig::Redis(config) => Box::new(redis::RedisOnlineStore::new(config.clone())),
    }
}
