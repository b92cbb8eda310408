//! Embedded DuckDB over the rows of sources. The only user of the DuckDB crate.

mod database;
mod entities;
mod error;
mod memory;
mod newest;
mod scans;
mod session;
mod view_table;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::{
    cancel::Cancel,
    point_in_time::{self, Place},
    query::{
        BatchSink, Counted, EntityQuery, Examined, Explained, HistoricalQuery, HistoricalRead, NewestQuery, NewestRead,
        OfflineStore, RowsQuery,
    },
    rows,
    view_source::ViewSource,
};
use crate::{
    config::MemoryLimit,
    model::{DataSource, FeatureView, Timestamp},
    problem::Problem,
    retrieval::Entities,
    sources::{OpenSource, Whereabouts},
    spill::SpillFolder,
};
use database::Database;
use session::DuckdbSession;

/// Reads sources with one DuckDB, which starts with the first query.
pub(crate) struct DuckDbStore {
    /// Where sources are.
    whereabouts: Arc<Whereabouts>,
    memory: MemoryLimit,
    database: Arc<Database>,
    spill: Arc<SpillFolder>,
    cancel: Cancel,
}

impl DuckDbStore {
    pub(crate) fn new(whereabouts: Arc<Whereabouts>, memory: MemoryLimit) -> Self {
        let spill = Arc::new(SpillFolder::default());
        let database = Arc::new(Database::new(memory.clone(), Arc::clone(&spill)));
        Self { whereabouts, memory, database, spill, cancel: Cancel::default() }
    }

    fn place(&self) -> Place<'_> {
        Place { whereabouts: &self.whereabouts, memory: &self.memory, spill: &self.spill, cancel: &self.cancel }
    }

    fn session(&self) -> Result<DuckdbSession, Problem> {
        self.database.session(&self.cancel)
    }
}

impl OfflineStore for DuckDbStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self {
            whereabouts: Arc::clone(&self.whereabouts),
            memory: self.memory.clone(),
            database: Arc::clone(&self.database),
            spill: Arc::clone(&self.spill),
            cancel: cancel.clone(),
        })
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        OpenSource::look_at(source, &self.whereabouts)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        point_in_time::run(&self.place(), query, sink)
    }

    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        point_in_time::explain(&self.place(), query)
    }

    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem> {
        entities::of_sources(self, query)
    }

    fn entities_of_sql(&self, sql: &str) -> Result<Entities, Problem> {
        entities::of_sql(self, sql)
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        point_in_time::columns(&self.place(), query)
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        rows::stream(&OpenSource::open(query.source, &self.whereabouts)?, query, &self.cancel, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        newest::run(&self.session()?, &self.whereabouts, query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        let source = ViewSource::open(&self.whereabouts, query.view)?;
        let said = newest::said_of_times(&source)?;
        if let Some(said) = said
            && let Some(counted) = newest::count_unread(&source, query.interval, said)?
        {
            return Ok(counted);
        }
        newest::count(&self.session()?, &source, query, said)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        newest::examine(&self.session()?, &self.whereabouts, query, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        newest::ties(&self.session()?, &self.whereabouts, view)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        newest::first_event(&self.session()?, &self.whereabouts, view)
    }
}
