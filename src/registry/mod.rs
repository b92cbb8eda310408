//! Where a project's objects are kept: rows of serialized messages behind one trait.

mod copy;
mod foreign;
mod message;
mod sql;
mod state;
mod store;

use crate::config::RegistryConfig;

pub use copy::{Copied, CopyFrom, CopyTo, copy, create_schema};
pub use message::{to_json, to_message};
pub use state::state;
pub use store::{RegistryError, RegistryStore, Row, Snapshot, VersionRow, Write};

/// The registry the settings name. Nothing is opened yet.
pub fn open(config: &RegistryConfig) -> Box<dyn RegistryStore> {
    match config {
        RegistryConfig::Sqlite { path } => Box::new(sql::SqliteRegistry::new(path.clone())),
    }
}
