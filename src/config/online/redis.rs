//! The settings of the online store in Redis.

use std::path::Path;

use serde_json::{Value, json};

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
    /// How the servers belong together.
    pub deployment: RedisDeployment,
    /// Where they are, and who connects.
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
    /// One server.
    Standalone,
    /// A cluster, which has each key on one of its servers.
    Cluster,
    /// Sentinels know which server is the master of this name.
    Sentinel {
        /// The name of the master.
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

    /// The settings of the store as they are understood, with `***` for the password.
    pub(super) fn settings(&self) -> Value {
        let mut settings = json!({ "type": "redis", "redis_type": self.deployment.word() });
        if let RedisDeployment::Sentinel { master } = &self.deployment {
            settings["sentinel_master"] = master.as_str().into();
        }
        settings["connection_string"] = self.connection.masked().into();
        settings["key_ttl_seconds"] = self.key_ttl_seconds.into();
        settings["full_scan_for_deletion"] = self.full_scan_for_deletion.into();
        settings["skip_dedup"] = self.skip_dedup.into();
        settings
    }
}

record! {
    /// An online store in Redis: a hash per entity.
    pub(crate) struct RawRedis, "the settings of the Redis online store";
    required {
        /// `redis`.
        r#type: String,
    }
    optional {
        /// Which client Feast reads with. Without effect.
        client: Node,
    }
    defaulted {
        /// The name of the master that sentinels know.
        sentinel_master: String = DEFAULT_MASTER.to_owned(),
        /// Whether values of removed views are looked for and deleted.
        full_scan_for_deletion: bool = true,
        /// Whether rows are written without looking at what is stored: quicker, and an older row may replace a
        /// newer one.
        skip_dedup: bool = false,
    }
    placed {
        /// How the servers belong together: `redis` (one server), `redis_cluster` or `redis_sentinel`.
        redis_type: String = RedisDeployment::Standalone.word(),
        /// Servers `host:port` and keywords `name=value`, separated by commas. Keywords: `db`, `username`,
        /// `password`, `ssl`, `ssl_ca_certs`, `ssl_cert_reqs` (`required` or `none`), `ssl_check_hostname`,
        /// `ssl_certfile`, `ssl_keyfile`, `socket_timeout` and `socket_connect_timeout` (in seconds); redis-py's
        /// other keywords are without effect or refused.
        connection_string: String = DEFAULT_CONNECTION,
        /// After how many seconds without a write all values of an entity vanish; never with 0.
        key_ttl_seconds: i64 = 0,
    }
}

/// The store of a mapping with `type: redis`.
pub(crate) fn read(node: &Node, folder: &Path, diagnostics: &mut Diagnostics) -> Option<RedisConfig> {
    let raw = RawRedis::read(node, diagnostics)?;
    let deployment = deployment(&raw.redis_type, raw.sentinel_master, diagnostics);
    let key_ttl_seconds = key_ttl(&raw.key_ttl_seconds, diagnostics);
    let span = &raw.connection_string.span;
    let connection = match RedisConnection::parse(&raw.connection_string.value, folder) {
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
    Some(RedisConfig {
        deployment,
        connection,
        key_ttl_seconds: Some(key_ttl_seconds?).filter(|seconds| *seconds > 0),
        full_scan_for_deletion: raw.full_scan_for_deletion,
        skip_dedup: raw.skip_dedup,
    })
}

/// The store when only its kind is named.
pub(crate) fn default(folder: &Path) -> Option<RedisConfig> {
    let connection = RedisConnection::parse(DEFAULT_CONNECTION, folder).ok()?;
    Some(RedisConfig::new(RedisDeployment::Standalone, connection))
}

fn deployment(word: &Spanned<String>, master: String, diagnostics: &mut Diagnostics) -> Option<RedisDeployment> {
    match word.value.as_str() {
        "redis" => Some(RedisDeployment::Standalone),
        "redis_cluster" => Some(RedisDeployment::Cluster),
        "redis_sentinel" => Some(RedisDeployment::Sentinel { master }),
        other => {
            let help = did_you_mean(other, ["redis", "redis_cluster", "redis_sentinel"]);
            diagnostics.error_with_help(&word.span, format!("there is no redis_type `{other}`"), help);
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
