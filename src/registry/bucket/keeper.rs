//! Taking the lease of a view, and keeping it.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak, mpsc},
    thread::JoinHandle,
    time::{Duration, Instant},
};

use uuid::Uuid;

use super::{conditions, lease::Lease};
use crate::{
    clients::{
        buckets::{Bucket, Expected, Put, Version},
        runtime::wait,
    },
    model::ViewId,
    problem::{Kind, Problem},
    registry::locks::{Holder, Locking, of_view},
};

/// Time between two looks at a lease that somebody else has: each is a request.
const LOOKS: Duration = Duration::from_millis(500);

/// Who keeps a lease: as long as it is renewed, nobody else takes it.
pub(super) struct Keeper {
    bucket: Bucket,
    key: String,
    project: String,
    view: String,
    period: Duration,
    /// What the object says since we wrote it; or why it is ours no more.
    state: Mutex<Result<(Lease, Version), Problem>>,
}

/// A lease that is renewed until this is dropped, which gives it back.
pub(super) struct Held {
    keeper: Arc<Keeper>,
    /// Dropping it ends the thread.
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// Waits for the lease of a view and keeps it from then on, with whether it was taken from somebody who has not renewed it.
///
/// # Errors
/// When somebody else keeps it too long, or the store gives no answer.
pub(super) fn take(
    bucket: &Bucket,
    key: &str,
    view: ViewId<'_>,
    locking: &Locking,
    period: Duration,
) -> Result<(Held, bool), Problem> {
    let mut watch = Watch { seen: None, looked: None };
    let (lease, version, was_left) =
        locking.wait(&of_view(view.name), || watch.attempt(bucket, key, &locking.who, period))?;
    let keeper = Arc::new(Keeper {
        bucket: bucket.clone(),
        key: key.to_owned(),
        project: view.project.to_owned(),
        view: view.name.to_owned(),
        period,
        state: Mutex::new(Ok((lease, version))),
    });
    Ok((Held::begin(keeper)?, was_left))
}

/// What was seen of a lease that somebody else has.
struct Watch {
    /// Its state, and since when it has been the same.
    seen: Option<(Version, Instant)>,
    /// When it was looked at last, and who had it.
    looked: Option<(Instant, Holder)>,
}

impl Watch {
    fn attempt(
        &mut self,
        bucket: &Bucket,
        key: &str,
        who: &str,
        period: Duration,
    ) -> Result<Result<(Lease, Version, bool), Holder>, Problem> {
        if let Some((at, holder)) = &self.looked
            && at.elapsed() < LOOKS
        {
            return Ok(Err(holder.clone()));
        }
        let found = wait(bucket.get(key))?;
        let mut was_left = false;
        if let Some((bytes, version)) = &found
            && let Some(lease) = Lease::read(bytes).filter(|lease| !lease.is_over)
        {
            was_left = lease.is_long_over() || self.unchanged(version) > period;
            if !was_left {
                self.looked = Some((Instant::now(), lease.holder()));
                return Ok(Err(lease.holder()));
            }
        }
        let expected = found.map_or(Expected::Nothing, |(_, version)| Expected::This(version));
        let lease = Lease::begin(who, &Uuid::new_v4().to_string(), period);
        Ok(match written(bucket, key, &lease, expected)? {
            Some(version) => Ok((lease, version, was_left)),
            // Who was faster is seen at the next look.
            None => Err(Holder::default()),
        })
    }

    /// For how long a state has been there, by our own clock, because that of the holder may be wrong.
    fn unchanged(&mut self, version: &Version) -> Duration {
        match &self.seen {
            Some((seen, since)) if seen == version => since.elapsed(),
            _ => {
                self.seen = Some((version.clone(), Instant::now()));
                Duration::ZERO
            }
        }
    }
}

/// Writes a lease, if what is expected is there; `None` when it is not.
fn written(bucket: &Bucket, key: &str, lease: &Lease, expected: Expected) -> Result<Option<Version>, Problem> {
    let answer = wait(bucket.put(key, lease.bytes().into(), expected));
    if let Ok(Put::Done(version)) = answer {
        return Ok(Some(version));
    }
    if matches!(answer, Ok(Put::Unconditional)) {
        return Err(conditions::missing(bucket, key));
    }
    // An answer that was lost on the way looks as if somebody else had been faster.
    let there = wait(bucket.get(key))?;
    let ours = there.filter(|(bytes, _)| Lease::read(bytes).as_ref() == Some(lease)).map(|(_, version)| version);
    match (ours, answer) {
        (None, Err(problem)) => Err(problem),
        (ours, _) => Ok(ours),
    }
}

impl Keeper {
    /// Whether it is for a view of a project, or for any of it.
    pub(super) fn is_for(&self, project: &str, view: Option<&str>) -> bool {
        self.project == project && view.is_none_or(|view| view == self.view)
    }

    /// Renews the lease.
    ///
    /// # Errors
    /// When it is ours no more, or the store gives no answer.
    pub(super) fn confirm(&self) -> Result<(), Problem> {
        let mut state = self.state();
        let (lease, version) = state.clone()?;
        let renewed = lease.renewed(self.period);
        match written(&self.bucket, &self.key, &renewed, Expected::This(version))? {
            Some(version) => {
                *state = Ok((renewed, version));
                Ok(())
            }
            None => {
                let problem = self.lost();
                *state = Err(problem.clone());
                Err(problem)
            }
        }
    }

    fn lost(&self) -> Problem {
        let found = wait(self.bucket.get(&self.key)).ok().flatten();
        let by = found
            .and_then(|(bytes, _)| Lease::read(&bytes))
            .map_or_else(String::new, |lease| format!(" by {}", lease.holder));
        Problem::new(
            Kind::Conflict,
            format!(
                "{} was taken over{by}, because it was not renewed for {} s",
                of_view(&self.view),
                self.period.as_secs()
            ),
            "nothing was recorded since; run it again, when the other one is done".to_owned(),
        )
    }

    fn give_back(&self) {
        let state = self.state();
        if let Ok((lease, version)) = &*state {
            // Where that fails, it ends by itself.
            let _ = written(&self.bucket, &self.key, &lease.given_back(), Expected::This(version.clone()));
        }
    }

    fn state(&self) -> MutexGuard<'_, Result<(Lease, Version), Problem>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Held {
    fn begin(keeper: Arc<Keeper>) -> Result<Self, Problem> {
        let (end, ended) = mpsc::channel();
        let kept = Arc::clone(&keeper);
        let renew = move || {
            while ended.recv_timeout(kept.period / 3) == Err(mpsc::RecvTimeoutError::Timeout) {
                // Whoever records something hears of what went wrong; an answer that does not come may come the next time.
                let _ = kept.confirm();
            }
            kept.give_back();
        };
        let thread = std::thread::Builder::new().name("feastr-lease".to_owned()).spawn(renew);
        let thread = thread.map_err(|error| {
            keeper.give_back();
            Problem::new(Kind::Unavailable, format!("cannot keep {}: {error}", of_view(&keeper.view)), None)
        })?;
        Ok(Self { keeper, end: Some(end), thread: Some(thread) })
    }

    /// The keeper, for as long as the lease is held.
    pub(super) fn weak(&self) -> Weak<Keeper> {
        Arc::downgrade(&self.keeper)
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.end.take();
        if let Some(thread) = self.thread.take() {
            // It has no result, and a panic in it would have been said.
            let _ = thread.join();
        }
    }
}
