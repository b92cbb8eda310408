//! Rows for one view, as Feast's remote online store writes them.

use std::sync::Arc;

use axum::{
    extract::{self, Request},
    http::StatusCode,
    response::Response,
};
use serde::Deserialize;
use utoipa::ToSchema;

use super::{asker::Asker, body, error::Error, frame::Frame, json, push::yes, refusals::Refusals, state::State};
use crate::{
    app::{
        Caller,
        push::{ViewRequest, push_to_view},
    },
    daemon::{deadline, read_body},
};

/// What is written.
#[derive(Debug, Deserialize, ToSchema)]
#[schema(title = "WriteToFeatureStoreRequest")]
pub(super) struct WriteRequest {
    /// The name of the view.
    #[schema(example = "driver_hourly_stats")]
    feature_view_name: String,
    /// The rows: a list of values for each column, all of one length. Their times are in the columns of the view's source,
    /// or in `event_timestamp` and `created`, whatever the source calls them.
    #[schema(value_type = BTreeMap<String, Vec<serde_json::Value>>)]
    df: Frame,
    /// Whether what is registered may be as old as the server knows it, which is a second or so.
    #[serde(default = "yes")]
    allow_registry_cache: bool,
    /// Whether on-demand views whose values are stored are computed of the rows.
    #[serde(default = "yes")]
    transform_on_write: bool,
}

/// Write rows of one view to the online store
///
/// All rows are checked before anything is written. Of each entity the newest row counts, among those of the request and
/// the stored one.
#[utoipa::path(
    post,
    path = "/write-to-online-store",
    tag = "writing",
    request_body = WriteRequest,
    responses((status = 200, body = (), description = "They are stored; the body is null"), Refusals)
)]
pub(super) async fn write_to_online_store(
    extract::State(state): extract::State<Arc<State>>,
    Asker(caller): Asker,
    request: Request,
) -> Result<Response, Error> {
    let deadline = deadline(state.write_deadline);
    let body = read_body(request, state.write_limit, deadline).await?;
    state.write(deadline, move |state| state.write_view(&caller, &body::parse(&body)?)).await?;
    Ok(json(StatusCode::OK, &()))
}

impl State {
    fn write_view(&self, caller: &Caller, asked: &WriteRequest) -> Result<(), Error> {
        let rows = asked.df.rows()?;
        let request = ViewRequest {
            view: &asked.feature_view_name,
            rows: &rows,
            allow_future: self.allow_future,
            compute: asked.transform_on_write,
            look: !asked.allow_registry_cache,
        };
        push_to_view(&self.store, caller, request)?;
        Ok(())
    }
}
