//! Where objects of projects are kept, by whom views are locked, and what is remembered of runs: in databases, files
//! and memory.

mod bucket;
mod cached;
mod change_log;
mod changes_file;
mod copy;
mod decision;
mod digest;
mod file;
mod is_carried_out;
mod lock_file;
mod locks;
mod memory;
mod message;
mod notes;
mod objects;
mod pauses;
mod read_objects;
pub mod remote;
mod run_lines;
mod run_log;
mod runs_file;
mod sql;
mod traits;
mod unnamed;
#[cfg(test)]
pub(crate) mod watched;

use std::sync::Arc;

use crate::{auth::login::Tokens, config::RegistryConfig};

pub use cached::{Cached, Clock, Status};
pub use change_log::{ChangeLog, WantedChanges, change_record, record_of_update, with_record};
pub use copy::{Copied, CopyFrom, CopyTo, copy, create_schema};
pub use decision::{Decision, update, update_object, update_view};
pub use locks::{Holder, LOCK_TIMEOUT, Locking, Locks, ViewLock, Waiting};
pub use memory::Memory;
pub(crate) use notes::{LAST_UPDATED, PROJECT_UUID, leftover_of, owners};
pub use notes::{
    Leftover, forget_leftover, forget_owner, forget_sharded_run, forget_stale, left_of, leftovers, put_leftover,
    put_owner, put_sharded_run, put_stale, same_keys, sharded_run, sharded_runs, stale_until,
};
pub use objects::{Mark, Objects, Row, Snapshot, VersionRow, Write};
pub use read_objects::{object, read_objects};
pub use run_log::{KEPT_RUNS, RunLog};
pub use traits::Registry;

/// The registry the settings name. Nothing is opened yet. A registry server is told nothing of who asks.
pub fn open(config: &RegistryConfig, locking: Locking) -> Box<dyn Registry> {
    open_for(config, locking, &Arc::default())
}

/// The same; a registry server is told by `tokens` who asks.
pub fn open_for(config: &RegistryConfig, locking: Locking, tokens: &Arc<Tokens>) -> Box<dyn Registry> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::new(sql, locking)),
        RegistryConfig::File { path } => Box::new(file::FileRegistry::new(path.clone(), locking)),
        RegistryConfig::Bucket(config) => Box::new(bucket::BucketRegistry::new(config, locking)),
        RegistryConfig::Remote(config) => {
            Box::new(remote::RemoteRegistry::new(config.clone(), locking, Arc::clone(tokens)))
        }
    }
}

/// The registry for commands that only read, which may be a replica that lags behind; a registry server is told by
/// `tokens` who asks.
pub fn open_to_read(config: &RegistryConfig, tokens: &Arc<Tokens>) -> Box<dyn Registry> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::to_read(sql)),
        RegistryConfig::File { .. } | RegistryConfig::Bucket(_) | RegistryConfig::Remote(_) => {
            open_for(config, Locking::default(), tokens)
        }
    }
}
