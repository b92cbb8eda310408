//! The newest row of each entity, and what is asked about a source before it is materialized.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt64Array},
    compute::{concat_batches, filter_record_batch, kernels::cmp::distinct, or, take_record_batch},
    datatypes::{Field, Schema, SchemaRef},
    error::ArrowError,
};

use super::{
    only::Only,
    session::{DuckdbSession, Work},
    view_table::ViewTable,
};
use crate::{
    feast::values::encode::micros_in_utc,
    model::{Interval, Timestamp},
    offline::{
        BatchSink, Counted, Examined, NewestRead,
        view_source::{ViewColumns, ViewScan, ViewSource},
    },
    problem::{Kind, Problem},
    retrieval::Entities,
    sources::{ContentOrder, SaidTimes, Ticks},
};

/// Streams the newest row per entity, of some or of all: keys, event time, creation time, features.
///
/// The rows are sorted by entity and recency, which DuckDB does in files where memory ends, and the
/// first of each entity is kept on the way. An aggregation would be faster, but holds every
/// entity's row in memory.
pub(crate) fn run(
    session: &DuckdbSession,
    source: &ViewSource<'_>,
    (interval, entities): (Interval, Option<&Entities>),
    sink: &mut dyn BatchSink,
) -> Result<NewestRead, Problem> {
    let features: Vec<_> = source.view.features.iter().collect();
    let what = source.what();
    let only = Only::of(entities, source, session)?;
    let mut scan = only.confine(source.scan(&features)?.inside(interval));
    if source.view.join_keys().is_empty() {
        // There is one entity, the project: all but its newest moment is left out before it is sorted.
        match newest_moment(session, source, interval)? {
            Some(newest) => scan = scan.between(newest, newest),
            None => return Ok(NewestRead::default()),
        }
    }
    let table = ViewTable::of(scan, session);
    let mut first = FirstPerEntity::new(&table, sink);
    let work = Work { what: &what, scans: &only.with(&table.table) };
    session.stream(work, &sorted(&table, &only), &mut first)?;
    first.finish();
    match first.failure {
        None => Ok(NewestRead { unfit: source.unfit() + table.table.unfit(), ties: first.ties }),
        Some(error) => Err(Problem::new(Kind::Internal, format!("{what}: {error}"), None)),
    }
}

/// The newest moment of an interval, in what event times count.
fn newest_moment(session: &DuckdbSession, source: &ViewSource<'_>, interval: Interval) -> Result<Option<i64>, Problem> {
    let table = ViewTable::of(source.scan(&[])?.inside(interval), session);
    let work = Work { what: &source.what(), scans: &[&table.table] };
    let [newest] = session.integers(work, &format!("SELECT max(t) FROM {}", table.sql()))?;
    Ok(newest)
}

fn sorted(table: &ViewTable, only: &Only) -> String {
    let columns = table.columns;
    let created = columns.created();
    let selected: Vec<String> = columns
        .key_names()
        .chain(["t".to_owned(), format!("{created} AS created")])
        .chain(columns.feature_names())
        .collect();
    let recency = ["t DESC".to_owned()].into_iter().chain(columns.has_created.then(|| "c DESC NULLS LAST".to_owned()));
    let order: Vec<String> = columns.key_names().chain(recency).collect();
    // Rows without a key are of no entity.
    let keys: Vec<String> = columns.key_names().collect();
    let (selected, order, none) = (selected.join(", "), order.join(", "), null_key(&keys));
    format!("SELECT {selected} FROM {}{} WHERE NOT ({none}) ORDER BY {order}", table.sql(), only.sql())
}

/// Passes on the first row of each run of rows with equal keys; of rows that are equally new the one
/// with the greatest values.
struct FirstPerEntity<'a> {
    columns: ViewColumns,
    /// What event and creation times count.
    ticks: [Ticks; 2],
    schema: SchemaRef,
    /// The best row so far of the entity that the last batch ended with.
    open: Option<RecordBatch>,
    content: ContentOrder,
    ties: u64,
    sink: &'a mut dyn BatchSink,
    broken_off: bool,
    failure: Option<ArrowError>,
}

impl<'a> FirstPerEntity<'a> {
    fn new(table: &ViewTable, sink: &'a mut dyn BatchSink) -> Self {
        Self {
            columns: table.columns,
            ticks: [table.ticks(), table.created_ticks()],
            schema: Arc::new(Schema::empty()),
            open: None,
            content: ContentOrder::default(),
            ties: 0,
            sink,
            broken_off: false,
            failure: None,
        }
    }

    fn take(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        let batch = match self.open.take() {
            Some(open) => concat_batches(&batch.schema(), [&open, batch])?,
            None => batch.clone(),
        };
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let entities = changes(&batch, 0..self.columns.keys)?;
        let moments = or(&entities, &changes(&batch, self.columns.keys..self.columns.keys + 2)?)?;
        let mut kept = vec![false; batch.num_rows()];
        // Rows that are as new as the first of their entity.
        let (mut first, mut open) = (0, 0);
        for row in 0..=batch.num_rows() {
            let ended = row == batch.num_rows();
            if row > first && (ended || moments.value(row)) {
                open = self.best(&batch, first, row)?;
                kept[open] = true;
                first = batch.num_rows();
            }
            if !ended && entities.value(row) {
                first = row;
            }
        }
        // More rows of the last entity may come.
        kept[open] = false;
        self.open = Some(take_record_batch(&batch, &UInt64Array::from_value(open as u64, 1))?);
        self.pass_on(&filter_record_batch(&batch, &BooleanArray::from(kept))?)
    }

    /// The row with the greatest values among equally new ones.
    fn best(&mut self, batch: &RecordBatch, first: usize, end: usize) -> Result<usize, ArrowError> {
        if end - first == 1 {
            return Ok(first);
        }
        let features: Vec<ArrayRef> =
            batch.columns()[self.columns.keys + 2..].iter().map(|column| column.slice(first, end - first)).collect();
        self.ties += (end - first - 1) as u64;
        if features.is_empty() {
            return Ok(first);
        }
        let rows = self.content.rows(&features)?;
        let best = (0..rows.num_rows()).max_by(|one, other| rows.row(*one).cmp(&rows.row(*other)));
        Ok(first + best.unwrap_or(0))
    }

    fn pass_on(&mut self, batch: &RecordBatch) -> Result<(), ArrowError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        let mut columns = batch.columns().to_vec();
        for (offset, ticks) in self.ticks.iter().enumerate() {
            let column = &mut columns[self.columns.keys + offset];
            *column = ticks.moments(column);
        }
        let batch = RecordBatch::try_new(Arc::clone(&self.schema), columns)?;
        self.broken_off = self.sink.batch(&batch).is_break();
        Ok(())
    }

    /// Passes on the last row.
    fn finish(&mut self) {
        let open = self.open.take().filter(|_| !self.broken_off && self.failure.is_none());
        if let Some(Err(error)) = open.map(|open| self.pass_on(&open)) {
            self.failure = Some(error);
        }
    }
}

impl BatchSink for FirstPerEntity<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let fields = schema.fields().iter().enumerate().map(|(index, field)| {
            let is_time = (self.columns.keys..self.columns.keys + 2).contains(&index);
            let kind = if is_time { micros_in_utc() } else { field.data_type().clone() };
            Field::new(field.name(), kind, true)
        });
        self.schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        self.sink.start(&self.schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        match self.take(batch) {
            Ok(()) if self.broken_off => ControlFlow::Break(()),
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// Which rows have another value than the row before in some of the columns; the first one always.
fn changes(batch: &RecordBatch, columns: std::ops::Range<usize>) -> Result<BooleanArray, ArrowError> {
    let rows = batch.num_rows();
    let mut changed: Option<BooleanArray> = None;
    for column in &batch.columns()[columns] {
        let differs = distinct(&column.slice(1, rows - 1), &column.slice(0, rows - 1))?;
        changed = Some(match changed {
            None => differs,
            Some(before) => or(&before, &differs)?,
        });
    }
    let rest = changed.unwrap_or_else(|| BooleanArray::from(vec![false; rows - 1]));
    Ok(std::iter::once(Some(true)).chain(rest.iter()).collect())
}

/// What footers of files, or a server, say of the event times.
pub(crate) fn said_of_times(source: &ViewSource<'_>) -> Result<Option<SaidTimes>, Problem> {
    let ViewScan { scan, columns, .. } = source.scan(&[])?;
    scan.said_of_times(columns.keys)
}

/// What [`count`] gives, where it is said that no row is in the interval.
pub(crate) fn count_unread(
    source: &ViewSource<'_>,
    interval: Interval,
    said: SaidTimes,
) -> Result<Option<Counted>, Problem> {
    let ticks = source.scan(&[])?.ticks();
    let [start, end] = [interval.start, interval.end].map(|at| ticks.of_micros(at.micros()));
    let is_outside = said.bounds.is_none_or(|(first, last)| last < start || end < first);
    Ok(is_outside.then_some(Counted {
        rows: 0,
        entities: 0,
        null_keys: 0,
        without_time: said.without,
        is_empty: said.bounds.is_none(),
    }))
}

/// How many rows the interval has, of about how many entities, and what is missing of others: rows outside of the
/// interval are not read for what is said already.
pub(crate) fn count(
    session: &DuckdbSession,
    source: &ViewSource<'_>,
    (interval, only): (Interval, Option<&Entities>),
    said: Option<SaidTimes>,
) -> Result<Counted, Problem> {
    let only = Only::of(only, source, session)?;
    let scan = source.scan(&[])?;
    let scan = if said.is_some() { only.confine(scan.inside(interval)) } else { scan };
    let table = ViewTable::of(scan, session);
    let keys: Vec<String> = table.columns.key_names().collect();
    let inside = inside(&table, interval);
    let entities = match keys.as_slice() {
        [] => "least(count(t), 1)".to_owned(),
        keys => format!("approx_count_distinct(hash({})) FILTER (t IS NOT NULL)", keys.join(", ")),
    };
    // Rows without a time are in no interval.
    let sql = format!(
        "SELECT count(t), {entities}, \
         count(*) FILTER (t IS NOT NULL AND ({})), count(*) FILTER (t IS NULL) \
         FROM {}{} WHERE {inside} OR t IS NULL",
        null_key(&keys),
        table.sql(),
        only.sql()
    );
    let work = Work { what: &source.what(), scans: &only.with(&table.table) };
    let [rows, entities, null_keys, without_time] = session.integers(work, &sql)?.map(number);
    if let Some(said) = said {
        return Ok(Counted { rows, entities, null_keys, without_time: said.without, is_empty: said.bounds.is_none() });
    }
    // Ends with the first row that has one.
    let any = format!("SELECT count(*) FROM (SELECT 1 FROM {} WHERE t IS NOT NULL LIMIT 1)", table.sql());
    let is_empty = rows == 0 && session.integers(work, &any)? == [Some(0)];
    Ok(Counted { rows, entities, null_keys, without_time, is_empty })
}

/// What checks ask about an interval and the time after `now`, in one go over the source.
pub(crate) fn examine(
    session: &DuckdbSession,
    source: &ViewSource<'_>,
    interval: Interval,
    now: Timestamp,
) -> Result<Examined, Problem> {
    let table = ViewTable::of(source.scan(&[])?, session);
    let keys: Vec<String> = table.columns.key_names().collect();
    let null_key = null_key(&keys);
    let inside = inside(&table, interval);
    let future = format!("t > {}", table.ticks().of_micros(now.micros()));
    let sql = format!(
        "SELECT count(*) FILTER ({inside}), count(*) FILTER ({inside} AND ({null_key})), \
         min(t) FILTER ({inside} AND ({null_key})), count(*) FILTER ({future}), max(t) FILTER ({future}) \
         FROM {} WHERE ({inside}) OR {future}",
        table.sql()
    );
    let work = Work { what: &source.what(), scans: &[&table.table] };
    let numbers: [Option<i64>; 5] = session.integers(work, &sql)?;
    let [rows, null_keys, null_key_at, future, latest] = numbers;
    Ok(Examined {
        rows: number(rows),
        null_keys: number(null_keys),
        null_key_at: null_key_at.map(|at| table.ticks().moment(at)),
        future: number(future),
        latest: latest.map(|at| table.ticks().moment(at)),
    })
}

/// How many rows are as new as another one of their entity.
pub(crate) fn ties(session: &DuckdbSession, source: &ViewSource<'_>) -> Result<u64, Problem> {
    let table = ViewTable::of(source.scan(&[])?, session);
    let columns = table.names().join(", ");
    let sql = format!(
        "SELECT sum(rows - 1) :: BIGINT FROM (SELECT count(*) AS rows FROM {} WHERE t IS NOT NULL AND NOT ({}) GROUP BY {columns})",
        table.sql(),
        null_key(&table.columns.key_names().collect::<Vec<_>>()),
    );
    let [ties] = session.integers(Work { what: &source.what(), scans: &[&table.table] }, &sql)?;
    Ok(number(ties))
}

/// The earliest event time of a view's source.
pub(crate) fn first_event(session: &DuckdbSession, source: &ViewSource<'_>) -> Result<Option<Timestamp>, Problem> {
    // What footers say may be earlier than all rows; reading parquet files costs little.
    if !source.is_cheap()
        && let Some(said) = said_of_times(source)?
    {
        let ticks = source.scan(&[])?.ticks();
        return match (said.bounds, i64::try_from(said.without)) {
            (None, Ok(rows @ 1..)) => Err(source.without_times(rows)),
            (bounds, _) => Ok(bounds.map(|(first, _)| ticks.moment(first))),
        };
    }
    let table = ViewTable::of(source.scan(&[])?, session);
    let sql = format!("SELECT min(t), count(*) FROM {}", table.sql());
    match session.integers(Work { what: &source.what(), scans: &[&table.table] }, &sql)? {
        [None, Some(rows @ 1..)] => Err(source.without_times(rows)),
        [first, _] => Ok(first.map(|at| table.ticks().moment(at))),
    }
}

/// A number that DuckDB counted.
fn number(counted: Option<i64>) -> u64 {
    counted.and_then(|counted| u64::try_from(counted).ok()).unwrap_or(0)
}

/// Whether a row has no value for some join key.
fn null_key(keys: &[String]) -> String {
    match keys {
        [] => "FALSE".to_owned(),
        keys => keys.iter().map(|key| format!("{key} IS NULL")).collect::<Vec<_>>().join(" OR "),
    }
}

fn inside(table: &ViewTable, interval: Interval) -> String {
    let ticks = |at: Timestamp| table.ticks().of_micros(at.micros());
    format!("t BETWEEN {} AND {}", ticks(interval.start), ticks(interval.end))
}
