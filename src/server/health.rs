//! Whether the server lives, and whether it can answer.

use std::sync::Arc;

use axum::{extract, http::StatusCode, response::Response};

use super::{json, readiness::ReadyReport, state::State};

/// Whether the server lives
#[utoipa::path(
    get,
    path = "/health",
    tag = "server",
    responses((status = 200, description = "It does; the body is empty")),
    security(())
)]
pub(super) async fn health() {}

/// Whether the server can answer requests for features
#[utoipa::path(
    get,
    path = "/ready",
    tag = "server",
    responses(
        (status = 200, body = ReadyReport, description = "It can"),
        (status = 503, body = ReadyReport, description = "It cannot, or is about to end")
    ),
    security(())
)]
pub(super) async fn ready(extract::State(state): extract::State<Arc<State>>) -> Response {
    let report = state.ready().await;
    json(if report.ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }, &report)
}
