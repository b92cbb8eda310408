//! What is written under a hidden name and would be left there by a signal.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::object;

static UNFINISHED: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

fn unfinished() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A file or folder that is not finished as long as this value lives.
pub(super) struct Unfinished(PathBuf);

impl Unfinished {
    /// Makes something that is not finished. It is noted before a signal can end the program.
    ///
    /// # Errors
    /// Those of `make`.
    pub(super) fn make<T>(
        make: impl FnOnce() -> io::Result<T>,
        path: impl FnOnce(&T) -> &Path,
    ) -> io::Result<(T, Self)> {
        let mut unfinished = unfinished();
        let made = make()?;
        let path = path(&made).to_owned();
        unfinished.insert(path.clone());
        Ok((made, Self(path)))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        unfinished().remove(&self.0);
    }
}

/// Removes what is not finished, before the program ends. From now on nothing is begun, and who is writing what is
/// removed, or has finished it, waits for the end.
pub fn remove_unfinished() {
    object::remove_unfinished();
    let unfinished = unfinished();
    for path in unfinished.iter() {
        let _ = if path.is_dir() { remove_folder(path) } else { fs::remove_file(path) };
    }
    // Nobody gets to the point of saying that files are missing.
    std::mem::forget(unfinished);
}

/// A folder gets new files while it is removed; under another name nobody finds it.
fn remove_folder(path: &Path) -> io::Result<()> {
    let mut aside = path.as_os_str().to_owned();
    aside.push(".part");
    fs::rename(path, &aside)?;
    fs::remove_dir_all(&aside)
}
