//! Reading sources: point-in-time joins and newest values, behind one trait.

mod duckdb;
mod files;
mod json_lines;
mod query;

use crate::config::{OfflineStoreConfig, StoreConfig};

pub use query::{
    BatchSink, Counted, EntityRows, Examined, HistoricalQuery, NewestQuery, OfflineError, OfflineStore, RowFormat,
};

/// The offline store the settings name. The engine starts with the first query, not before.
pub fn open(config: &StoreConfig) -> Box<dyn OfflineStore> {
    match config.offline_store {
        OfflineStoreConfig::DuckDb => Box::new(duckdb::DuckDbStore::new(config.repo.clone())),
    }
}
