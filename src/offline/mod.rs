//! Reading sources: point-in-time joins and newest values, behind one trait.

mod cancel;
mod duckdb;
mod join;
#[cfg(test)]
pub(crate) mod memory;
mod pipelined;
mod point_in_time;
mod postgres;
mod query;
mod reading;
mod rows;
mod statement;
mod transformation;
mod view_source;

use std::sync::Arc;

use crate::{
    config::{OfflineStoreConfig, StoreConfig},
    sources::Whereabouts,
};

pub use cancel::Cancel;
pub use pipelined::pipelined;
pub use query::{
    BatchSink, Counted, EntityQuery, EntitySource, Examined, Explained, ExplainedView, HistoricalQuery, HistoricalRead,
    NewestQuery, NewestRead, OfflineStore, Progress, RowsQuery,
};

pub use transformation::WrongTransformation;

/// The offline store the settings name, which looks up environment variables that sources name. The engine starts with
/// the first query, not before.
pub fn open(config: &StoreConfig, environment: fn(&str) -> Option<String>) -> Box<dyn OfflineStore> {
    let whereabouts = Arc::new(Whereabouts::of(config, environment));
    let rows = duckdb::DuckDbStore::new(Arc::clone(&whereabouts), config.memory_limit.clone());
    match &config.offline_store {
        OfflineStoreConfig::DuckDb => Box::new(rows),
        OfflineStoreConfig::Postgres(postgres) => {
            Box::new(postgres::PostgresStore::new(whereabouts, postgres.entity_select_mode, rows))
        }
    }
}

#[cfg(test)]
mod tests;
