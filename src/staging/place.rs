//! Where a folder is, and what is in it.

use std::{
    fs,
    io::{self, ErrorKind},
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::TryStreamExt as _;

use super::manifest::StagedFile;
use crate::{
    clients::{
        buckets::{Bucket, Buckets, Expected, Object, Put},
        runtime::wait,
    },
    config::BucketUrl,
    problem::{Kind, Problem},
};

/// A folder of this machine or of a bucket.
#[derive(Debug, Clone)]
pub(super) enum Place {
    Local(PathBuf),
    InBucket {
        bucket: Bucket,
        /// Without a slash at its end.
        folder: String,
    },
}

impl Place {
    /// The place that a text names.
    ///
    /// # Errors
    /// When it is an URL of something else, or a path that does not begin at the root, which elsewhere means another folder.
    pub(super) fn of(text: &str, buckets: &Buckets) -> Result<Self, Problem> {
        if let Some(url) = BucketUrl::parse(text) {
            let url = url?;
            let bucket = buckets.open(&url, None)?;
            return Ok(Self::InBucket { bucket, folder: url.key.trim_end_matches('/').to_owned() });
        }
        let path = text.strip_prefix("file://").or_else(|| text.strip_prefix("file:")).unwrap_or(text);
        if path.contains("://") || !Path::new(path).is_absolute() {
            let help = "name a bucket such as s3://bucket/folder, or a folder of a disk that the cluster and feastr see \
                        under the same whole path";
            let message = format!("{text} is no folder that both a cluster and feastr could reach");
            return Err(Problem::new(Kind::Invalid, message, help.to_owned()));
        }
        Ok(Self::Local(Path::new(path).components().collect()))
    }

    /// What messages call a name in it; the empty name is the folder.
    pub(super) fn shown(&self, name: &str) -> String {
        match self {
            Self::Local(path) if name.is_empty() => path.display().to_string(),
            Self::Local(path) => path.join(name).display().to_string(),
            Self::InBucket { bucket, .. } => bucket.url(&self.key(name)).to_string(),
        }
    }

    /// Whether something is there.
    ///
    /// # Errors
    /// When nobody can tell.
    pub(super) fn is_taken(&self) -> Result<bool, Problem> {
        match self {
            Self::Local(path) => match fs::symlink_metadata(path) {
                Ok(_) => Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                Err(error) => Err(self.cannot("look at", "", &error)),
            },
            Self::InBucket { bucket, folder } => {
                let mut listed = Box::pin(bucket.list(folder));
                wait(async { Ok(listed.try_next().await?.is_some()) })
            }
        }
    }

    /// The files with rows, sorted by name: those of the folder itself, without what begins with `_` or a dot.
    ///
    /// # Errors
    /// When it cannot be looked at; a folder that is not there has none.
    pub(super) fn files(&self) -> Result<Vec<StagedFile>, Problem> {
        let mut files = match self {
            Self::Local(path) => match local_files(path) {
                Ok(files) => files,
                Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(self.cannot("look at", "", &error)),
            },
            Self::InBucket { bucket, folder } => {
                let objects: Vec<_> = wait(bucket.list(folder).try_collect())?;
                let behind = format!("{folder}/");
                let file = |object: Object| {
                    let name = object.key.strip_prefix(&behind)?.to_owned();
                    (!name.contains('/')).then_some(StagedFile { name, bytes: object.bytes })
                };
                objects.into_iter().filter_map(file).collect()
            }
        };
        files.retain(|file| !file.name.starts_with(['_', '.']) && file.bytes > 0);
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// What a small file holds; `None` without one.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(super) fn get(&self, name: &str) -> Result<Option<Vec<u8>>, Problem> {
        match self {
            Self::Local(path) => match fs::read(path.join(name)) {
                Ok(bytes) => Ok(Some(bytes)),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(self.cannot("read", name, &error)),
            },
            Self::InBucket { bucket, .. } => Ok(wait(bucket.get(&self.key(name)))?.map(|(bytes, _)| bytes.to_vec())),
        }
    }

    /// Makes the folder, unless it is there; a bucket needs none.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn create(&self) -> Result<(), Problem> {
        match self {
            Self::Local(path) => fs::create_dir_all(path).map_err(|error| self.cannot("make", "", &error)),
            Self::InBucket { .. } => Ok(()),
        }
    }

    /// Writes a small file, also over one that is there.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn put(&self, name: &str, bytes: &[u8]) -> Result<(), Problem> {
        match self {
            Self::Local(path) => fs::write(path.join(name), bytes).map_err(|error| self.cannot("write", name, &error)),
            Self::InBucket { bucket, .. } => {
                wait(bucket.put(&self.key(name), Bytes::copy_from_slice(bytes), Expected::Anything)).map(|_| ())
            }
        }
    }

    /// Puts an empty file where none is, and says whether it did. A store that knows no conditions puts it always.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn claim(&self, name: &str) -> Result<bool, Problem> {
        let Self::InBucket { bucket, .. } = self else { return self.put(name, b"").map(|()| true) };
        match wait(bucket.put(&self.key(name), Bytes::new(), Expected::Nothing))? {
            Put::Done(_) => Ok(true),
            Put::Outrun => Ok(false),
            Put::Unconditional => self.put(name, b"").map(|()| true),
        }
    }

    /// Removes a file, which need not be there.
    ///
    /// # Errors
    /// When it stays.
    pub(super) fn delete(&self, name: &str) -> Result<(), Problem> {
        match self {
            Self::Local(path) => match fs::remove_file(path.join(name)) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(self.cannot("remove", name, &error)),
                _ => Ok(()),
            },
            Self::InBucket { bucket, .. } => wait(bucket.delete(&self.key(name))),
        }
    }

    /// Removes the folder with all that is in it, and says whether there was something.
    ///
    /// # Errors
    /// When something stays.
    pub(super) fn remove(&self) -> Result<bool, Problem> {
        match self {
            Self::Local(path) => match fs::remove_dir_all(path) {
                Ok(()) => Ok(true),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
                Err(error) => Err(self.cannot("remove", "", &error)),
            },
            Self::InBucket { bucket, folder } => wait(async {
                let objects: Vec<_> = bucket.list(folder).try_collect().await?;
                for object in &objects {
                    bucket.delete(&object.key).await?;
                }
                Ok(!objects.is_empty())
            }),
        }
    }

    /// The key of a name, in a bucket.
    fn key(&self, name: &str) -> String {
        match self {
            Self::InBucket { folder, .. } if !name.is_empty() && !folder.is_empty() => format!("{folder}/{name}"),
            Self::InBucket { folder, .. } if name.is_empty() => folder.clone(),
            _ => name.to_owned(),
        }
    }

    fn cannot(&self, what: &str, name: &str, error: &io::Error) -> Problem {
        let help = "the folder is shared with the cluster: let both write and remove in it (one group, umask 002)";
        let help = (error.kind() == ErrorKind::PermissionDenied).then(|| help.to_owned());
        Problem::new(Kind::Unavailable, format!("cannot {what} {}: {error}", self.shown(name)), help)
    }
}

fn local_files(path: &Path) -> io::Result<Vec<StagedFile>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // Names that are no text are not those of an engine.
        if let (true, Ok(name)) = (metadata.is_file(), entry.file_name().into_string()) {
            files.push(StagedFile { name, bytes: metadata.len() });
        }
    }
    Ok(files)
}
