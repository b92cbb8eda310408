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

use std::ops::ControlFlow;

use arrow::datatypes::DataType as ArrowType;

pub(in crate::offline) use self::{
    beside::{BesideEntities, plain_type},
    entity_rows::{Asked, EntityRows},
};
use self::{features::Features, keys::Keys, moments::Moments, side::OpenSide};
use super::{
    Cancel,
    join::Join,
    query::{BatchSink, HistoricalQuery, HistoricalRead},
    spill::SpillFolder,
    view_source::OpenSources,
};
use crate::{
    config::MemoryLimit,
    problem::{Advice, Kind, Problem},
    sources::Whereabouts,
};

/// Where and under which limits a join runs.
pub(crate) struct Place<'a> {
    /// Where sources are.
    pub whereabouts: &'a Whereabouts,
    /// How much it may hold in memory.
    pub memory: &'a MemoryLimit,
    /// For what is read more than once.
    pub spill: &'a SpillFolder,
    /// Calls it off.
    pub cancel: &'a Cancel,
}

/// Rows that are handed on at once.
const ROWS: usize = 8192;

/// Runs the join and streams its result.
///
/// # Errors
/// When entity rows or sources cannot be read or lack a column, and when it is called off.
pub(crate) fn run(
    place: &Place<'_>,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    place.cancel.check()?;
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let mut entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    let mut sources = OpenSources::new(place.whereabouts);
    let mut sides: Vec<OpenSide<'_>> =
        join.sides.iter().map(|side| OpenSide::open(&mut sources, side)).collect::<Result<_, _>>()?;
    let mut kinds: Vec<ArrowType> = Vec::new();
    for side in &sides {
        kinds.extend(side.feature_types()?);
    }
    let mut beside = BesideEntities::new(&entities, (query.retrieval, &kinds), sink)?;
    let mut read = HistoricalRead::default();
    if beside.start().is_break() {
        return Ok(read);
    }
    let most = rows_of_chunk(place, &join, &kinds);
    while let Some(asked) = entities.next(most)? {
        let is_all = asked.count < most;
        if chunk(place, (&entities, &asked, is_all), &mut sides, &mut beside, &mut read)?.is_break() {
            break;
        }
    }
    Ok(read)
}

/// Joins and hands on some of the entity rows; `is_all` says that there are no others.
fn chunk(
    place: &Place<'_>,
    (entities, asked, is_all): (&EntityRows<'_>, &Asked, bool),
    sides: &mut [OpenSide<'_>],
    beside: &mut BesideEntities<'_>,
    read: &mut HistoricalRead,
) -> Result<ControlFlow<()>, Problem> {
    let mut known: Vec<(&[usize], Keys, Moments)> = Vec::new();
    let mut joined: Vec<(usize, Features)> = Vec::with_capacity(sides.len());
    for side in sides {
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
        joined.push((index, side.join(place, (keys, moments, entities.ticks()), is_all, read)?));
    }
    for first in (0..asked.count).step_by(ROWS) {
        place.cancel.check()?;
        let rows = first..asked.count.min(first + ROWS);
        let mut columns = Vec::new();
        for (index, features) in &joined {
            columns.extend(features.of(&known[*index].2.of_rows()[rows.clone()])?);
        }
        if beside.pass_on(columns, rows.len())?.is_break() {
            return Ok(ControlFlow::Break(()));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// How many entity rows are joined at once: as many as fit into half of the memory that may be used.
fn rows_of_chunk(place: &Place<'_>, join: &Join<'_>, kinds: &[ArrowType]) -> usize {
    /// Where the limit is a share of the machine.
    const USUAL: u64 = 2 << 30;
    /// Of each row: its key and moment, with those who find them.
    const ROW: usize = 96;
    /// For each side: the row that counts, and where its features are.
    const SIDE: usize = 40;
    const LEAST: u64 = 16 << 10;
    /// Moments are numbered in 32 bits.
    const MOST: u64 = 1 << 30;
    let bytes = ROW + SIDE * join.sides.len() + kinds.iter().map(about_bytes).sum::<usize>();
    let rows = place.memory.bytes().unwrap_or(USUAL) / 2 / bytes as u64;
    usize::try_from(rows.clamp(LEAST, MOST)).unwrap_or(usize::MAX)
}

/// About how many bytes a value takes.
fn about_bytes(kind: &ArrowType) -> usize {
    /// Of texts and lists, which may be of any length.
    const ANY: usize = 64;
    kind.primitive_width().unwrap_or(ANY)
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
