//! Features joined to entity rows as they were at each row's time, and whom and when they are asked about.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;

use super::{
    Caller, Failure, FeatureStore, access::Access, entities_from::entities_from, entity_index::Sought,
    retrieval::resolved,
};
use crate::{
    model::{DAY, DataSource, FeatureView, Interval, Object, PermissionAction, RegistryState, Timestamp},
    offline::{
        BatchSink, Cancel, EntityQuery, EntitySource, Explained, HistoricalQuery, HistoricalRead, Progress,
        ResultPlace, Tasks, WrittenResult, pipelined,
    },
    problem::{Advice, Kind, Problem},
    retrieval::{Entities, FeatureRequest, Purpose, Retrieval},
    transform::{ComputedRows, computed_columns},
};

/// Whom features are asked about, and when.
#[derive(Debug, Clone)]
pub enum About {
    /// Rows that somebody has.
    Rows(Entities),
    /// The rows that SQL over files of the repo gives; all at this moment, if they have no times of their own.
    Sql {
        /// One `SELECT` in DuckDB's language.
        sql: String,
        /// The moment of all rows.
        at: Option<Timestamp>,
        /// Which files it may read.
        over: Over,
    },
    /// Every row that the sources of the features have in a range, as of its own time. Without a start it begins as
    /// long before its end as the longest ttl of the views is, or thirty days, as in Feast.
    Range {
        /// The first moment.
        start: Option<Timestamp>,
        /// The last moment.
        end: Timestamp,
    },
    /// Everybody of whom some feature is known at a moment and not too old for its ttl.
    AsOf(Timestamp),
    /// Everybody in the source of a view, or in a data source.
    From {
        /// Its name.
        name: String,
        /// The first moment; `None` is the beginning.
        start: Option<Timestamp>,
        /// The last moment; `None` is the end.
        end: Option<Timestamp>,
        /// The moment of all rows; `None` stands for the times of the events.
        at: Option<Timestamp>,
    },
    /// Everybody in the index of entities of whom the views of the features have an event in a range.
    Index {
        /// The entities, all of which features need; with several those who are in a row together.
        entities: Vec<String>,
        /// The first moment; `None` is the beginning.
        start: Option<Timestamp>,
        /// The last moment; `None` is the end.
        end: Option<Timestamp>,
        /// The moment of all rows; `None` stands for the times of the events.
        at: Option<Timestamp>,
    },
}

/// What a query of entity rows may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// The files of the repo: for those who can read them anyhow.
    Repo,
    /// The files of data sources that the caller may read.
    Sources,
}

/// A join whose features were found in the registry.
pub struct HistoricalJoin<'a> {
    store: &'a FeatureStore,
    caller: Caller,
    state: Arc<RegistryState>,
    retrieval: Retrieval,
    filter_by_created_timestamp: bool,
}

impl<'a> HistoricalJoin<'a> {
    /// Looks for the features. No source is looked at. A feature row counts only if it had been written by the entity
    /// row's time, if that is wanted.
    ///
    /// # Errors
    /// When the caller may not, something does not exist or cannot be served, or the registry cannot be read.
    pub fn plan(
        store: &'a FeatureStore,
        caller: &Caller,
        features: &FeatureRequest,
        filter_by_created_timestamp: bool,
    ) -> Result<Self, Failure> {
        let state = store.registered()?;
        let retrieval = resolved(store, &state, features, Purpose::Training)?;
        // As in Feast a service stands for nothing here, and on-demand views for what they are computed of.
        let views = retrieval.views.iter().map(|selected| selected.view.name.as_str());
        Access::of(store, caller, &state).check_views(&[PermissionAction::ReadOffline], views)?;
        Ok(Self { store, caller: caller.clone(), state, retrieval, filter_by_created_timestamp })
    }

    /// What is fetched from where, under which name.
    pub const fn retrieval(&self) -> &Retrieval {
        &self.retrieval
    }

    /// The entity rows of those whom it is about.
    ///
    /// # Errors
    /// When they cannot be found, or it was called off.
    pub fn entities(&self, about: About, cancel: &Cancel) -> Result<Entities, Failure> {
        let offline = self.store.offline().cancelled_by(cancel);
        let query = match about {
            About::Rows(rows) => return Ok(rows),
            About::Sql { sql, at, over } => {
                let sources = match over {
                    Over::Repo => None,
                    Over::Sources => Some(self.readable()),
                };
                let rows = offline.entities_of_sql(&sql, sources.as_deref())?;
                return Ok(match at {
                    Some(at) => rows.at(at),
                    None => rows,
                });
            }
            About::Range { start, end } => self.range(start, end)?,
            About::AsOf(at) => self.as_of(at),
            About::From { name, start, end, at } => {
                let wanted = self.retrieval.entity_columns();
                entities_from(&self.state, &name, &wanted, (interval(start, end)?, at))?
            }
            About::Index { entities, start, end, at } => {
                let sought = Sought::by(&self.state, &self.retrieval, &entities)?;
                let rows = sought.seen(self.store, (interval(start, end)?, at.is_none()))?;
                return Ok(match at {
                    Some(at) => rows.at(at),
                    None => rows,
                });
            }
        };
        let entities = offline.entities_of(&query)?;
        Ok(match query.at {
            Some(at) => entities.at(at),
            None => entities,
        })
    }

    /// The data sources that the caller may read.
    fn readable(&self) -> Vec<&DataSource> {
        let access = Access::of(self.store, &self.caller, &self.state);
        let is_readable = |object: &Object| access.check(&[PermissionAction::ReadOffline], [object]).is_ok();
        let sources = self.state.objects.values().filter_map(|object| match object {
            Object::DataSource(source) if is_readable(object) => Some(source),
            _ => None,
        });
        sources.collect()
    }

    fn range(&self, start: Option<Timestamp>, end: Timestamp) -> Result<EntityQuery, Problem> {
        /// As Feast has it for views without ttl.
        const USUAL: i64 = 30 * DAY;
        let longest = self.retrieval.views.iter().filter_map(|selected| selected.view.ttl.limit()).max();
        let start =
            start.unwrap_or_else(|| Timestamp::from_micros(end.micros().saturating_sub(longest.unwrap_or(USUAL))));
        let interval = interval(Some(start), Some(end))?;
        Ok(EntityQuery { sources: self.sources(|_| interval, false), at: None })
    }

    fn as_of(&self, at: Timestamp) -> EntityQuery {
        let interval = |view: &FeatureView| {
            let first = view.ttl.limit().map_or(Timestamp::FIRST.micros(), |ttl| at.micros().saturating_sub(ttl));
            Interval { start: Timestamp::from_micros(first), end: at }
        };
        EntityQuery { sources: self.sources(interval, self.filter_by_created_timestamp), at: Some(at) }
    }

    /// The sources of all views that features are asked of.
    fn sources(&self, interval: impl Fn(&FeatureView) -> Interval, by_created: bool) -> Vec<EntitySource> {
        let source = |selected: &crate::retrieval::SelectedView| EntitySource {
            view: selected.view.clone(),
            keys: selected.join_keys.clone(),
            interval: interval(&selected.view),
            by_created,
        };
        self.retrieval.views.iter().map(source).collect()
    }

    /// The columns of the result. Entity rows are read, and no rows of sources.
    ///
    /// # Errors
    /// When entity rows cannot be read, or lack a column.
    pub fn columns(&self, entities: &Entities) -> Result<SchemaRef, Failure> {
        let fetched = self.store.offline().historical_columns(&self.query(entities, &Progress::default()))?;
        if self.retrieval.on_demand.is_empty() {
            return Ok(fetched);
        }
        Ok(computed_columns(self.store.expressions(), (&self.retrieval, entities), &fetched)?)
    }

    /// What [`run`](Self::run) would do. Times of entity rows are read, and no rows of sources.
    ///
    /// # Errors
    /// When entity rows or sources cannot be read, or lack a column.
    pub fn explain(&self, entities: &Entities) -> Result<Explained, Failure> {
        Ok(self.store.offline().explain(&self.query(entities, &Progress::default()))?)
    }

    /// Streams the result: the entity columns, then the features, then those that are computed, one row per entity row,
    /// in their order. `progress` is told how far it is.
    ///
    /// # Errors
    /// When entity rows or sources cannot be read, or lack a column; [`Kind::Cancelled`](crate::problem::Kind) when it
    /// was called off.
    pub fn run(
        &self,
        entities: &Entities,
        (cancel, progress): (&Cancel, &Progress),
        sink: &mut dyn BatchSink,
    ) -> Result<HistoricalRead, Failure> {
        let (offline, query) = (self.store.offline().cancelled_by(cancel), self.query(entities, progress));
        // Rows are joined, computed and written at the same time.
        pipelined(sink, |sink| {
            if self.retrieval.on_demand.is_empty() {
                return Ok(offline.historical(&query, sink)?);
            }
            let mut computed = ComputedRows::new(self.store.expressions(), (&self.retrieval, entities), sink);
            let read = pipelined(&mut computed, |sink| offline.historical(&query, sink))?;
            computed.finish()?;
            Ok(read)
        })
    }

    /// Has an engine join the features and write the result to a place where nothing is: one row for each entity row, in no
    /// order. `watch` is told how many tasks of the engine are done and known.
    ///
    /// # Errors
    /// As those of [`run`](Self::run), and when no engine joins, something is not computed alike by it, or the place cannot be
    /// written.
    pub fn write_by_engine(
        &self,
        entities: &Entities,
        place: &ResultPlace,
        (cancel, watch): (&Cancel, &dyn Fn(Tasks)),
    ) -> Result<WrittenResult, Failure> {
        let offline = self.store.offline().cancelled_by(cancel);
        let refused = || {
            let message = "only an engine writes a folder of files, or a table of its catalog, itself";
            Problem::new(Kind::Unsupported, message, None).advise(Advice::OneFile)
        };
        let engine = offline.stager().ok_or_else(refused)?;
        if !self.retrieval.on_demand.is_empty() {
            // Says what is wrong with the rows and the names of what is computed.
            self.columns(entities)?;
        }
        let progress = Progress::default();
        Ok(engine.write_historical(&self.query(entities, &progress), place, self.store.now(), watch)?)
    }

    fn query<'q>(&'q self, entities: &'q Entities, progress: &'q Progress) -> HistoricalQuery<'q> {
        let filter_by_created_timestamp = self.filter_by_created_timestamp;
        HistoricalQuery { entities, retrieval: &self.retrieval, filter_by_created_timestamp, progress }
    }
}

/// A range of moments, both inside.
fn interval(start: Option<Timestamp>, end: Option<Timestamp>) -> Result<Interval, Problem> {
    let (start, end) = (start.unwrap_or(Timestamp::FIRST), end.unwrap_or(Timestamp::LAST));
    if start > end {
        let message = format!("the range starts at {start}, after its end {end}");
        return Err(Problem::new(Kind::Invalid, message, "swap them".to_owned()));
    }
    Ok(Interval { start, end })
}
