//! What the offline store is asked for: how often, for how many rows, and how long that took.

use std::time::Duration;

use prometheus_client::{
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};

use super::{Histograms, Labels};

/// What commands to the offline store count in.
pub(super) struct OfflineMetrics {
    requests: Family<Labels<2>, Counter>,
    latencies: Histograms<1>,
    rows: Histograms<1>,
}

impl OfflineMetrics {
    pub(super) fn registered(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            latencies: Histograms::new_with_constructor(|| Histogram::new(LATENCIES)),
            rows: Histograms::new_with_constructor(|| Histogram::new(ROWS)),
        };
        let help = "Commands to the offline store by their method, and how they ended";
        registry.register("feast_offline_store_request", help, metrics.requests.clone());
        let help = "Seconds until commands to the offline store were answered";
        registry.register("feast_offline_store_request_latency_seconds", help, metrics.latencies.clone());
        let help = "Rows that commands to the offline store gave or took";
        registry.register("feast_offline_store_row_count", help, metrics.rows.clone());
        metrics
    }

    pub(super) fn retrieved(&self, method: &'static str, is_success: bool, rows: usize, took: Duration) {
        let status = if is_success { "success" } else { "error" };
        self.requests.get_or_create(&[("method", method.into()), ("status", status.into())]).inc();
        let labels = [("method", method.into())];
        self.latencies.get_or_create(&labels).observe(took.as_secs_f64());
        if is_success {
            #[expect(clippy::cast_precision_loss, reason = "metrics are floats")]
            self.rows.get_or_create(&labels).observe(rows as f64);
        }
    }
}

/// Upper limits in seconds, as in Feast.
const LATENCIES: [f64; 10] = [0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0];

/// The same of rows.
const ROWS: [f64; 7] = [100.0, 1_000.0, 10_000.0, 100_000.0, 500_000.0, 1_000_000.0, 5_000_000.0];
