//! Traces and metrics, sent to a collector of OpenTelemetry by OTLP over HTTP.

mod collector;
mod messages;
mod metrics;
mod traces;

use opentelemetry::KeyValue;
use opentelemetry_sdk::{
    Resource,
    resource::{EnvResourceDetector, TelemetryResourceDetector},
};

pub(crate) use self::traces::RequestSpan;
pub(super) use self::{metrics::MetricsSender, traces::Traces};
use crate::config::OtlpConfig;

/// What is said of the service: its name and version, and what `OTEL_RESOURCE_ATTRIBUTES` adds.
fn resource(config: &OtlpConfig) -> Resource {
    let builder = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", env!("CARGO_PKG_NAME")),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    match &config.service_name {
        Some(name) => builder.with_service_name(name.clone()).build(),
        None => builder.build(),
    }
}
