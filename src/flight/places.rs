//! Places of commands: so many are carried out at a time, and so many may wait for that.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout,
};
use tonic::Status;

use super::error;

/// The places of a server.
#[derive(Debug)]
pub(super) struct Places {
    /// One for each command that is there, waiting or not.
    all: Arc<Semaphore>,
    /// One for each that is carried out.
    running: Arc<Semaphore>,
    longest_wait: Duration,
}

/// A command that is there.
#[derive(Debug)]
pub(super) struct Place {
    _all: OwnedSemaphorePermit,
    running: Arc<Semaphore>,
    longest_wait: Duration,
}

/// A command that is carried out.
#[derive(Debug)]
pub(super) struct Turn {
    _place: Place,
    _running: OwnedSemaphorePermit,
}

impl Places {
    /// So many at a time, and so many that wait for so long.
    pub(super) fn new(running: usize, waiting: usize, longest_wait: Duration) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.clamp(1, Semaphore::MAX_PERMITS)));
        Self { all: permits(running.saturating_add(waiting)), running: permits(running), longest_wait }
    }

    /// A place for a command.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn take(&self) -> Result<Place, Status> {
        // Nobody closes it.
        let all = Arc::clone(&self.all).try_acquire_owned().map_err(|_| error::full())?;
        Ok(Place { _all: all, running: Arc::clone(&self.running), longest_wait: self.longest_wait })
    }
}

impl Place {
    /// Waits until it is its turn.
    ///
    /// # Errors
    /// When that takes too long.
    pub(super) async fn turn(self) -> Result<Turn, Status> {
        let running = timeout(self.longest_wait, Arc::clone(&self.running).acquire_owned()).await;
        let running = running.map_err(|_| error::busy())?.map_err(|_| error::busy())?;
        Ok(Turn { _place: self, _running: running })
    }
}

#[cfg(test)]
mod tests {
    use tonic::Code;

    use super::*;

    #[tokio::test]
    async fn those_that_are_too_many_are_sent_away_and_others_wait() {
        let places = Places::new(1, 1, Duration::from_millis(20));
        let turn = places.take().unwrap().turn().await.unwrap();
        let waiting = places.take().unwrap();
        assert_eq!(places.take().unwrap_err().code(), Code::ResourceExhausted);
        assert_eq!(waiting.turn().await.unwrap_err().code(), Code::Unavailable);
        let waiting = places.take().unwrap();
        drop(turn);
        drop(waiting.turn().await.unwrap());
        assert!(places.take().is_ok());
    }
}
