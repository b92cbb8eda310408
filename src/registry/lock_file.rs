//! Locks of registries in files, through files beside them.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
};

use super::{
    digest::short_hex,
    locks::{Holder, LockName, Locking, of_registry},
};
use crate::problem::{Kind, Problem};

/// A lock held through a file beside a registry file. The system gives it back when the process ends,
/// however it ends. The file stays, because removing it would race with the next one who waits.
#[derive(Debug)]
pub(crate) struct LockFile {
    _file: File,
}

impl LockFile {
    /// Takes the lock of the registry in the file `registry`, whose folder must exist.
    ///
    /// # Errors
    /// When somebody else keeps it too long, or the file cannot be written.
    pub(crate) fn take(registry: &Path, locking: &Locking) -> Result<Self, Problem> {
        Self::take_at(&beside(registry, ".lock"), &of_registry(&registry.display().to_string()), locking)
    }

    /// Takes a lock, such as that of a view, beside the registry in the file `registry`.
    ///
    /// # Errors
    /// As [`Self::take`].
    pub(crate) fn take_named(registry: &Path, name: &LockName, locking: &Locking) -> Result<Self, Problem> {
        let path = path_of(registry, name);
        let folder = path.parent().unwrap_or(registry);
        std::fs::create_dir_all(folder).map_err(|error| {
            Problem::new(
                Kind::Unavailable,
                format!("cannot take {}: {}: {error}", name.words, folder.display()),
                format!("check the permissions of the folder of {}", registry.display()),
            )
        })?;
        Self::take_at(&path, &name.words, locking)
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

    /// Who has a lock now, if somebody has.
    pub(crate) fn holder_of(registry: &Path, name: &LockName) -> Option<Holder> {
        let path = path_of(registry, name);
        let held = matches!(File::open(&path).ok()?.try_lock_shared(), Err(TryLockError::WouldBlock));
        held.then(|| holder(&path))
    }
}

/// In a folder of its own, because there is one for every view.
fn path_of(registry: &Path, name: &LockName) -> PathBuf {
    beside(registry, ".locks").join(short_hex(&name.digest))
}

/// A path whose name is that of the registry's file, and more.
pub(crate) fn beside(registry: &Path, more: &str) -> PathBuf {
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
    use std::{
        sync::{Arc, Mutex},
        time::Duration,
    };

    use super::*;
    use crate::model::ViewId;

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
        fn id(project: &str, name: &str) -> LockName {
            LockName::of_view(ViewId { project, name })
        }
        let take = |project, name| LockFile::take_named(&registry, &id(project, name), &at_once);
        assert_eq!(LockFile::holder_of(&registry, &id("p", "a")), None);
        let held = take("p", "a").unwrap();
        let others = [take("p", "b").unwrap(), take("q", "a").unwrap()];
        let error = take("p", "a").unwrap_err().message;
        assert!(error.starts_with("the lock of view `a`") && error.contains("held by cron for 0 s"), "{error}");
        let who = |view: &str| LockFile::holder_of(&registry, &id("p", view)).and_then(|holder| holder.who);
        assert_eq!((who("a").as_deref(), who("c")), (Some("cron"), None));
        drop((held, others));
        assert_eq!(who("a"), None);
    }
}
