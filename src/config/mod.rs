//! `feature_store.yaml` into typed settings.
//!
//! Keys and their meaning are Feast's. Keys that only matter to parts feastr does not have are
//! accepted and left alone; kinds of stores it does not know are errors at the place they are named.

mod auth;
mod buckets;
mod database_url;
mod entity_index;
mod environment;
mod feature_server;
mod file;
mod kubeconfig;
mod memory;
mod offline;
mod offline_server;
mod online;
mod otlp;
mod postgres;
mod registry;
mod registry_bucket;
mod registry_database;
mod registry_place;
mod registry_remote;
mod registry_server;
mod spark;
mod store_kind;
mod table_url;

use std::path::{Path, PathBuf};

pub use auth::{
    ApiServerPlace, AuthConfig, AuthMethod, Bindings, Credentials, Decisions, KubernetesConfig, OidcConfig,
    TokenChecks, WithoutPermissions,
};
pub use buckets::{BucketSettings, BucketUrl, StoreOfBuckets};
pub use database_url::{ClientCertificate, Password, ServerUrl, TlsConfig, TlsMode};
pub use entity_index::EntityIndexConfig;
pub use environment::{Environment, variables};
pub use feature_server::{FeatureLoggingConfig, FeatureServerConfig, MetricsConfig};
pub use file::load;
pub use kubeconfig::{Kubeconfig, KubernetesAccount};
pub use memory::{MemoryLimit, ParseMemoryLimitError};
pub use offline::{EntitySelectMode, OfflineStoreConfig, PostgresOfflineConfig};
pub use offline_server::RemoteOfflineConfig;
pub use online::{
    OnlineStoreConfig, PostgresConfig, RedisConfig, RedisConnection, RedisDeployment, RedisNode, RedisTls,
    RemoteConfig, ServerAddress,
};
pub use otlp::OtlpConfig;
pub use postgres::PostgresConnection;
pub use registry::{RegistryCache, RegistryConfig, SchemaMode, SqlRegistryConfig};
pub use registry_bucket::BucketRegistryConfig;
pub use registry_database::RegistryDatabase;
pub use registry_place::registry_at;
pub use registry_remote::RemoteRegistryConfig;
pub use registry_server::RegistryServerConfig;
pub use spark::{EngineAccess, SparkAddress, SparkConfig};
pub use table_url::TableUrl;

/// The JSON Schema of the settings file as it is once variables are filled in, made from the records that read it.
pub fn schema() -> serde_json::Value {
    crate::yaml::schema_of::<file::RawConfig>("Settings of a feature repo")
}

/// Name of the settings file in a repo folder.
pub const FILE_NAME: &str = "feature_store.yaml";

/// The settings of one feature repo.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreConfig {
    /// Folder of the settings file, absolute; relative paths start here.
    pub repo: PathBuf,
    /// The settings file, absolute.
    pub file: PathBuf,
    /// Namespace of every object and of online data.
    pub project: String,
    /// Description of the project where the definitions give none.
    pub project_description: Option<String>,
    /// The name of this repo among those that share the project; with one, an apply deletes only
    /// what this repo applied itself.
    pub repo_name: Option<String>,
    /// Feast's provider; the built-in ones all behave alike.
    pub provider: String,
    /// Where the registry is.
    pub registry: RegistryConfig,
    /// How long what was read of it may be given again.
    pub registry_cache: RegistryCache,
    /// `None` when the repo serves nothing online.
    pub online_store: Option<OnlineStoreConfig>,
    /// What reads the sources.
    pub offline_store: OfflineStoreConfig,
    /// The cluster that materializations name beside it.
    pub batch_engine: Option<Box<SparkConfig>>,
    /// What the environment says of object stores.
    pub buckets: BucketSettings,
    /// Who may ask servers, and what clients say who they are.
    pub auth: AuthConfig,
    /// What a server of features tells of its requests.
    pub feature_server: FeatureServerConfig,
    /// Where the index of entities is.
    pub entity_index: EntityIndexConfig,
    /// What a server of the registry does for its clients, and what it refuses.
    pub registry_server: RegistryServerConfig,
    /// Whether a request for online values fails where one of them cannot be computed.
    pub strict: bool,
    /// How much memory queries may use; given on the command line, not in the file.
    pub memory_limit: MemoryLimit,
}

impl StoreConfig {
    /// The settings as they are understood, with `***` for passwords, in the form of the settings file.
    pub fn settings(&self) -> serde_json::Value {
        serde_json::json!({
            "project": self.project,
            "project_description": self.project_description,
            "feastr": {
                "name": self.repo_name,
                "strict": self.strict,
                "auth": self.auth.own_settings(),
                "entity_index": self.entity_index.settings(),
                "registry_server": self.registry_server.settings(),
                "engine": self.engine().map(|spark| spark.access.settings()),
            },
            "provider": self.provider,
            "registry": self.registry.settings(),
            "online_store": self.online_store.as_ref().map(OnlineStoreConfig::settings),
            "offline_store": self.offline_store.settings(),
            "batch_engine": self.batch_engine.as_ref().map(|spark| spark.settings("spark.engine")),
            "auth": self.auth.settings(),
            "feature_server": self.feature_server.settings(),
            "entity_key_serialization_version": file::KEY_VERSION,
            "repo_path": self.repo,
        })
    }

    /// The engine beyond this machine, if there is one: that of the offline store, else that of materializations.
    pub fn engine(&self) -> Option<&SparkConfig> {
        match &self.offline_store {
            OfflineStoreConfig::Spark(spark) => Some(spark),
            _ => self.batch_engine.as_deref(),
        }
    }

    /// A path of the settings or definitions, from the repo folder.
    pub fn resolve(&self, path: &str) -> PathBuf {
        resolve(&self.repo, path)
    }
}

/// `path` as seen from `folder`.
fn resolve(folder: &Path, path: &str) -> PathBuf {
    folder.join(path.strip_prefix("./").unwrap_or(path))
}
