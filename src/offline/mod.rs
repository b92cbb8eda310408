//! Reading sources: point-in-time joins and newest values, behind one trait.

mod cancel;
mod duckdb;
mod join;
#[cfg(test)]
pub(crate) mod memory;
mod point_in_time;
mod query;
mod reading;
mod rows;
mod statement;
mod view_source;

use crate::config::{OfflineStoreConfig, StoreConfig};

pub use cancel::Cancel;
pub use query::{
    BatchSink, Counted, EntityQuery, EntitySource, Examined, Explained, ExplainedView, HistoricalQuery, HistoricalRead,
    NewestQuery, NewestRead, OfflineStore, Progress, RowsQuery,
};

/// The offline store the settings name. The engine starts with the first query, not before.
pub fn open(config: &StoreConfig) -> Box<dyn OfflineStore> {
    match config.offline_store {
        OfflineStoreConfig::DuckDb => {
            Box::new(duckdb::DuckDbStore::new(config.repo.clone(), config.memory_limit.clone()))
        }
    }
}

#[cfg(test)]
mod tests;
