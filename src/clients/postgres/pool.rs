use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_postgres::Config;

use super::{connection::Connection, problem::PostgresProblem, server::PostgresServer};
use crate::problem::Kind;

/// Connections to one database that are made when they are needed, kept, and lent to one caller at a time.
///
/// Its own, because a crate would lend a connection again whose last answer nobody has waited for, and would explain
/// what goes wrong in other words.
pub struct Pool {
    server: PostgresServer,
    adjust: Box<dyn Fn(&mut Config) + Send + Sync>,
    /// How many more connections there may be.
    room: Arc<Semaphore>,
    /// Those that nobody uses, the one used last at the end.
    idle: Mutex<Vec<Connection>>,
}

/// A connection that a pool has lent. It is closed unless it is given back.
pub struct Lent {
    connection: Connection,
    is_new: bool,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    /// A pool of at most `most` connections, each with settings of the caller besides those of the server. Nothing is
    /// opened yet.
    pub fn new(server: PostgresServer, most: usize, adjust: impl Fn(&mut Config) + Send + Sync + 'static) -> Self {
        let room = Arc::new(Semaphore::new(most));
        Self { server, adjust: Box::new(adjust), room, idle: Mutex::default() }
    }

    /// Whose connections these are.
    pub const fn server(&self) -> &PostgresServer {
        &self.server
    }

    /// A connection, kept or new, as soon as there is room for one. Kept ones are looked at, but may have ended without
    /// anybody knowing yet.
    ///
    /// # Errors
    /// When there is no connection to be had.
    pub async fn lend(&self) -> Result<Lent, PostgresProblem> {
        let permit = Arc::clone(&self.room).acquire_owned().await;
        // A pool's semaphore is never closed.
        let permit = permit.map_err(|closed| PostgresProblem::new(Kind::Internal, closed.to_string(), None))?;
        let kept = self.kept();
        let is_new = kept.is_none();
        let connection = match kept {
            Some(kept) => kept,
            None => self.server.connect(&self.adjust).await?,
        };
        Ok(Lent { connection, is_new, _permit: permit })
    }

    /// Takes back a connection of its own, for the next one.
    pub fn give_back(&self, lent: Lent) {
        if !lent.connection.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(lent.connection);
        }
    }

    /// One that nobody uses and that has not ended, as far as is known.
    fn kept(&self) -> Option<Connection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(kept) = idle.pop() {
            if !kept.is_closed() {
                return Some(kept);
            }
        }
        None
    }
}

impl Lent {
    /// Whether it was made just now, so that it cannot have ended while nobody used it.
    pub const fn is_new(&self) -> bool {
        self.is_new
    }
}

impl Deref for Lent {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}
