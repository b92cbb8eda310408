//! A folder from its beginning to its end.

use std::path::Path;

use uuid::Uuid;

use super::{
    manifest::{MANIFEST, Manifest, StagedFile},
    place::Place,
};
use crate::{
    clients::buckets::{Buckets, INCOMPLETE, SUCCESS},
    problem::{Kind, Problem},
};

/// A folder that is, or will be, filled by an engine.
#[derive(Debug, Clone)]
pub struct StagedFolder {
    /// As the engine is told it.
    location: String,
    place: Place,
}

/// A folder while it is filled. Unless it is finished, what is in it is removed.
#[derive(Debug)]
pub struct Filling {
    folder: StagedFolder,
    /// Where the engine writes: of a disk a folder beside, which takes the name when it is whole.
    target: StagedFolder,
    is_finished: bool,
}

impl StagedFolder {
    /// The folder with this name for the engine: an URL of a bucket, or a whole path of a disk that is seen here under the
    /// same one. Nothing is looked at yet.
    ///
    /// # Errors
    /// When it is something else, or nothing says how to reach the bucket.
    pub fn at(location: &str, buckets: &Buckets) -> Result<Self, Problem> {
        let location = location.trim_end_matches('/');
        Ok(Self { location: location.to_owned(), place: Place::of(location, buckets)? })
    }

    /// Its name, as the engine is told it.
    pub fn location(&self) -> &str {
        &self.location
    }

    /// The name of a file in it.
    pub fn path_of(&self, file: &StagedFile) -> String {
        self.place.shown(&file.name)
    }

    /// Begins to fill the folder, in which nothing is.
    ///
    /// # Errors
    /// When something is, or it cannot be written.
    pub fn begin(self) -> Result<Filling, Problem> {
        let taken = |what: &str| {
            let message = format!("cannot write {}: {what}", self.location);
            Problem::new(Kind::Conflict, message, "remove it, or name another folder".to_owned())
        };
        if self.place.is_taken()? {
            return Err(taken("there is something already"));
        }
        let target = match &self.place {
            Place::Local(path) => {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                let hidden = format!(".{name}.{}.part", Uuid::new_v4().simple());
                let hidden = path.parent().unwrap_or_else(|| Path::new("/")).join(hidden);
                Self { location: hidden.display().to_string(), place: Place::Local(hidden) }
            }
            Place::InBucket { .. } => {
                // Of those who fill one folder at once the first one does.
                if !self.place.claim(INCOMPLETE)? {
                    return Err(taken("somebody is filling it, or began to and was stopped"));
                }
                self.clone()
            }
        };
        Ok(Filling { folder: self, target, is_finished: false })
    }

    /// What the folder says of itself.
    ///
    /// # Errors
    /// When it is not whole, or cannot be read.
    pub fn manifest(&self) -> Result<Manifest, Problem> {
        let bytes = self.place.get(MANIFEST)?.ok_or_else(|| {
            let message = format!("the folder {} is not whole: it has no {MANIFEST}", self.location);
            Problem::new(Kind::NotFound, message, "have it written anew".to_owned())
        })?;
        Manifest::read(&bytes, &self.place.shown(MANIFEST))
    }

    /// Removes it with all that is in it, and says whether there was something.
    ///
    /// # Errors
    /// When something stays.
    pub fn remove(&self) -> Result<bool, Problem> {
        self.place.remove()
    }
}

impl Filling {
    /// Where the engine is to write.
    pub fn target(&self) -> &str {
        &self.target.location
    }

    /// Whether the engine finds something there: it adds its files to a mark, and makes the folder else.
    pub const fn is_marked(&self) -> bool {
        matches!(self.target.place, Place::InBucket { .. })
    }

    /// Adds a file of a size that memory has room for, where feastr fills the folder itself.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        self.target.place.create()?;
        self.target.place.put(name, bytes)
    }

    /// The files that are there so far.
    ///
    /// # Errors
    /// When the folder cannot be looked at.
    pub fn files(&self) -> Result<Vec<StagedFile>, Problem> {
        self.target.place.files()
    }

    /// Lets the folder be whole.
    ///
    /// # Errors
    /// When it cannot; then it is removed.
    pub fn finish(mut self, manifest: &Manifest) -> Result<StagedFolder, Problem> {
        let place = &self.target.place;
        place.put(MANIFEST, &manifest.bytes())?;
        match (place, &self.folder.place) {
            (Place::Local(part), Place::Local(path)) => std::fs::rename(part, path).map_err(|error| {
                let message = format!("cannot give {} its name: {error}", path.display());
                Problem::new(Kind::Unavailable, message, None)
            })?,
            _ => {
                place.put(SUCCESS, b"")?;
                place.delete(INCOMPLETE)?;
            }
        }
        self.is_finished = true;
        Ok(self.folder.clone())
    }
}

impl Drop for Filling {
    fn drop(&mut self) {
        if !self.is_finished {
            // Who finds what is left is told that it is not whole.
            let _ = self.target.remove();
        }
    }
}
