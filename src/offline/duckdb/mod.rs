//! Embedded DuckDB over the files of sources. The only user of the DuckDB crate.

mod entity_rows;
mod error;
mod historical;
mod json;
mod newest;
mod session;
mod source;
mod sql;

use std::path::PathBuf;

use super::{
    files,
    query::{BatchSink, Counted, Examined, HistoricalQuery, NewestQuery, OfflineError, OfflineStore},
};
use crate::model::{DataSource, FeatureView, SourceProblem, SourceSchema, Timestamp};
use session::Session;

/// Reads sources with DuckDB, which is opened anew for each query.
pub struct DuckDbStore {
    /// Relative paths of sources start here.
    repo: PathBuf,
}

impl DuckDbStore {
    pub const fn new(repo: PathBuf) -> Self {
        Self { repo }
    }
}

impl OfflineStore for DuckDbStore {
    fn inspect(&self, source: &DataSource) -> Result<SourceSchema, SourceProblem> {
        files::inspect(source, &self.repo)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), OfflineError> {
        historical::run(&Session::open()?, &self.repo, query, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), OfflineError> {
        newest::run(&Session::open()?, &self.repo, query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, OfflineError> {
        newest::count(&Session::open()?, &self.repo, query)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, OfflineError> {
        newest::examine(&Session::open()?, &self.repo, query, now)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, OfflineError> {
        newest::first_event(&Session::open()?, &self.repo, view)
    }
}
