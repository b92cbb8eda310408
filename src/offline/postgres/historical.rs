//! Carries out a join on the server.

use std::sync::Arc;

use arrow::{array::ArrayRef, datatypes::DataType as ArrowType};

use super::{
    entities::{SentEntities, TABLE, most},
    render,
    server_side::{ServerSide, key_type},
};
use crate::{
    config::EntitySelectMode,
    offline::{
        BatchSink, Cancel, HistoricalQuery, HistoricalRead,
        join::Join,
        point_in_time::{Asked, BesideEntities, EntityRows, check_names, plain_type},
        view_source::{OpenSources, ViewSource},
    },
    problem::{Kind, Problem},
    sources::{OpenSource, Scan, Ticks, Wanted, Whereabouts},
};

/// What the server keeps of the name of a column, in bytes.
const LONGEST_NAME: usize = 63;

/// Runs the join and streams its result; `None`, and nothing is said, where the server cannot join it.
pub(super) fn run(
    whereabouts: &Whereabouts,
    (mode, cancel): (EntitySelectMode, &Cancel),
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<Option<HistoricalRead>, Problem> {
    cancel.check()?;
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let Some(server) = ServerJoin::open(whereabouts, mode, query, &join)? else { return Ok(None) };
    let mut entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    let kinds: Vec<ArrowType> = server.scan(None)?.columns().into_iter().map(plain_type).collect();
    let mut beside = BesideEntities::new(&entities, (query.retrieval, &kinds))?;
    let mut read = HistoricalRead::default();
    if sink.start(beside.schema()).is_break() {
        return Ok(Some(read));
    }
    while let Some(asked) = entities.next(most(mode))? {
        let scan = Arc::new(server.scan(Some((&asked, entities.ticks())))?);
        let (run, mut count) = (scan.run(), 0);
        while let Some(mut part) = run.part()? {
            while let Some(rows) = run.batch(&mut part)? {
                cancel.check()?;
                count += rows.count;
                query.progress.joined.add(rows.count as u64);
                if sink.batch(&beside.next(rows.columns, rows.count)?).is_break() {
                    return Ok(Some(read));
                }
            }
        }
        if count != asked.count {
            let message = format!("the server joined {count} rows of {}", asked.count);
            return Err(Problem::new(Kind::Internal, message, None));
        }
        read.unfit += scan.unfit();
    }
    Ok(Some(read))
}

/// The statement that joins entity rows in a temporary table, whose first and last time in microseconds are known; `None`
/// where the server cannot join them.
pub(super) fn statement(
    whereabouts: &Whereabouts,
    mode: EntitySelectMode,
    query: &HistoricalQuery<'_>,
    times: Option<(i64, i64)>,
) -> Result<Option<String>, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let server = ServerJoin::open(whereabouts, mode, query, &join)?;
    Ok(server.map(|server| render::joined(&server.sides, (TABLE, server.keys), times, &server.outputs)))
}

/// A join of tables of one server.
struct ServerJoin<'a> {
    sides: Vec<ServerSide<'a>>,
    views: Vec<ViewSource<'a>>,
    outputs: Vec<&'a str>,
    /// Number of join keys.
    keys: usize,
    mode: EntitySelectMode,
}

impl<'a> ServerJoin<'a> {
    /// The join with its tables open; `None` where the server cannot join them.
    fn open(
        whereabouts: &'a Whereabouts,
        mode: EntitySelectMode,
        query: &HistoricalQuery<'a>,
        join: &'a Join<'a>,
    ) -> Result<Option<Self>, Problem> {
        let is_long = |name: &str| name.len() > LONGEST_NAME;
        let is_known = join.keys.iter().all(|key| key_type(&key.field.dtype).is_some());
        let is_transformed = join.sides.iter().any(|side| side.view.is_transformed());
        if !is_known || is_transformed || query.retrieval.outputs().any(is_long) {
            return Ok(None);
        }
        let mut sources = OpenSources::new(whereabouts);
        let views: Vec<ViewSource<'_>> =
            join.sides.iter().map(|side| sources.open(side.view, None)).collect::<Result<_, _>>()?;
        let sides = join.sides.iter().zip(&views).map(|(side, view)| ServerSide::of(join, side, view));
        let Some(sides) = sides.collect::<Result<Option<Vec<_>>, _>>()? else { return Ok(None) };
        let is_one = sides.iter().all(|side| side.table.is_beside(&sides[0].table));
        if sides.iter().all(|side| side.features.is_empty()) || !is_one {
            return Ok(None);
        }
        let (outputs, keys) = (query.retrieval.outputs().collect(), join.keys.len());
        Ok(Some(Self { sides, views, outputs, keys, mode }))
    }

    /// The features of some entity rows, whose times count in ticks; without any for those who look at their types.
    fn scan(&self, asked: Option<(&Asked, Ticks)>) -> Result<Scan, Problem> {
        let failed = |error| Problem::new(Kind::Internal, format!("cannot send entity rows: {error}"), None);
        let nobody = || Asked { keys: Vec::<ArrayRef>::new(), times: Vec::<i64>::new().into(), count: 0 };
        let sent = match asked {
            Some((asked, ticks)) => SentEntities::of(asked, ticks, self.mode),
            None => SentEntities::of(&nobody(), Ticks::Micros, EntitySelectMode::EmbedQuery),
        };
        let sent = sent.map_err(failed)?;
        let query = render::joined(&self.sides, (&sent.from, self.keys), sent.times, &self.outputs);
        let mut outputs = self.outputs.iter();
        let (mut columns, mut wanted): (Vec<_>, Vec<Wanted>) = (Vec::new(), Vec::new());
        for (side, view) in self.sides.iter().zip(&self.views) {
            for ((feature, column), output) in side.features.iter().zip(outputs.by_ref()) {
                columns.push(column.selected_as(output));
                wanted.push(view.wanted(output, feature));
            }
        }
        let table = self.sides[0].table.beside(&query, columns, sent.rows);
        OpenSource::of_table(table, "the joined features").scan(wanted)
    }
}
