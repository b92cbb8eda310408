//! Embedded DuckDB over the rows of sources. The only user of the DuckDB crate.

mod beside;
mod entity_rows;
mod error;
mod historical;
mod newest;
mod render;
mod scans;
mod session;
mod source;

use std::path::PathBuf;

use super::query::{
    BatchSink, Counted, Examined, HistoricalQuery, HistoricalRead, NewestQuery, NewestRead, OfflineStore,
};
use crate::{
    config::MemoryLimit,
    model::{DataSource, FeatureView, Timestamp},
    problem::Problem,
    sources::OpenSource,
};
use session::Database;

/// Reads sources with one DuckDB, which starts with the first query.
pub struct DuckDbStore {
    /// Relative paths of sources start here.
    repo: PathBuf,
    database: Database,
}

impl DuckDbStore {
    pub const fn new(repo: PathBuf, memory: MemoryLimit) -> Self {
        Self { repo, database: Database::new(memory) }
    }
}

impl OfflineStore for DuckDbStore {
    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        OpenSource::look_at(source, &self.repo)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        historical::run(&self.database.session()?, &self.repo, query, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        newest::run(&self.database.session()?, &self.repo, query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        newest::count(&self.database.session()?, &self.repo, query)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        newest::examine(&self.database.session()?, &self.repo, query, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        newest::ties(&self.database.session()?, &self.repo, view)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        newest::first_event(&self.database.session()?, &self.repo, view)
    }
}
