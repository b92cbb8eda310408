//! Where a project's objects are kept: rows of serialized messages behind one trait.

mod foreign;
mod message;
mod sql;
mod state;
mod store;

use crate::config::RegistryConfig;

pub use message::{to_json, to_message};
pub use state::{object, state};
pub use store::{RegistryError, RegistryStore, Row, Snapshot, VersionRow, Write};

/// The registry the settings name. Nothing is opened yet.
pub fn open(config: &RegistryConfig) -> Box<dyn RegistryStore> {
    match config {
        RegistryConfig::Sqlite { path } => Box::new(sql::SqliteRegistry::new(path.clone())),
    }
}
