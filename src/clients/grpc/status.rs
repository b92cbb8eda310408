//! What servers say of why they do not do something, as far as that is the same for all.

use tonic::Code;

use crate::{model::printable, problem::Kind};

/// The kind of problem that a code stands for.
pub const fn kind_of(code: Code) -> Kind {
    match code {
        Code::InvalidArgument | Code::OutOfRange => Kind::Invalid,
        Code::NotFound => Kind::NotFound,
        Code::AlreadyExists | Code::Aborted | Code::FailedPrecondition => Kind::Conflict,
        Code::Unimplemented => Kind::Unsupported,
        Code::DeadlineExceeded => Kind::Deadline,
        Code::Cancelled => Kind::Cancelled,
        Code::Unauthenticated => Kind::Unauthenticated,
        Code::PermissionDenied => Kind::Denied,
        _ => Kind::Unavailable,
    }
}

/// Enough of what a server says, in one line and without what only developers want to know.
pub fn one_line(message: &str) -> String {
    const LENGTH: usize = 500;
    let end = [". Detail: ", ". gRPC client debug context", ". Client context:"];
    let message =
        end.into_iter().fold(message, |message, end| message.split_once(end).map_or(message, |(start, _)| start));
    let words = message.split_whitespace().collect::<Vec<_>>().join(" ");
    match words.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", printable(&words[..end])),
        None => printable(&words).into_owned(),
    }
}
