//! From a request to who answers it, and back.

use std::{any::Any, collections::BTreeSet, net::SocketAddr, sync::Arc};

use axum::{
    Router,
    extract::{ConnectInfo, FromRequestParts as _, RawPathParams, Request},
    http::{StatusCode, header::AUTHORIZATION, request::Parts},
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::{MethodFilter, get, on},
};
use bytes::Bytes;
use serde_json::{Value as Json, json};
use tokio::time::{timeout, timeout_at};
use tower_http::catch_panic::CatchPanicLayer;

use super::{
    answer,
    asked::Asked,
    description::description,
    query::Query,
    refusal::Refusal,
    route::{Route, Verb},
    routes::ROUTES,
};
use crate::{
    app::Caller,
    clients::runtime::blocking,
    daemon::{HttpObserver, deadline, docs, observe, openapi, read_body, telemetry::request},
    model::Author,
    problem::{Kind, Problem},
    registry_server::{room::Work, state::State},
};

/// Feast's clients know both.
const PREFIXES: [&str; 2] = ["", "/api/v1"];

/// All paths.
pub(in crate::registry_server) fn router(state: &Arc<State>) -> Router {
    let mut router = Router::new();
    let text: Bytes = serde_json::to_vec(&description(state.gate.is_guarded())).unwrap_or_default().into();
    let mut paths = Vec::new();
    for prefix in PREFIXES {
        for route in &ROUTES {
            let (path, state) = (format!("{prefix}{}", route.path), Arc::clone(state));
            let handler = on(filter(route.verb), move |request: Request| answered(state, (route, None), request));
            router = router.route(&path, handler);
            paths.push(path);
        }
        for (route, word) in words_for_names() {
            let (path, state) = (format!("{prefix}{}", route.path.replace("{name}", word)), Arc::clone(state));
            let handler = on(filter(route.verb), move |request: Request| answered(state, (route, Some(word)), request));
            router = router.route(&path, handler);
        }
        router = router.route(&format!("{prefix}/docs"), get(docs));
        router = router.route(&format!("{prefix}/openapi.json"), get(openapi(&text)));
        paths.extend(["/docs", "/openapi.json"].map(|path| format!("{prefix}{path}")));
    }
    let observer = HttpObserver::new(&state.telemetry, paths.into_iter());
    router
        .route("/", get(docs))
        .fallback(async || detail(StatusCode::NOT_FOUND, "Not Found"))
        .method_not_allowed_fallback(async || detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(observer, observe))
}

/// Routes to something by its name, with the words that other paths have in the place of the name and not for what is to be done:
/// there they are names, as in Feast.
fn words_for_names() -> impl Iterator<Item = (&'static Route, &'static str)> {
    let by_name = ROUTES.iter().filter_map(|route| Some((route, route.path.strip_suffix("{name}")?)));
    by_name.flat_map(|(route, before)| {
        let words = ROUTES.iter().filter_map(move |other| other.path.strip_prefix(before));
        let words: BTreeSet<&str> = words.filter(|word| !word.contains(['/', '{'])).collect();
        let is_other = move |word: &&str| {
            let asks = |other: &Route| {
                other.path.strip_prefix(before) == Some(*word) && filter(other.verb) == filter(route.verb)
            };
            !ROUTES.iter().any(asks)
        };
        words.into_iter().filter(is_other).map(move |word| (route, word))
    })
}

const fn filter(verb: Verb) -> MethodFilter {
    match verb {
        Verb::Get => MethodFilter::GET,
        Verb::Post | Verb::Create => MethodFilter::POST,
        Verb::Delete => MethodFilter::DELETE,
    }
}

/// The answer at a route; one with a name in its path may be asked at a path that has a word there.
async fn answered(
    state: Arc<State>,
    (route, name): (&'static Route, Option<&'static str>),
    request: Request,
) -> Response {
    match carry_out(state, (route, name), request).await {
        Ok(Json::Null) => StatusCode::OK.into_response(),
        Ok(json) => answer::json(if route.verb == Verb::Create { StatusCode::CREATED } else { StatusCode::OK }, &json),
        Err(refusal) => refusal.into_response(),
    }
}

/// Finds out who asks before anything else of a request is looked at; what waits for the registry does so on a thread of
/// its own.
async fn carry_out(
    state: Arc<State>,
    (route, name): (&'static Route, Option<&'static str>),
    request: Request,
) -> Result<Json, Refusal> {
    let until = deadline(state.deadline);
    let (mut parts, body) = request.into_parts();
    let caller = timeout(state.deadline, caller(&state, &parts)).await.map_err(|_| Refusal::late())??;
    let id = request::current(|ids| ids.id().to_owned()).unwrap_or_default();
    let from = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|info| info.0.ip().to_string());
    let author = Author { from, ..caller.author(&format!("{} {}", parts.method, route.path)) };
    let mut path = path(&mut parts).await?;
    path.extend(name.map(|name| ("name".to_owned(), name.to_owned())));
    let query = Query::read(parts.uri.query(), route.parameters())?;
    let body = match route.body {
        Some(_) => read_body(Request::from_parts(parts, body), state.message_limit, until).await?,
        None => Bytes::new(),
    };
    let work = if route.verb == Verb::Get { Work::Reading } else { Work::Changing };
    let place = timeout_at(until.into(), state.room.place(work)).await.map_err(|_| Refusal::late())??;
    let answer = blocking(move || {
        // It is free when the request is answered, also where nobody waits for it any more.
        let _place = place;
        let (template, collection) = (route.path, route.collection);
        let asked = Asked {
            state: &state,
            caller: &caller,
            author: &author,
            id: &id,
            template,
            collection,
            path: &path,
            query: &query,
            body: &body,
        };
        (route.answer)(&asked)
    });
    timeout_at(until.into(), answer).await.unwrap_or_else(|_| Err(Refusal::late()))
}

async fn caller(state: &State, parts: &Parts) -> Result<Caller, Refusal> {
    let headers = parts.headers.get_all(AUTHORIZATION).iter().map(|value| value.as_bytes());
    state.gate.caller(headers).await.map_err(|problem| match problem.kind {
        Kind::Unauthenticated => Refusal::Unknown(problem),
        _ => problem.into(),
    })
}

/// What stands for the names in the route's path.
async fn path(parts: &mut Parts) -> Result<Vec<(String, String)>, Refusal> {
    match RawPathParams::from_request_parts(parts, &()).await {
        Ok(found) => Ok(found.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()),
        Err(_) => Err(Refusal::Wrong("the path is no text".to_owned())),
    }
}

fn detail(status: StatusCode, detail: &str) -> Response {
    answer::json(status, &json!({"detail": detail}))
}

/// The answer where a handler has a mistake.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    let message = "the server has a mistake, which it wrote to its log";
    let mut response = Refusal::from(Problem::new(Kind::Internal, message, None)).into_response();
    // It was told when it happened, with its place.
    response.extensions_mut().remove::<Problem>();
    response
}
