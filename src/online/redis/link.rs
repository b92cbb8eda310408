//! A connection to one server that many reads share.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use redis::{AsyncConnectionConfig, Cmd, Pipeline, RedisError, Value, aio::MultiplexedConnection};
use tokio::time::timeout;

use super::{
    connection::{Account, log_in},
    explain::{Peer, RedisFailure},
};
use crate::{
    clients::{
        redis::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT, client},
        runtime::{blocking, spawned},
    },
    config::{RedisConfig, RedisNode},
};

/// After how long without a word a connection that owes answers is no longer used: nobody may be waiting for them.
const STUCK: Duration = Duration::from_secs(2);

/// A connection on which questions follow each other without waiting for answers. An answer that nobody waits for any
/// more is read and thrown away, so that all others find theirs.
pub(crate) struct SharedLink {
    pub place: Peer,
    connection: MultiplexedConnection,
    limit: Duration,
    traffic: Mutex<Traffic>,
}

/// Answers come in the order of the questions.
struct Traffic {
    asked: u64,
    answered: u64,
    /// Since when the oldest answer is waited for, or the last one came.
    since: Instant,
}

impl SharedLink {
    /// Connects, and logs in.
    pub(crate) async fn connect(
        config: &RedisConfig,
        node: &RedisNode,
        account: Account,
    ) -> Result<Self, RedisFailure> {
        let tls = config.connection.tls.clone().filter(|_| account == Account::OfSettings);
        let place = Peer { node: node.clone(), encrypted: tls.is_some() };
        let node = node.clone();
        // Certificates are read from files.
        let client = blocking(move || client(&node, tls.as_ref())).await.map_err(RedisFailure::lasting)?;
        let limit = config.connection.connect_timeout.unwrap_or(CONNECT_TIMEOUT);
        let settings = AsyncConnectionConfig::new().set_connection_timeout(None).set_response_timeout(None);
        let reached = place.clone();
        let connection = spawned(async move {
            let connecting = client.get_multiplexed_async_connection_with_config(&settings);
            let connected = timeout(limit, connecting).await.map_err(|_| reached.silent())?;
            connected.map_err(|error| reached.unreachable(&error))
        })
        .await?;
        let limit = config.connection.response_timeout.unwrap_or(RESPONSE_TIMEOUT);
        let traffic = Mutex::new(Traffic { asked: 0, answered: 0, since: Instant::now() });
        let link = Self { place, connection, limit, traffic };
        if account == Account::OfSettings {
            for command in log_in(config) {
                link.ask(&command).await.map_err(|failure| failure.without(config))?;
            }
        }
        Ok(link)
    }

    /// The answer to one command, which is an error where the server refuses.
    pub(crate) async fn ask(&self, command: &Cmd) -> Result<Value, RedisFailure> {
        match self.answer(command).await? {
            Value::ServerError(error) => Err(self.place.refused(&error)),
            value => Ok(value),
        }
    }

    /// The answer to one command, which may be that the server refuses.
    pub(crate) async fn answer(&self, command: &Cmd) -> Result<Value, RedisFailure> {
        let mut connection = self.connection.clone();
        self.limited(connection.send_packed_command(command)).await
    }

    /// The answers to commands that follow each other, each of which may be that the server refuses.
    pub(crate) async fn answers(&self, commands: &Pipeline, count: usize) -> Result<Vec<Value>, RedisFailure> {
        let mut connection = self.connection.clone();
        self.limited(connection.send_packed_commands(commands, 0, count)).await
    }

    async fn limited<T>(&self, answer: impl Future<Output = Result<T, RedisError>>) -> Result<T, RedisFailure> {
        let number = self.traffic().asks();
        let answer = timeout(self.limit, answer).await;
        let answer = answer.unwrap_or_else(|_| Err(io::Error::from(io::ErrorKind::TimedOut).into()));
        let answer = answer.map_err(|error| self.place.unreachable(&error))?;
        self.traffic().is_answered(number);
        Ok(answer)
    }

    /// Whether the server has owed an answer for long.
    pub(crate) fn is_stuck(&self) -> bool {
        let traffic = self.traffic();
        traffic.asked > traffic.answered && traffic.since.elapsed() > STUCK
    }

    fn traffic(&self) -> MutexGuard<'_, Traffic> {
        self.traffic.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Traffic {
    /// Takes note of a question, and gives it a number.
    fn asks(&mut self) -> u64 {
        if self.asked == self.answered {
            self.since = Instant::now();
        }
        self.asked += 1;
        self.asked
    }

    fn is_answered(&mut self, number: u64) {
        self.answered = self.answered.max(number);
        self.since = Instant::now();
    }
}
