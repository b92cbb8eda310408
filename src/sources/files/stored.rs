//! Objects of buckets that are files of sources.

use std::{fmt, io, ops::Range, sync::Arc};

use bytes::Bytes;

use crate::clients::{
    buckets::{Bucket, Object},
    runtime,
};

/// An object in a bucket, as it was when it was found: in another state it is not read.
#[derive(Debug, Clone)]
pub struct Stored {
    bucket: Arc<Bucket>,
    object: Arc<Object>,
}

impl PartialEq for Stored {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string() && self.object == other.object
    }
}

impl Eq for Stored {}

impl Stored {
    /// An object of a bucket.
    pub(crate) fn new(bucket: &Arc<Bucket>, object: Object) -> Self {
        Self { bucket: Arc::clone(bucket), object: Arc::new(object) }
    }

    /// Its bucket and itself, for work that goes on elsewhere.
    pub(crate) fn parts(&self) -> (Arc<Bucket>, Arc<Object>) {
        (Arc::clone(&self.bucket), Arc::clone(&self.object))
    }

    /// What it was when it was found.
    pub(crate) fn object(&self) -> &Arc<Object> {
        &self.object
    }

    /// Bytes of it. Errors have a [`Problem`] within, in the words of the store.
    pub(super) fn part(&self, range: Range<u64>) -> io::Result<Bytes> {
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let fetched = runtime::wait(self.bucket.ranges(&self.object, &[range])).map_err(io::Error::other)?;
        Ok(fetched.into_iter().next().unwrap_or_default())
    }
}

/// Its URL.
impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bucket.url(&self.object.key).fmt(f)
    }
}
