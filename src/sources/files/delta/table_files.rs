//! The files of a table and of its log: in a folder of this machine, or in a bucket.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
    time::UNIX_EPOCH,
};

use bytes::Bytes;
use delta_kernel::{FileMeta, KernelError, KernelResult};
use futures_util::TryStreamExt as _;
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use url::Url;

use super::super::{Place, Stored, tree::DELTA_LOG};
use crate::{
    clients::{
        buckets::{Bucket, Object, Version},
        runtime::wait,
    },
    config::BucketUrl,
    model::Timestamp,
    problem::{Kind, Problem},
};

/// What stands otherwise in the URL of a key.
const ODD_IN_URLS: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'%').add(b'<').add(b'>').add(b'?').add(b'\\');

/// Where the files of a table are.
#[derive(Debug, Clone)]
pub(super) enum TableFiles {
    /// In this folder, which is absolute.
    Local(PathBuf),
    /// In the folder of a bucket that the URL names, with a slash at its end.
    InBucket(Arc<Bucket>, BucketUrl),
}

impl TableFiles {
    pub(super) fn in_bucket(bucket: Bucket, url: &BucketUrl) -> Self {
        let key = match url.key.trim_end_matches('/') {
            "" => String::new(),
            key => format!("{key}/"),
        };
        Self::InBucket(Arc::new(bucket), url.with_key(key))
    }

    /// The URL of the table, with a slash at its end.
    pub(super) fn root(&self) -> KernelResult<Url> {
        match self {
            Self::Local(folder) => Url::from_directory_path(folder)
                .map_err(|()| KernelError::invalid_table_location(folder.display().to_string())),
            Self::InBucket(bucket, url) => url_of(bucket, &url.key),
        }
    }

    /// Whether there is a log.
    ///
    /// # Errors
    /// When a store does not let us look.
    pub(super) fn have_log(&self) -> Result<bool, Problem> {
        match self {
            Self::Local(folder) => Ok(folder.join(DELTA_LOG).is_dir()),
            Self::InBucket(bucket, url) => {
                let first = bucket.list(&format!("{}{DELTA_LOG}", url.key));
                Ok(wait(async { std::pin::pin!(first).try_next().await })?.is_some())
            }
        }
    }

    /// The files in a folder and below it whose URLs sort behind another one, sorted.
    pub(super) fn list(&self, folder: &Url, after: &Url) -> KernelResult<Vec<FileMeta>> {
        let mut found = match self {
            Self::Local(_) => files_below(local(folder)?)?,
            Self::InBucket(bucket, _) => {
                let (folder, after) = (key_of(bucket, folder)?, key_of(bucket, after)?);
                let listed: Vec<Object> = wait(bucket.list_after(&folder, &after).try_collect()).map_err(from_store)?;
                listed.iter().map(|object| meta(bucket, object)).collect::<KernelResult<_>>()?
            }
        };
        found.retain(|file| file.location.path() > after.path());
        found.sort_by(|one, other| one.location.path().cmp(other.location.path()));
        Ok(found)
    }

    /// The bytes of a file, or some of them.
    pub(super) fn read(&self, url: &Url, range: Option<Range<u64>>) -> KernelResult<Bytes> {
        match (self, range) {
            (Self::Local(_), range) => {
                let path = local(url)?;
                read_here(&path, range).map_err(|error| unopened(&path, &error))
            }
            (Self::InBucket(bucket, _), None) => match wait(bucket.get(&key_of(bucket, url)?)).map_err(from_store)? {
                Some((bytes, _)) => Ok(bytes),
                None => Err(KernelError::file_not_found(url)),
            },
            (Self::InBucket(bucket, _), Some(range)) => {
                let object = unversioned(key_of(bucket, url)?, range.end, 0);
                let parts = wait(bucket.ranges(&object, &[range])).map_err(from_store)?;
                Ok(parts.into_iter().next().unwrap_or_default())
            }
        }
    }

    /// What is known of a file.
    pub(super) fn head(&self, url: &Url) -> KernelResult<FileMeta> {
        match self {
            Self::Local(_) => {
                let path = local(url)?;
                let found = fs::metadata(&path).map_err(|error| unopened(&path, &error))?;
                let modified = found.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
                let millis = modified.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
                Ok(FileMeta::new(url.clone(), millis, found.len()))
            }
            Self::InBucket(bucket, _) => match wait(bucket.head(&key_of(bucket, url)?)).map_err(from_store)? {
                Some(object) => meta(bucket, &object),
                None => Err(KernelError::file_not_found(url)),
            },
        }
    }

    /// Where a data file is that the log names: below the table's folder, or at a URL. Both are encoded as URLs are. Files of
    /// tables are never replaced, so nobody asks which state of one is meant.
    pub(super) fn place(&self, named: &str, bytes: u64, modified_millis: i64) -> KernelResult<Place> {
        let elsewhere = || KernelError::unsupported(format!("its file {named}, which is elsewhere"));
        let decoded =
            || percent_decode_str(named).decode_utf8().map_or_else(|_| named.to_owned(), |text| text.into_owned());
        match (self, Url::parse(named)) {
            (Self::Local(folder), Err(_)) => Ok(Place::Local(folder.join(decoded()))),
            (Self::Local(_), Ok(url)) if url.scheme() == "file" => {
                Ok(Place::Local(url.to_file_path().map_err(|()| elsewhere())?))
            }
            (Self::Local(_), Ok(_)) => Err(elsewhere()),
            (Self::InBucket(bucket, url), named) => {
                let key = match named {
                    Err(_) => format!("{}{}", url.key, decoded()),
                    Ok(_) => match BucketUrl::parse(&decoded()) {
                        Some(Ok(file)) if (file.store, &file.bucket) == (url.store, &url.bucket) => file.key,
                        _ => return Err(elsewhere()),
                    },
                };
                Ok(Place::Stored(Stored::new(bucket, unversioned(key, bytes, modified_millis))))
            }
        }
    }
}

fn files_below(folder: PathBuf) -> KernelResult<Vec<FileMeta>> {
    let mut found = Vec::new();
    let mut waiting = vec![folder];
    while let Some(folder) = waiting.pop() {
        let entries = fs::read_dir(&folder).map_err(|error| unopened(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| unopened(&folder, &error))?;
            if entry.path().is_dir() {
                waiting.push(entry.path());
                continue;
            }
            // Others may write and clean up the log meanwhile.
            found.extend(FileMeta::try_from(entry));
        }
    }
    Ok(found)
}

fn read_here(path: &Path, range: Option<Range<u64>>) -> io::Result<Bytes> {
    let mut file = File::open(path)?;
    let mut bytes = Vec::new();
    match range {
        Some(range) => {
            file.seek(SeekFrom::Start(range.start))?;
            file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
        }
        None => drop(file.read_to_end(&mut bytes)?),
    }
    Ok(bytes.into())
}

/// An object as the log of a table knows it.
fn unversioned(key: String, bytes: u64, modified_millis: i64) -> Object {
    let modified = Timestamp::from_micros(modified_millis.saturating_mul(1_000));
    Object { key, bytes, modified, version: Version::default() }
}

fn meta(bucket: &Bucket, object: &Object) -> KernelResult<FileMeta> {
    Ok(FileMeta::new(url_of(bucket, &object.key)?, object.modified.micros().div_euclid(1_000), object.bytes))
}

fn url_of(bucket: &Bucket, key: &str) -> KernelResult<Url> {
    let root = bucket.url("");
    let text = format!("{}/{}", root.root(), utf8_percent_encode(key, ODD_IN_URLS));
    Url::parse(&text).map_err(|_| KernelError::invalid_table_location(text))
}

/// The key that [`url_of`] made the URL of, or what lies beside it.
fn key_of(bucket: &Bucket, url: &Url) -> KernelResult<String> {
    let root = url_of(bucket, "")?;
    let key = url.as_str().strip_prefix(root.as_str());
    let key = key.ok_or_else(|| KernelError::unsupported(format!("{url}, which is elsewhere")))?;
    Ok(percent_decode_str(key).decode_utf8_lossy().into_owned())
}

/// What a store says. It comes back from the kernel as it is.
fn from_store(problem: Problem) -> KernelError {
    match problem.kind {
        Kind::NotFound => KernelError::file_not_found(&problem.message),
        _ => KernelError::generic_err(problem),
    }
}

fn local(url: &Url) -> KernelResult<PathBuf> {
    url.to_file_path().map_err(|()| KernelError::unsupported(format!("{url} is not on this machine")))
}

fn unopened(path: &Path, error: &io::Error) -> KernelError {
    match error.kind() {
        io::ErrorKind::NotFound => KernelError::file_not_found(path.display()),
        _ => KernelError::generic(format!("{}: {error}", path.display())),
    }
}
