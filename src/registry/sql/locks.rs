//! Locks of a database for a registry that is elsewhere: in a bucket whose store cannot keep others out.

use super::{registry::database, session::Database};
use crate::{
    config::RegistryDatabase,
    problem::Problem,
    registry::locks::{Holder, LockName, Locking, ViewLock},
};

/// The locks of a database, in which no table is needed. Nothing is opened before one is taken.
pub(crate) struct DatabaseLocks(Box<dyn Database>);

impl DatabaseLocks {
    /// Those of the database of the settings.
    pub(crate) fn of(settings: &RegistryDatabase) -> Self {
        Self(database(settings))
    }

    /// Waits for a lock, and keeps others from it until what comes back is dropped, the process ends, or the connection is
    /// lost, which its [`confirm`](ViewLock::confirm) tells.
    ///
    /// # Errors
    /// When the database is away, or the lock is somebody else's for too long.
    pub(crate) fn take(&self, name: &LockName, locking: &Locking) -> Result<ViewLock, Problem> {
        Ok(self.0.lock(name, locking)?)
    }

    /// Who has a lock now.
    ///
    /// # Errors
    /// When the database is away.
    pub(crate) fn holder(&self, name: &LockName) -> Result<Option<Holder>, Problem> {
        Ok(self.0.holder(name)?)
    }
}
