//! Objects of buckets that are files of sources.

use std::{
    fmt, io,
    ops::Range,
    sync::{Arc, OnceLock},
};

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
    /// All bytes, once they are here, of an object that is kept.
    whole: Option<Arc<OnceLock<Bytes>>>,
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
        Self { bucket: Arc::clone(bucket), object: Arc::new(object), whole: None }
    }

    /// The same for somebody who reads this object alone: a small one is fetched as a whole, once, and kept.
    #[must_use]
    pub(crate) fn kept(self) -> Self {
        /// What is fetched of the end of an object before anybody knows what is in it.
        const SMALL: u64 = 64 << 10;
        Self { whole: (self.object.bytes <= SMALL).then(Arc::default), ..self }
    }

    /// Parts of the object, if all of it is here.
    pub(crate) fn parts_here(&self, ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
        let whole = self.whole.as_ref()?.get()?;
        ranges.iter().map(|range| slice(whole, range)).collect()
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
        if let Some(here) = self.parts_here(std::slice::from_ref(&range)) {
            return Ok(here.into_iter().next().unwrap_or_default());
        }
        let wanted = if self.whole.is_some() { 0..self.object.bytes } else { range.clone() };
        let fetched = runtime::wait(self.bucket.ranges(&self.object, &[wanted])).map_err(io::Error::other)?;
        let fetched = fetched.into_iter().next().unwrap_or_default();
        match &self.whole {
            Some(whole) => Ok(slice(whole.get_or_init(|| fetched), &range).unwrap_or_default()),
            None => Ok(fetched),
        }
    }
}

/// Bytes of an object, if it has them.
fn slice(whole: &Bytes, range: &Range<u64>) -> Option<Bytes> {
    let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
    (start <= end && end <= whole.len()).then(|| whole.slice(start..end))
}

/// Its URL.
impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bucket.url(&self.object.key).fmt(f)
    }
}
