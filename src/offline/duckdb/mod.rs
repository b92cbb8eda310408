//! Embedded DuckDB over the rows of sources. The only user of the DuckDB crate.

mod beside;
mod columns;
mod database;
mod entity_rows;
mod error;
mod historical;
mod memory;
mod newest;
mod render;
mod scans;
mod session;
mod source;
mod spill;

use std::{path::PathBuf, sync::Arc};

use arrow::datatypes::SchemaRef;

use super::cancel::Cancel;
use super::query::{
    BatchSink, Counted, Examined, HistoricalQuery, HistoricalRead, NewestQuery, NewestRead, OfflineStore,
};
use crate::{
    config::MemoryLimit,
    model::{DataSource, FeatureView, Timestamp},
    problem::Problem,
    sources::OpenSource,
};
use database::Database;
use session::DuckdbSession;
use source::ViewSource;
pub use spill::remove_all as remove_spill_folders;

/// Reads sources with one DuckDB, which starts with the first query.
pub(crate) struct DuckDbStore {
    /// Relative paths of sources start here.
    repo: PathBuf,
    database: Arc<Database>,
    cancel: Cancel,
}

impl DuckDbStore {
    pub(crate) fn new(repo: PathBuf, memory: MemoryLimit) -> Self {
        Self { repo, database: Arc::new(Database::new(memory)), cancel: Cancel::default() }
    }

    fn session(&self) -> Result<DuckdbSession, Problem> {
        self.database.session(&self.cancel)
    }
}

impl OfflineStore for DuckDbStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        let (repo, database) = (self.repo.clone(), Arc::clone(&self.database));
        Box::new(Self { repo, database, cancel: cancel.clone() })
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        OpenSource::look_at(source, &self.repo)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        historical::run(&self.session()?, &self.repo, query, sink)
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        columns::of_historical(&self.session()?, query)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        newest::run(&self.session()?, &self.repo, query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        let source = ViewSource::open(&self.repo, query.view)?;
        match newest::count_unread(&source, query.interval)? {
            Some(counted) => Ok(counted),
            None => newest::count(&self.session()?, &source, query),
        }
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        newest::examine(&self.session()?, &self.repo, query, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        newest::ties(&self.session()?, &self.repo, view)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        newest::first_event(&self.session()?, &self.repo, view)
    }
}
