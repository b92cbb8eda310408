//! Connections that read an SQLite file: how many at once, and what happens when another file takes its place.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use rusqlite::Connection;
use tokio::{sync::Semaphore, time::timeout_at};

use super::file::{LOCK_WAIT, SqliteFile};
use crate::{
    clients::runtime::blocking,
    problem::{Kind, Problem},
};

/// Reads that go on at once: SQLite reads in the thread that asks, so more than cores are of little use.
const MOST_READS: usize = 4;

/// Statements that a connection keeps prepared.
const KEPT_STATEMENTS: usize = 256;

/// Connections that read one file, each on a thread for blocking work while it is used.
#[derive(Debug)]
pub struct SqlitePool {
    file: SqliteFile,
    room: Arc<Semaphore>,
    idle: Mutex<Vec<Kept>>,
}

/// A connection, and the file it has open: another one may be in its place by now.
#[derive(Debug)]
struct Kept {
    connection: Connection,
    file: Identity,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Identity(u64, u64);

impl SqlitePool {
    /// Nothing is opened yet.
    pub fn new(file: SqliteFile) -> Arc<Self> {
        Arc::new(Self { file, room: Arc::new(Semaphore::new(MOST_READS)), idle: Mutex::default() })
    }

    /// Reads the file; `None` when there is none.
    ///
    /// # Errors
    /// When the file cannot be read, or not before the deadline.
    pub async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Instant,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<Option<T>, Problem> {
        let pool = Arc::clone(self);
        let reading = async {
            let permit = Arc::clone(&self.room).acquire_owned().await;
            // A pool's semaphore is never closed.
            let permit = permit.map_err(|closed| Problem::new(Kind::Internal, closed.to_string(), None))?;
            blocking(move || {
                // Given back when the thread is done, which is later than when nobody waits any more.
                let _permit = permit;
                pool.read_here(deadline, act)
            })
            .await
        };
        timeout_at(deadline.into(), reading).await.unwrap_or_else(|_| Err(self.silent()))
    }

    fn read_here<T>(
        &self,
        deadline: Instant,
        act: impl FnOnce(&mut Connection) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, Problem> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.silent());
        }
        let Some(mut kept) = self.kept()? else { return Ok(None) };
        let explained = |error| self.file.explain(&error);
        kept.connection.busy_timeout(left.min(LOCK_WAIT)).map_err(explained)?;
        let answer = act(&mut kept.connection).map_err(explained)?;
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        Ok(Some(answer))
    }

    /// A connection to the file that is there now.
    fn kept(&self) -> Result<Option<Kept>, Problem> {
        let Some(file) = identity(&self.file) else { return Ok(None) };
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            match kept {
                Some(kept) if kept.file == file => return Ok(Some(kept)),
                Some(_) => {}
                None => break,
            }
        }
        let opened = self.file.open_for_reading()?;
        Ok(opened.map(|connection| {
            connection.set_prepared_statement_cache_capacity(KEPT_STATEMENTS);
            Kept { connection, file }
        }))
    }

    fn silent(&self) -> Problem {
        let path = self.file.path().display();
        Problem::new(Kind::Deadline, format!("{path} cannot be read in time: another process may be writing it"), None)
    }
}

/// What tells a file from another one at the same place.
#[cfg(unix)]
fn identity(file: &SqliteFile) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt as _;
    let found = std::fs::metadata(file.path()).ok()?;
    Some(Identity(found.dev(), found.ino()))
}

/// Where files in use cannot be replaced.
#[cfg(not(unix))]
fn identity(file: &SqliteFile) -> Option<Identity> {
    file.path().exists().then_some(Identity(0, 0))
}
