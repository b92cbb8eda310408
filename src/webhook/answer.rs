//! What is answered: how many jobs were noted, or why none was.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use super::body::Unreadable;
use crate::{
    app::Failure,
    clients::runtime::NoRuntime,
    problem::{Kind, Problem},
};

/// When somebody who was sent away may tell again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("5");

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    // What is answered consists of texts and numbers.
    let text = serde_json::to_vec(value).unwrap_or_default();
    (status, [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], text).into_response()
}

/// Why nothing was noted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The body cannot be read.
    Unreadable(Unreadable),
    /// Something else.
    Problem(Problem),
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<NoRuntime> for Refusal {
    fn from(error: NoRuntime) -> Self {
        Self::Problem(error.into())
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Problem(failure.into_problem())
    }
}

#[derive(Serialize)]
struct Told<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Unreadable(unreadable) => return of_body(unreadable),
            Self::Problem(problem) => problem,
        };
        let status = status(problem.kind);
        let mut response = json(status, &Told { error: &problem.message, help: problem.help() });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if status.is_server_error() {
            tracing::warn!("Events were not noted: {problem}");
        }
        response
    }
}

fn of_body(unreadable: Unreadable) -> Response {
    let (status, message) = match unreadable {
        Unreadable::Compressed => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are not taken compressed".to_owned()),
        Unreadable::TooLong(limit) => (StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} bytes")),
        Unreadable::BrokenOff => (StatusCode::BAD_REQUEST, "the body ends before its end".to_owned()),
        Unreadable::Late => (StatusCode::REQUEST_TIMEOUT, "the body was not there in time".to_owned()),
    };
    json(status, &Told { error: &message, help: None })
}

/// The status of a kind of problem: whoever tells of events comes again where it is the server's.
const fn status(kind: Kind) -> StatusCode {
    match kind {
        Kind::Invalid | Kind::NotFound => StatusCode::BAD_REQUEST,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Unavailable | Kind::Deadline | Kind::Cancelled => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Conflict | Kind::Refused | Kind::Unsupported | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
