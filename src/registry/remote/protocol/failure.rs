use super::messages::Failure;
use crate::problem::{Kind, Problem};

/// The words of kinds.
const KINDS: [(Kind, &str); 11] = [
    (Kind::Invalid, "invalid"),
    (Kind::NotFound, "not found"),
    (Kind::Conflict, "conflict"),
    (Kind::Refused, "refused"),
    (Kind::Unsupported, "unsupported"),
    (Kind::Unavailable, "unavailable"),
    (Kind::Deadline, "deadline"),
    (Kind::Unauthenticated, "unauthenticated"),
    (Kind::Denied, "denied"),
    (Kind::Cancelled, "cancelled"),
    (Kind::Internal, "internal"),
];

impl From<&Problem> for Failure {
    fn from(problem: &Problem) -> Self {
        let kind = KINDS.iter().find(|(kind, _)| *kind == problem.kind).map_or("", |(_, word)| word);
        Self { message: problem.message.clone(), help: problem.help(), kind: kind.to_owned() }
    }
}

impl Failure {
    /// The problem, of what is called `server`; a kind of a newer feastr is [`Kind::Unavailable`].
    pub fn into_problem(self, server: &str) -> Problem {
        let kind = KINDS.iter().find(|(_, word)| *word == self.kind).map_or(Kind::Unavailable, |(kind, _)| *kind);
        Problem::new(kind, format!("{server}: {}", self.message), self.help)
    }
}
