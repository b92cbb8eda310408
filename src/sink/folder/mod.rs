//! Folders of files that appear as a whole, or whose files are added to those that are there: of this machine or in a bucket.

mod added;
mod in_bucket;
mod local;

use std::{io, path::Path};

pub use added::AddedFiles;

use self::{in_bucket::BucketFolder, local::LocalFolder};
use super::{
    Target,
    writer::{Complete, SinkError},
};
use crate::{clients::buckets::Bucket, config::BucketUrl, problem::Problem};

/// A folder that is filled where nobody sees it, and vanishes if it is not finished.
pub struct Folder(Place);

enum Place {
    Local(LocalFolder),
    InBucket(BucketFolder),
}

impl Folder {
    /// A folder that will be found at `path`, where nothing is yet, or an empty folder; with `replace` any folder may be
    /// there, which is removed at the end.
    ///
    /// # Errors
    /// When something else is there, or the folder around it cannot be written.
    pub fn create(path: &Path, replace: bool) -> io::Result<Self> {
        Ok(Self(Place::Local(LocalFolder::create(path, replace)?)))
    }

    /// The same in a bucket, where a folder is what the keys of objects begin with.
    ///
    /// # Errors
    /// When something else is there, or the store does not let us look.
    pub fn create_in(bucket: &Bucket, url: &BucketUrl, replace: bool) -> Result<Self, Problem> {
        Ok(Self(Place::InBucket(BucketFolder::create(bucket, url, replace)?)))
    }

    /// A folder whose files will be added to the one at `path`, which is made if there is none. Nobody else has their
    /// names, which begin and end so.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn adding_to(path: &Path, names: (&str, &str)) -> io::Result<(Self, AddedFiles)> {
        let (folder, added) = LocalFolder::adding_to(path, names)?;
        Ok((Self(Place::Local(folder)), added))
    }

    /// The same in a bucket. Nobody is asked yet.
    pub fn adding_in(bucket: &Bucket, url: &BucketUrl, names: (&str, &str)) -> (Self, AddedFiles) {
        let (folder, added) = BucketFolder::adding_to(bucket, url, names);
        (Self(Place::InBucket(folder)), added)
    }

    /// A new file in a folder below this one: the one of a number there.
    pub(super) fn file(&mut self, below: &Path, number: usize, ending: &str) -> Result<Target, SinkError> {
        match &mut self.0 {
            Place::Local(folder) => Ok(folder.file(below, number, ending)?),
            Place::InBucket(folder) => Ok(folder.file(below, number, ending)?),
        }
    }
}

impl Complete for Folder {
    fn appear(self: Box<Self>) -> Result<(), SinkError> {
        match self.0 {
            Place::Local(folder) => Ok(folder.finish()?),
            Place::InBucket(folder) => Ok(folder.finish()?),
        }
    }
}

#[cfg(test)]
mod tests;
