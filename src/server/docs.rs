//! What the server can be asked, for people and for programs.

use axum::{
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};
use utoipa::openapi::OpenApi;

use super::JSON;

/// A page that draws `/openapi.json`. It asks nobody else for anything.
const PAGE: &str = include_str!("docs.html");

/// The page.
pub(super) async fn docs() -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE)).into_response()
}

/// The answer of `/openapi.json`.
pub(super) fn openapi(api: &OpenApi) -> impl Fn() -> std::future::Ready<Response> + Clone + Send + use<> {
    // It consists of texts and numbers.
    let text: axum::body::Bytes = serde_json::to_vec(api).unwrap_or_default().into();
    move || std::future::ready(([(header::CONTENT_TYPE, HeaderValue::from_static(JSON))], text.clone()).into_response())
}
