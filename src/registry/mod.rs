//! Where a project's objects are kept: rows of serialized messages behind one trait.

mod copy;
mod file;
mod foreign;
mod leftovers;
mod locking;
mod message;
mod ownership;
mod runs;
mod sql;
mod stale;
mod state;
mod store;
mod unnamed;

use crate::config::RegistryConfig;

pub use copy::{Copied, CopyFrom, CopyTo, copy, create_schema};
pub use leftovers::{Leftover, forget_leftover, left_of, leftovers, put_leftover};
pub use locking::{Holder, LOCK_TIMEOUT, Locking, Waiting};
pub use message::{to_json, to_message};
pub use ownership::{forget_owner, put_owner};
pub use runs::KEPT_RUNS;
pub use stale::{forget_stale, put_stale, stale_until};
pub use state::{object, state};
pub use store::{RegistryStore, Row, Snapshot, VersionRow, ViewLock, Write};

/// The registry the settings name. Nothing is opened yet.
pub fn open(config: &RegistryConfig, locking: Locking) -> Box<dyn RegistryStore> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::new(sql, locking)),
        RegistryConfig::File { path } => Box::new(file::FileRegistry::new(path.clone(), locking)),
    }
}

/// The registry for commands that only read, which may be a replica that lags behind.
pub fn open_to_read(config: &RegistryConfig) -> Box<dyn RegistryStore> {
    match config {
        RegistryConfig::Sql(sql) => Box::new(sql::SqlRegistry::to_read(sql)),
        RegistryConfig::File { .. } => open(config, Locking::default()),
    }
}
