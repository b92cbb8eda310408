//! What is registered, kept in memory for faces that answer many requests.
//!
//! A state is read whole and never changed. A cheap look at the registry tells whether it is still right; where it is
//! not, the next one is read while the old one goes on to be given, and so it does while the registry is away.

use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use super::{
    objects::{Mark, Objects, Snapshot},
    read_objects::read_objects,
};
use crate::{
    config::RegistryCache,
    model::{RegistryState, Timestamp},
    problem::{Kind, Problem},
};

/// How long to leave a registry alone that could not be read.
const AWAY: Duration = Duration::from_secs(1);

/// How long a look at a registry may take until it is told, while it goes on.
const SILENCE: Duration = Duration::from_secs(2);

/// What a registry holds of one project, kept as `T`. Threads can share it.
pub struct Cached<T = RegistryState> {
    shared: Arc<Shared<T>>,
    /// Looks and reads, so that nobody who asks has to wait for it; `None` where each who asks looks.
    worker: Option<JoinHandle<()>>,
}

/// The time of day.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How right a kept state is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Status {
    /// When the state was read.
    pub read: Timestamp,
    /// When it was last known to be what the registry holds: its age counts from here.
    pub confirmed: Timestamp,
    /// Why it could not be confirmed since.
    pub problem: Option<Problem>,
}

struct Shared<T> {
    registry: Arc<dyn Objects>,
    project: String,
    /// Makes of a snapshot what is kept, from what was kept before.
    make: Make<T>,
    freshness: RegistryCache,
    clock: Clock,
    kept: Mutex<Option<Kept<T>>>,
    /// Held by the one who looks and reads.
    turn: Mutex<()>,
    /// How often somebody began to look.
    looks: AtomicU64,
    /// Since when somebody looks.
    looking: Mutex<Option<Timestamp>>,
    wanted: Mutex<Wanted>,
    wake: Condvar,
}

/// Makes something of what a registry holds of a project, and of what was made before.
type Make<T> = Box<dyn Fn(Snapshot, Option<&T>) -> T + Send + Sync>;

struct Kept<T> {
    state: Arc<T>,
    /// What the registry was recognised by before the state was read, if it can be.
    mark: Option<String>,
    tried: Timestamp,
    status: Status,
}

/// What is wanted of the worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Look,
    End,
}

impl Cached {
    /// The objects of a project. Nothing is read yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn new(
        registry: Arc<dyn Objects>,
        project: &str,
        freshness: RegistryCache,
        clock: Clock,
    ) -> Result<Self, Problem> {
        Self::made(registry, project, freshness, clock, |snapshot, _| read_objects(&snapshot))
    }
}

impl<T: Send + Sync + 'static> Cached<T> {
    /// What is made of a project, and of what was made of it before. Nothing is read yet.
    ///
    /// # Errors
    /// When the system gives no thread.
    pub fn made(
        registry: Arc<dyn Objects>,
        project: &str,
        freshness: RegistryCache,
        clock: Clock,
        make: impl Fn(Snapshot, Option<&T>) -> T + Send + Sync + 'static,
    ) -> Result<Self, Problem> {
        let shared = Arc::new(Shared {
            registry,
            project: project.to_owned(),
            make: Box::new(make),
            freshness,
            clock,
            kept: Mutex::default(),
            turn: Mutex::default(),
            looks: AtomicU64::new(0),
            looking: Mutex::default(),
            wanted: Mutex::new(Wanted::Nothing),
            wake: Condvar::new(),
        });
        let worker = match freshness.period.is_zero() {
            true => None,
            false => {
                let of_worker = Arc::clone(&shared);
                let worker = std::thread::Builder::new().name("feastr-registry".to_owned());
                let worker = worker.spawn(move || of_worker.work()).map_err(|error| {
                    Problem::new(Kind::Unavailable, format!("the registry cannot be watched: {error}"), None)
                })?;
                Some(worker)
            }
        };
        Ok(Self { shared, worker })
    }

    /// What is registered, as far as is known. The first who ask wait until it is read.
    ///
    /// # Errors
    /// When the registry was never read and cannot be.
    pub fn state(&self) -> Result<Arc<T>, Problem> {
        match self.at_hand() {
            Some(state) => Ok(state),
            None => self.fresh(),
        }
    }

    /// What is registered now, or was as far as is known while the registry is away. Who asks waits for it.
    ///
    /// # Errors
    /// As [`Self::state`].
    pub fn fresh(&self) -> Result<Arc<T>, Problem> {
        let shared = &self.shared;
        let looks = shared.looks.load(Ordering::SeqCst);
        let Some(kept) = shared.kept() else {
            let _turn = guard(&shared.turn);
            return match shared.kept() {
                Some(kept) => Ok(kept.state),
                None => shared.read(shared.mark()?),
            };
        };
        let _turn = guard(&shared.turn);
        // The thread that had the turn may have begun to look after this one asked.
        if shared.looks.load(Ordering::SeqCst) == looks {
            shared.look();
        }
        Ok(shared.kept().map_or(kept.state, |kept| kept.state))
    }

    /// The state, if it is given without waiting for anybody.
    pub fn at_hand(&self) -> Option<Arc<T>> {
        let kept = self.shared.kept()?;
        if kept.is_due((self.shared.clock)(), self.shared.freshness) {
            self.worker.as_ref()?;
            if !self.shared.freshness.by_itself {
                self.shared.want(Wanted::Look);
            }
        }
        Some(kept.state)
    }

    /// Somebody has changed the project, which was recognised by `mark` when that was decided. Where the state is what the
    /// registry held then, what `change` makes of it is given from now on, until the registry is looked at; else nothing
    /// happens (`false`).
    pub fn changed(&self, mark: Option<&Mark>, change: impl FnOnce(&T) -> Option<T>) -> bool {
        let shared = &self.shared;
        // What somebody is reading now may be older than the change.
        let _turn = match shared.turn.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(turn)) => turn.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        let Some(kept) = shared.kept() else { return false };
        let is_it = kept.mark.is_some() && kept.mark.as_deref() == mark.map(|mark| mark.text.as_str());
        match is_it.then(|| change(&kept.state)).flatten() {
            Some(state) => {
                *guard(&shared.kept) = Some(Kept { state: Arc::new(state), mark: None, ..kept });
                true
            }
            None => false,
        }
    }

    /// How right the state is that is given now; `None` before it was first read.
    pub fn status(&self) -> Option<Status> {
        let status = self.shared.kept()?.status;
        Some(Status { problem: status.problem.or_else(|| self.shared.silence()), ..status })
    }
}

impl<T> Drop for Cached<T> {
    fn drop(&mut self) {
        self.shared.want(Wanted::End);
        // A registry that is silent has time, and nobody waits for that: a worker that looks ends by itself.
        if let (Some(worker), Ok(_turn)) = (self.worker.take(), self.shared.turn.try_lock()) {
            // It cannot have panicked.
            let _ = worker.join();
        }
    }
}

impl<T> Clone for Kept<T> {
    fn clone(&self) -> Self {
        let Self { state, mark, tried, status } = self;
        Self { state: Arc::clone(state), mark: mark.clone(), tried: *tried, status: status.clone() }
    }
}

impl<T> Kept<T> {
    fn is_due(&self, now: Timestamp, freshness: RegistryCache) -> bool {
        let pause = if self.status.problem.is_some() { freshness.period.max(AWAY) } else { freshness.period };
        let pause = i64::try_from(pause.as_micros()).unwrap_or(i64::MAX);
        // A clock may be set back.
        now < self.tried || now.micros() - self.tried.micros() >= pause
    }
}

impl<T> Shared<T> {
    fn kept(&self) -> Option<Kept<T>> {
        guard(&self.kept).clone()
    }

    fn want(&self, wanted: Wanted) {
        let mut now = guard(&self.wanted);
        if *now != Wanted::End {
            *now = wanted;
        }
        self.wake.notify_all();
    }

    /// What the worker does until its end.
    fn work(&self) {
        loop {
            let mut wanted = guard(&self.wanted);
            while *wanted == Wanted::Nothing {
                if !self.freshness.by_itself {
                    wanted = self.wake.wait(wanted).unwrap_or_else(PoisonError::into_inner);
                    continue;
                }
                let waited = self.wake.wait_timeout(wanted, self.freshness.period);
                let (after, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
                wanted = after;
                if timeout.timed_out() && *wanted == Wanted::Nothing {
                    *wanted = Wanted::Look;
                }
            }
            if *wanted == Wanted::End {
                return;
            }
            *wanted = Wanted::Nothing;
            drop(wanted);
            // The thread that has the turn is reading for the first time.
            match self.turn.try_lock() {
                Ok(_turn) => self.look(),
                Err(TryLockError::Poisoned(_)) => self.look(),
                Err(TryLockError::WouldBlock) => {}
            }
        }
    }

    /// Confirms the state, or reads the next one.
    fn look(&self) {
        self.looks.fetch_add(1, Ordering::SeqCst);
        let tried = (self.clock)();
        *guard(&self.looking) = Some(tried);
        self.look_from(tried);
        *guard(&self.looking) = None;
    }

    /// That somebody has looked for long.
    fn silence(&self) -> Option<Problem> {
        let since = (*guard(&self.looking))?;
        let elapsed = (self.clock)().micros().saturating_sub(since.micros());
        let is_long = u128::try_from(elapsed).is_ok_and(|elapsed| elapsed >= SILENCE.as_micros());
        is_long.then(|| Problem::new(Kind::Deadline, format!("the registry has not answered since {since}"), None))
    }

    fn look_from(&self, tried: Timestamp) {
        let Some(kept) = self.kept() else { return };
        let outcome = match self.mark() {
            Ok(mark) if mark.is_some() && mark == kept.mark => {
                let status = Status { confirmed: tried, problem: None, ..kept.status };
                *guard(&self.kept) = Some(Kept { tried, status, ..kept });
                return;
            }
            Ok(mark) => self.read(mark),
            Err(problem) => Err(problem),
        };
        if let Err(problem) = outcome {
            let status = Status { problem: Some(problem), ..kept.status };
            *guard(&self.kept) = Some(Kept { tried, status, ..kept });
        }
    }

    /// What the registry can be recognised by. What may be the same after another change does not count.
    fn mark(&self) -> Result<Option<String>, Problem> {
        let mark = self.registry.mark(&self.project)?;
        let now = (self.clock)();
        Ok(mark.filter(|Mark { settled, .. }| *settled <= now).map(|mark| mark.text))
    }

    /// Reads a state, which from then on is given.
    fn read(&self, mark: Option<String>) -> Result<Arc<T>, Problem> {
        let now = (self.clock)();
        let snapshot = self.registry.snapshot(&self.project)?;
        let before = self.kept().map(|kept| kept.state);
        let state = Arc::new((self.make)(snapshot, before.as_deref()));
        let status = Status { read: now, confirmed: now, problem: None };
        *guard(&self.kept) = Some(Kept { state: Arc::clone(&state), mark, tried: now, status });
        Ok(state)
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
