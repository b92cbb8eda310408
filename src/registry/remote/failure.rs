//! What a registry server says when it does not do what it was asked for, as a problem of ours.

use std::error::Error as _;

use prost::Message as _;
use tonic::{Code, Status};

use super::protocol;
use crate::{
    clients::grpc::{kind_of, one_line},
    feast::FeastError,
    problem::{Kind, Problem},
};

/// How Feast's servers say that they do not know who asks: as a plain failure.
const UNKNOWN: [&str; 4] = ["access token", "authorization header", "Invalid token", "Failed to decode token"];

/// Why a server does not do something.
#[derive(Debug)]
pub(super) enum Failure {
    /// It does not know who asks; in its words.
    Unknown(String),
    /// It knows, and does not allow it.
    Denied(Problem),
    /// It went away meanwhile, or is silent: nobody knows whether it was done.
    Lost(Problem),
    /// Something else.
    Other(Problem),
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

/// What a status is about.
pub(super) fn of(server: &str, status: &Status) -> Failure {
    if let Some(problem) = own(server, status) {
        return match problem.kind {
            Kind::Unauthenticated => Failure::Unknown(one_line(status.message())),
            Kind::Denied => Failure::Denied(problem),
            _ => Failure::Other(problem),
        };
    }
    let (code, message) = (status.code(), status.message());
    let feast: Option<FeastError> = serde_json::from_str(message).ok();
    let said = one_line(feast.as_ref().map_or(message, |error| error.message.as_str()));
    let class = feast.as_ref().map_or("", |error| error.class.as_str());
    if code == Code::Unauthenticated || class.is_empty() && UNKNOWN.iter().any(|words| message.contains(words)) {
        return Failure::Unknown(said);
    }
    let problem = |kind: Kind, help: Option<&str>| {
        let said = if said.is_empty() { code.description().to_owned() } else { said.clone() };
        Problem::new(kind, format!("{server}: {said}"), help.map(str::to_owned))
    };
    if class.contains("Permission") || code == Code::PermissionDenied {
        return Failure::Denied(problem(Kind::Denied, Some("ask those who look after it for the permission")));
    }
    if class.contains("NotFound") || class.contains("DoesNotExist") {
        return Failure::Other(problem(Kind::NotFound, None));
    }
    if status.source().is_some() || code == Code::Unavailable {
        let cause = innermost(status);
        let message = format!("{server} cannot be reached: {cause}");
        let help = "start it, or correct `path` under `registry` in feature_store.yaml".to_owned();
        return Failure::Lost(Problem::new(Kind::Unavailable, message, help));
    }
    match code {
        Code::DeadlineExceeded => Failure::Lost(problem(Kind::Deadline, Some("try again later"))),
        Code::Cancelled => Failure::Lost(problem(Kind::Unavailable, Some("try again later"))),
        Code::Unimplemented => Failure::Other(problem(Kind::Unsupported, Some("is it a registry server?"))),
        _ => Failure::Other(problem(kind_of(code), Some("the log of the server may say more"))),
    }
}

/// The problem that a server of feastr tells in whole.
fn own(server: &str, status: &Status) -> Option<Problem> {
    if status.details().is_empty() {
        return None;
    }
    let failure = protocol::Failure::decode(status.details()).ok()?;
    (!failure.message.is_empty()).then(|| failure.into_problem(server))
}

/// What a failed connection came from, at the end.
fn innermost(status: &Status) -> String {
    let causes = std::iter::successors(status.source(), |cause| (*cause).source());
    causes.last().map_or_else(|| one_line(status.message()), |cause| one_line(&cause.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(status: &Status) -> (Kind, String) {
        match of("the server", status) {
            Failure::Unknown(said) => (Kind::Unauthenticated, said),
            Failure::Denied(problem) | Failure::Lost(problem) | Failure::Other(problem) => {
                (problem.kind, problem.message)
            }
        }
    }

    #[test]
    fn exceptions_of_feast_are_problems() {
        let status = |code, class: &str| {
            Status::new(code, serde_json::to_string(&FeastError::new(class, "it\n is so")).unwrap())
        };
        for (status, expected) in [
            (status(Code::PermissionDenied, "FeastPermissionError"), Kind::Denied),
            (status(Code::NotFound, "EntityNotFoundException"), Kind::NotFound),
            (status(Code::Internal, "ConflictingFeatureViewNames"), Kind::Unavailable),
        ] {
            assert_eq!(told(&status), (expected, "the server: it is so".to_owned()));
        }
        let unknown = Status::unknown("Exception calling application: Invalid or expired access token.");
        assert_eq!(told(&unknown).0, Kind::Unauthenticated);
    }

    #[test]
    fn what_a_server_of_feastr_says_is_told_in_whole() {
        let failure = protocol::Failure::from(&Problem::new(Kind::Refused, "no", "ask".to_owned()));
        let status = Status::with_details(Code::FailedPrecondition, "no", failure.encode_to_vec().into());
        let Failure::Other(problem) = of("the server", &status) else { panic!("not told") };
        assert_eq!(
            (problem.kind, problem.message.as_str(), problem.help()),
            (Kind::Refused, "the server: no", Some("ask".to_owned()))
        );
    }

    #[test]
    fn silence_and_broken_connections_say_nothing_of_what_was_done() {
        for status in [Status::unavailable("gone"), Status::deadline_exceeded("slow"), Status::cancelled("x")] {
            assert!(matches!(of("the server", &status), Failure::Lost(_)), "{status}");
        }
        assert!(matches!(of("the server", &Status::internal("x")), Failure::Other(_)));
    }
}
