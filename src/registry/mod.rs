//! Where a project's objects are kept: rows of serialized messages behind one trait.

mod cached;
mod copy;
mod decision;
mod file;
mod leftovers;
mod lock_file;
mod locks;
mod memory;
mod objects;
mod ownership;
mod registry;
mod run_log;
mod runs_file;
mod sql;
mod stale;
mod state;
mod unnamed;

use crate::config::RegistryConfig;

pub use cached::{Cached, Clock, Status};
pub use copy::{Copied, CopyFrom, CopyTo, copy, create_schema};
pub use decision::{Decision, update, update_view};
pub use leftovers::{Leftover, forget_leftover, left_of, leftovers, put_leftover};
pub use locks::{Holder, LOCK_TIMEOUT, Locking, Locks, ViewLock, Waiting};
pub use memory::Memory;
pub use objects::{Mark, Objects, Row, Snapshot, VersionRow, Write};
pub use ownership::{forget_owner, put_owner};
pub use registry::Registry;
pub use run_log::{KEPT_RUNS, RunLog};
pub use stale::{forget_stale, put_stale, stale_until};
pub use state::{object, state};

/// The registry the settings name. Nothing is opened yet.
pub fn open(config: &RegistryConfig, locking: Locking) -> Box<dyn Registry> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::new(sql, locking)),
        RegistryConfig::File { path } => Box::new(file::FileRegistry::new(path.clone(), locking)),
    }
}

/// The registry for commands that only read, which may be a replica that lags behind.
pub fn open_to_read(config: &RegistryConfig) -> Box<dyn Registry> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::to_read(sql)),
        RegistryConfig::File { .. } => open(config, Locking::default()),
    }
}
