//! Folders and what is in them, links followed.

use std::{
    ffi::{OsStr, OsString},
    fs::{self, FileType},
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::unreadable;

use crate::problem::Problem;

/// The folder in which a Delta table says which files it has.
pub(super) const DELTA_LOG: &str = "_delta_log";

/// A path, and where it leads when all links are followed.
#[derive(Debug, Clone)]
pub(super) struct FollowedPath {
    pub path: PathBuf,
    pub real: PathBuf,
    /// Whether there is a link on the way from where the search started.
    pub linked: bool,
}

/// What is at the end of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EntryKind {
    File,
    Folder,
    /// A pipe, a socket or a device: opening it may never end.
    Special,
    /// A link without a target.
    Nowhere,
}

impl EntryKind {
    fn of(kind: FileType) -> Self {
        if kind.is_file() {
            Self::File
        } else if kind.is_dir() {
            Self::Folder
        } else {
            Self::Special
        }
    }
}

impl FollowedPath {
    /// Where a search starts.
    pub(super) fn start(path: &Path) -> Result<Self, Problem> {
        let real = fs::canonicalize(path).map_err(|error| unreadable(path, &error))?;
        Ok(Self { path: path.to_owned(), real, linked: false })
    }

    /// Everything in this folder.
    pub(super) fn entries(&self) -> Result<Vec<(OsString, FileType)>, Problem> {
        let entries = fs::read_dir(&self.path).and_then(|entries| {
            entries.map(|entry| entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?)))).collect()
        });
        entries.map_err(|error| unreadable(&self.path, &error))
    }

    /// Something in this folder, of which the folder says that it is of this type.
    pub(super) fn child(&self, name: &OsStr, file_type: FileType) -> Result<(Self, EntryKind), Problem> {
        let path = self.path.join(name);
        if !file_type.is_symlink() {
            // Only links lead elsewhere, so nothing has to be asked for all other names.
            return Ok((Self { path, real: self.real.join(name), linked: self.linked }, EntryKind::of(file_type)));
        }
        match fs::metadata(&path).and_then(|target| Ok((fs::canonicalize(&path)?, target))) {
            Ok((real, target)) => Ok((Self { path, real, linked: true }, EntryKind::of(target.file_type()))),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(unreadable(&path, &error)),
            // No target, or links in a circle.
            Err(_) => Ok((Self { real: path.clone(), path, linked: true }, EntryKind::Nowhere)),
        }
    }

    /// What has this name in this folder.
    pub(super) fn named(&self, name: &str) -> Result<Option<(Self, EntryKind)>, Problem> {
        let path = self.path.join(name);
        match fs::symlink_metadata(&path) {
            Ok(_) if name == ".." => Ok(Some((Self { linked: self.linked, ..Self::start(&path)? }, EntryKind::Folder))),
            Ok(found) => self.child(OsStr::new(name), found.file_type()).map(Some),
            Err(error) if error.kind() == ErrorKind::PermissionDenied => Err(unreadable(&path, &error)),
            Err(_) => Ok(None),
        }
    }
}

/// Whether a name says that this is not data: it begins with `.` or `_`. A folder `_key=value` is
/// data, because columns may be named like that.
pub(super) fn is_hidden(name: &OsStr, kind: EntryKind) -> bool {
    let name = name.as_encoded_bytes();
    match name.first() {
        Some(b'.') => true,
        Some(b'_') => !(kind == EntryKind::Folder && name.contains(&b'=')),
        _ => false,
    }
}
