//! What the registry asks of a database, whichever it is.

use super::{
    dialect::Dialect,
    value::{Cell, Parameter},
};
use crate::{
    problem::{Advice, Kind, Problem},
    registry::locks::{Holder, LockName, Locking, ViewLock},
};

/// A database that holds, or shall hold, a registry.
pub(crate) trait Database: Send + Sync {
    /// How statements are spelled.
    fn dialect(&self) -> &'static Dialect;

    /// Where it is, for messages; without the password.
    fn location(&self) -> String;

    /// Whether it is the same database for as long as it is used, so that connections may be kept. A file may be
    /// replaced by another one.
    fn stays(&self) -> bool;

    /// A connection to read with; `None` when there is nothing yet.
    ///
    /// # Errors
    /// When there is no connection to be had.
    fn reader(&self) -> Result<Option<Box<dyn Session>>, Problem>;

    /// A connection to write with.
    ///
    /// # Errors
    /// When there is no connection to be had.
    fn writer(&self, locking: &Locking) -> Result<Box<dyn Session>, SqlFailure>;

    /// Takes a lock, which lasts as long as what comes back.
    ///
    /// # Errors
    /// When there is no connection to be had, or the lock is somebody else's for too long.
    fn lock(&self, name: &LockName, locking: &Locking) -> Result<ViewLock, SqlFailure>;

    /// Who has a lock now.
    ///
    /// # Errors
    /// When there is no connection to be had.
    fn holder(&self, name: &LockName) -> Result<Option<Holder>, SqlFailure>;
}

/// A connection. What was not committed is undone and locks are given back when it is dropped.
pub(crate) trait Session: Send {
    /// Carries out a statement and gives the rows it answers.
    ///
    /// # Errors
    /// See [`SqlFailure`].
    fn run(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Vec<Cell>>, SqlFailure>;

    /// Takes the lock of a project, until the transaction ends or the connection is dropped.
    ///
    /// # Errors
    /// When the lock is somebody else's for too long; see [`SqlFailure`].
    fn lock_project(&mut self, project: &str, locking: &Locking) -> Result<(), SqlFailure>;

    /// Begins a transaction, unless taking a lock has done so. Missing tables are created before, because
    /// MySQL ends a transaction when it creates one.
    ///
    /// # Errors
    /// See [`SqlFailure`].
    fn begin(&mut self, locking: &Locking) -> Result<(), SqlFailure>;

    /// Makes the changes last.
    ///
    /// # Errors
    /// See [`SqlFailure`].
    fn commit(&mut self) -> Result<(), SqlFailure>;
}

/// Why a statement was not carried out.
#[derive(Debug)]
pub enum SqlFailure {
    /// Another client got in between; the whole update may go well when it is tried again.
    Conflict(Problem),
    /// It would fail again.
    Final(Problem),
}

impl From<Problem> for SqlFailure {
    fn from(error: Problem) -> Self {
        Self::Final(error)
    }
}

impl From<SqlFailure> for Problem {
    fn from(failure: SqlFailure) -> Self {
        match failure {
            SqlFailure::Conflict(error) | SqlFailure::Final(error) => error,
        }
    }
}

/// What it means that a server takes what it is sent and does not answer.
pub(crate) fn silent(location: &str) -> SqlFailure {
    SqlFailure::Final(Problem::new(
        Kind::Deadline,
        format!("the server of the registry {location} does not answer in time"),
        "nothing was changed; check host and port in the URL, and that the server is not stuck".to_owned(),
    ))
}

/// What it means that a connection ended, or a server fell silent, before it confirmed a commit.
pub(crate) fn uncertain(location: &str) -> SqlFailure {
    let message = format!("the connection to {location} broke while the changes were committed");
    SqlFailure::Final(Problem::new(Kind::Unavailable, message, None).advise(Advice::LookWhetherChanged))
}
