//! What is written under a hidden name and would be left there by a signal.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is not finished as long as this value lives.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    pub(super) fn note(path: &Path) -> Self {
        unfinished().insert(path.to_owned());
        Self(path.to_owned())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Removes what is not finished, before a signal ends the program. Others may still be writing it.
pub fn remove_unfinished() {
    const TRIES: usize = 10;
    for path in unfinished().iter() {
        // A folder gets new files while it is removed.
        let removed = || if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
        _ = (0..TRIES).any(|_| removed().is_ok() || !path.exists());
    }
}
