//! Metrics, sent now and then: the same ones that Prometheus is told, counted since the server began.

use std::{sync::Arc, time::SystemTime};

use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::{collector::Collector, messages::message, resource_message};
use crate::{config::OtlpConfig, problem::Problem, server::telemetry::metrics::Metrics};

/// Sends them as long as it is waited for. What is awaited begins when encryption is set up.
///
/// # Errors
/// When encryption cannot be set up.
pub(in crate::server::telemetry) fn send_metrics(
    config: &OtlpConfig,
    url: &Url,
    metrics: Arc<Metrics>,
) -> Result<impl Future<Output = ()> + Send + use<>, Problem> {
    let collector = Collector::new(config, url, "metrics")?;
    let (resource, period, began) = (resource_message(config), config.metrics_interval, SystemTime::now());
    Ok(async move {
        let mut turns = interval(period);
        turns.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // The first one comes at once.
        turns.tick().await;
        loop {
            turns.tick().await;
            collector.send(&message(&metrics.text(), resource.clone(), [began, SystemTime::now()])).await;
        }
    })
}
