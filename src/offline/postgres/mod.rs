//! PostgreSQL joins its own tables: one statement, entity rows sent to it in the statement or in a temporary table. What
//! it cannot join (other sources, other kinds of keys), and everything but the join, is done over the rows of the tables.

mod entities;
mod historical;
mod render;
mod server_side;

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::{
    Cancel,
    duckdb::DuckDbStore,
    query::{
        BatchSink, Counted, EntityQuery, Examined, Explained, HistoricalQuery, HistoricalRead, NewestQuery, NewestRead,
        OfflineStore, RowsQuery,
    },
    transformation::WrongTransformation,
};
use crate::{
    config::EntitySelectMode,
    model::{DataSource, FeatureView, Timestamp},
    problem::Problem,
    retrieval::Entities,
    sources::{OpenSource, Whereabouts},
};

/// Feast's offline store in PostgreSQL.
pub(crate) struct PostgresStore {
    whereabouts: Arc<Whereabouts>,
    mode: EntitySelectMode,
    /// For all but the join.
    rows: Box<dyn OfflineStore>,
    cancel: Cancel,
}

impl PostgresStore {
    /// The store over sources that `rows` can read as well. Nothing is opened yet.
    pub(crate) fn new(whereabouts: Arc<Whereabouts>, mode: EntitySelectMode, rows: DuckDbStore) -> Self {
        Self { whereabouts, mode, rows: Box::new(rows), cancel: Cancel::default() }
    }
}

impl OfflineStore for PostgresStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self {
            whereabouts: Arc::clone(&self.whereabouts),
            mode: self.mode,
            rows: self.rows.cancelled_by(cancel),
            cancel: cancel.clone(),
        })
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        let (whereabouts, cancel) = (Arc::clone(&self.whereabouts), self.cancel.clone());
        Box::new(Self { whereabouts, mode: self.mode, rows: self.rows.keeping(), cancel })
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        self.rows.inspect(source)
    }

    fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), WrongTransformation> {
        self.rows.check_transformation(view, columns)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        match historical::run(&self.whereabouts, (self.mode, &self.cancel), query, sink)? {
            Some(read) => Ok(read),
            None => self.rows.historical(query, sink),
        }
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        self.rows.historical_columns(query)
    }

    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        let explained = self.rows.explain(query)?;
        let times = explained.times.map(|times| (times.start.micros(), times.end.micros()));
        Ok(match historical::statement(&self.whereabouts, self.mode, query, times)? {
            Some(sql) => Explained { sql, ..explained },
            None => explained,
        })
    }

    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem> {
        self.rows.entities_of(query)
    }

    fn entities_of_sql(&self, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        self.rows.entities_of_sql(sql, sources)
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        self.rows.rows(query, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        self.rows.newest(query, sink)
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        self.rows.count(query)
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        self.rows.examine(query, now)
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        self.rows.ties(view)
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        self.rows.first_event(view)
    }
}
