//! One update of a project at a time, one run per view; and who waits is told for whom.

use std::{
    fmt,
    thread::sleep,
    time::{Duration, Instant},
};

use crate::{
    model::ViewId,
    problem::{Kind, Problem},
};
use sha2::{Digest, Sha256};

/// One run per view at a time.
pub trait Locks: Send + Sync {
    /// Waits until no other run materializes a view, and keeps others from it until what comes back
    /// is dropped or the process ends. Python Feast knows nothing of it.
    ///
    /// # Errors
    /// When the lock cannot be had.
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem>;

    /// Who materializes a view now.
    ///
    /// # Errors
    /// When the registry cannot be read.
    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem>;
}

/// The lock of a view, or of a registry in a bucket; dropping it gives it back.
pub struct ViewLock {
    held: Box<dyn Held>,
}

/// What a lock lasts as long as, and may end before its holder knows.
pub(crate) trait Held: Send {
    /// Whether the lock is still ours.
    ///
    /// # Errors
    /// When it is not, or nobody can tell.
    fn confirm(&mut self) -> Result<(), Problem>;
}

/// What ends with its holder and not before.
struct Lasting<T>(T);

impl<T: Send> Held for Lasting<T> {
    fn confirm(&mut self) -> Result<(), Problem> {
        Ok(())
    }
}

impl ViewLock {
    /// The lock that lasts as long as `held`, such as an open file.
    pub fn new(held: impl Send + 'static) -> Self {
        Self { held: Box::new(Lasting(held)) }
    }

    /// The lock that lasts as long as `held`, which may end by itself, such as a connection.
    pub(crate) fn of(held: impl Held + 'static) -> Self {
        Self { held: Box::new(held) }
    }

    /// Whether the lock is still ours.
    ///
    /// # Errors
    /// When it is not, or nobody can tell.
    pub(crate) fn confirm(&mut self) -> Result<(), Problem> {
        self.held.confirm()
    }
}

/// Which lock is meant, where a database has those of many things.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LockName {
    /// What tells it from all others.
    pub digest: [u8; 32],
    /// What messages call it.
    pub words: String,
}

impl LockName {
    /// The lock of a view.
    pub(crate) fn of_view(view: ViewId<'_>) -> Self {
        Self { digest: view_digest(view), words: of_view(view.name) }
    }

    /// The lock of a view of a registry elsewhere.
    pub(crate) fn of_view_in(location: &str, view: ViewId<'_>) -> Self {
        Self { digest: digest_of("feastr view of", &[location, view.project, view.name]), words: of_view(view.name) }
    }

    /// The lock of a registry elsewhere.
    pub(crate) fn of_registry_in(location: &str) -> Self {
        Self { digest: digest_of("feastr lock of a registry", &[location]), words: of_registry(location) }
    }
}

/// How long an update waits for another one unless told otherwise.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// Waiting as short as this is not worth a word.
const SILENCE: Duration = Duration::from_secs(1);
/// Time between two words about waiting.
const REMINDER: Duration = Duration::from_secs(10);

/// How the locks of projects and views are taken.
pub struct Locking {
    /// Who takes it, as others read it: `apply of alice@ci-7 (pid 412)`.
    pub who: String,
    /// How long to wait for somebody else.
    pub timeout: Duration,
    /// Called now and then while waiting.
    pub on_wait: Box<dyn Fn(&Waiting<'_>) + Send + Sync>,
}

impl Default for Locking {
    fn default() -> Self {
        Self { who: format!("pid {}", std::process::id()), timeout: LOCK_TIMEOUT, on_wait: Box::new(|_| {}) }
    }
}

/// A lock that is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Waiting<'a> {
    /// Which one, such as `the lock of the registry data/registry.db`.
    pub lock: &'a str,
    /// Who has it.
    pub holder: &'a Holder,
}

impl fmt::Display for Waiting<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "waiting for {}, {}", self.lock, self.holder)
    }
}

/// Who has a lock, as far as that can be found out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// `None` if nothing tells.
    pub who: Option<String>,
    /// For how long; `None` if nothing tells.
    pub since: Option<Duration>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "held by {}", self.who.as_deref().unwrap_or("somebody else"))?;
        self.since.map_or(Ok(()), |since| write!(f, " for {} s", since.as_secs()))
    }
}

impl Locking {
    /// Tries until the lock is there, which is called `lock` in messages. `attempt` gives it, or who
    /// has it.
    ///
    /// # Errors
    /// Those of `attempt`, and that the time is over.
    pub fn wait<T, E: From<Problem>>(
        &self,
        lock: &str,
        mut attempt: impl FnMut() -> Result<Result<T, Holder>, E>,
    ) -> Result<T, E> {
        let began = Instant::now();
        let mut next_word = SILENCE.min(self.timeout);
        loop {
            let holder = match attempt()? {
                Ok(lock) => return Ok(lock),
                Err(holder) => holder,
            };
            let waited = began.elapsed();
            if waited >= self.timeout {
                return Err(Problem::new(
                    Kind::Unavailable,
                    format!("{lock} is {holder}"),
                    format!("feastr waited {} s; try again when the other one is done", self.timeout.as_secs()),
                )
                .into());
            }
            if waited >= next_word {
                (self.on_wait)(&Waiting { lock, holder: &holder });
                next_word = waited + REMINDER;
            }
            sleep(PAUSE.min(self.timeout - waited));
        }
    }
}

/// The lock of a registry in words.
pub(crate) fn of_registry(location: &str) -> String {
    format!("the lock of the registry {location}")
}

/// The lock of a view in words.
pub(crate) fn of_view(view: &str) -> String {
    format!("the lock of view `{view}` (one run at a time)")
}

/// A digest of project and view: their names may hold any letters and be of any length.
pub(crate) fn view_digest(view: ViewId<'_>) -> [u8; 32] {
    digest_of("feastr view", &[view.project, view.name])
}

fn digest_of(kind: &str, names: &[&str]) -> [u8; 32] {
    let whole = names
        .iter()
        .fold(Sha256::new().chain_update(kind), |digest, name| digest.chain_update(b"\0").chain_update(name));
    whole.finalize().into()
}
