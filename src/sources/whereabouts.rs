//! What decides where sources are, besides what they say themselves.

use std::path::PathBuf;

use crate::config::{PostgresConnection, StoreConfig};

/// Where sources are looked for.
#[derive(Debug, Clone)]
pub struct Whereabouts {
    /// Relative paths start here.
    pub repo: PathBuf,
    /// The server with the tables of sources that do not name one themselves.
    pub postgres: Option<PostgresConnection>,
    /// Looks up environment variables that sources name.
    pub environment: fn(&str) -> Option<String>,
}

impl Whereabouts {
    /// Those of a repo with these settings.
    pub fn of(config: &StoreConfig, environment: fn(&str) -> Option<String>) -> Self {
        Self { repo: config.repo.clone(), postgres: config.offline_store.postgres().cloned(), environment }
    }
}
