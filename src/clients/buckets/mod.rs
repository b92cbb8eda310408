//! Files in buckets of object stores: read by ranges, listed in pages, written whole or not at all.
//!
//! Requests are carried out on the runtime of the process, tried again where that is safe, and end.

mod connector;
mod failure;
mod list;
mod marks;
mod open;
mod profile;
mod upload;

use std::{
    collections::HashMap,
    ops::Range,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, TryStreamExt as _};
use object_store::{
    Error, GetOptions, GetResult, ObjectMeta, ObjectStore, ObjectStoreExt as _, PutMode, PutOptions, UpdateVersion,
    path::Path,
};

pub use list::Listing;
pub use marks::{INCOMPLETE, SUCCESS};
pub use upload::{PartsAtOnce, Upload};

use crate::{
    config::{BucketSettings, BucketUrl, StoreOfBuckets},
    model::Timestamp,
    problem::Problem,
};

/// Requests for parts of one object that are under way at a time.
const RANGES_AT_ONCE: usize = 8;
/// Parts of an object that are closer than this are fetched as one: asking costs more than these bytes.
const GAP: u64 = 256 << 10;

/// The buckets that were opened, which keep their connections. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    settings: BucketSettings,
    opened: Arc<Mutex<HashMap<Opened, Bucket>>>,
}

/// What makes connections the same: the bucket, the address of its store, and whose settings they are.
type Opened = (String, Option<String>, Option<String>);

impl Buckets {
    /// Buckets that are reached as the settings say.
    pub fn new(settings: BucketSettings) -> Self {
        Self { settings, opened: Arc::default() }
    }

    /// Buckets of which one, that of an URL, is in memory.
    #[cfg(test)]
    pub(crate) fn in_memory(url: &BucketUrl) -> Self {
        let opened = HashMap::from([((url.root().to_owned(), None, None), Bucket::in_memory(url))]);
        Self { settings: BucketSettings::default(), opened: Arc::new(Mutex::new(opened)) }
    }

    /// The bucket of an URL; S3 is at another address if one is given.
    ///
    /// # Errors
    /// When the settings say nothing that can be used. Nobody is asked yet.
    pub fn open(&self, url: &BucketUrl, endpoint: Option<&str>) -> Result<Bucket, Problem> {
        self.opened(url, endpoint, None, &self.settings)
    }

    /// The same as somebody else than the settings say, who has a name among all of those.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_as(
        &self,
        (who, settings): (&str, &BucketSettings),
        url: &BucketUrl,
        endpoint: Option<&str>,
    ) -> Result<Bucket, Problem> {
        self.opened(url, endpoint, Some(who), settings)
    }

    fn opened(
        &self,
        url: &BucketUrl,
        endpoint: Option<&str>,
        who: Option<&str>,
        settings: &BucketSettings,
    ) -> Result<Bucket, Problem> {
        let endpoint = endpoint.filter(|endpoint| !endpoint.is_empty());
        let key = (url.root().to_owned(), endpoint.map(str::to_owned), who.map(str::to_owned));
        let mut opened = self.opened.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = opened.get(&key) {
            return Ok(bucket.clone());
        }
        let bucket = Bucket::open(url, &settings.clone().at(endpoint))?;
        opened.insert(key, bucket.clone());
        Ok(bucket)
    }
}

/// A bucket of an object store. Clones share its connections.
#[derive(Debug, Clone)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    /// Without a key.
    url: BucketUrl,
    /// Where the store is, if somebody says so.
    endpoint: Option<Arc<str>>,
}

/// An object in a bucket, as it was when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Object {
    /// Its key, as the store has it.
    pub key: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// When it was written (microseconds UTC), to the second.
    pub modified: Timestamp,
    /// What tells it from what it was and will be.
    pub version: Version,
}

/// Which state of an object is meant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Version {
    e_tag: Option<String>,
    generation: Option<String>,
}

impl Version {
    /// Some stores list tags without the quotes that they give them elsewhere.
    fn new(e_tag: Option<String>, generation: Option<String>) -> Self {
        let quoted = |tag: String| if tag.ends_with('"') { tag } else { format!("\"{tag}\"") };
        Self { e_tag: e_tag.map(quoted), generation }
    }

    /// A text for it, the same for the same state.
    pub fn text(&self) -> &str {
        self.generation.as_deref().or(self.e_tag.as_deref()).unwrap_or_default()
    }

    /// A text for it, the same for the same content wherever a store tells it: listings of Google's have no generations.
    pub fn tag(&self) -> &str {
        self.e_tag.as_deref().or(self.generation.as_deref()).unwrap_or_default()
    }

    /// A state that no object ever has.
    pub fn of_nothing() -> Self {
        Self { e_tag: Some("\"00000000000000000000000000000000\"".to_owned()), generation: Some("1".to_owned()) }
    }

    /// Whether the store tells states of objects apart at all.
    pub const fn is_known(&self) -> bool {
        self.e_tag.is_some() || self.generation.is_some()
    }
}

/// What must be there for a write to happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is.
    Anything,
    /// No object.
    Nothing,
    /// An object in this state.
    This(Version),
}

/// What became of a write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It is there, in this state.
    Done(Version),
    /// What was expected was not there: somebody else was faster.
    Outrun,
    /// The store does not know such conditions.
    Unconditional,
}

impl Bucket {
    /// A bucket of this process alone.
    #[cfg(test)]
    pub(crate) fn in_memory(url: &BucketUrl) -> Self {
        Self { store: Arc::new(object_store::memory::InMemory::new()), url: url.with_key(""), endpoint: None }
    }

    /// The URL of a key in it.
    pub fn url(&self, key: &str) -> BucketUrl {
        self.url.with_key(key)
    }

    /// Whether it is known that the store keeps the conditions of writes: Amazon's, Google's and Azure's do. Others may
    /// ignore them silently.
    pub fn keeps_conditions(&self) -> bool {
        let is_of_amazon = |endpoint: &str| {
            let host = endpoint.split_once("://").map_or(endpoint, |(_, rest)| rest);
            host.split(['/', ':']).next().unwrap_or_default().ends_with(".amazonaws.com")
        };
        self.url.store == StoreOfBuckets::Azure || self.endpoint.as_deref().is_none_or(is_of_amazon)
    }

    /// The object with a key; `None` when there is none.
    ///
    /// # Errors
    /// When the store gives no answer or does not let us look.
    pub async fn head(&self, key: &str) -> Result<Option<Object>, Problem> {
        let path = self.path(key)?;
        match self.store.head(&path).await {
            Ok(meta) => Ok(Some(object(meta))),
            Err(Error::NotFound { .. }) => Ok(None),
            // Answers to this question have no words, those to others do.
            Err(error @ (Error::PermissionDenied { .. } | Error::Unauthenticated { .. })) => {
                let worded = self.store.get_range(&path, 0..1).await.err().unwrap_or(error);
                Err(self.explain("read", key, &worded))
            }
            Err(error) => Err(self.explain("read", key, &error)),
        }
    }

    /// A whole object, which is small, with its state; `None` when there is none.
    ///
    /// # Errors
    /// As [`head`](Self::head).
    pub async fn get(&self, key: &str) -> Result<Option<(Bytes, Version)>, Problem> {
        let found = match self.store.get(&self.path(key)?).await {
            Ok(found) => found,
            // A store says the same of a bucket that is not there, which is not the same.
            Err(error @ Error::NotFound { .. }) if failure::is_about_bucket(&error) => {
                return Err(self.explain("read", key, &error));
            }
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(self.explain("read", key, &error)),
        };
        let version = Version::new(found.meta.e_tag.clone(), found.meta.version.clone());
        let bytes = found.bytes().await.map_err(|error| self.explain("read", key, &error))?;
        Ok(Some((bytes, version)))
    }

    /// Parts of an object, in the order of the ranges, fetched side by side; parts that are close are one request.
    ///
    /// # Errors
    /// When it cannot be read, or is not any more what it was.
    pub async fn ranges(&self, object: &Object, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, Problem> {
        let path = self.path(&object.key)?;
        let fetch = |range: Range<u64>| {
            let options = GetOptions { range: Some(range.into()), ..if_unchanged(object) };
            let path = &path;
            async move { same(object, self.store.get_opts(path, options).await?)?.bytes().await }
        };
        let merged = merged(ranges);
        let fetched: Vec<Bytes> = futures_util::stream::iter(merged.clone())
            .map(fetch)
            .buffered(RANGES_AT_ONCE)
            .try_collect()
            .await
            .map_err(|error| self.explain("read", &object.key, &error))?;
        let of = |range: &Range<u64>| {
            let index = merged.partition_point(|whole| whole.start <= range.start).saturating_sub(1);
            let (whole, bytes) = (&merged[index], &fetched[index]);
            let at = |position: u64| usize::try_from(position - whole.start).unwrap_or(usize::MAX).min(bytes.len());
            bytes.slice(at(range.start)..at(range.end))
        };
        let parts: Vec<Bytes> = ranges.iter().map(of).collect();
        match ranges.iter().zip(&parts).all(|(range, part)| part.len() as u64 == range.end - range.start) {
            true => Ok(parts),
            false => Err(self.cut_off(&object.key)),
        }
    }

    /// The bytes of an object from the first to the last, as they arrive.
    ///
    /// # Errors
    /// When it cannot be read, or is not any more what it was; later ones come with the bytes.
    pub async fn stream(
        &self,
        object: &Object,
    ) -> Result<impl Stream<Item = Result<Bytes, Problem>> + Send + use<>, Problem> {
        let explain = {
            let (bucket, key) = (self.clone(), object.key.clone());
            move |error: Error| bucket.explain("read", &key, &error)
        };
        let found = self.store.get_opts(&self.path(&object.key)?, if_unchanged(object)).await;
        let found = found.and_then(|found| same(object, found)).map_err(&explain)?;
        Ok(found.into_stream().map_err(explain))
    }

    /// Writes a small object whole, if what is expected is there.
    ///
    /// # Errors
    /// When the store gives no answer, or does not let us write. Then nobody knows whether it was written.
    pub async fn put(&self, key: &str, bytes: Bytes, expected: Expected) -> Result<Put, Problem> {
        let is_conditional = expected != Expected::Anything;
        let mode = match expected {
            Expected::Anything => PutMode::Overwrite,
            Expected::Nothing => PutMode::Create,
            Expected::This(Version { e_tag, generation }) => {
                PutMode::Update(UpdateVersion { e_tag, version: generation })
            }
        };
        match self.store.put_opts(&self.path(key)?, bytes.into(), PutOptions::from(mode)).await {
            Ok(done) => Ok(Put::Done(Version::new(done.e_tag, done.version))),
            Err(error @ Error::NotFound { .. }) if failure::is_about_bucket(&error) => {
                Err(self.explain("write", key, &error))
            }
            Err(Error::AlreadyExists { .. } | Error::Precondition { .. }) => Ok(Put::Outrun),
            // What was to be replaced is gone.
            Err(Error::NotFound { .. }) if is_conditional => Ok(Put::Outrun),
            Err(Error::NotImplemented { .. } | Error::NotSupported { .. }) if is_conditional => Ok(Put::Unconditional),
            Err(error) => Err(self.explain("write", key, &error)),
        }
    }

    /// Removes an object, which need not be there.
    ///
    /// # Errors
    /// When the store gives no answer, or does not let us remove it.
    pub async fn delete(&self, key: &str) -> Result<(), Problem> {
        match self.store.delete(&self.path(key)?).await {
            Ok(()) | Err(Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.explain("remove", key, &error)),
        }
    }

    /// An object of any size that will be written, and appears when it is complete. Nobody is asked yet.
    ///
    /// # Errors
    /// When the key is none.
    pub fn upload(&self, key: &str, at_once: &PartsAtOnce) -> Result<Upload, Problem> {
        Upload::new(self.clone(), key, at_once)
    }

    /// A key as the store's client takes it.
    fn path(&self, key: &str) -> Result<Path, Problem> {
        Path::parse(key).map_err(|_| self.odd_key(key))
    }
}

fn object(meta: ObjectMeta) -> Object {
    let modified = Timestamp::from_micros(meta.last_modified.timestamp_micros());
    let version = Version::new(meta.e_tag, meta.version);
    Object { key: meta.location.to_string(), bytes: meta.size, modified, version }
}

/// Only what was seen is read: another state of the object is a failure and no mixture.
fn if_unchanged(object: &Object) -> GetOptions {
    GetOptions { if_match: object.version.e_tag.clone(), ..GetOptions::default() }
}

/// What was got, if it is of the state that was seen: not all stores heed what is asked for.
fn same(object: &Object, found: GetResult) -> object_store::Result<GetResult> {
    let now = Version::new(found.meta.e_tag.clone(), None);
    let (seen, now) = (&object.version.e_tag, &now.e_tag);
    if seen.is_some() && now.is_some() && seen != now {
        let source = "it was replaced".into();
        return Err(Error::Precondition { path: object.key.clone(), source });
    }
    Ok(found)
}

/// Ranges that are close as one, sorted.
fn merged(ranges: &[Range<u64>]) -> Vec<Range<u64>> {
    let mut sorted = ranges.to_vec();
    sorted.sort_unstable_by_key(|range| (range.start, range.end));
    let mut merged: Vec<Range<u64>> = Vec::new();
    for range in sorted {
        match merged.last_mut() {
            Some(last) if range.start <= last.end.saturating_add(GAP) => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn close_ranges_are_one_request() {
        let far = 10 * GAP;
        assert_eq!(merged(&[far..far + 5, 0..10, 20..30, 5..8]), [0..30, far..far + 5]);
        assert!(merged(&[]).is_empty());
    }
}
