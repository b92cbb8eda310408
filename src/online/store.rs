use crate::{
    model::{OnlineTables, Timestamp},
    sqlite::SqliteProblem,
};

/// A store of the newest values per entity, in a layout that Python Feast reads and writes, too.
pub trait OnlineStore {
    /// How tables are named and where they are; `None` for stores without tables.
    fn tables(&self) -> Option<OnlineTables<'_>>;

    /// Which of these tables exist. Writes nothing.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn existing_tables(&self, tables: &[&str]) -> Result<Vec<String>, OnlineError>;

    /// Creates the tables that are missing.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn create_tables(&self, tables: &[&str]) -> Result<(), OnlineError>;

    /// Removes tables with their values; those that are missing already are fine.
    ///
    /// # Errors
    /// When the store cannot be written.
    fn drop_tables(&self, tables: &[&str]) -> Result<(), OnlineError>;

    /// Starts writing values of a view.
    ///
    /// # Errors
    /// When the store cannot be opened for writing.
    fn writer(&self, layout: ViewLayout) -> Result<Box<dyn OnlineWriter>, OnlineError>;

    /// The stored values of several views: for each request, each key, each feature, in that order.
    ///
    /// # Errors
    /// When the store cannot be read.
    fn read(&self, project: &str, requests: &[ReadRequest]) -> Result<Vec<Vec<Vec<StoredValue>>>, OnlineError>;
}

/// Writes rows of one view. What a successful [`write`](Self::write) took stays written.
pub trait OnlineWriter {
    /// Writes rows in one transaction: a row replaces a stored one unless that one is newer.
    ///
    /// # Errors
    /// When the store refuses; then none of these rows is written.
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, OnlineError>;
}

/// Whose values are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewLayout {
    pub project: String,
    pub view: String,
    /// Feature names, in the order of the values of a row.
    pub features: Vec<String>,
}

/// A row in wire form, borrowed from the buffers of a batch.
#[derive(Debug, Clone)]
pub struct EncodedRow<'a> {
    /// Serialized entity key, without project.
    pub key: &'a [u8],
    pub event: Timestamp,
    pub created: Option<Timestamp>,
    /// One serialized value per feature; empty for null.
    pub values: Vec<&'a [u8]>,
}

/// What became of written rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WriteCounts {
    pub written: u64,
    /// Rows that gave way to a newer stored one.
    pub skipped: u64,
}

/// Features of one view for some entities.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadRequest {
    pub view: String,
    pub features: Vec<String>,
    /// Serialized entity keys, without project.
    pub keys: Vec<Vec<u8>>,
}

/// What a store holds of one feature of one entity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredValue {
    NotFound,
    Found {
        /// Serialized value; empty for null.
        value: Vec<u8>,
        event: Timestamp,
    },
}

/// Why an online store cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct OnlineError {
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl From<SqliteProblem> for OnlineError {
    fn from(problem: SqliteProblem) -> Self {
        Self { message: problem.message, help: problem.help }
    }
}
