//! Where the newest values are served from: how they are read, written and removed, whatever the store.

mod admin;
mod encode;
mod feature_server;
mod memory;
mod patience;
mod postgres;
mod reader;
mod redis;
mod remote;
mod sqlite;
mod store;
mod view_layout;
#[cfg(test)]
pub(crate) mod watched;
mod writer;

use std::sync::Arc;

use crate::{auth::login::Tokens, config::OnlineStoreConfig};

pub use admin::{Admin, RecordedTables};
pub use encode::{BatchEncoder, EncodeBatchError, EncodedBatch};
pub use feature_server::{Asked, Asking, FeatureServer, Question, SentRows, ServedColumn, ServerWork};
pub use memory::MemoryOnlineStore;
pub use reader::{Found, PreparedRead, Reader, Reading, StoredValue, ViewFeatures};
pub use redis::acl::{RedisRole, key_pattern};
pub use store::OnlineStore;
pub use view_layout::ViewLayout;
pub use writer::{EncodedRow, Replace, WriteCounts, Writer};

/// Where online values are.
pub enum Online {
    /// In a store that feastr reads and writes.
    Store(Box<dyn OnlineStore>),
    /// Behind a feature server, which is asked.
    Server(Arc<dyn FeatureServer>),
}

/// The online store the settings name; a feature server is told by `tokens` who asks. Nothing is opened yet; what is opened
/// stays so.
pub fn open(config: &OnlineStoreConfig, tokens: &Arc<Tokens>) -> Online {
    Online::Store(match config {
        OnlineStoreConfig::Sqlite { path, numbers } => Box::new(sqlite::SqliteOnlineStore::new(path.clone(), *numbers)),
        OnlineStoreConfig::Postgres(config) => Box::new(postgres::PostgresOnlineStore::new(config)),
        OnlineStoreConfig::Redis(config) => Box::new(redis::RedisOnlineStore::new(config.clone())),
        OnlineStoreConfig::Remote(config) => {
            return Online::Server(Arc::new(remote::RemoteServer::new(config.clone(), Arc::clone(tokens))));
        }
    })
}
