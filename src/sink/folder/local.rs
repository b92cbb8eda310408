//! A folder of this machine that appears as a whole, or whose files are added to one that is there.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

use super::added::{self, AddedFiles, Additions};
use crate::sink::{
    target::{Target, folder_of, follow_links, hidden},
    unfinished::Unfinished,
};

/// A folder that is filled under a hidden name, and vanishes if it is not finished.
pub(super) struct LocalFolder {
    hidden: TempDir,
    _unfinished: Unfinished,
    path: PathBuf,
    end: End,
}

/// What becomes of the folder when it is finished.
enum End {
    /// It takes its name; perhaps it replaces another one.
    Appears { replaces: bool },
    /// Its files go into the folder that is there.
    Adds(Additions),
}

impl LocalFolder {
    /// A folder that will be found at `path`, where nothing is yet, or an empty folder; with `replace` any folder may be
    /// there, which is removed at the end.
    ///
    /// # Errors
    /// When something else is there, or the folder around it cannot be written.
    pub(super) fn create(path: &Path, replace: bool) -> io::Result<Self> {
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
        let make = || hidden(&path, |builder| builder.tempdir_in(folder_of(&path)));
        let (hidden, unfinished) = Unfinished::make(make, TempDir::path)?;
        Ok(Self { hidden, _unfinished: unfinished, path, end: End::Appears { replaces: replace } })
    }

    /// A folder whose files will be added to the one at `path`, which is made if there is none. Nobody else has their
    /// names, which begin and end so.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub(super) fn adding_to(path: &Path, (beginning, ending): (&str, &str)) -> io::Result<(Self, AddedFiles)> {
        fs::create_dir_all(path)?;
        let make = || tempfile::Builder::new().prefix(".push.").suffix(".part").tempdir_in(path);
        let (hidden, unfinished) = Unfinished::make(make, TempDir::path)?;
        let additions = Additions::new(beginning, ending);
        let added = additions.added();
        Ok((Self { hidden, _unfinished: unfinished, path: path.to_owned(), end: End::Adds(additions) }, added))
    }

    /// A new file in a folder below this one: the one of a number there.
    pub(super) fn file(&mut self, below: &Path, number: usize, ending: &str) -> io::Result<Target> {
        let file = match &mut self.end {
            End::Appears { .. } => below.join(format!("data_{number}.{ending}")),
            End::Adds(additions) => added::unfinished(&additions.begin(below, number)),
        };
        let path = self.hidden.path().join(&file);
        self.make_folders(folder_of(&file))?;
        Target::part(&path)
    }

    /// Folders in the hidden one, which is not made again once a signal has removed it.
    fn make_folders(&self, below: &Path) -> io::Result<()> {
        let mut folder = self.hidden.path().to_owned();
        for name in below {
            folder.push(name);
            match fs::create_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                made => made?,
            }
        }
        Ok(())
    }

    /// Gives the folder, or each of its files, its name.
    ///
    /// # Errors
    /// When a name cannot be taken; then what had it before has it still.
    pub(super) fn finish(self) -> io::Result<()> {
        let Self { hidden: filled, path, end, .. } = self;
        let replaces = match end {
            End::Adds(additions) => return additions.finish(filled.path(), &path),
            End::Appears { replaces } => replaces,
        };
        make_readable(filled.path())?;
        if !replaces || !path.exists() {
            fs::rename(filled.path(), &path)?;
        } else {
            // What is there steps aside for a moment.
            let old = hidden(&path, |builder| builder.tempdir_in(folder_of(&path)))?;
            let aside = old.path().join("old");
            fs::rename(&path, &aside)?;
            if let Err(error) = fs::rename(filled.path(), &path) {
                fs::rename(&aside, &path)?;
                return Err(error);
            }
        }
        // It is no temporary folder any more.
        let _ = filled.keep();
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
