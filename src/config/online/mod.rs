//! The `online_store` setting: a file per kind of store.

mod postgres;
mod redis;
mod redis_connection;
mod remote;
mod sqlite;

use std::path::{Path, PathBuf};

pub use postgres::PostgresConfig;
pub use redis::{RedisConfig, RedisDeployment};
pub use redis_connection::{RedisConnection, RedisNode, RedisTls};
pub use remote::{RemoteConfig, ServerAddress};

use serde_json::{Value, json};

use self::{postgres::RawPostgres, redis::RawRedis, remote::RawRemote, sqlite::RawSqlite};
use super::store_kind::{mapping_kind, unsupported_store};
use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Read, Schemas},
};

/// Where online values are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OnlineStoreConfig {
    /// An SQLite file (absolute path).
    Sqlite {
        /// The file.
        path: PathBuf,
        /// Whether tables have numbers in a column of their own, too, for Feast's filters.
        numbers: bool,
    },
    /// Tables in PostgreSQL.
    Postgres(PostgresConfig),
    /// Hashes in Redis.
    Redis(RedisConfig),
    /// Behind a feature server.
    Remote(RemoteConfig),
}

/// The kinds of stores, as the settings name them.
const KINDS: [&str; 4] = ["sqlite", "postgres", "redis", "remote"];

impl OnlineStoreConfig {
    /// The word of the settings file.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "sqlite",
            Self::Postgres(_) => "postgres",
            Self::Redis(_) => "redis",
            Self::Remote(_) => "remote",
        }
    }
}

impl OnlineStoreConfig {
    /// Whether names of projects and views become names of tables that are not put in quotes, so that they must be
    /// words.
    pub fn names_are_tables(&self) -> bool {
        matches!(self, Self::Sqlite { .. })
    }

    /// The settings of the store as they are understood, with `***` for passwords.
    pub(super) fn settings(&self) -> Value {
        match self {
            Self::Sqlite { path, numbers } => sqlite::settings(path, *numbers),
            Self::Postgres(postgres) => postgres.settings(),
            Self::Redis(redis) => redis.settings(),
            Self::Remote(remote) => remote.settings(),
        }
    }
}

/// The `online_store` setting as written, for [`read`].
#[derive(Debug, Clone)]
pub(crate) struct OnlineStoreNode(pub Node);

impl Read for OnlineStoreNode {
    const EXPECTED: &'static str = "the kind of an online store or its settings";
    const TAKES_NULL: bool = true;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        let words = json!({ "enum": [null, "none", "sqlite", "redis", "remote"] });
        let kinds = [
            words,
            RawSqlite::schema(schemas),
            RawPostgres::schema(schemas),
            RawRedis::schema(schemas),
            RawRemote::schema(schemas),
        ];
        json!({ "anyOf": kinds })
    }
}

/// The online store: `Some(None)` when there is none on purpose, `None` after an error.
pub(crate) fn read(
    node: Option<&Node>,
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Option<OnlineStoreConfig>> {
    let Some(node) = node else {
        return Some(Some(sqlite::default(folder)));
    };
    if node.is_null() {
        return Some(None);
    }
    if let Some(word) = node.as_text() {
        return match word.to_ascii_lowercase().as_str() {
            "none" | "null" => Some(None),
            "sqlite" => Some(Some(sqlite::default(folder))),
            "postgres" => {
                diagnostics.error_with_help(
                    &node.span,
                    "a PostgreSQL online store needs to know where it is",
                    "write {type: postgres, host: …, database: …, user: …, password: ${…}}".to_owned(),
                );
                None
            }
            "redis" => redis::default(folder).map(|config| Some(OnlineStoreConfig::Redis(config))),
            "remote" => remote::default().map(|config| Some(OnlineStoreConfig::Remote(config))),
            _ => unsupported_store("online", word, &node.span, &[KINDS.as_slice(), &["none"]].concat(), diagnostics),
        };
    }
    match mapping_kind("online", node, "sqlite", &KINDS, diagnostics)?.as_str() {
        "postgres" => postgres::read(node, folder, diagnostics).map(|config| Some(OnlineStoreConfig::Postgres(config))),
        "redis" => redis::read(node, folder, diagnostics).map(|config| Some(OnlineStoreConfig::Redis(config))),
        "remote" => remote::read(node, folder, diagnostics).map(|config| Some(OnlineStoreConfig::Remote(config))),
        _ => sqlite::read(node, folder, diagnostics).map(Some),
    }
}
