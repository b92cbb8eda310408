//! Which path leads to which handler, and what holds for all of them.

use std::{any::Any, sync::Arc};

use axum::{
    Router,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::{IntoResponse as _, Response},
    routing::get,
};
use tower_http::catch_panic::CatchPanicLayer;
use utoipa::{
    OpenApi,
    openapi::security::{Http, HttpAuthScheme, SecurityRequirement, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    detail::detail,
    error::{Error, FeastError},
    get_online_features, health, materialize, push,
    state::State,
    unsupported, write_to_online_store,
};
use crate::{
    daemon::{HttpObserver, docs, observe, openapi},
    problem::{Kind, Problem},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "feastr", description = "Online features, in the protocol of Feast's server of features"),
    components(schemas(FeastError))
)]
struct Api;

/// All paths.
pub(super) fn router(state: Arc<State>) -> Router {
    let (router, mut api) = OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(get_online_features::get_online_features))
        .routes(routes!(push::push))
        .routes(routes!(write_to_online_store::write_to_online_store))
        .routes(routes!(materialize::materialize))
        .routes(routes!(materialize::materialize_incremental))
        .routes(routes!(unsupported::search))
        .routes(routes!(unsupported::retrieve_online_documents))
        .routes(routes!(health::health))
        .routes(routes!(health::ready))
        .with_state(Arc::clone(&state))
        .split_for_parts();
    if state.gate.is_guarded() {
        demand_tokens(&mut api);
    }
    let routes = api.paths.paths.keys().map(String::as_str).chain(["/docs", "/openapi.json"]);
    // It consists of texts and numbers.
    let description = serde_json::to_vec(&api).unwrap_or_default().into();
    let observer = HttpObserver::new(&state.telemetry, routes.map(str::to_owned));
    router
        .route("/docs", get(docs))
        .route("/openapi.json", get(openapi(&description)))
        .fallback(async || detail(StatusCode::NOT_FOUND, "Not Found"))
        .method_not_allowed_fallback(async || detail(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed"))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(observer, observe))
}

/// Says that requests bring a token, but for those that say otherwise.
fn demand_tokens(api: &mut utoipa::openapi::OpenApi) {
    const NAME: &str = "token";
    let scheme = Http::builder().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
    api.components.get_or_insert_default().add_security_scheme(NAME, SecurityScheme::Http(scheme));
    api.security = Some(vec![SecurityRequirement::new(NAME, [""; 0])]);
}

/// The answer where a handler has a mistake.
fn panicked(_: Box<dyn Any + Send + 'static>) -> Response {
    let message = "the server has a mistake, which it wrote to its log";
    let mut response = Error::from(Problem::new(Kind::Internal, message, None)).into_response();
    // It was told when it happened, with its place.
    response.extensions_mut().remove::<Problem>();
    response
}
