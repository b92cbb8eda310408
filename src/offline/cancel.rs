//! Calling off queries, for callers that may go away.

use std::{
    collections::BTreeMap,
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::problem::{Kind, Problem};

/// Calls off queries, from any thread; clones call off the same ones. Queries that begin later end at
/// once.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    is_cancelled: bool,
    next: u64,
    /// What stops the queries that are running.
    running: BTreeMap<u64, Box<dyn Fn() + Send>>,
}

/// A query that is running; it is over when this is dropped.
pub(super) struct Running {
    cancel: Cancel,
    number: u64,
}

impl Cancel {
    /// Calls off what is running. It ends soon, with a problem of the kind [`Kind::Cancelled`].
    pub fn cancel(&self) {
        let mut state = self.state();
        state.is_cancelled = true;
        state.running.values().for_each(|stop| stop());
    }

    /// Whether it was called off.
    pub fn is_cancelled(&self) -> bool {
        self.state().is_cancelled
    }

    /// Begins a query that `stop` stops.
    pub(super) fn begin(&self, stop: impl Fn() + Send + 'static) -> Running {
        let mut state = self.state();
        let number = state.next;
        state.next += 1;
        state.running.insert(number, Box::new(stop));
        Running { cancel: self.clone(), number }
    }

    /// What a future gives, unless it is called off before; then the future is dropped.
    pub(super) async fn over<T, E: From<Problem>>(&self, future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
        let stop = Arc::new(Notify::new());
        let running = self.begin({
            let stop = Arc::clone(&stop);
            move || stop.notify_one()
        });
        // It may have been called off before it began.
        self.check()?;
        let result = tokio::select! {
            result = future => result,
            () = stop.notified() => Err(called_off().into()),
        };
        drop(running);
        result
    }

    /// Goes on unless it was called off.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.is_cancelled() { Err(called_off()) } else { Ok(()) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn called_off() -> Problem {
    Problem::new(Kind::Cancelled, "the query was called off", None)
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Cancel").field(&self.is_cancelled()).finish()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.cancel.state().running.remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn only_what_is_running_is_stopped() {
        let cancel = Cancel::default();
        let stopped = Arc::new(AtomicUsize::new(0));
        let begin = || {
            let stopped = Arc::clone(&stopped);
            cancel.begin(move || _ = stopped.fetch_add(1, Ordering::Relaxed))
        };
        drop(begin());
        let running = [begin(), begin()];
        assert!(cancel.check().is_ok());
        cancel.clone().cancel();
        assert_eq!(stopped.load(Ordering::Relaxed), 2);
        assert_eq!(cancel.check().map_err(|problem| problem.kind), Err(Kind::Cancelled));
        drop(running);
        assert!(cancel.state().running.is_empty());
    }
}
