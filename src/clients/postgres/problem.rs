//! What goes wrong with a database: as the driver says it, and as a person is told.

use tokio_postgres::{Error, error::SqlState};

use crate::{
    clients::runtime::NoRuntime,
    problem::{Advice, Kind, Problem},
};

/// What a database is used for, in the words of messages.
#[derive(Debug)]
pub struct Role {
    /// What is in it, such as `registry`.
    pub name: &'static str,
    /// Where its settings are, such as `in the URL`.
    pub settings: &'static str,
    /// Advice where there is no password.
    pub password: &'static str,
    /// Advice where the server went away.
    pub interrupted: &'static str,
    /// Advice where rows are locked by somebody else.
    pub locked: &'static str,
    /// Advice where nothing can be written.
    pub read_only: &'static str,
    /// Advice where a table or column is missing.
    pub missing: fn() -> Advice,
}

/// Why a PostgreSQL database cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{problem}")]
pub struct PostgresProblem {
    /// What to tell.
    pub problem: Problem,
    /// Whether it may be over after a while, with the same settings.
    pub passing: bool,
}

impl PostgresProblem {
    /// A problem that stays, with advice.
    pub fn new(kind: Kind, message: String, help: impl Into<Option<String>>) -> Self {
        Self { problem: Problem::new(kind, message, help), passing: false }
    }
}

impl From<PostgresProblem> for Problem {
    fn from(problem: PostgresProblem) -> Self {
        problem.problem
    }
}

impl From<Problem> for PostgresProblem {
    /// One that stays.
    fn from(problem: Problem) -> Self {
        Self { problem, passing: false }
    }
}

impl From<NoRuntime> for PostgresProblem {
    fn from(error: NoRuntime) -> Self {
        Self { problem: error.into(), passing: false }
    }
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum PostgresError {
    /// What the server or the connection says.
    #[error(transparent)]
    Said(#[from] Error),
    /// The server does not answer in time.
    #[error("no answer in time")]
    Silent,
    /// There is nothing to wait with.
    #[error(transparent)]
    NoRuntime(#[from] NoRuntime),
}

impl PostgresError {
    /// The code of the server, if it has answered.
    pub fn code(&self) -> Option<&SqlState> {
        if let Self::Said(error) = self { error.code() } else { None }
    }

    /// Whether the server has answered that something is wrong.
    pub fn is_answer(&self) -> bool {
        matches!(self, Self::Said(error) if error.as_db_error().is_some())
    }

    /// Whether the connection had ended, perhaps long before the question.
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Said(error) if error.is_closed())
    }
}
