//! The folder for what does not fit into memory or is read more than once. It is gone when its owner is, when
//! a signal ends the process ([`remove_all`]), and otherwise when the next one is made: a lock says
//! which folders are still in use.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use tempfile::TempDir;

use crate::problem::{Kind, Problem};

/// Names of such folders begin so.
const PREFIX: &str = "feastr-spill-";
/// The file in them that their process holds locked.
const LOCK: &str = "lock";

/// Those of this process. Signals know of nothing but what is static.
static IN_USE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// A folder for temporary files, which is made when somebody needs it.
#[derive(Debug, Default)]
pub struct SpillFolder(Mutex<Option<Spill>>);

impl SpillFolder {
    /// Where it is.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn path(&self) -> Result<PathBuf, Problem> {
        let mut folder = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let spill = match &mut *folder {
            Some(spill) => spill,
            none => none.insert(Spill::new().map_err(|error| {
                Problem::new(
                    Kind::Unavailable,
                    format!("cannot make a folder for temporary files: {error}"),
                    "set TMPDIR to a folder that can be written".to_owned(),
                )
            })?),
        };
        Ok(spill.path().to_owned())
    }
}

/// A folder to spill to.
#[derive(Debug)]
struct Spill {
    folder: TempDir,
    _lock: File,
}

impl Spill {
    /// Makes a folder for temporary files, and removes those that killed processes have left.
    ///
    /// # Errors
    /// When the folder cannot be made.
    fn new() -> io::Result<Self> {
        let parent = std::env::temp_dir();
        sweep(&parent);
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir_in(parent)?;
        let lock = lock(folder.path())?;
        IN_USE.lock().unwrap_or_else(PoisonError::into_inner).push(folder.path().to_owned());
        Ok(Self { folder, _lock: lock })
    }

    /// Where it is.
    fn path(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Spill {
    fn drop(&mut self) {
        IN_USE.lock().unwrap_or_else(PoisonError::into_inner).retain(|folder| folder != self.folder.path());
    }
}

/// Removes the folders of this process, which is about to end.
pub fn remove_all() {
    /// DuckDB may make a file meanwhile.
    const TRIES: usize = 10;
    for folder in IN_USE.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        let _ = (0..TRIES).find(|_| fs::remove_dir_all(folder).is_ok());
    }
}

/// Locks a folder. The lock has its name only when it is held: nobody finds one that is free by chance.
fn lock(folder: &Path) -> io::Result<File> {
    let unnamed = folder.join("lock-to-be");
    let file = File::create(&unnamed)?;
    file.lock()?;
    fs::rename(unnamed, folder.join(LOCK))?;
    Ok(file)
}

/// Removes folders whose process is dead; what cannot be removed stays.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        let Ok(lock) = File::open(entry.path().join(LOCK)) else { continue };
        match lock.try_lock() {
            Ok(()) => _ = fs::remove_dir_all(entry.path()),
            Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_the_dead_are_removed_and_others_are_not() {
        let parent = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let path = parent.path().join(name);
            fs::create_dir(&path).unwrap();
            fs::write(path.join("duckdb_temp_block-1.block"), "rows").unwrap();
            path
        };
        let [dead, living, new, other] =
            ["feastr-spill-dead", "feastr-spill-living", "feastr-spill-new", "feastr-other"].map(folder);
        drop(lock(&dead).unwrap());
        let held = lock(&living).unwrap();
        fs::write(other.join(LOCK), "").unwrap();
        sweep(parent.path());
        assert_eq!([&dead, &living, &new, &other].map(|folder| folder.exists()), [false, true, true, true]);
        drop(held);
        sweep(parent.path());
        assert!(!living.exists());
    }

    #[test]
    fn a_folder_is_gone_with_its_database() {
        let spill = Spill::new().unwrap();
        let path = spill.path().to_owned();
        sweep(path.parent().unwrap());
        assert!(path.join(LOCK).exists());
        drop(spill);
        assert!(!path.exists());
        assert!(!IN_USE.lock().unwrap().contains(&path));
    }
}
