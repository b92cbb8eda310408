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
mod remote;
mod result_file;
mod rows;
mod spark;
mod staged;
mod statement;
mod tasks;
mod transformation;
mod view_source;

use std::sync::Arc;

use crate::{
    auth::login::Tokens,
    config::{OfflineStoreConfig, StoreConfig},
    sources::Whereabouts,
};

pub use cancel::Cancel;
pub use pipelined::pipelined;
pub use query::{
    BatchSink, Counted, EntityQuery, EntitySource, Examined, Explained, ExplainedView, HistoricalQuery, HistoricalRead,
    NewestQuery, NewestRead, OfflineStore, Progress, ResultPlace, RowsQuery, SourceWriter, Stage, Stager,
    WrittenResult,
};
pub use spark::{EngineCheck, EngineReport, EngineStep, SparkSession, check_engine};

pub use staged::StagedRows;
pub use tasks::Tasks;
pub use transformation::WrongTransformation;

/// The offline store the settings name, which looks up environment variables that sources name; an offline server is told
/// by `tokens` who asks. The engine starts with the first query, not before.
pub fn open(
    config: &StoreConfig,
    environment: fn(&str) -> Option<String>,
    tokens: &Arc<Tokens>,
) -> Box<dyn OfflineStore> {
    let whereabouts = Arc::new(Whereabouts::of(config, environment));
    let rows = duckdb::DuckDbStore::new(Arc::clone(&whereabouts), config.memory_limit.clone());
    match &config.offline_store {
        OfflineStoreConfig::DuckDb => Box::new(rows),
        OfflineStoreConfig::Postgres(postgres) => {
            Box::new(postgres::PostgresStore::new(whereabouts, postgres.entity_select_mode, rows))
        }
        OfflineStoreConfig::Remote(remote) => {
            Box::new(remote::RemoteStore::new(remote.clone(), Arc::clone(tokens), &config.project, rows))
        }
        OfflineStoreConfig::Spark(spark) => Box::new(spark::SparkStore::new(spark, whereabouts, rows)),
    }
}

/// What reads sources for materializations, where the settings name an engine for them beside the offline store.
pub fn open_batch_engine(
    config: &StoreConfig,
    environment: fn(&str) -> Option<String>,
) -> Option<Box<dyn OfflineStore>> {
    let spark = config.batch_engine.as_deref()?;
    if matches!(config.offline_store, OfflineStoreConfig::Spark(_)) {
        return None;
    }
    let whereabouts = Arc::new(Whereabouts::of(config, environment));
    let rows = duckdb::DuckDbStore::new(Arc::clone(&whereabouts), config.memory_limit.clone());
    Some(Box::new(spark::SparkStore::new(spark, whereabouts, rows)))
}

#[cfg(test)]
mod tests;
