//! What an engine is asked for, and what it answers.

use std::{
    ops::ControlFlow,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{Cancel, tasks::Tasks, transformation::WrongTransformation};
use crate::{
    expression::Misfit,
    model::{DataSource, DataType, FeatureView, Interval, OnDemandFeatureView, SourceKind, Timestamp},
    problem::Problem,
    retrieval::{Entities, JoinKey, Retrieval},
    sources::{OpenSource, Size},
    staging::{StagedFile, StagedFolder},
};

/// An engine that reads sources.
///
/// Threads can share it: each call has a session of its own, in one engine that starts with the first
/// query and has one limit of memory.
pub trait OfflineStore: Send + Sync {
    /// The same store, whose queries end when they are called off. Nothing of them is left running.
    fn cancelled_by(&self, cancel: &Cancel) -> Box<dyn OfflineStore>;

    /// The same store, which computes what the SQL of a view gives only once, for all that is asked about it.
    fn keeping(&self) -> Box<dyn OfflineStore>;

    /// Whether this store looks at sources of a kind. What is in others nobody here can say.
    fn looks_at(&self, kind: &SourceKind) -> bool {
        match kind {
            SourceKind::File(_) => true,
            SourceKind::Postgres(postgres) => !(postgres.table.is_empty() && postgres.query.is_empty()),
            _ => false,
        }
    }

    /// The files of a source and their columns, from the headers or first rows of its files; or what a server says of them.
    /// No rows are read.
    ///
    /// # Errors
    /// When the source is missing or unreadable.
    fn inspect(&self, source: &DataSource) -> Result<OpenSource, Problem>;

    /// Whether a view's SQL and aggregations can be carried out over a source with these columns, and give what the view
    /// declares; without columns, whether they are such at all. No rows are read.
    ///
    /// # Errors
    /// What is wrong with them.
    fn check_transformation(&self, view: &FeatureView, columns: Option<&OpenSource>)
    -> Result<(), WrongTransformation>;

    /// Joins features to entity rows as they were at each row's time and streams the result: the
    /// entity columns, then the features, one row per entity row, in their order.
    ///
    /// # Errors
    /// When entity rows or sources cannot be read, or lack a column.
    fn historical(&self, query: &HistoricalQuery<'_>, sink: &mut dyn BatchSink) -> Result<HistoricalRead, Problem>;

    /// What [`historical`](Self::historical) would do. Times of entity rows are read, and no rows of sources.
    ///
    /// # Errors
    /// When entity rows cannot be read, or something lacks a column.
    fn explain(&self, query: &HistoricalQuery<'_>) -> Result<Explained, Problem>;

    /// The entities that rows of sources are of, as entity rows: each once, at each of the moments at which it has a row
    /// or at one moment for all. They are in the order of their times, then of their keys.
    ///
    /// # Errors
    /// When a source cannot be read or lacks a column.
    fn entities_of(&self, query: &EntityQuery) -> Result<Entities, Problem>;

    /// Entity rows that a question in DuckDB's SQL over the repo's files gives, or over those of some data sources. It can
    /// neither write nor reach anything else.
    ///
    /// # Errors
    /// When it is no `SELECT`, names what is not there, or fails; in the engine's words.
    fn entities_of_sql(&self, sql: &str, sources: Option<&[&DataSource]>) -> Result<Entities, Problem>;

    /// The columns that [`historical`](Self::historical) would give. Entity rows are read, and no rows of sources.
    ///
    /// # Errors
    /// When entity rows cannot be read, or lack a column.
    fn historical_columns(&self, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem>;

    /// Streams the rows of a source in an interval, both ends included, with its columns as they are.
    ///
    /// # Errors
    /// When the source cannot be read or lacks a column.
    fn rows(&self, query: &RowsQuery<'_>, sink: &mut dyn BatchSink) -> Result<(), Problem>;

    /// Streams the newest row per entity of an interval, both ends included: join keys, event time
    /// and creation time (microseconds UTC, the latter null without a column for it), features.
    ///
    /// # Errors
    /// When the source cannot be read or lacks a column.
    fn newest(&self, query: &NewestQuery<'_>, sink: &mut dyn BatchSink) -> Result<NewestRead, Problem>;

    /// How much [`newest`](Self::newest) has to do.
    ///
    /// # Errors
    /// As for `newest`.
    fn count(&self, query: &NewestQuery<'_>) -> Result<Counted, Problem>;

    /// What checks of a source ask about an interval, and about what comes after `now`.
    ///
    /// # Errors
    /// As for `newest`.
    fn examine(&self, query: &NewestQuery<'_>, now: Timestamp) -> Result<Examined, Problem>;

    /// How many rows of a view's source are as new as another one of their entity.
    ///
    /// # Errors
    /// As for `newest`.
    fn ties(&self, view: &FeatureView) -> Result<u64, Problem>;

    /// The earliest event time of a view's source, or `None` when it has no rows.
    ///
    /// # Errors
    /// When the source cannot be read, or has rows and none of them a time.
    fn first_event(&self, view: &FeatureView) -> Result<Option<Timestamp>, Problem>;

    /// Who writes newest rows to files, where an engine does so itself.
    fn stager(&self) -> Option<&dyn Stager> {
        None
    }

    /// Who adds rows to sources, where a server has them.
    fn writer(&self) -> Option<Arc<dyn SourceWriter>> {
        None
    }
}

/// An engine that writes what it finds to files, for others to read.
pub trait Stager: Send + Sync {
    /// Whether the settings name a place for files that others read.
    fn has_place(&self) -> bool;

    /// The expressions of an on-demand view that the engine would not compute as they are computed here, so that results that it
    /// writes cannot have them.
    fn misfits(&self, view: &OnDemandFeatureView) -> Vec<Misfit>;

    /// Writes the newest row per entity to a new folder below the engine's staging location, as about so many files; `watch`
    /// is told how many tasks are done and known.
    ///
    /// # Errors
    /// As those of [`OfflineStore::newest`], and when there is no such location or it cannot be reached from here.
    fn stage_newest(
        &self,
        query: &NewestQuery<'_>,
        stage: &Stage<'_>,
        watch: &dyn Fn(Tasks),
    ) -> Result<StagedFolder, Problem>;

    /// Joins features to entity rows as [`OfflineStore::historical`] does, computes what is computed of them, and writes the result to
    /// a place where nothing is, in no order.
    ///
    /// # Errors
    /// As those of [`OfflineStore::historical`], when something is not computed alike, and when the place is taken or cannot be
    /// reached.
    fn write_historical(
        &self,
        query: &HistoricalQuery<'_>,
        place: &ResultPlace,
        now: Timestamp,
        watch: &dyn Fn(Tasks),
    ) -> Result<WrittenResult, Problem>;
}

/// Where an engine puts a result that it writes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResultPlace {
    /// A folder that it and this program see, under a whole path or an URL.
    Folder(String),
    /// A table of its catalog, under a name with dots.
    Table(String),
}

/// A result that an engine has written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrittenResult {
    /// One for each entity row.
    pub rows: u64,
    /// The files of a folder; none of a table.
    pub files: Vec<StagedFile>,
}

/// How newest rows are written to files.
#[derive(Debug, Clone, Copy)]
pub struct Stage<'a> {
    /// Whose rows they are: the run that will read them.
    pub run: &'a str,
    /// About how many files are wanted.
    pub files: u32,
    /// The registered message of the view, for those who read the files elsewhere.
    pub view: Option<&'a [u8]>,
    /// The time.
    pub now: Timestamp,
}

/// A server that has sources and adds rows to them.
pub trait SourceWriter: Send + Sync {
    /// What messages call it.
    fn name(&self) -> &str;

    /// Adds rows to the source of a view, with exactly its columns in their order.
    ///
    /// # Errors
    /// When the server does not take them; when it does not answer, nobody knows whether it has.
    fn add(&self, view: &str, schema: &SchemaRef, batches: &[RecordBatch]) -> Result<(), Problem>;
}

/// Takes a streamed result; breaking off ends the query.
pub trait BatchSink: Send {
    /// The columns, before the first batch.
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()>;

    /// The next rows.
    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()>;
}

/// Features for entity rows.
#[derive(Debug)]
pub struct HistoricalQuery<'a> {
    /// Whom and when it is about.
    pub entities: &'a Entities,
    /// Which features, under which names.
    pub retrieval: &'a Retrieval,
    /// Whether a row counts only if it had been written by the entity row's time.
    pub filter_by_created_timestamp: bool,
    /// Told how far it is.
    pub progress: &'a Progress,
}

/// How far a join is, for those who watch it from another thread.
#[derive(Debug, Default)]
pub struct Progress {
    /// Rows of sources that were looked at, and about how many there will be.
    pub scanned: Step,
    /// Entity rows that were handed on, and how many there will be, as far as it is known.
    pub joined: Step,
}

/// How much of something is done.
#[derive(Debug, Default)]
pub struct Step {
    done: AtomicU64,
    all: AtomicU64,
}

impl Step {
    /// What is done, and all that is known of.
    pub fn get(&self) -> (u64, u64) {
        (self.done.load(Ordering::Relaxed), self.all.load(Ordering::Relaxed))
    }

    /// There is more to do.
    pub(super) fn expect(&self, amount: u64) {
        self.all.fetch_add(amount, Ordering::Relaxed);
    }

    /// More is done.
    pub(super) fn add(&self, amount: u64) {
        self.done.fetch_add(amount, Ordering::Relaxed);
    }

    /// Nothing more is to be done.
    pub(super) fn complete(&self) {
        self.done.store(self.all.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// What a join would do.
#[derive(Debug, Clone, PartialEq)]
pub struct Explained {
    /// Number of entity rows.
    pub entity_rows: u64,
    /// Their first and their last time, if they have some.
    pub times: Option<Interval>,
    /// In the order in which they were first mentioned.
    pub views: Vec<ExplainedView>,
    /// A statement in SQL that comes to the same.
    pub sql: String,
    /// What messages call the engine elsewhere that carries it out, if one does.
    pub engine: Option<String>,
}

/// What is read of a view's source.
#[derive(Debug, Clone, PartialEq)]
pub struct ExplainedView {
    /// The view.
    pub view: String,
    /// Its source.
    pub source: String,
    /// The first and the last event that can matter; `None` if none can.
    pub events: Option<Interval>,
    /// How much that is.
    pub size: Size,
}

/// Which entities are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct EntityQuery {
    /// Whose rows tell.
    pub sources: Vec<EntitySource>,
    /// The moment at which all of them are asked about; `None` stands for the event times of the rows.
    pub at: Option<Timestamp>,
}

impl EntityQuery {
    /// The columns of entity rows with their types, in the order of the sources.
    pub fn columns(&self) -> Vec<(&str, &DataType)> {
        let mut columns: Vec<(&str, &DataType)> = Vec::new();
        for key in self.sources.iter().flat_map(|source| &source.keys) {
            if !columns.iter().any(|(name, _)| *name == key.column) {
                columns.push((&key.column, &key.field.dtype));
            }
        }
        columns
    }
}

/// Rows whose entities are asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct EntitySource {
    /// The view whose source is read.
    pub view: FeatureView,
    /// Its join keys, and the columns of entity rows that they become.
    pub keys: Vec<JoinKey>,
    /// Which events count, both ends included.
    pub interval: Interval,
    /// Whether rows without a creation time, or one after the end of the interval, do not count.
    pub by_created: bool,
}

/// What was noticed while features were joined.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HistoricalRead {
    /// Values that became null because they do not fit their type.
    pub unfit: u64,
    /// Source rows that were as new as others of their entity, and gave way to those by what they hold.
    pub ties: u64,
}

/// Rows of a source.
#[derive(Debug, Clone, Copy)]
pub struct RowsQuery<'a> {
    /// Where they are.
    pub source: &'a DataSource,
    /// What messages call it.
    pub shown: &'a str,
    /// Which times count.
    pub interval: Interval,
    /// The columns that are wanted, in their order; `None` for all.
    pub columns: Option<&'a [String]>,
}

/// The newest values of a view in an interval.
#[derive(Debug, Clone, Copy)]
pub struct NewestQuery<'a> {
    /// The view whose source is read.
    pub view: &'a FeatureView,
    /// Which event times count.
    pub interval: Interval,
    /// Whose rows count: those of entities whose join keys are in these rows; `None` is everybody.
    pub entities: Option<&'a Entities>,
}

impl<'a> NewestQuery<'a> {
    /// Those of everybody.
    pub const fn of(view: &'a FeatureView, interval: Interval) -> Self {
        Self { view, interval, entities: None }
    }
}

/// What was noticed while newest rows were read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NewestRead {
    /// Values that became null because they do not fit their type.
    pub unfit: u64,
    /// Rows that were as new as others of their entity, and gave way to those by what they hold.
    pub ties: u64,
}

/// What an interval of a source has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counted {
    /// Rows in the interval.
    pub rows: u64,
    /// About how many entities these rows are of.
    pub entities: u64,
    /// Those of the rows that have no value for some join key.
    pub null_keys: u64,
    /// Rows that have no event time, and so are in no interval; of the whole source, but for folders of other days.
    pub without_time: u64,
    /// Whether none of the same rows has an event time.
    pub is_empty: bool,
}

/// What checks of a source go by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Examined {
    /// Rows in the interval.
    pub rows: u64,
    /// Rows in the interval without a value for some join key.
    pub null_keys: u64,
    /// The event time of one of them.
    pub null_key_at: Option<Timestamp>,
    /// Rows later than the given moment, in the interval or not.
    pub future: u64,
    /// The latest of them.
    pub latest: Option<Timestamp>,
}
