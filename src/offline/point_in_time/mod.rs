//! The point-in-time join, carried out: features of several views beside entity rows, as they were at each row's time.
//!
//! Entity rows are taken in chunks whose size follows the limit of memory. Of a chunk, each entity has its moments in
//! their order ([`moments`]). A side's source is read once, keys and times only, in any order and on all processors: each
//! row is there from the first moment that is not before it, and of the rows of a moment only the newest is kept
//! ([`winners`]). What is newest at a moment goes on to the next ones of the entity. Then the features of the rows that
//! count are read, and no others ([`features`]). So no source is sorted or held in memory, rows that were written late
//! cost no more than others, and rows of one entity and moment are told apart where they matter and nowhere else.

mod beside;
mod entity_rows;
mod features;
mod keys;
mod moments;
mod side;
mod winners;

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::Int64Array,
    compute::{max, min},
    datatypes::{DataType as ArrowType, SchemaRef},
};

pub(in crate::offline) use self::{
    beside::{BesideEntities, plain, plain_type},
    entity_rows::{Asked, EntityRows},
};
use self::{features::Features, keys::Keys, moments::Moments, side::OpenSide};
use super::{
    Cancel,
    join::Join,
    query::{BatchSink, Explained, HistoricalQuery, HistoricalRead, Progress},
    statement::statement,
    transformation::Transform,
};
use crate::{
    config::MemoryLimit,
    feast::values::encode::carrier,
    model::{DataType, Interval},
    problem::{Advice, Kind, Problem},
    sources::{Ticks, Whereabouts},
    spill::SpillFolder,
};

/// Where and under which limits a join runs.
pub(crate) struct Place<'a> {
    /// Where sources are.
    pub whereabouts: &'a Whereabouts,
    /// Computes the rows of views that are transformed.
    pub transform: &'a dyn Transform,
    /// How much it may hold in memory.
    pub memory: &'a MemoryLimit,
    /// For what is read more than once.
    pub spill: &'a SpillFolder,
    /// Calls it off.
    pub cancel: &'a Cancel,
}

/// Rows that are handed on at once.
const ROWS: usize = 8192;

/// What the sources of a join are opened for.
struct OpenFor {
    /// The first and the last time of entity rows, in ticks, if they are known.
    range: Option<(i64, i64)>,
    /// Whether rows will be read.
    reads: bool,
}

/// A join whose sources are open.
struct Opened<'a> {
    sides: Vec<OpenSide<'a>>,
    beside: BesideEntities,
    /// What times of entity rows count.
    ticks: Ticks,
}

impl<'a> Opened<'a> {
    /// Opens the sources, and computes the rows of views that are transformed.
    fn open(
        place: &Place<'a>,
        query: &HistoricalQuery<'_>,
        join: &'a Join<'a>,
        entities: &EntityRows<'_>,
        open_for: OpenFor,
    ) -> Result<Self, Problem> {
        let ticks = entities.ticks();
        let moments = open_for.range.map(|(first, last)| (ticks.to_micros(first), ticks.to_micros(last)));
        let mut sides = Vec::with_capacity(join.sides.len());
        let mut kinds: Vec<ArrowType> = Vec::new();
        for mut side in OpenSide::open_all(place.whereabouts, &join.sides, moments)? {
            if side.side.view.is_transformed() {
                side = side.transformed(place.transform, open_for.reads.then_some(moments))?;
            }
            kinds.extend(side.feature_types()?);
            sides.push(side);
        }
        let beside = BesideEntities::new(entities, (query.retrieval, &kinds))?;
        Ok(Self { sides, beside, ticks })
    }
}

/// Opens entity rows; none is read yet.
fn entity_rows<'a>(
    place: &Place<'_>,
    query: &HistoricalQuery<'_>,
    join: &'a Join<'_>,
) -> Result<EntityRows<'a>, Problem> {
    place.cancel.check()?;
    let entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    Ok(entities)
}

/// The columns of the result. No rows of sources are read.
///
/// # Errors
/// When entity rows or sources cannot be read or lack a column.
pub(crate) fn columns(place: &Place<'_>, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let entities = entity_rows(place, query, &join)?;
    let look_only = OpenFor { range: None, reads: false };
    Ok(Arc::clone(Opened::open(place, query, &join, &entities, look_only)?.beside.schema()))
}

/// Runs the join and streams its result.
///
/// # Errors
/// When entity rows or sources cannot be read or lack a column, and when it is called off.
pub(crate) fn run(
    place: &Place<'_>,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let mut entities = entity_rows(place, query, &join)?;
    let most = rows_of_chunk(place, &join);
    let mut next = entities.next(most)?;
    // Of one chunk the times are known before the sources are opened.
    let range = next.as_ref().filter(|asked| asked.count < most).and_then(|asked| range(&asked.times));
    let open_for = OpenFor { range, reads: true };
    let mut opened = Opened::open(place, query, &join, &entities, open_for)?;
    let mut read = HistoricalRead::default();
    if sink.start(opened.beside.schema()).is_break() {
        return Ok(read);
    }
    query.progress.joined.expect(entities.about_rows());
    while let Some(asked) = next {
        if chunk(place, &mut opened, (&asked, asked.count < most, query.progress), sink, &mut read)?.is_break() {
            break;
        }
        drop(asked);
        next = entities.next(most)?;
    }
    Ok(read)
}

/// What the join would do. Times of entity rows are read, and no rows of sources.
///
/// # Errors
/// When entity rows or sources cannot be read or lack a column.
pub(crate) fn explain(place: &Place<'_>, query: &HistoricalQuery<'_>) -> Result<Explained, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let mut entities = entity_rows(place, query, &join)?;
    let (mut rows, mut all) = (0, None);
    while let Some(asked) = entities.next(ROWS)? {
        rows += asked.count as u64;
        all = match (all, range(&asked.times)) {
            (Some((first, last)), Some((least, greatest))) => Some((least.min(first), greatest.max(last))),
            (known, new) => known.or(new),
        };
    }
    let look_only = OpenFor { range: all, reads: false };
    let ticks = Opened::open(place, query, &join, &entities, look_only)?.ticks;
    let moments = all.map(|(first, last)| (ticks.to_micros(first), ticks.to_micros(last)));
    let sides = OpenSide::open_all(place.whereabouts, &join.sides, moments)?;
    let views = sides.into_iter().map(|side| side.explain(all, ticks)).collect::<Result<_, _>>()?;
    let times = all.map(|(first, last)| Interval { start: ticks.moment(first), end: ticks.moment(last) });
    let sql = statement(&join, query.retrieval, entities.time_column());
    Ok(Explained { entity_rows: rows, times, views, sql, engine: None })
}

/// The first and the last of times.
fn range(times: &Int64Array) -> Option<(i64, i64)> {
    min(times).zip(max(times))
}

/// Joins and hands on some of the entity rows; `is_all` says that there are no others.
fn chunk(
    place: &Place<'_>,
    opened: &mut Opened<'_>,
    (asked, is_all, progress): (&Asked, bool, &Progress),
    sink: &mut dyn BatchSink,
    read: &mut HistoricalRead,
) -> Result<ControlFlow<()>, Problem> {
    let mut known: Vec<(&[usize], Keys, Moments)> = Vec::new();
    let mut joined: Vec<(usize, Features)> = Vec::with_capacity(opened.sides.len());
    for side in &mut opened.sides {
        let keys = side.side.keys.as_slice();
        let index = match known.iter().position(|(other, ..)| *other == keys) {
            Some(index) => index,
            None => {
                let columns: Vec<_> = keys.iter().map(|key| asked.keys[*key].clone()).collect();
                let (index, of_rows) = Keys::of(&columns, asked.count).map_err(|error| {
                    Problem::new(Kind::Internal, format!("cannot compare join keys: {error}"), None)
                })?;
                let moments = Moments::of(&of_rows, &asked.times, index.len());
                known.push((keys, index, moments));
                known.len() - 1
            }
        };
        let (_, keys, moments) = &known[index];
        joined.push((index, side.join((place, progress), (asked, (keys, moments, opened.ticks)), is_all, read)?));
    }
    for first in (0..asked.count).step_by(ROWS) {
        place.cancel.check()?;
        let rows = first..asked.count.min(first + ROWS);
        let mut columns = Vec::new();
        for (index, features) in &joined {
            columns.extend(features.of(&known[*index].2.of_rows()[rows.clone()])?);
        }
        if sink.batch(&opened.beside.next(columns, rows.len())?).is_break() {
            return Ok(ControlFlow::Break(()));
        }
        progress.joined.add(rows.len() as u64);
    }
    Ok(ControlFlow::Continue(()))
}

/// How many entity rows are joined at once: as many as fit into half of the memory that may be used.
fn rows_of_chunk(place: &Place<'_>, join: &Join<'_>) -> usize {
    /// Of each row: its key and moment, with those who find them.
    const ROW: usize = 96;
    /// For each side: the row that counts, and where its features are.
    const SIDE: usize = 40;
    const LEAST: u64 = 16 << 10;
    /// Moments are numbered in 32 bits.
    const MOST: u64 = 1 << 30;
    let features = join.sides.iter().flat_map(|side| side.features.iter().map(|feature| &side.view.features[*feature]));
    let bytes = ROW + SIDE * join.sides.len() + features.map(|field| about_bytes(&field.dtype)).sum::<usize>();
    let rows = place.memory.of_a_query() / 2 / bytes as u64;
    usize::try_from(rows.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// About how many bytes a value takes.
fn about_bytes(dtype: &DataType) -> usize {
    /// Of texts and lists, which may be of any length.
    const ANY: usize = 64;
    carrier(dtype).and_then(|kind| kind.primitive_width()).unwrap_or(ANY)
}

/// A feature may not be called like a column of the entity rows.
pub(in crate::offline) fn check_names(entities: &EntityRows<'_>, query: &HistoricalQuery<'_>) -> Result<(), Problem> {
    for column in entities.columns() {
        if query.retrieval.outputs().any(|output| output == column) {
            let message = format!("{} has a column `{column}`, and so would the result", query.entities.shown());
            return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::QualifyOrRename));
        }
    }
    Ok(())
}
