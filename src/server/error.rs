//! Failures as answers: one table of statuses and of Feast's classes, which its clients raise again.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{body::Unreadable, detail::detail, json};
use crate::{
    daemon,
    problem::{Kind, Problem, Subject},
};

/// When somebody who was sent away may ask again, in seconds.
const RETRY_AFTER: HeaderValue = HeaderValue::from_static("1");

/// Why a request is not answered.
#[derive(Debug)]
pub(super) enum Error {
    /// Its body cannot be read.
    Unreadable(Unreadable),
    /// Nobody knows who asks.
    Unknown(Problem),
    /// What it asks for was not done.
    Failed(Problem),
}

impl Error {
    /// There are too many requests at a time.
    pub(super) fn busy() -> Self {
        Self::Failed(Problem::new(Kind::Unavailable, "too many requests are being answered", None))
    }

    /// The answer takes too long.
    pub(super) fn late() -> Self {
        Self::Failed(Problem::new(Kind::Deadline, "the answer takes longer than it may", None))
    }
}

impl From<daemon::Unreadable> for Error {
    fn from(unreadable: daemon::Unreadable) -> Self {
        Self::Unreadable(unreadable.into())
    }
}

impl From<Unreadable> for Error {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl<E: Into<Problem>> From<E> for Error {
    fn from(failure: E) -> Self {
        Self::Failed(failure.into())
    }
}

/// A failure as Feast writes it: a JSON string that holds this as JSON.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct FeastError {
    /// The Python module of the exception.
    module: &'static str,
    /// The class of the exception in it.
    class: &'static str,
    /// What is wrong, and what to do.
    message: String,
}

impl FeastError {
    fn of(problem: &Problem) -> Self {
        let message = match problem.help() {
            Some(help) => format!("{} ({help})", problem.message),
            None => problem.message.clone(),
        };
        Self { module: "feast.errors", class: class(problem), message }
    }
}

impl IntoResponse for Error {
    fn into_response(self) -> Response {
        let problem = match self {
            Self::Unreadable(unreadable) => return unreadable.into_response(),
            Self::Unknown(problem) => return unauthenticated(problem),
            Self::Failed(problem) => problem,
        };
        // It consists of texts.
        let text = serde_json::to_string(&FeastError::of(&problem)).unwrap_or_default();
        let status = status(&problem);
        let mut response = json(status, &text);
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, RETRY_AFTER);
        }
        if status.is_server_error() || status == StatusCode::FORBIDDEN {
            // For the log.
            response.extensions_mut().insert(problem);
        }
        response
    }
}

/// The answer to somebody whom nobody knows: the words of Feast, by which its clients know it, and the reason where RFC 6750
/// has it.
fn unauthenticated(problem: Problem) -> Response {
    let mut response = detail(StatusCode::UNAUTHORIZED, "Invalid or expired access token");
    let reason: String =
        problem.message.chars().filter(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\')).collect();
    let challenge = HeaderValue::try_from(format!("Bearer error=\"invalid_token\", error_description=\"{reason}\""));
    // It consists of printable characters.
    if let Ok(challenge) = challenge {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response.extensions_mut().insert(problem);
    response
}

/// The status of a problem.
pub(super) const fn status(problem: &Problem) -> StatusCode {
    match problem.kind {
        // As Feast's own.
        Kind::Invalid if matches!(problem.subject, Some(Subject::RequestData)) => StatusCode::NOT_FOUND,
        Kind::Invalid | Kind::NotFound if matches!(problem.subject, Some(Subject::PushSource)) => {
            StatusCode::UNPROCESSABLE_ENTITY
        }
        Kind::Invalid => StatusCode::BAD_REQUEST,
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict | Kind::Refused => StatusCode::CONFLICT,
        Kind::Unsupported => StatusCode::NOT_IMPLEMENTED,
        // Who asks is known by then: it is this server whom another one does not know.
        Kind::Unavailable | Kind::Cancelled | Kind::Unauthenticated => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Deadline => StatusCode::GATEWAY_TIMEOUT,
        Kind::Denied => StatusCode::FORBIDDEN,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// The class that stands for a problem in `feast.errors`.
const fn class(problem: &Problem) -> &'static str {
    match (problem.subject, problem.kind) {
        (Some(Subject::FeatureView), Kind::NotFound) => "FeatureViewNotFoundException",
        (Some(Subject::FeatureService), Kind::NotFound) => "FeatureServiceNotFoundException",
        (Some(Subject::Feature), Kind::NotFound) => "SpecifiedFeaturesNotPresentError",
        (Some(Subject::PushSource), _) => "PushSourceNotFoundException",
        (Some(Subject::RequestData), _) => "RequestDataNotFoundInEntityRowsException",
        (Some(Subject::FeatureNames), _) => "FeatureNameCollisionError",
        (_, Kind::Denied) => "FeastPermissionError",
        _ => "FeastError",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mistakes_of_clients_are_4xx_and_troubles_of_servers_5xx() {
        for kind in [Kind::Invalid, Kind::NotFound, Kind::Conflict, Kind::Refused, Kind::Denied] {
            assert!(status(&Problem::new(kind, "", None)).is_client_error(), "{kind:?}");
        }
        for kind in [Kind::Unsupported, Kind::Unavailable, Kind::Deadline, Kind::Cancelled, Kind::Internal] {
            assert!(status(&Problem::new(kind, "", None)).is_server_error(), "{kind:?}");
        }
    }
}
