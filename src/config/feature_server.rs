//! The `feature_server` setting: what Feast's server of features, and feastr's, tells of its requests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    diagnostics::Diagnostics,
    yaml::{Node, Spanned, record},
};

record! {
    /// Feast's server of features, and feastr's.
    pub(crate) struct RawFeatureServer, "the settings of the server of features";
    required {}
    optional {
        /// Metrics for Prometheus, and the log of who asked for what.
        metrics: RawMetrics,
        /// Logs of what was served of feature services.
        feature_logging: RawFeatureLogging,
        /// Feast's kind of server. Without effect.
        r#type: Node,
        /// Whether there is a server. Without effect.
        enabled: Node,
        /// Feast's log of what agents asked for. Without effect: see `audit_logging` of `metrics`.
        audit_logging: Node,
        /// Where Feast's Go server has on-demand features computed. Without effect.
        transformation_service_endpoint: Node,
        /// Whether Feast collects what is pushed to the offline store. Without effect.
        offline_push_batching_enabled: Node,
        /// How many rows of it. Without effect.
        offline_push_batching_batch_size: Node,
        /// For how long. Without effect.
        offline_push_batching_batch_interval_seconds: Node,
        /// Feast's server for agents. Without effect.
        mcp_enabled: Node,
        /// Its name. Without effect.
        mcp_server_name: Node,
        /// Its version. Without effect.
        mcp_server_version: Node,
        /// Its protocol. Without effect.
        mcp_transport: Node,
    }
}

record! {
    /// Metrics for Prometheus, by groups, and the log of who asked for what.
    pub(crate) struct RawMetrics, "the settings of metrics";
    required {}
    optional {}
    defaulted {
        /// Whether there are metrics; `--metrics` says so as well.
        enabled: bool = false,
        /// Processor and memory of the process.
        resource: bool = true,
        /// How many requests there were, and how long they took.
        request: bool = true,
        /// What requests for features asked for, and how the values stood.
        online_features: bool = true,
        /// Pushes by their source.
        push: bool = true,
        /// Materializations by their view.
        materialization: bool = true,
        /// How long ago the values of each view end.
        freshness: bool = true,
        /// What a server of the offline store was asked for, and how many rows it gave.
        offline_features: bool = true,
        /// Whether each request for features leaves a line of JSON in the log: who asked for what, with no values.
        audit_logging: bool = false,
    }
    placed {
        /// How many features fall under one label of `feature_count`: the greatest number of each group, rising.
        feature_count_bins: Vec<i64> = [10, 50, 200],
    }
}

record! {
    /// Logs of what was served of feature services, as their `logging_config` says.
    pub(crate) struct RawFeatureLogging, "the settings of feature logs";
    required {}
    optional {
        /// How long a request of Feast's server waits for a place. Without effect: no request waits.
        emit_timeout_micro_secs: Node,
    }
    defaulted {
        /// Whether the server logs what it serves of services that have a `logging_config`.
        enabled: bool = false,
    }
    placed {
        /// After how many seconds a new file appears in a log.
        flush_interval_secs: i64 = 600,
        /// After how many seconds rows in memory are written to the file that will appear.
        write_to_disk_interval_secs: i64 = 30,
        /// How many rows may wait in memory; those that find no place are counted and left out.
        queue_capacity: i64 = 100_000,
    }
}

/// What a server of features tells of its requests.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeatureServerConfig {
    /// Metrics for Prometheus.
    pub metrics: MetricsConfig,
    /// Logs of what was served.
    pub feature_logging: FeatureLoggingConfig,
}

/// Which metrics there are.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "they are Feast's switches")]
pub struct MetricsConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// Processor and memory of the process.
    pub resource: bool,
    /// Requests by their endpoint.
    pub request: bool,
    /// Requests for features.
    pub online_features: bool,
    /// Commands to the offline store.
    pub offline_features: bool,
    /// Pushes by their source.
    pub push: bool,
    /// Materializations by their view.
    pub materialization: bool,
    /// The age of the values of each view.
    pub freshness: bool,
    /// Whether each request for features is logged with what it asked for.
    pub audit_logging: bool,
    /// The greatest number of features of each group, rising.
    pub feature_count_bins: Vec<usize>,
}

/// How what was served is logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeatureLoggingConfig {
    /// Whether it is.
    pub enabled: bool,
    /// After how long a new file appears.
    pub flush_interval: Duration,
    /// After how long rows in memory are written to it.
    pub write_interval: Duration,
    /// How many rows may wait in memory.
    pub queue_capacity: usize,
}

impl Default for MetricsConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            resource: true,
            request: true,
            online_features: true,
            offline_features: true,
            push: true,
            materialization: true,
            freshness: true,
            audit_logging: false,
            feature_count_bins: vec![10, 50, 200],
        }
    }
}

impl Default for FeatureLoggingConfig {
    fn default() -> Self {
        Self {
            enabled: false,
            flush_interval: Duration::from_secs(600),
            write_interval: Duration::from_secs(30),
            queue_capacity: 100_000,
        }
    }
}

impl FeatureServerConfig {
    /// The settings as they are understood.
    pub(super) fn settings(&self) -> Value {
        let Self { metrics, feature_logging: logging } = self;
        json!({
            "metrics": {
                "enabled": metrics.enabled,
                "resource": metrics.resource,
                "request": metrics.request,
                "online_features": metrics.online_features,
                "offline_features": metrics.offline_features,
                "push": metrics.push,
                "materialization": metrics.materialization,
                "freshness": metrics.freshness,
                "audit_logging": metrics.audit_logging,
                "feature_count_bins": metrics.feature_count_bins,
            },
            "feature_logging": {
                "enabled": logging.enabled,
                "flush_interval_secs": logging.flush_interval.as_secs(),
                "write_to_disk_interval_secs": logging.write_interval.as_secs(),
                "queue_capacity": logging.queue_capacity,
            },
        })
    }

    /// The settings that were written, with findings about those that make no sense.
    pub(super) fn of(raw: Option<RawFeatureServer>, diagnostics: &mut Diagnostics) -> Self {
        let Some(raw) = raw else { return Self::default() };
        Self {
            metrics: raw.metrics.map_or_else(MetricsConfig::default, |raw| MetricsConfig::of(&raw, diagnostics)),
            feature_logging: raw
                .feature_logging
                .map_or_else(FeatureLoggingConfig::default, |raw| FeatureLoggingConfig::of(&raw, diagnostics)),
        }
    }
}

impl MetricsConfig {
    fn of(raw: &RawMetrics, diagnostics: &mut Diagnostics) -> Self {
        let bins: Vec<usize> =
            raw.feature_count_bins.value.iter().filter_map(|bound| usize::try_from(*bound).ok()).collect();
        let is_rising = bins.first() != Some(&0) && bins.windows(2).all(|pair| pair[0] < pair[1]);
        if bins.len() != raw.feature_count_bins.value.len() || !is_rising {
            diagnostics.error_with_help(
                &raw.feature_count_bins.span,
                "these are no groups of numbers of features",
                "write numbers above 0, each greater than the one before, such as [10, 50, 200]".to_owned(),
            );
        }
        Self {
            enabled: raw.enabled,
            resource: raw.resource,
            request: raw.request,
            online_features: raw.online_features,
            offline_features: raw.offline_features,
            push: raw.push,
            materialization: raw.materialization,
            freshness: raw.freshness,
            audit_logging: raw.audit_logging,
            feature_count_bins: bins,
        }
    }
}

impl FeatureLoggingConfig {
    fn of(raw: &RawFeatureLogging, diagnostics: &mut Diagnostics) -> Self {
        let flush = positive(&raw.flush_interval_secs, "seconds", diagnostics);
        let write = positive(&raw.write_to_disk_interval_secs, "seconds", diagnostics);
        let capacity = positive(&raw.queue_capacity, "rows", diagnostics);
        Self {
            enabled: raw.enabled,
            flush_interval: Duration::from_secs(flush),
            write_interval: Duration::from_secs(write.min(flush)),
            queue_capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
        }
    }
}

fn positive(number: &Spanned<i64>, what: &str, diagnostics: &mut Diagnostics) -> u64 {
    match u64::try_from(number.value) {
        Ok(number) if number > 0 => number,
        _ => {
            diagnostics.error_with_help(
                &number.span,
                format!("{} is no number of {what}", number.value),
                "write a number above 0".to_owned(),
            );
            1
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{path::Path, sync::Arc};

    use super::*;
    use crate::{config::load, diagnostics::SourceText};

    fn read(settings: &str) -> Result<FeatureServerConfig, Vec<String>> {
        let text = format!("project: p\nregistry: r.db\nfeature_server: {settings}\n");
        let file = Arc::new(SourceText::settings("/repo/feature_store.yaml", text));
        let mut diagnostics = Diagnostics::default();
        let config = load(&file, ["/repo", "/repo/feature_store.yaml"].map(Path::new), &|_| None, &mut diagnostics);
        let messages = || diagnostics.into_sorted().into_iter().map(|found| found.message).collect();
        config.map(|config| config.feature_server).ok_or_else(messages)
    }

    #[test]
    fn settings_are_those_of_feast() {
        let config = read(
            "{type: local, metrics: {enabled: true, push: false, feature_count_bins: [5]}, feature_logging: {enabled: \
             true, flush_interval_secs: 5, queue_capacity: 7, emit_timeout_micro_secs: 10}}",
        )
        .unwrap();
        let metrics =
            MetricsConfig { enabled: true, push: false, feature_count_bins: vec![5], ..MetricsConfig::default() };
        assert_eq!(config.metrics, metrics);
        let logging = config.feature_logging;
        // Rows do not wait longer than until the file appears.
        assert_eq!([logging.flush_interval, logging.write_interval], [Duration::from_secs(5); 2]);
        assert_eq!((logging.enabled, logging.queue_capacity), (true, 7));
        assert_eq!(read("{}").unwrap(), FeatureServerConfig::default());
        assert_eq!(read("null").unwrap(), FeatureServerConfig::default());
    }

    #[test]
    fn what_makes_no_sense_is_told() {
        for (wrong, message) in [
            ("{metrics: {feature_count_bins: [50, 10]}}", "these are no groups of numbers of features"),
            ("{metrics: {feature_count_bins: [0]}}", "these are no groups of numbers of features"),
            ("{metrics: {feature_count_bins: [-1, 3]}}", "these are no groups of numbers of features"),
            ("{feature_logging: {queue_capacity: 0}}", "0 is no number of rows"),
            ("{feature_logging: {flush_interval_secs: -5}}", "-5 is no number of seconds"),
        ] {
            assert_eq!(read(wrong).unwrap_err(), [message], "{wrong}");
        }
        assert!(read("{metrics: {enable: true}}").is_err());
    }
}
