//! Files that are added to a folder with others, all of them under names that nobody has.

use std::{
    collections::BTreeSet,
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use uuid::Uuid;

use crate::sink::target::folder_of;

/// The files that were added, once they are there.
#[derive(Debug, Clone, Default)]
pub struct AddedFiles(Arc<Mutex<Vec<PathBuf>>>);

impl AddedFiles {
    /// Their paths, in the order in which they were begun.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// New files and their names.
pub(super) struct Additions {
    beginning: String,
    ending: String,
    /// Stands in all names.
    id: Uuid,
    /// Those that were begun, as they will be called, from the folder.
    files: Vec<PathBuf>,
    added: AddedFiles,
}

impl Additions {
    /// None yet. Their names begin and end so.
    pub(super) fn new(beginning: &str, ending: &str) -> Self {
        let (beginning, ending) = (beginning.to_owned(), ending.to_owned());
        Self { beginning, ending, id: Uuid::new_v4(), files: Vec::new(), added: AddedFiles::default() }
    }

    /// Tells which they are when they are there.
    pub(super) fn added(&self) -> AddedFiles {
        self.added.clone()
    }

    /// Begins the next file of a folder: what it will be called.
    pub(super) fn begin(&mut self, folder: &Path, number: usize) -> PathBuf {
        let Self { beginning, ending, id, .. } = self;
        let number = if number == 0 { String::new() } else { format!("-{number}") };
        let file = folder.join(format!("{beginning}{}{number}{ending}", id.simple()));
        self.files.push(file.clone());
        file
    }

    /// Moves the files from a hidden folder to their places, for certain.
    pub(super) fn finish(self, hidden: &Path, folder: &Path) -> io::Result<()> {
        let mut folders = BTreeSet::from([folder_of(folder).to_owned()]);
        for file in &self.files {
            let path = folder.join(file);
            let around = folder_of(&path);
            fs::create_dir_all(around)?;
            fs::rename(hidden.join(unfinished(file)), &path)?;
            folders.extend(around.ancestors().take_while(|above| above.starts_with(folder)).map(Path::to_owned));
        }
        for folder in folders {
            sync(&folder)?;
        }
        self.are_there(folder);
        Ok(())
    }

    /// Tells that all of them are in a folder now.
    pub(super) fn are_there(&self, folder: &Path) {
        let paths = self.files.iter().map(|file| folder.join(file)).collect();
        *self.added.0.lock().unwrap_or_else(PoisonError::into_inner) = paths;
    }
}

/// What a file is called as long as it is not finished: nobody who looks for the ending finds it.
pub(super) fn unfinished(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

/// Makes sure that the names in a folder outlive the machine.
#[cfg(unix)]
fn sync(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync(_: &Path) -> io::Result<()> {
    Ok(())
}
