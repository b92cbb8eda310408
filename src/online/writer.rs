//! Writing values: which stored ones give way, and what a writer promises of rows it has taken.

use std::{collections::BTreeMap, ops::Add};

use crate::{model::Timestamp, problem::Problem};

/// Writes rows of one view.
pub trait Writer: Send {
    /// Takes rows, each of another entity, and returns counts for rows whose outcome became known since
    /// the last call. An entity's values are replaced as a whole or not at all.
    ///
    /// # Errors
    /// When the store refuses, or stays away in spite of waiting for it; then it is unknown which of
    /// the rows that were not counted are stored, and the writer takes no more.
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem>;

    /// Waits until all rows taken are stored for certain, and returns the counts of those that were not
    /// counted yet. More rows may follow.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn flush(&mut self) -> Result<WriteCounts, Problem>;

    /// Flushes for the last time: nothing can be written afterwards.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish(mut self: Box<Self>) -> Result<WriteCounts, Problem> {
        self.flush()
    }

    /// The same, and the servers that have all rows, with the names of their runs: who has another run later may have lost rows.
    /// None where a store keeps what it has confirmed.
    ///
    /// # Errors
    /// As [`Self::write`].
    fn finish_telling(self: Box<Self>) -> Result<(WriteCounts, BTreeMap<String, String>), Problem> {
        Ok((self.finish()?, BTreeMap::new()))
    }
}

/// Which stored values give way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Those that are older, and in some stores, as in Feast, those of the same moment.
    Outdated,
    /// Those that are not newer, because what they were made by has changed.
    NotNewer,
    /// All of them.
    Everything,
}

/// A row in wire form, borrowed from the buffers of a batch.
#[derive(Debug, Clone)]
pub struct EncodedRow<'a> {
    /// Serialized entity key, without project.
    pub key: &'a [u8],
    /// When the values were so.
    pub event: Timestamp,
    /// When that was written down, if the source says so.
    pub created: Option<Timestamp>,
    /// One serialized value per feature; empty for null.
    pub values: Vec<&'a [u8]>,
}

/// How many rows were stored, and how many gave way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    /// Rows that are stored.
    pub written: u64,
    /// Rows that gave way to a newer stored one.
    pub skipped: u64,
}

impl Add for WriteCounts {
    type Output = Self;

    fn add(self, more: Self) -> Self {
        Self { written: self.written + more.written, skipped: self.skipped + more.skipped }
    }
}
