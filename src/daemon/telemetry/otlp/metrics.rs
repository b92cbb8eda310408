//! Metrics, sent now and then and at the end: the same ones that Prometheus is told, counted since the server began.

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use opentelemetry_proto::tonic::resource::v1::Resource;
use tokio::time::sleep;
use url::Url;

use super::{collector::Collector, messages::message, resource};
use crate::{config::OtlpConfig, daemon::telemetry::metrics::Metrics, problem::Problem};

/// Sends metrics to a collector.
pub(in crate::daemon::telemetry) struct MetricsSender {
    collector: Collector,
    metrics: Arc<Metrics>,
    resource: Resource,
    period: Duration,
    began: SystemTime,
}

impl MetricsSender {
    /// Metrics that go to a collector.
    ///
    /// # Errors
    /// When encryption cannot be set up.
    pub(in crate::daemon::telemetry) fn to(
        config: &OtlpConfig,
        url: &Url,
        metrics: Arc<Metrics>,
    ) -> Result<Self, Problem> {
        Ok(Self {
            collector: Collector::new(config, url, "metrics")?,
            metrics,
            resource: (&resource(config)).into(),
            period: config.metrics_interval,
            began: SystemTime::now(),
        })
    }

    /// Sends them as they stand.
    pub(in crate::daemon::telemetry) async fn send(&self) {
        let message = message(&self.metrics.text(), self.resource.clone(), [self.began, SystemTime::now()]);
        // That they are lost was told.
        self.collector.send(&message).await;
    }

    /// Sends them again and again, as long as it is waited for.
    pub(in crate::daemon::telemetry) async fn run(&self) {
        loop {
            sleep(self.period).await;
            self.send().await;
        }
    }
}
