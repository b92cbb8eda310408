//! A folder of files that appears as a whole.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::{
    target::{Target, folder_of, follow_links, hidden},
    unfinished::Unfinished,
};

/// A folder that is filled under a hidden name beside the one it will have, and vanishes if it is not finished.
pub struct Folder {
    hidden: TempDir,
    _unfinished: Unfinished,
    path: PathBuf,
    replaces: bool,
}

impl Folder {
    /// A folder that will be found at `path`, where nothing is yet, or an empty folder; with `replace` any folder may be
    /// there, which is removed at the end.
    ///
    /// # Errors
    /// When something else is there, or the folder around it cannot be written.
    pub fn create(path: &Path, replace: bool) -> io::Result<Self> {
        // Without a slash at the end, which would be part of a link.
        let path = follow_links(&path.components().collect::<PathBuf>())?;
        let in_the_way = |what: &str| Err(io::Error::new(io::ErrorKind::AlreadyExists, what));
        match fs::read_dir(&path).map(|mut entries| entries.next().is_none()) {
            Ok(false) if !replace => return in_the_way("there is a folder with files already"),
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                return in_the_way("there is a file of this name, and not a folder");
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let hidden = hidden(&path, |builder| builder.tempdir_in(folder_of(&path)))?;
        let unfinished = Unfinished::note(hidden.path());
        Ok(Self { hidden, _unfinished: unfinished, path, replaces: replace })
    }

    /// A new file, at a place below the folder.
    pub(super) fn file(&self, below: &Path) -> io::Result<Target> {
        let path = self.hidden.path().join(below);
        fs::create_dir_all(folder_of(&path))?;
        Target::part(&path)
    }

    /// Gives the folder its name.
    ///
    /// # Errors
    /// When the name cannot be taken; then what had it before has it still.
    pub(super) fn finish(self) -> io::Result<()> {
        make_readable(self.hidden.path())?;
        if !self.replaces || !self.path.exists() {
            fs::rename(self.hidden.path(), &self.path)?;
        } else {
            // What is there steps aside for a moment.
            let old = hidden(&self.path, |builder| builder.tempdir_in(folder_of(&self.path)))?;
            let aside = old.path().join("old");
            fs::rename(&self.path, &aside)?;
            if let Err(error) = fs::rename(self.hidden.path(), &self.path) {
                fs::rename(&aside, &self.path)?;
                return Err(error);
            }
        }
        // It is no temporary folder any more.
        let _ = self.hidden.keep();
        Ok(())
    }
}

/// Temporary folders are private; a result is a folder like any other.
#[cfg(unix)]
fn make_readable(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
}

#[cfg(not(unix))]
fn make_readable(_: &Path) -> io::Result<()> {
    Ok(())
}
