//! Reading values: what does not depend on the entities is prepared once, and every read has a deadline.

use std::{future::Future, pin::Pin, time::Instant};

use crate::{model::Timestamp, problem::Problem};

/// Where values are read. It stays open, and its reads share a limited number of connections.
pub trait Reader: Send + Sync {
    /// Prepares reading some features of some views. Asks no server.
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead>;
}

/// Features of one view to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewFeatures {
    /// The view's name.
    pub view: String,
    /// Names of its features, in the order of the answer.
    pub features: Vec<String>,
    /// Which of the lists of keys that a read is given are those of this view; views over the same join
    /// keys share one.
    pub keys: usize,
}

/// A read that was prepared, for any entities at any time.
pub trait PreparedRead: Send + Sync {
    /// The stored values: for each view, each key, each feature. Keys are serialized entity keys without
    /// project, in as many lists as the views name.
    ///
    /// It can be awaited on any executor of tokio; one that is dropped leaves nothing behind.
    ///
    /// # Errors
    /// When the store cannot be read, or not before the deadline.
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], deadline: Instant) -> Reading<'a>;
}

/// A read that is going on.
pub type Reading<'a> = Pin<Box<dyn Future<Output = Result<Found, Problem>> + Send + 'a>>;

/// What was read: for each view, each key, each feature.
pub type Found = Vec<Vec<Vec<StoredValue>>>;

/// What a store holds of one feature of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// There is none.
    NotFound,
    /// There is one, perhaps null.
    Found {
        /// Serialized value; empty for null.
        value: Vec<u8>,
        /// When it was so.
        event: Timestamp,
    },
}
