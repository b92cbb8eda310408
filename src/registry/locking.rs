//! One update of a project at a time, one run per view; and who waits is told for whom.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use sha2::{Digest, Sha256};

use crate::problem::{Kind, Problem};

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
    pub who: Option<String>,
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

/// A lock held through a file beside a registry file. The system gives it back when the process ends,
/// however it ends. The file stays, because removing it would race with the next one who waits.
#[derive(Debug)]
pub struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes the lock of the registry in the file `registry`, whose folder must exist.
    ///
    /// # Errors
    /// When somebody else keeps it too long, or the file cannot be written.
    pub fn take(registry: &Path, locking: &Locking) -> Result<Self, Problem> {
        Self::take_at(&beside(registry, ".lock"), &of_registry(&registry.display().to_string()), locking)
    }

    /// Takes the lock of a view in the registry in the file `registry`.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub fn take_view(registry: &Path, project: &str, view: &str, locking: &Locking) -> Result<Self, Problem> {
        let path = view_lock_path(registry, project, view);
        let folder = path.parent().unwrap_or(registry);
        std::fs::create_dir_all(folder).map_err(|error| {
            Problem::new(
                Kind::Unavailable,
                format!("cannot lock view `{view}`: {}: {error}", folder.display()),
                format!("check the permissions of the folder of the registry {}", registry.display()),
            )
        })?;
        Self::take_at(&path, &of_view(view), locking)
    }

    fn take_at(path: &Path, lock: &str, locking: &Locking) -> Result<Self, Problem> {
        let failed = |error: std::io::Error| {
            Problem::new(
                Kind::Unavailable,
                format!("cannot take {lock}: {error}"),
                format!("check the permissions of {} and of its folder", path.display()),
            )
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
        locking.wait(lock, || match file.try_lock() {
            Ok(()) => Ok(Ok(())),
            Err(TryLockError::WouldBlock) => Ok(Err(holder(path))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        })?;
        // For those who wait. That it cannot be written (a full disk) hurts nobody.
        let _ = file.set_len(0).and_then(|()| file.write_all(locking.who.as_bytes()));
        Ok(Self { _file: file })
    }

    /// Who has the lock of a view now, if somebody has.
    pub fn view_holder(registry: &Path, project: &str, view: &str) -> Option<Holder> {
        let path = view_lock_path(registry, project, view);
        let held = matches!(File::open(&path).ok()?.try_lock_shared(), Err(TryLockError::WouldBlock));
        held.then(|| holder(&path))
    }
}

/// The lock of a registry in words.
pub fn of_registry(location: &str) -> String {
    format!("the lock of the registry {location}")
}

/// The lock of a view in words.
pub fn of_view(view: &str) -> String {
    format!("the lock of view `{view}` (one run at a time)")
}

/// A digest of project and view: their names may hold any letters and be of any length.
pub fn view_digest(project: &str, view: &str) -> [u8; 32] {
    Sha256::new()
        .chain_update(b"feastr view\0")
        .chain_update(project)
        .chain_update(b"\0")
        .chain_update(view)
        .finalize()
        .into()
}

/// The first half of a digest as text.
pub fn short_hex(digest: &[u8; 32]) -> String {
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// In a folder of its own, because there is one for every view.
fn view_lock_path(registry: &Path, project: &str, view: &str) -> PathBuf {
    beside(registry, ".locks").join(short_hex(&view_digest(project, view)))
}

/// A path whose name is that of the registry's file, and more.
pub fn beside(registry: &Path, more: &str) -> PathBuf {
    let mut path = registry.as_os_str().to_owned();
    path.push(more);
    PathBuf::from(path)
}

/// What the holder wrote, at the time it took the lock.
fn holder(path: &Path) -> Holder {
    let mut who = String::new();
    let read = File::open(path).and_then(|file| file.take(200).read_to_string(&mut who));
    let since = std::fs::metadata(path).and_then(|file| file.modified()).ok().and_then(|time| time.elapsed().ok());
    Holder { who: read.ok().map(|_| who).filter(|who| !who.is_empty()), since }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_next_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.db");
        let alice = Locking { who: "apply of alice@ci-7 (pid 412)".to_owned(), ..Locking::default() };
        let held = LockFile::take(&registry, &alice).unwrap();
        let told = Arc::new(Mutex::new(Vec::new()));
        let words = Arc::clone(&told);
        let bob = Locking {
            timeout: Duration::from_millis(1_100),
            on_wait: Box::new(move |waiting| words.lock().unwrap().push(waiting.to_string())),
            ..Locking::default()
        };
        let error = LockFile::take(&registry, &bob).unwrap_err();
        assert!(error.message.contains("held by apply of alice@ci-7 (pid 412) for "), "{error}");
        assert!(told.lock().unwrap()[0].starts_with("waiting for the lock of the registry"), "{told:?}");
        drop(held);
        LockFile::take(&registry, &bob).unwrap();
    }

    #[test]
    fn views_have_locks_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.db");
        let at_once = Locking { timeout: Duration::ZERO, who: "cron".to_owned(), ..Locking::default() };
        let take = |project: &str, view: &str| LockFile::take_view(&registry, project, view, &at_once);
        assert_eq!(LockFile::view_holder(&registry, "p", "a"), None);
        let held = take("p", "a").unwrap();
        let others = [take("p", "b").unwrap(), take("q", "a").unwrap()];
        let error = take("p", "a").unwrap_err().message;
        assert!(error.starts_with("the lock of view `a`") && error.contains("held by cron for 0 s"), "{error}");
        let who = |view: &str| LockFile::view_holder(&registry, "p", view).and_then(|holder| holder.who);
        assert_eq!((who("a").as_deref(), who("c")), (Some("cron"), None));
        drop((held, others));
        assert_eq!(who("a"), None);
    }
}
