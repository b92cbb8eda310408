//! What a server can be asked over HTTP, for people and for programs.

use axum::{
    body::Bytes,
    http::{HeaderValue, header},
    response::{Html, IntoResponse, Response},
};

/// A page that draws the `openapi.json` beside it. It asks nobody else for anything.
const PAGE: &str = include_str!("docs.html");

/// The page.
pub(crate) async fn docs() -> Response {
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'",
    );
    ([(header::CONTENT_SECURITY_POLICY, policy)], Html(PAGE)).into_response()
}

/// The answer of `/openapi.json`: this text.
pub(crate) fn openapi(text: &Bytes) -> impl Fn() -> std::future::Ready<Response> + Clone + Send + use<> {
    let text = text.clone();
    move || {
        let json = HeaderValue::from_static("application/json");
        std::future::ready(([(header::CONTENT_TYPE, json)], text.clone()).into_response())
    }
}
