//! The `registry` setting: Feast's SQL tables, its file, on a disk or in a bucket, or a server that has one of these.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::{Value, json};

use super::{
    BucketUrl, Environment,
    registry_bucket::{BucketRegistryConfig, check_store_type},
    registry_database::{RegistryDatabase, database_at},
    registry_remote::{self, RawRemoteRegistry, RemoteRegistryConfig},
    resolve,
    store_kind::unsupported_flag,
};
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean, without_logins},
    yaml::{Node, Read, Scalar, Schemas, Spanned, record},
};

/// Where the registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RegistryConfig {
    /// Feast's SQL registry.
    Sql(SqlRegistryConfig),
    /// Feast's registry in a protobuf file (absolute path).
    File {
        /// The file.
        path: PathBuf,
    },
    /// Feast's registry in a protobuf file in a bucket.
    Bucket(BucketRegistryConfig),
    /// A registry server, which has the registry.
    Remote(RemoteRegistryConfig),
}

/// An SQL registry with what it does about tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SqlRegistryConfig {
    /// Where commands write, and read what they write.
    pub database: RegistryDatabase,
    /// Where commands read that only read.
    pub replica: Option<RegistryDatabase>,
    /// What an update does about missing tables.
    pub schema_mode: SchemaMode,
}

/// How long those who live may answer from what they have read of the registry. Commands read what is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistryCache {
    /// After this time the registry is looked at again; zero: whenever somebody asks.
    pub period: Duration,
    /// Whether that happens by itself (`cache_mode: thread`), and not when somebody asks.
    pub by_itself: bool,
}

impl Default for RegistryCache {
    /// Feast's.
    fn default() -> Self {
        Self { period: Duration::from_secs(600), by_itself: false }
    }
}

impl RegistryCache {
    /// Of a `registry` setting, with Feast's defaults. What is neither a number of seconds nor a mode counts as left out, as
    /// long as it has no effect on commands.
    pub(super) fn of(node: &Node) -> Self {
        let entries = node.entries().unwrap_or_default();
        let setting = |key| entries.iter().find(|(name, _)| name.as_text() == Some(key)).map(|(_, value)| value);
        let seconds = match setting("cache_ttl_seconds").and_then(Node::scalar) {
            Some(Scalar::Integer(seconds)) => u64::try_from(*seconds).ok(),
            _ => None,
        };
        let by_itself = setting("cache_mode").and_then(Node::as_text) == Some("thread");
        Self { period: seconds.map_or(Self::default().period, Duration::from_secs), by_itself }
    }
}

/// What an update does about missing tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SchemaMode {
    /// Creates them.
    Auto,
    /// Refuses to work and lists them.
    Verify,
    /// Does not look.
    Skip,
}

impl SchemaMode {
    const WORDS: [(&'static str, Self); 3] = [("auto", Self::Auto), ("verify", Self::Verify), ("skip", Self::Skip)];

    /// The word of the settings file.
    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("auto", |(word, _)| word)
    }
}

impl RegistryConfig {
    /// The settings of the registry as they are understood, with `***` for passwords.
    pub(super) fn settings(&self) -> Value {
        match self {
            Self::File { path } => json!({ "registry_type": "file", "path": path }),
            Self::Bucket(bucket) => bucket.settings(),
            Self::Remote(server) => server.settings(),
            Self::Sql(sql) => {
                let mut settings = json!({ "registry_type": "sql", "path": sql.database.masked_url() });
                if let Some(replica) = &sql.replica {
                    settings["read_path"] = replica.masked_url().into();
                }
                if sql.schema_mode != SchemaMode::Auto {
                    settings["schema_mode"] = sql.schema_mode.word().into();
                }
                settings
            }
        }
    }
}

record! {
    /// The registry: Feast's tables in a database, or its protobuf file.
    struct RawRegistry, "the registry settings";
    required {}
    optional {
        /// `sql` for a database, `file` for a file; left out, it is a file. With `remote` it is behind a server.
        registry_type: Spanned<String>,
        /// The file, relative to the repo, or in a bucket: `s3://bucket/registry.pb`, `gs://…`, `az://…`,
        /// `https://account.blob.core.windows.net/container/registry.pb`. Or the URL of the database: `sqlite:///data/registry.db` (relative to the
        /// repo; four slashes for an absolute path), `postgresql://user:password@host:5432/database` or
        /// `mysql://…` (MariaDB, too). Options of a URL: `sslmode` (`disable`, `prefer`, `require`, `verify-ca`,
        /// `verify-full`), `sslrootcert` or `ssl_ca` (a file with certificates), `host` or `unix_socket`, `port`,
        /// `user`, `password`, `dbname`.
        path: Spanned<String>,
        /// The URL of a copy of the database that reading commands use.
        read_path: Spanned<String>,
        /// Of a registry in a bucket whose store has no conditional writes: the URL of a database whose locks keep those
        /// apart who write it (`postgresql://…`, `mysql://…`; `sqlite:///…` where all of them are on one machine). Nothing is
        /// stored there, and Python Feast does not heed it.
        lock: Spanned<String>,
        /// Feast's options of SQLAlchemy's engine. Without effect.
        sqlalchemy_config_kwargs: Node,
        /// How long Feast keeps what it has read. Without effect: each command reads what is there.
        cache_ttl_seconds: Node,
        /// How Feast refreshes what it keeps. Without effect.
        cache_mode: Node,
        /// Feast's class for registries in files: `S3RegistryStore`, `GCSRegistryStore`, `AzBlobRegistryStore`. The path
        /// says the same.
        registry_store_type: Node,
        /// Threads of Feast's registry. Without effect.
        thread_pool_executor_worker_count: Node,
        /// Feast's server. Without effect.
        serve_features_while_materializing: Node,
        /// How a registry in S3 is written: `ServerSideEncryption` (`AES256`, `aws:kms`) and `SSEKMSKeyId`. Other options
        /// of Feast are without effect.
        s3_additional_kwargs: Node,
        /// Feast's server for agents. Without effect.
        mcp: Node,
    }
    placed {
        /// What an update does about missing tables of a database: `auto` creates them, `verify` lists them and
        /// refuses, `skip` does not look.
        schema_mode: String = SchemaMode::Auto.word(),
        /// Not supported yet: `true` is an error.
        purge_feast_metadata: bool = false,
        /// Not supported yet: `true` is an error.
        enable_online_feature_view_versioning: bool = false,
    }
}

/// The `registry` setting as written, for [`registry`].
#[derive(Debug, Clone)]
pub(crate) struct RegistryNode(pub Node);

impl Read for RegistryNode {
    const EXPECTED: &'static str = RawRegistry::EXPECTED;

    fn read(node: &Node, _: &mut Diagnostics) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "anyOf": [String::schema(schemas), RawRegistry::schema(schemas), RawRemoteRegistry::schema(schemas)] })
    }
}

/// The registry; `None` after an error.
pub(crate) fn registry(
    node: &Node,
    folder: &Path,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<RegistryConfig> {
    if let Some(path) = node.as_text() {
        return file_path(path, &node.span, folder, environment, diagnostics);
    }
    let entries = node.entries().unwrap_or_default();
    let kind = entries.iter().find(|(key, _)| key.as_text() == Some("registry_type")).map(|(_, kind)| kind);
    if kind.and_then(Node::as_text) == Some("remote") {
        return registry_remote::read(node, folder, environment, diagnostics).map(RegistryConfig::Remote);
    }
    let mut found = Diagnostics::default();
    let raw = RawRegistry::read(node, &mut found);
    let is_flawed = found.has_errors();
    diagnostics.append(found);
    let raw = raw?;
    for (flag, name) in [
        (&raw.purge_feast_metadata, "purge_feast_metadata"),
        (&raw.enable_online_feature_view_versioning, "enable_online_feature_view_versioning"),
    ] {
        unsupported_flag(flag, name, diagnostics);
    }
    match raw.registry_type.as_ref() {
        // The type may be among what could not be read.
        None if is_flawed => None,
        None => file(&raw, folder, environment, diagnostics),
        Some(kind) => match kind.value.as_str() {
            "file" => file(&raw, folder, environment, diagnostics),
            "sql" => sql(&raw, folder, diagnostics).map(RegistryConfig::Sql),
            other => {
                let help = did_you_mean(other, ["sql", "file", "remote"]);
                diagnostics.error_with_help(&kind.span, format!("registry type `{other}` is not supported yet"), help);
                None
            }
        },
    }
}

fn file(
    raw: &RawRegistry,
    folder: &Path,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<RegistryConfig> {
    let Some(path) = &raw.path else {
        diagnostics.error(&raw.span, "`path` is missing: the registry needs a file such as data/registry.db");
        return None;
    };
    let registry = file_path(&path.value, &path.span, folder, environment, diagnostics)?;
    Some(match registry {
        RegistryConfig::Bucket(bucket) => {
            check_store_type(raw.registry_store_type.as_ref(), Some(&bucket.url), diagnostics);
            let lock = match &raw.lock {
                Some(url) => Some(database_at(url, "lock", folder, diagnostics)?),
                None => None,
            };
            let bucket = bucket.with_options(raw.s3_additional_kwargs.as_ref(), diagnostics);
            RegistryConfig::Bucket(BucketRegistryConfig { lock, ..bucket })
        }
        other => {
            check_store_type(raw.registry_store_type.as_ref(), None, diagnostics);
            own_locks(raw, diagnostics);
            other
        }
    })
}

/// A file with or without `file://`, or one in a bucket.
fn file_path(
    text: &str,
    span: &Span,
    folder: &Path,
    environment: Environment<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<RegistryConfig> {
    if BucketUrl::is_one(text) {
        return BucketRegistryConfig::at(text, span, environment, diagnostics).map(RegistryConfig::Bucket);
    }
    let path = text.strip_prefix("file://").unwrap_or(text);
    if path.is_empty() {
        diagnostics.error(span, "the registry's path is empty");
    } else if let Some((scheme, _)) = path.split_once("://") {
        let (message, help) = match scheme.split('+').next().unwrap_or_default() {
            "postgresql" | "postgres" | "mysql" | "mariadb" | "sqlite" => (
                format!("a registry in `{scheme}` is of type sql, not file"),
                "write `registry_type: sql` beside `path`".to_owned(),
            ),
            _ => (
                format!("a registry in `{scheme}` is not supported yet"),
                "use a file such as data/registry.db, one in a bucket such as s3://bucket/registry.pb, or \
                 `registry_type: sql`"
                    .to_owned(),
            ),
        };
        diagnostics.error_with_help(span, message, help);
    } else if path == text && without_logins(text) != text {
        diagnostics.error_with_help(
            span,
            format!("`{}` is neither a file nor the URL of a database", without_logins(text)),
            "write a URL as postgresql://user:password@host/database, and a file with such a name as file://…"
                .to_owned(),
        );
    } else {
        return Some(RegistryConfig::File { path: resolve(folder, path) });
    }
    None
}

fn sql(raw: &RawRegistry, folder: &Path, diagnostics: &mut Diagnostics) -> Option<SqlRegistryConfig> {
    let Some(url) = &raw.path else {
        diagnostics.error(&raw.span, "`path` is missing: the registry needs a URL such as sqlite:///data/registry.db");
        return None;
    };
    engine_options(raw.sqlalchemy_config_kwargs.as_ref(), diagnostics);
    own_locks(raw, diagnostics);
    let schema_mode = schema_mode(&raw.schema_mode, diagnostics);
    let database = database_at(url, "registry", folder, diagnostics);
    let replica = match &raw.read_path {
        Some(url) => Some(database_at(url, "registry", folder, diagnostics)?),
        None => None,
    };
    Some(SqlRegistryConfig { database: database?, replica, schema_mode: schema_mode? })
}

/// Files and databases keep writers apart themselves.
fn own_locks(raw: &RawRegistry, diagnostics: &mut Diagnostics) {
    if let Some(lock) = &raw.lock {
        let help = "leave it out: it is for registries in buckets".to_owned();
        diagnostics.warning(&lock.span, "`lock` has no effect: this registry has locks of its own", help);
    }
}

fn schema_mode(word: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<SchemaMode> {
    let found = SchemaMode::WORDS.iter().find(|(name, _)| *name == word.value);
    if found.is_none() {
        let words = SchemaMode::WORDS.map(|(name, _)| name);
        let help = did_you_mean(&word.value, words).unwrap_or_else(|| format!("use one of {}", words.join(", ")));
        diagnostics.error_with_help(&word.span, format!("`{}` is not a schema mode", word.value), help);
    }
    found.map(|(_, mode)| *mode)
}

/// Options of SQLAlchemy's engine: those of its pool say nothing to a program of short connections.
fn engine_options(node: Option<&Node>, diagnostics: &mut Diagnostics) {
    for (key, _) in node.and_then(Node::entries).unwrap_or_default() {
        match key.as_text() {
            Some(name) if name == "echo" || name.starts_with("pool_") || name == "max_overflow" => {}
            Some("connect_args") => diagnostics.warning(
                &key.span,
                "`connect_args` has no effect in feastr",
                "put settings such as sslmode into the URL: …/database?sslmode=require".to_owned(),
            ),
            name => {
                let name = name.unwrap_or("this option");
                diagnostics.warning(&key.span, format!("`{name}` has no effect in feastr"), None);
            }
        }
    }
}
