//! The port of metrics: any path has them, as with Feast.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderValue, header},
    response::IntoResponse as _,
};

use super::Metrics;

/// The text format of OpenMetrics.
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What answers on the port.
pub(in crate::daemon::telemetry) fn expose(metrics: Arc<Metrics>) -> Router {
    Router::new().fallback(move || {
        let text = metrics.text();
        async { ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response() }
    })
}
