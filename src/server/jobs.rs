//! Materializations that a server carries out: so many at a time, and of those that nobody waits for one of each view.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::timeout_at,
};

use crate::{
    app::materialize::Request,
    materialize::Range,
    online::Replace,
    problem::{Kind, Problem},
};

/// What is to be materialized.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// The views; all that can be if there are none.
    pub(super) views: Vec<String>,
    pub(super) range: Range,
    pub(super) allow_future: bool,
}

impl Job {
    pub(super) fn request(&self) -> Request<'_> {
        Request {
            views: &self.views,
            range: self.range,
            allow_future: self.allow_future,
            chunk: None,
            replace: Replace::Outdated,
            shards: None,
            jobs: 1,
            fail_fast: false,
            entities: None,
        }
    }
}

/// The materializations that go on.
pub(super) struct Jobs {
    /// One for each that may be carried out at a time.
    slots: Arc<Semaphore>,
    count: u32,
    /// The views of those that nobody waits for, until they have ended.
    accepted: Arc<Mutex<BTreeSet<String>>>,
    is_ending: AtomicBool,
}

/// The views of a job that was accepted; they are free again when it is dropped.
pub(super) struct Accepted {
    views: Vec<String>,
    all: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for Accepted {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        self.views.iter().for_each(|view| _ = all.remove(view));
    }
}

impl Jobs {
    /// No job yet, of which so many may go on at a time.
    pub(super) fn new(most: usize) -> Self {
        let count = u32::try_from(most.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        let slots = Arc::new(Semaphore::new(count as usize));
        Self { slots, count, accepted: Arc::default(), is_ending: AtomicBool::new(false) }
    }

    /// Takes in the views of a job, but for those (`force` apart) that another one has; these are given back where there
    /// are some.
    ///
    /// # Errors
    /// The views that another one has.
    pub(super) fn accept(&self, views: &[String], force: bool) -> Result<Accepted, Vec<String>> {
        let mut all = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        let (taken, free): (Vec<String>, Vec<String>) = views.iter().cloned().partition(|view| all.contains(view));
        if !force && !taken.is_empty() {
            return Err(taken);
        }
        all.extend(free.iter().cloned());
        Ok(Accepted { views: free, all: Arc::clone(&self.accepted) })
    }

    /// From now on none begins.
    pub(super) fn end(&self) {
        self.is_ending.store(true, Ordering::SeqCst);
    }

    /// Waits until all have ended; whether they have before the deadline.
    pub(super) async fn ended(&self, deadline: Instant) -> bool {
        // Those that wait for a slot come first, and see that it ends.
        timeout_at(deadline.into(), self.slots.acquire_many(self.count)).await.is_ok()
    }

    /// Waits for a slot.
    ///
    /// # Errors
    /// When the server ends before there is one.
    pub(super) async fn slot(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let ending = || Problem::new(Kind::Unavailable, "the server is about to end, and begins nothing", None);
        let slot = Arc::clone(&self.slots).acquire_owned().await.map_err(|_| ending())?;
        if self.is_ending.load(Ordering::SeqCst) { Err(ending()) } else { Ok(slot) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn views(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn a_view_is_accepted_once_until_its_job_has_ended() {
        let jobs = Jobs::new(2);
        let first = jobs.accept(&views(&["a", "b"]), false).ok().unwrap();
        assert_eq!(jobs.accept(&views(&["b", "c"]), false).err(), Some(views(&["b"])));
        // Who insists shares it, and does not give away what is not theirs.
        drop(jobs.accept(&views(&["b", "c"]), true));
        assert_eq!(jobs.accept(&views(&["b"]), false).err(), Some(views(&["b"])));
        let other = jobs.accept(&views(&["c"]), false).ok().unwrap();
        drop(first);
        assert_eq!(jobs.accept(&views(&["a", "c"]), false).err(), Some(views(&["c"])));
        drop(other);
        assert!(jobs.accept(&views(&["a", "b", "c"]), false).is_ok());
    }

    #[test]
    fn at_the_end_none_begins_and_those_that_go_on_are_waited_for() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let jobs = Jobs::new(1);
            let held = jobs.slot().await.unwrap();
            jobs.end();
            assert!(!jobs.ended(Instant::now()).await);
            let (waiting, ()) = tokio::join!(jobs.slot(), async { drop(held) });
            assert_eq!(waiting.unwrap_err().kind, Kind::Unavailable);
            assert!(jobs.ended(Instant::now()).await);
        });
    }
}
