//! Failures as answers in Feast's shape: a status, words, and a class.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::answer;
use crate::{
    app::Failure,
    clients::runtime::NoRuntime,
    daemon::Unreadable,
    problem::{Kind, Problem},
};

/// When somebody who was sent away may ask again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Refusal {
    /// It is not as it should be; this says why.
    Wrong(String),
    /// Its body did not come as it should.
    Unreadable(Unreadable),
    /// Nobody knows who asks.
    Unknown(Problem),
    /// What it asks for was not done.
    Failed(Problem),
}

impl Refusal {
    /// A parameter is not as it should be.
    pub(super) fn parameter(name: &str, why: &str) -> Self {
        Self::Wrong(format!("the parameter `{name}`: {why}"))
    }

    /// The answer takes too long.
    pub(super) fn late() -> Self {
        Self::Failed(Problem::new(Kind::Deadline, "the answer takes longer than it may", None))
    }

    /// What is wrong.
    pub(super) fn words(&self) -> String {
        match self {
            Self::Wrong(why) => why.clone(),
            Self::Unreadable(unreadable) => of_body(*unreadable).1,
            Self::Unknown(problem) | Self::Failed(problem) => match problem.help() {
                Some(help) => format!("{} ({help})", problem.message),
                None => problem.message.clone(),
            },
        }
    }

    /// The status, and Feast's class of such failures.
    fn class(&self) -> (StatusCode, &'static str) {
        match self {
            Self::Wrong(_) => (StatusCode::UNPROCESSABLE_ENTITY, "RequestValidationError"),
            Self::Unreadable(unreadable) => (of_body(*unreadable).0, "HTTPException"),
            Self::Unknown(_) => (StatusCode::UNAUTHORIZED, "HTTPException"),
            Self::Failed(problem) => of_problem(problem.kind),
        }
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Failed(problem)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure.into_problem())
    }
}

impl From<NoRuntime> for Refusal {
    fn from(error: NoRuntime) -> Self {
        Self::Failed(error.into())
    }
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let ((status, class), words) = (self.class(), self.words());
        let body = json!({"status_code": status.as_u16(), "detail": words, "error_type": class});
        let mut response = answer::json(status, &body);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status == StatusCode::UNAUTHORIZED {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::Unknown(problem) | Self::Failed(problem) = self {
            // For the log.
            response.extensions_mut().insert(problem);
        }
        response
    }
}

const fn of_problem(kind: Kind) -> (StatusCode, &'static str) {
    match kind {
        Kind::NotFound => (StatusCode::NOT_FOUND, "FeastObjectNotFoundException"),
        Kind::Denied => (StatusCode::FORBIDDEN, "FeastPermissionError"),
        Kind::Invalid => (StatusCode::UNPROCESSABLE_ENTITY, "ValueError"),
        Kind::Conflict | Kind::Refused => (StatusCode::CONFLICT, "HTTPException"),
        Kind::Unsupported => (StatusCode::NOT_IMPLEMENTED, "HTTPException"),
        // Who asks is known by then: it is this server whom another one does not know.
        Kind::Unavailable | Kind::Cancelled | Kind::Unauthenticated => {
            (StatusCode::SERVICE_UNAVAILABLE, "HTTPException")
        }
        Kind::Deadline => (StatusCode::GATEWAY_TIMEOUT, "HTTPException"),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError"),
    }
}

fn of_body(unreadable: Unreadable) -> (StatusCode, String) {
    match unreadable {
        Unreadable::Compressed => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "bodies are not taken compressed".to_owned()),
        Unreadable::TooLong(limit) => (StatusCode::PAYLOAD_TOO_LARGE, format!("the body has more than {limit} bytes")),
        Unreadable::BrokenOff => (StatusCode::BAD_REQUEST, "the body ends before its end".to_owned()),
        Unreadable::Late => (StatusCode::REQUEST_TIMEOUT, "the body was not there in time".to_owned()),
    }
}
