//! Embedded DuckDB over the rows of sources. The only user of the DuckDB crate.

mod database;
mod entities;
mod error;
mod memory;
mod newest;
mod only;
mod question;
mod scans;
mod session;
mod transformation;
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
    transformation::{WrongTransformation, transformation},
};
use crate::{
    config::MemoryLimit,
    model::{DataSource, FeatureView, Interval, Reach, Timestamp},
    problem::Problem,
    retrieval::Entities,
    sources::{OpenSource, Whereabouts},
    spill::SpillFolder,
};
use database::Database;
use session::DuckdbSession;
use transformation::KeptRows;

/// Reads sources with one DuckDB, which starts with the first query.
pub(crate) struct DuckDbStore {
    /// Where sources are.
    whereabouts: Arc<Whereabouts>,
    memory: MemoryLimit,
    database: Arc<Database>,
    spill: Arc<SpillFolder>,
    cancel: Cancel,
    /// What the SQL of views has given, for those who ask about them again and again.
    kept: Option<Arc<KeptRows>>,
}

impl DuckDbStore {
    pub(crate) fn new(whereabouts: Arc<Whereabouts>, memory: MemoryLimit) -> Self {
        let spill = Arc::new(SpillFolder::default());
        let database = Arc::new(Database::new(memory.clone(), Arc::clone(&spill)));
        Self { whereabouts, memory, database, spill, cancel: Cancel::default(), kept: None }
    }

    /// The same engine.
    fn shared(&self) -> Self {
        Self {
            whereabouts: Arc::clone(&self.whereabouts),
            memory: self.memory.clone(),
            database: Arc::clone(&self.database),
            spill: Arc::clone(&self.spill),
            cancel: self.cancel.clone(),
            kept: self.kept.clone(),
        }
    }

    fn place(&self) -> Place<'_> {
        Place {
            whereabouts: &self.whereabouts,
            transform: self,
            memory: &self.memory,
            spill: &self.spill,
            cancel: &self.cancel,
        }
    }

    fn session(&self) -> Result<DuckdbSession, Problem> {
        self.database.session(&self.cancel)
    }
}

impl OfflineStore for DuckDbStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self { cancel: cancel.clone(), ..self.shared() })
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        Box::new(Self { kept: Some(Arc::default()), ..self.shared() })
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        OpenSource::look_at(source, &self.whereabouts)
    }

    fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), WrongTransformation> {
        self.check(view, columns)
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

    fn entities_of_sql(&self, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        entities::of_sql(self, sql, sources)
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        point_in_time::columns(&self.place(), query)
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        rows::stream(&OpenSource::open(query.source, &self.whereabouts)?, query, &self.cancel, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        let values = self.values_of(query.view, query.interval, false)?;
        newest::run(&self.session()?, &values, (query.interval, query.entities), sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        let interval = looked_at(query)?;
        let rows = self.rows_of(query.view, Some(interval))?;
        let said = newest::said_of_times(&rows)?;
        if let (Some(said), None) = (said, query.entities)
            && let Some(counted) = newest::count_unread(&rows, interval, said)?
        {
            return Ok(counted);
        }
        newest::count(&self.session()?, &rows, (interval, query.entities), said)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        newest::examine(&self.session()?, &self.rows_of(query.view, None)?, query.interval, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        // Aggregates are of all rows.
        if transformation(view)?.is_some_and(|transformation| !transformation.aggregations.is_empty()) {
            return Ok(0);
        }
        newest::ties(&self.session()?, &self.rows_of(view, None)?)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        newest::first_event(&self.session()?, &self.rows_of(view, None)?)
    }
}

/// The interval in which rows matter to what is new in another one.
fn looked_at(query: &NewestQuery<'_>) -> Result<Interval, Problem> {
    let start = match transformation(query.view)?.map(|transformation| Reach::of(&transformation.aggregations)) {
        Some(Reach::Span(reach)) => query.interval.start.minus(reach).max(Timestamp::FIRST),
        Some(Reach::Past | Reach::All) => Timestamp::FIRST,
        None => query.interval.start,
    };
    Ok(Interval { start, ..query.interval })
}
