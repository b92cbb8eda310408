//! An offline server, Feast's or that of feastr, which has the sources. It joins features to entity rows; for all else rows
//! of its sources are fetched and looked at here.

mod columns;
mod failure;
mod historical;
mod in_order;
mod pulled;
mod server;

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use self::{
    pulled::PulledRows,
    server::{OfflineServer, Sent, Taker},
};
use super::{
    Cancel,
    duckdb::DuckDbStore,
    join::Join,
    point_in_time::{BesideEntities, EntityRows, check_names},
    query::{
        BatchSink, Counted, EntityQuery, EntitySource, Examined, Explained, ExplainedView, HistoricalQuery,
        HistoricalRead, NewestQuery, NewestRead, OfflineStore, RowsQuery, SourceWriter,
    },
    statement::statement,
    transformation::WrongTransformation,
};
use crate::{
    auth::login::Tokens,
    config::RemoteOfflineConfig,
    feast::flight::Put,
    model::{DataSource, FeatureView, Interval, Timestamp},
    problem::Problem,
    retrieval::Entities,
    sources::{OpenSource, Size},
};

/// All of time.
const ALWAYS: Interval = Interval { start: Timestamp::FIRST, end: Timestamp::LAST };

/// Feast's remote offline store.
pub(crate) struct RemoteStore {
    server: Arc<OfflineServer>,
    project: String,
    pulled: Arc<PulledRows>,
    /// For rows that are here.
    rows: Box<dyn OfflineStore>,
    cancel: Cancel,
}

impl RemoteStore {
    /// The store behind a server, which is told by `tokens` who asks; `rows` looks at what it sends. Nothing is opened yet.
    pub(crate) fn new(config: RemoteOfflineConfig, tokens: Arc<Tokens>, project: &str, rows: DuckDbStore) -> Self {
        Self {
            server: Arc::new(OfflineServer::new(config, tokens)),
            project: project.to_owned(),
            pulled: Arc::default(),
            rows: Box::new(rows),
            cancel: Cancel::default(),
        }
    }

    fn with(&self, rows: Box<dyn OfflineStore>, cancel: Cancel) -> Box<dyn OfflineStore> {
        Box::new(Self {
            server: Arc::clone(&self.server),
            project: self.project.clone(),
            pulled: Arc::clone(&self.pulled),
            rows,
            cancel,
        })
    }

    /// Does something with a view whose source's rows of an interval are here.
    fn over<T>(
        &self,
        view: &FeatureView,
        (interval, with_features): (Interval, bool),
        act: impl FnOnce(&dyn OfflineStore, &FeatureView) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let pulled = self.pulled.of_view((&self.server, &self.cancel), view, (interval, with_features))?;
        act(self.rows.as_ref(), &pulled.as_source_of(view))
    }
}

impl OfflineStore for RemoteStore {
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore> {
        self.with(self.rows.cancelled_by(cancel), cancel.clone())
    }

    fn keeping(&self) -> Box<dyn OfflineStore> {
        self.with(self.rows.keeping(), self.cancel.clone())
    }

    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem> {
        columns::of(&self.server, source, &self.cancel)
    }

    fn check_transformation(
        &self,
        view: &FeatureView,
        columns: Option<&OpenSource>,
    ) -> Result<(), WrongTransformation> {
        self.rows.check_transformation(view, columns)
    }

    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem> {
        historical::run((&self.server, &self.project, &self.cancel), query, sink)
    }

    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
        let join = Join::of(query.retrieval, false);
        let entities = EntityRows::open(query.entities, &join.keys)?;
        check_names(&entities, query)?;
        let kinds = historical::feature_types(query.retrieval)?;
        Ok(Arc::clone(BesideEntities::new(&entities, (query.retrieval, &kinds))?.schema()))
    }

    /// How much the server will read it does not say.
    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
        let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
        let mut entities = EntityRows::open(query.entities, &join.keys)?;
        check_names(&entities, query)?;
        let (entity_rows, times) = entities.counted()?;
        let view = |side: &super::join::Side<'_>| ExplainedView {
            view: side.view.name.clone(),
            source: side.view.source.as_ref().map(|source| source.name.clone()).unwrap_or_default(),
            events: times.map(|times| Interval {
                start: side.ttl.map_or(Timestamp::FIRST, |ttl| times.start.minus(ttl)),
                end: times.end,
            }),
            size: Size::default(),
        };
        let views = join.sides.iter().map(view).collect();
        let sql = statement(&join, query.retrieval, entities.time_column());
        Ok(Explained { entity_rows, times, views, sql, engine: None })
    }

    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem> {
        let place = (self.server.as_ref(), &self.cancel);
        let pull = |source: &EntitySource| self.pulled.of_view(place, &source.view, (source.interval, false));
        // Held until they are read.
        let pulled = query.sources.iter().map(pull).collect::<Result<Vec<_>, _>>()?;
        let sources = query.sources.iter().zip(&pulled);
        let sources =
            sources.map(|(source, pulled)| EntitySource { view: pulled.as_source_of(&source.view), ..source.clone() });
        self.rows.entities_of(&EntityQuery { sources: sources.collect(), at: query.at })
    }

    fn entities_of_sql(&self, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem> {
        self.rows.entities_of_sql(sql, sources)
    }

    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        let pulled = self.pulled.of_source((&self.server, &self.cancel), query.source, query.interval)?;
        self.rows.rows(&RowsQuery { source: &pulled.as_source(query.source), ..*query }, sink)
    }

    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem> {
        let interval = query.interval;
        self.over(query.view, (interval, true), |rows, view| rows.newest(&NewestQuery { view, ..*query }, sink))
    }

    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem> {
        let interval = query.interval;
        self.over(query.view, (interval, true), |rows, view| rows.count(&NewestQuery { view, ..*query }))
    }

    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem> {
        // What comes after now is looked at as well.
        let (interval, looked_at) = (query.interval, Interval { end: Timestamp::LAST, ..query.interval });
        self.over(query.view, (looked_at, true), |rows, view| rows.examine(&NewestQuery::of(view, interval), now))
    }

    fn ties(&self, view: &FeatureView) -> Result<u64, Problem> {
        self.over(view, (ALWAYS, true), |rows, view| rows.ties(view))
    }

    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem> {
        self.over(view, (ALWAYS, false), |rows, view| rows.first_event(view))
    }

    fn writer(&self) -> Option<Arc<dyn SourceWriter>> {
        Some(Arc::new(ServerWriter { server: Arc::clone(&self.server), cancel: self.cancel.clone() }))
    }
}

/// The server, as it adds rows to its sources.
struct ServerWriter {
    server: Arc<OfflineServer>,
    cancel: Cancel,
}

impl SourceWriter for ServerWriter {
    fn name(&self) -> &str {
        self.server.name()
    }

    fn add(&self, view: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<(), Problem> {
        let mut rows = |send: &mut Taker<'_>| {
            let _ = batches.iter().cloned().try_for_each(send);
            Ok(())
        };
        let put = Put::WriteBatch { view: view.to_owned(), alias: None };
        self.server.put(put, Sent { schema: Arc::clone(schema), rows: &mut rows }, &self.cancel)
    }
}
