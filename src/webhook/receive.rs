//! Events that somebody tells of, and questions whether the server lives and can take some.

use std::sync::Arc;

use axum::{
    Router,
    extract::{self, Request},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use serde_json::json;
use tokio::time::timeout_at;

use super::{
    answer::{self, Refusal},
    state::State,
    subscriptions,
};
use crate::{
    clients::runtime::blocking,
    daemon::{HttpObserver, deadline, observe, read_body},
    entity_index::{CloudHeaders, Handshake, events},
    problem::{Kind, Problem},
};

/// What Event Grid sends.
const EVENT_GRID: HeaderName = HeaderName::from_static("aeg-event-type");

/// Who asks whether events may be sent, and what is answered.
const ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");

/// Where events are taken; the last one is that of the entity-store project.
const PATHS: [&str; 3] = ["/", "/events", "/minio/events"];

/// What is answered where.
pub(super) fn router(state: Arc<State>) -> Router {
    let router =
        PATHS.iter().fold(Router::new(), |router, path| router.route(path, post(receive).get(health).options(allowed)));
    let routes = PATHS.into_iter().chain(["/health", "/ready"]).map(str::to_owned);
    let observer = HttpObserver::new(&state.telemetry, routes);
    let router = router.route("/health", get(health)).route("/ready", get(ready)).with_state(state);
    router.layer(from_fn_with_state(observer, observe))
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

/// Whether events may be sent here, as CloudEvents ask before they do. It is answered to everybody: who sends some needs a
/// token.
async fn allowed(headers: HeaderMap) -> Response {
    match headers.get(ORIGIN) {
        Some(origin) => {
            [(ALLOWED_ORIGIN, origin.clone()), (ALLOWED_RATE, HeaderValue::from_static("*"))].into_response()
        }
        None => StatusCode::METHOD_NOT_ALLOWED.into_response(),
    }
}

async fn receive(
    extract::State(state): extract::State<Arc<State>>,
    headers: HeaderMap,
    request: Request,
) -> Result<Response, Refusal> {
    // Event Grid may not send the token with its question whether somebody listens.
    let is_question = headers.get(EVENT_GRID).is_some_and(|kind| kind == "SubscriptionValidation");
    if !is_question {
        state.settings.tokens.check(&headers).map_err(Refusal::Wrong)?;
    }
    let deadline = deadline(state.settings.deadline);
    let Ok(_place) = Arc::clone(&state.room).try_acquire_owned() else {
        return Err(Problem::new(Kind::Unavailable, "too many requests are being answered", None).into());
    };
    let body = read_body(request, state.settings.body_limit, deadline).await?;
    match Handshake::of(&body) {
        Some(Handshake::Code(code)) => {
            return Ok(answer::json(StatusCode::OK, &json!({ "validationResponse": code })));
        }
        _ if is_question => {
            return Err(Refusal::Wrong(Problem::new(Kind::Invalid, "the body has no code of Event Grid", None)));
        }
        Some(Handshake::Visit { topic, url }) => {
            let confirmed = subscriptions::confirm(&topic, &url, &state.settings.subscriptions, deadline).await;
            confirmed.map_err(
                |problem| if problem.kind == Kind::Denied { Refusal::Wrong(problem) } else { problem.into() },
            )?;
            return Ok(answer::json(StatusCode::OK, &json!({ "confirmed": topic })));
        }
        None => {}
    }
    let named = headers.iter().filter_map(|(name, value)| Some((name.as_str(), value.to_str().ok()?)));
    let events = events(&body, &CloudHeaders::of(named)).map_err(Refusal::Wrong)?;
    let noting = blocking(move || {
        let noted = state.indexer.note(&events, state.settings.most_waiting)?;
        if let Some(metrics) = state.metrics() {
            metrics.noted([noted.new, noted.known, noted.ignored]);
        }
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
