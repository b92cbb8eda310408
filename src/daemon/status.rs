//! Problems as the status of a call of gRPC: one table of codes, and how much of a message is told.

use tonic::Code;

use crate::problem::{Kind, Problem, Subject};

/// How many bytes of a message are sent: it travels in a header, of which clients take little.
const LONGEST: usize = 2_000;

/// The code of a problem.
pub(crate) const fn code(problem: &Problem) -> Code {
    match problem.kind {
        Kind::Unavailable if matches!(problem.subject, Some(Subject::Room)) => Code::ResourceExhausted,
        Kind::Invalid => Code::InvalidArgument,
        Kind::NotFound => Code::NotFound,
        Kind::Conflict | Kind::Refused => Code::FailedPrecondition,
        Kind::Unsupported => Code::Unimplemented,
        Kind::Unavailable => Code::Unavailable,
        Kind::Deadline => Code::DeadlineExceeded,
        Kind::Unauthenticated => Code::Unauthenticated,
        Kind::Denied => Code::PermissionDenied,
        Kind::Cancelled => Code::Cancelled,
        Kind::Internal => Code::Internal,
    }
}

/// What is wrong and what to do about it, in a length that is sent.
pub(crate) fn message(problem: &Problem) -> String {
    shortened(match problem.help() {
        Some(help) => format!("{} ({help})", problem.message),
        None => problem.message.clone(),
    })
}

/// A message in a length that is sent.
pub(crate) fn shortened(mut message: String) -> String {
    if message.len() > LONGEST {
        message.truncate(message.floor_char_boundary(LONGEST));
        message.push('…');
    }
    message
}
