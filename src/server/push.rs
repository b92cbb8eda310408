//! Rows for the views that a push source feeds.

use std::sync::Arc;

use axum::{
    extract::{self, Request},
    http::StatusCode,
    response::{IntoResponse as _, Response},
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{asker::Asker, body, error::Error, frame::Frame, refusals::Refusals, state::State};
use crate::{
    app::{
        Caller,
        push::{self, push as write},
    },
    daemon::{deadline, read_body},
    model::printable,
    problem::{Kind, Problem},
    push::{PushReport, To},
};

/// What is pushed, and where to.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "PushFeaturesRequest")]
pub(super) struct PushRequest {
    /// The name of the push source.
    #[schema(example = "driver_stats_push_source")]
    push_source_name: String,
    /// The rows: a list of values for each column, all of one length. Columns have the names that the source has for them,
    /// or those that its field mapping gives them; those that nobody needs are ignored.
    #[schema(value_type = BTreeMap<String, Vec<serde_json::Value>>)]
    df: Frame,
    /// Where the rows go: `online`, `offline` or `online_and_offline`.
    #[serde(default = "online")]
    to: String,
    /// Whether what is registered may be as old as the server knows it, which is a second or so.
    #[serde(default = "yes")]
    allow_registry_cache: bool,
    /// Whether on-demand views whose values are stored are computed of the rows.
    #[serde(default = "yes")]
    transform_on_write: bool,
}

fn online() -> String {
    To::Online.to_string()
}

/// What holds unless something else is said.
pub(super) const fn yes() -> bool {
    true
}

/// Write rows to the views that a push source feeds
///
/// All rows are checked for all views before anything is written. Of each entity the newest row counts, among those of the
/// request and the stored one.
#[utoipa::path(
    post,
    path = "/push",
    tag = "writing",
    request_body = PushRequest,
    responses((status = 200, description = "They are stored; the body is empty"), Refusals)
)]
pub(super) async fn push(
    extract::State(state): extract::State<Arc<State>>,
    Asker(caller): Asker,
    request: Request,
) -> Result<Response, Error> {
    let deadline = deadline(state.write_deadline);
    let body = read_body(request, state.write_limit, deadline).await?;
    let report = state.write(deadline, move |state| state.push(&caller, &body::parse(&body)?)).await?;
    if let Some(metrics) = &state.telemetry.metrics {
        metrics.pushed(&report.source, report.to.as_str());
    }
    Ok(StatusCode::OK.into_response())
}

impl State {
    fn push(&self, caller: &Caller, asked: &PushRequest) -> Result<PushReport, Error> {
        let rows = asked.df.rows()?;
        let request = push::Request {
            source: &asked.push_source_name,
            rows: &rows,
            to: destination(&asked.to)?,
            allow_future: self.allow_future,
            compute: asked.transform_on_write,
            look: !asked.allow_registry_cache,
        };
        Ok(write(&self.store, caller, request)?)
    }
}

fn destination(word: &str) -> Result<To, Problem> {
    To::ALL.into_iter().find(|to| to.as_str() == word).ok_or_else(|| {
        let known = To::ALL.map(|to| format!("`{to}`")).join(", ");
        let message = format!("`{}` is no place that rows are pushed to", printable(word));
        Problem::new(Kind::Invalid, message, format!("give one of {known} as `to`"))
    })
}
