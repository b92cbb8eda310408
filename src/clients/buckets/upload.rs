//! Objects that are written piece by piece and appear when they are complete.

use bytes::Bytes;
use object_store::{ObjectStoreExt as _, WriteMultipart};

use super::Bucket;
use crate::problem::Problem;

/// Bytes of a part: with the 10 000 parts of S3, up to 80 GB.
const PART: usize = 8 << 20;
/// Parts that are on their way at a time.
const AT_ONCE: usize = 4;

/// An object that is being written. Until it is finished there is nothing under its key, or what was there before; who
/// drops it leaves parts that only the store knows.
#[derive(Debug)]
pub struct Upload {
    bucket: Bucket,
    key: String,
    parts: WriteMultipart,
}

impl Upload {
    pub(super) async fn begin(bucket: Bucket, key: &str) -> Result<Self, Problem> {
        let begun = bucket.store.put_multipart(&bucket.path(key)?).await;
        let begun = begun.map_err(|error| bucket.explain("write", key, &error))?;
        let parts = WriteMultipart::new_with_chunk_size(begun, PART);
        Ok(Self { bucket, key: key.to_owned(), parts })
    }

    /// Adds bytes, and waits while too many are on their way.
    ///
    /// # Errors
    /// When a part could not be written.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Problem> {
        let waited = self.parts.wait_for_capacity(AT_ONCE).await;
        waited.map_err(|error| self.bucket.explain("write", &self.key, &error))?;
        self.parts.put(bytes);
        Ok(())
    }

    /// Lets the object appear.
    ///
    /// # Errors
    /// When a part could not be written; then nothing appears.
    pub async fn finish(self) -> Result<(), Problem> {
        let Self { bucket, key, parts } = self;
        parts.finish().await.map(drop).map_err(|error| bucket.explain("write", &key, &error))
    }

    /// Removes what was written.
    ///
    /// # Errors
    /// When the store gives no answer; then parts stay that nobody sees.
    pub async fn abort(self) -> Result<(), Problem> {
        let Self { bucket, key, parts } = self;
        parts.abort().await.map_err(|error| bucket.explain("write", &key, &error))
    }
}
