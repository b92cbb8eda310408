//! What is answered: how many jobs were noted, or why none was.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;

use crate::{
    daemon::Unreadable,
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
    /// What was sent is wrong, or somebody may not send it.
    Wrong(Problem),
    /// Nothing is wrong with what was sent.
    Failed(Problem),
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
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
        let (problem, status) = match self {
            Self::Unreadable(unreadable) => return of_body(unreadable),
            Self::Wrong(problem) => {
                let status = of_sender(problem.kind);
                (problem, status)
            }
            Self::Failed(problem) => {
                let status = of_server(problem.kind);
                (problem, status)
            }
        };
        let mut response = json(status, &Told { error: &problem.message, help: problem.help() });
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            // Topics of SNS send the password of their URL only to those who ask.
            response.headers_mut().append(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"events\""));
        }
        if status.is_server_error() || status == StatusCode::FORBIDDEN {
            // For the log.
            response.extensions_mut().insert(problem);
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

/// The status of what is wrong with a request.
const fn of_sender(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::Denied => StatusCode::FORBIDDEN,
        _ => StatusCode::BAD_REQUEST,
    }
}

/// The status of what is wrong here: where it may be over later, whoever tells of events is to come again.
const fn of_server(kind: Kind) -> StatusCode {
    match kind {
        Kind::Unsupported | Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
