use std::path::Path;

use super::redis_connection::RedisConnection;
use crate::{
    diagnostics::{Diagnostics, did_you_mean},
    yaml::{Node, Read, Spanned, record},
};

const DEFAULT_CONNECTION: &str = "localhost:6379";
const DEFAULT_MASTER: &str = "mymaster";

/// Feast's online store in Redis.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedisConfig {
    pub deployment: RedisDeployment,
    pub connection: RedisConnection,
    /// After how many seconds without a write all values of an entity vanish; never if there is none.
    pub key_ttl_seconds: Option<u64>,
    /// Whether values of removed views are looked for and deleted.
    pub full_scan_for_deletion: bool,
    /// Whether rows are written without looking at what is stored.
    pub skip_dedup: bool,
}

/// How the servers belong together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RedisDeployment {
    Standalone,
    Cluster,
    /// Sentinels know which server is the master of this name.
    Sentinel {
        master: String,
    },
}

impl RedisDeployment {
    /// Feast's word for it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Standalone => "redis",
            Self::Cluster => "redis_cluster",
            Self::Sentinel { .. } => "redis_sentinel",
        }
    }
}

impl RedisConfig {
    /// A store with Feast's defaults.
    pub fn new(deployment: RedisDeployment, connection: RedisConnection) -> Self {
        Self { deployment, connection, key_ttl_seconds: None, full_scan_for_deletion: true, skip_dedup: false }
    }
}

record! {
    /// The `online_store` mapping of a Redis store as written.
    struct RawRedis, "the settings of the Redis online store";
    required {}
    optional {
        r#type: Node,
        redis_type: Spanned<String>,
        sentinel_master: String,
        connection_string: Spanned<String>,
        key_ttl_seconds: Spanned<i64>,
        full_scan_for_deletion: bool,
        skip_dedup: bool,
        /// Which client Feast reads with.
        client: Node,
    }
}

/// The store of a mapping with `type: redis`.
pub fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<RedisConfig> {
    let raw = RawRedis::read(node, diagnostics)?;
    let deployment = deployment(raw.redis_type.as_ref(), raw.sentinel_master, diagnostics);
    let key_ttl_seconds = raw.key_ttl_seconds.as_ref().map_or(Some(None), |ttl| key_ttl(ttl, diagnostics).map(Some));
    let text = raw.connection_string.as_ref().map_or(DEFAULT_CONNECTION, |text| &text.value);
    let span = raw.connection_string.as_ref().map_or(&raw.span, |text| &text.span);
    let connection = match RedisConnection::parse(text, folder) {
        Ok(connection) => connection,
        Err(problem) => {
            diagnostics.problem(span, problem);
            return None;
        }
    };
    let deployment = deployment?;
    if deployment == RedisDeployment::Cluster && connection.db != 0 {
        diagnostics.error_with_help(
            span,
            format!("a Redis cluster has no database {}", connection.db),
            "leave `db` out".to_owned(),
        );
        return None;
    }
    if deployment == RedisDeployment::Standalone && connection.nodes.len() > 1 {
        diagnostics.warning(
            span,
            format!("of these servers only {} is used", connection.nodes[0]),
            "write `redis_type: redis_cluster` or `redis_type: redis_sentinel` if they belong together".to_owned(),
        );
    }
    let default = RedisConfig::new(deployment, connection);
    Some(RedisConfig {
        key_ttl_seconds: key_ttl_seconds?.filter(|seconds| *seconds > 0),
        full_scan_for_deletion: raw.full_scan_for_deletion.unwrap_or(default.full_scan_for_deletion),
        skip_dedup: raw.skip_dedup.unwrap_or(default.skip_dedup),
        ..default
    })
}

/// The store when only its kind is named.
pub fn default(folder: &Path) -> Option<RedisConfig> {
    let connection = RedisConnection::parse(DEFAULT_CONNECTION, folder).ok()?;
    Some(RedisConfig::new(RedisDeployment::Standalone, connection))
}

fn deployment(
    word: Option<&Spanned<String>>,
    master: Option<String>,
    diagnostics: &mut Diagnostics,
) -> Option<RedisDeployment> {
    match word.map_or("redis", |word| word.value.as_str()) {
        "redis" => Some(RedisDeployment::Standalone),
        "redis_cluster" => Some(RedisDeployment::Cluster),
        "redis_sentinel" => {
            Some(RedisDeployment::Sentinel { master: master.unwrap_or_else(|| DEFAULT_MASTER.to_owned()) })
        }
        other => {
            let help = did_you_mean(other, ["redis", "redis_cluster", "redis_sentinel"]);
            if let Some(word) = word {
                diagnostics.error_with_help(&word.span, format!("there is no redis_type `{other}`"), help);
            }
            None
        }
    }
}

fn key_ttl(ttl: &Spanned<i64>, diagnostics: &mut Diagnostics) -> Option<u64> {
    let seconds = u64::try_from(ttl.value).ok();
    if seconds.is_none() {
        diagnostics.error_with_help(
            &ttl.span,
            "key_ttl_seconds is negative, so values would vanish when they are written",
            "leave it out or write 0 to keep values".to_owned(),
        );
    }
    seconds
}
