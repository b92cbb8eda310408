//! What an offline server says when it does not do what it was asked for, as a problem of ours.

use arrow_flight::error::FlightError;
use tonic::Code;

use crate::{
    clients::grpc::{kind_of, one_line},
    feast::FeastError,
    problem::{Kind, Problem},
};

/// How Feast's servers say that they do not know who asks: as a plain failure.
const UNKNOWN: [&str; 4] = ["access token", "authorization header", "Invalid token", "Failed to decode token"];

/// How Feast's servers say that their DuckDB answers somebody else, for whom it has its only connection.
const BUSY: &str = "connection is busy with another call";

/// Why a server does not do something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// It does not know who asks; in its words.
    Unknown(String),
    /// It knows, and does not allow it.
    Denied(Problem),
    /// It has too much to do just now.
    Busy(Problem),
    /// Something else.
    Other(Problem),
}

/// What an error is about.
pub(super) fn of(server: &str, error: FlightError) -> Failure {
    match error {
        FlightError::Tonic(status) => of_status(server, status.code(), status.message()),
        error => {
            let message = format!("the answer of {server} is not understood: {error}");
            let help = "check `offline_store` in feature_store.yaml: is it an offline server?".to_owned();
            Failure::Other(Problem::new(Kind::Unavailable, message, help))
        }
    }
}

fn of_status(server: &str, code: Code, message: &str) -> Failure {
    let feast = FeastError::find(message);
    let said = one_line(feast.as_ref().map_or(message, |error| error.message.as_str()));
    let problem = |kind: Kind, help: Option<&str>| {
        let said = if said.is_empty() { code.description().to_owned() } else { said.clone() };
        Problem::new(kind, format!("{server}: {said}"), help.map(str::to_owned))
    };
    let class = feast.as_ref().map_or("", |error| error.class.as_str());
    // Our own server also names the class that Feast's clients know.
    if code == Code::Unauthenticated || class.is_empty() && UNKNOWN.iter().any(|words| message.contains(words)) {
        return Failure::Unknown(said);
    }
    if class.contains("Permission") || code == Code::PermissionDenied {
        return Failure::Denied(problem(Kind::Denied, Some("ask those who look after it for the permission")));
    }
    if class.contains("NotFound") || class.contains("DoesNotExist") {
        let help = "the server has definitions of its own: apply those to its registry, or wait until it has read them";
        return Failure::Other(problem(Kind::NotFound, Some(help)));
    }
    if code == Code::ResourceExhausted || message.contains(BUSY) {
        return Failure::Busy(problem(Kind::Unavailable, Some("ask again later")));
    }
    let help = match code {
        Code::DeadlineExceeded => Some("ask for less, or again later"),
        Code::Unavailable => Some("ask again later"),
        _ if kind_of(code) == Kind::Unavailable => Some("the log of the server says more"),
        _ => None,
    };
    // A request that does not fit what the server has is the mistake of who asks.
    let kind = if code == Code::FailedPrecondition { Kind::Invalid } else { kind_of(code) };
    Failure::Other(problem(kind, help))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind(code: Code, message: &str) -> (Kind, String) {
        match of_status("the server", code, message) {
            Failure::Unknown(said) => (Kind::Unauthenticated, said),
            Failure::Denied(problem) | Failure::Busy(problem) | Failure::Other(problem) => {
                (problem.kind, problem.message)
            }
        }
    }

    #[test]
    fn exceptions_of_feast_are_problems() {
        let said = |class: &str| FeastError::new(class, "it\n is so").to_string() + ". Detail: Failed";
        for (class, expected) in [
            ("FeastPermissionError", Kind::Denied),
            ("FeatureViewNotFoundException", Kind::NotFound),
            ("DataSourceObjectNotFoundException", Kind::NotFound),
            ("SavedDatasetLocationAlreadyExists", Kind::Unavailable),
        ] {
            assert_eq!(kind(Code::Unknown, &said(class)), (expected, "the server: it is so".to_owned()), "{class}");
        }
    }

    #[test]
    fn a_server_that_does_not_know_who_asks_says_so_in_several_ways() {
        for (code, message) in [
            (Code::Unauthenticated, "no token"),
            (Code::Unknown, "Invalid or expired access token. Detail: Python exception"),
        ] {
            assert_eq!(kind(code, message).0, Kind::Unauthenticated, "{message}");
        }
        let ours = FeastError::new("FeastPermissionError", "the access token has ended").to_string();
        assert_eq!(
            kind(Code::Unauthenticated, &ours),
            (Kind::Unauthenticated, "the access token has ended".to_owned())
        );
        assert_eq!(kind(Code::PermissionDenied, "no"), (Kind::Denied, "the server: no".to_owned()));
    }

    #[test]
    fn other_failures_are_told_apart_by_their_codes() {
        for (code, expected) in [
            (Code::InvalidArgument, Kind::Invalid),
            (Code::Unimplemented, Kind::Unsupported),
            (Code::ResourceExhausted, Kind::Unavailable),
            (Code::DeadlineExceeded, Kind::Deadline),
            (Code::Internal, Kind::Unavailable),
        ] {
            assert_eq!(kind(code, "w").0, expected, "{code:?}");
        }
        assert!(kind(Code::Unknown, &"é ".repeat(2000)).1.chars().count() < 600);
        assert_eq!(kind(Code::Internal, "").1, "the server: Internal error");
    }
}
