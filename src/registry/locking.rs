//! One update of a project at a time, and who waits is told for whom.

use std::{
    fmt,
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
    thread::sleep,
    time::{Duration, Instant},
};

use super::store::RegistryError;

/// How long an update waits for another one unless told otherwise.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// Time between two attempts.
const PAUSE: Duration = Duration::from_millis(50);
/// Waiting as short as this is not worth a word.
const SILENCE: Duration = Duration::from_secs(1);
/// Time between two words about waiting.
const REMINDER: Duration = Duration::from_secs(10);

/// How an update takes the lock of its project.
pub struct Locking {
    /// Who takes it, as others read it: `apply of alice@ci-7 (pid 412)`.
    pub who: String,
    /// How long to wait for somebody else.
    pub timeout: Duration,
    /// Called now and then while waiting.
    pub on_wait: Box<dyn Fn(&Holder)>,
}

impl Default for Locking {
    fn default() -> Self {
        Self { who: format!("pid {}", std::process::id()), timeout: LOCK_TIMEOUT, on_wait: Box::new(|_| {}) }
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
    /// Tries until the lock is there. `attempt` gives it, or who has it.
    ///
    /// # Errors
    /// Those of `attempt`, and that the time is over.
    pub fn wait<T, E: From<RegistryError>>(
        &self,
        location: &str,
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
                return Err(RegistryError::new(
                    format!("the lock of the registry {location} is {holder}"),
                    format!(
                        "feastr waited {} s and changed nothing; try again when the other one is done",
                        self.timeout.as_secs()
                    ),
                )
                .into());
            }
            if waited >= next_word {
                (self.on_wait)(&holder);
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
    pub fn take(registry: &Path, locking: &Locking) -> Result<Self, RegistryError> {
        let path = lock_path(registry);
        let failed = |error: std::io::Error| {
            RegistryError::new(
                format!("cannot lock the registry {}: {error}", registry.display()),
                format!("check the permissions of {} and of its folder", path.display()),
            )
        };
        let mut file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
        locking.wait(&registry.display().to_string(), || match file.try_lock() {
            Ok(()) => Ok(Ok(())),
            Err(TryLockError::WouldBlock) => Ok(Err(holder(&path))),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        })?;
        // For those who wait. That it cannot be written (a full disk) hurts nobody.
        let _ = file.set_len(0).and_then(|()| file.write_all(locking.who.as_bytes()));
        Ok(Self { _file: file })
    }
}

fn lock_path(registry: &Path) -> PathBuf {
    let mut path = registry.as_os_str().to_owned();
    path.push(".lock");
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
    use std::{cell::RefCell, rc::Rc};

    use super::*;

    #[test]
    fn one_holder_at_a_time_and_the_next_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let registry = folder.path().join("registry.db");
        let alice = Locking { who: "apply of alice@ci-7 (pid 412)".to_owned(), ..Locking::default() };
        let held = LockFile::take(&registry, &alice).unwrap();
        let told = Rc::new(RefCell::new(Vec::new()));
        let words = Rc::clone(&told);
        let bob = Locking {
            timeout: Duration::from_millis(1),
            on_wait: Box::new(move |holder| words.borrow_mut().push(holder.to_string())),
            ..Locking::default()
        };
        let error = LockFile::take(&registry, &bob).unwrap_err();
        assert!(error.message.contains("held by apply of alice@ci-7 (pid 412) for 0 s"), "{error}");
        drop(held);
        LockFile::take(&registry, &bob).unwrap();
    }
}
