//! Work that writes: on threads for it, so many at a time that reading goes on beside it.

use std::{sync::Arc, time::Instant};

use tokio::time::timeout_at;

use super::{error::Error, state::State};
use crate::{
    clients::runtime::blocking,
    problem::{Kind, Problem},
};

impl State {
    /// Writes what a request brings. What has begun goes on to its end, even if nobody waits for it any more: half of it
    /// would be of no use to anybody.
    ///
    /// # Errors
    /// Those of `act`, and when there are too many requests, or it is not done before the deadline.
    pub(super) async fn write<T: Send + 'static>(
        self: &Arc<Self>,
        deadline: Instant,
        act: impl FnOnce(&Self) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let _place = self.places.try_acquire().map_err(|_| Error::busy())?;
        let turn = timeout_at(deadline.into(), Arc::clone(&self.writers).acquire_owned()).await;
        // Nobody closes it.
        let turn = turn.map_err(|_| Error::busy())?.map_err(|_| Error::busy())?;
        let state = Arc::clone(self);
        let work = blocking(move || {
            let _turn = turn;
            act(&state)
        });
        timeout_at(deadline.into(), work).await.map_err(|_| late())?
    }
}

fn late() -> Error {
    let message = "the rows take longer to be stored than they may, and are stored later or not";
    Problem::new(Kind::Deadline, message, "send them again: the newest count, once".to_owned()).into()
}
