use std::{ops::ControlFlow, path::Path};

use arrow::{
    array::{Array, BooleanArray, RecordBatch},
    compute::{filter_record_batch, kernels::cmp::distinct, or},
    datatypes::SchemaRef,
    error::ArrowError,
};

use super::{session::Session, source::SourceTable};
use crate::{
    model::{FeatureView, Timestamp},
    offline::{BatchSink, Counted, Examined, NewestQuery, OfflineError},
};

/// Streams the newest row per entity: keys, event time, creation time, features.
///
/// The rows are sorted by entity and recency, which DuckDB does in files where memory ends, and the
/// first of each entity is kept on the way. An aggregation would be faster, but holds every
/// entity's row in memory.
pub fn run(
    session: &Session,
    repo: &Path,
    query: &NewestQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<(), OfflineError> {
    session.save_memory()?;
    let source = SourceTable::open(session, repo, query.view)?;
    let keys = query.view.join_keys().len();
    let mut first = FirstPerEntity { keys, last: None, sink, failure: None };
    session.stream(&source.what(), &sorted(&source, query)?, &mut first)?;
    match first.failure {
        None => Ok(()),
        Some(error) => Err(OfflineError::new(format!("{}: {error}", source.what()), None)),
    }
}

fn sorted(source: &SourceTable<'_>, query: &NewestQuery<'_>) -> Result<String, OfflineError> {
    let keys = key_columns(source, query.view)?;
    let created = source.created()?.unwrap_or_else(|| "NULL :: BIGINT".to_owned());
    let mut selected = keys.clone();
    selected.push(format!("make_timestamp({})", source.event()?));
    selected.push(format!("make_timestamp({created})"));
    for feature in &query.view.features {
        selected.push(source.column(&feature.name)?);
    }
    let mut order = keys;
    order.push(format!("{} DESC", source.recency()?));
    // Without join keys there is one entity: the project.
    let limit = if query.view.join_keys().is_empty() { " LIMIT 1" } else { "" };
    Ok(format!(
        "SELECT {} FROM {} WHERE {} ORDER BY {}{limit}",
        selected.join(", "),
        source.relation,
        in_interval(source, query)?,
        order.join(", "),
    ))
}

/// Passes on the first row of each run of rows with equal keys.
struct FirstPerEntity<'a> {
    /// So many columns at the front are keys.
    keys: usize,
    /// The last row seen, a batch of one.
    last: Option<RecordBatch>,
    sink: &'a mut dyn BatchSink,
    failure: Option<ArrowError>,
}

impl FirstPerEntity<'_> {
    fn first_rows(&mut self, batch: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let rows = batch.num_rows();
        if rows == 0 || self.keys == 0 {
            return Ok(batch.clone());
        }
        let mut changed: Option<BooleanArray> = None;
        for column in &batch.columns()[..self.keys] {
            let differs = distinct(&column.slice(1, rows - 1), &column.slice(0, rows - 1))?;
            changed = Some(match changed {
                None => differs,
                Some(before) => or(&before, &differs)?,
            });
        }
        let rest = changed.iter().flat_map(|changed| changed.iter());
        let mask: BooleanArray = std::iter::once(Some(self.starts_anew(batch)?)).chain(rest).collect();
        self.last = Some(batch.slice(rows - 1, 1));
        filter_record_batch(batch, &mask)
    }

    /// Whether the first row of a batch is of another entity than the last one before it.
    fn starts_anew(&self, batch: &RecordBatch) -> Result<bool, ArrowError> {
        let Some(last) = &self.last else { return Ok(true) };
        for index in 0..self.keys {
            if distinct(&batch.column(index).slice(0, 1), last.column(index))?.value(0) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl BatchSink for FirstPerEntity<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.sink.start(schema)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        match self.first_rows(batch) {
            Ok(first) if first.num_rows() == 0 => ControlFlow::Continue(()),
            Ok(first) => self.sink.batch(&first),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

/// How many rows the interval has, of about how many entities, and what is missing of others.
pub fn count(session: &Session, repo: &Path, query: &NewestQuery<'_>) -> Result<Counted, OfflineError> {
    let source = SourceTable::open(session, repo, query.view)?;
    source.check_times(session)?;
    let (keys, event) = (key_columns(&source, query.view)?, source.event()?);
    let entities = match keys.as_slice() {
        [] => format!("least(count({event}), 1)"),
        keys => format!("approx_count_distinct(hash({})) FILTER ({event} IS NOT NULL)", keys.join(", ")),
    };
    // Rows without a time are in no interval.
    let inside = in_interval(&source, query)?;
    let sql = format!(
        "SELECT count({event}), {entities}, \
         count(*) FILTER ({event} IS NOT NULL AND ({})), count(*) FILTER ({event} IS NULL) \
         FROM {} WHERE {inside} OR {event} IS NULL",
        null_key(&keys),
        source.relation
    );
    let [rows, entities, null_keys, without_time] = session.integers(&source.what(), &sql)?.map(number);
    Ok(Counted { rows, entities, null_keys, without_time })
}

/// What checks ask about an interval and the time after `now`, in one go over the source.
pub fn examine(
    session: &Session,
    repo: &Path,
    query: &NewestQuery<'_>,
    now: Timestamp,
) -> Result<Examined, OfflineError> {
    let source = SourceTable::open(session, repo, query.view)?;
    let keys = key_columns(&source, query.view)?;
    source.check_times(session)?;
    let null_key = null_key(&keys);
    let (event, inside) = (source.event()?, in_interval(&source, query)?);
    let future = format!("{event} > {}", now.micros());
    let sql = format!(
        "SELECT count(*) FILTER ({inside}), count(*) FILTER ({inside} AND ({null_key})), \
         min({event}) FILTER ({inside} AND ({null_key})), count(*) FILTER ({future}), max({event}) FILTER ({future}) \
         FROM {} WHERE ({inside}) OR {future}",
        source.relation
    );
    let numbers: [Option<i64>; 5] = session.integers(&source.what(), &sql)?;
    let [rows, null_keys, null_key_at, future, latest] = numbers;
    Ok(Examined {
        rows: number(rows),
        null_keys: number(null_keys),
        null_key_at: null_key_at.map(Timestamp::from_micros),
        future: number(future),
        latest: latest.map(Timestamp::from_micros),
    })
}

/// The earliest event time of a view's source.
pub fn first_event(session: &Session, repo: &Path, view: &FeatureView) -> Result<Option<Timestamp>, OfflineError> {
    let source = SourceTable::open(session, repo, view)?;
    source.check_times(session)?;
    let sql = format!("SELECT min({}), count(*) FROM {}", source.event()?, source.relation);
    match session.integers(&source.what(), &sql)? {
        [None, Some(rows @ 1..)] => Err(source.without_times(rows)),
        [first, _] => Ok(first.map(Timestamp::from_micros)),
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

fn key_columns(source: &SourceTable<'_>, view: &FeatureView) -> Result<Vec<String>, OfflineError> {
    view.join_keys().iter().map(|key| source.key(key)).collect()
}

fn in_interval(source: &SourceTable<'_>, query: &NewestQuery<'_>) -> Result<String, OfflineError> {
    let event = source.event()?;
    let (start, end) = (query.interval.start.micros(), query.interval.end.micros());
    Ok(format!("{event} BETWEEN {start} AND {end}"))
}
