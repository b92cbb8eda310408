//! Events that somebody tells of, and questions whether the server lives and can take some.

use std::sync::Arc;

use axum::{
    Router,
    extract::{self, Request},
    http::{HeaderMap, StatusCode},
    response::Response,
    routing::{get, post},
};
use serde_json::json;
use tokio::time::timeout_at;

use super::{
    answer::{self, Refusal},
    state::State,
};
use crate::{
    clients::runtime::blocking,
    daemon::{deadline, read_body},
    entity_index::{CloudHeaders, events},
    problem::{Kind, Problem},
};

/// Where events are taken; the last one is that of the entity-store project.
const PATHS: [&str; 3] = ["/", "/events", "/minio/events"];

/// What is answered where.
pub(super) fn router(state: Arc<State>) -> Router {
    let router = PATHS.iter().fold(Router::new(), |router, path| router.route(path, post(receive).get(health)));
    router.route("/health", get(health)).route("/ready", get(ready)).with_state(state)
}

/// Whether the server lives; some gateways ask where they will tell of events.
async fn health() {}

/// Whether events can be noted.
async fn ready(extract::State(state): extract::State<Arc<State>>) -> Result<Response, Refusal> {
    let deadline = deadline(state.settings.deadline);
    let looked = blocking(move || {
        state.indexer.store().registered()?;
        state.indexer.jobs(None, 1).map_err(Refusal::from)
    });
    timeout_at(deadline.into(), looked).await.map_err(|_| late())??;
    Ok(answer::json(StatusCode::OK, &json!({ "ready": true })))
}

async fn receive(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Refusal> {
    state.settings.tokens.check(&headers).map_err(Refusal::Wrong)?;
    let deadline = deadline(state.settings.deadline);
    let Ok(_place) = Arc::clone(&state.room).try_acquire_owned() else {
        return Err(Problem::new(Kind::Unavailable, "too many requests are being answered", None).into());
    };
    let body = read_body(request, state.settings.body_limit, deadline).await?;
    let named = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let events = events(&body, &CloudHeaders::of(named)).map_err(Refusal::Wrong)?;
    let noting = blocking(move || {
        let noted = state.indexer.note(&events, state.settings.most_waiting)?;
        if noted.new > 0 {
            state.work.wake();
        }
        Ok::<_, Refusal>(noted)
    });
    // What is noted later is noted once, however often it is told.
    let noted = timeout_at(deadline.into(), noting).await.map_err(|_| late())??;
    let (new, known, ignored) = (noted.new, noted.known, noted.ignored);
    tracing::debug!("Noted events: {new} new, {known} known, {ignored} of no view");
    Ok(answer::json(StatusCode::OK, &noted))
}

fn late() -> Refusal {
    Problem::new(Kind::Deadline, "the index does not answer in time", None).into()
}
