//! Runs the point-in-time join. What is joined is a [`Join`], what DuckDB is told stands in `render`;
//! here sources are opened, statements run in their order, and ties looked for.

use std::path::Path;

use super::{
    beside::BesideEntities,
    entity_rows::EntityTable,
    render::{self, RenderedSide},
    session::{DuckdbSession, Work},
    source::{OpenSources, ViewSource, ViewTable},
};
use crate::{
    model::Field,
    offline::{
        BatchSink, HistoricalQuery, HistoricalRead,
        join::{Join, Side},
    },
    problem::{Advice, Kind, Problem},
};

/// Runs the point-in-time join and streams its result.
///
/// One statement joins all views. Where rows of one entity and moment turn out to be among those that
/// count, a second look decides by what they hold, as materializing does.
pub(crate) fn run(
    session: &DuckdbSession,
    repo: &Path,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    const WHAT: &str = "cannot join features";
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let entities = EntityTable::load(session, query.entities, &join.keys)?;
    check_names(&entities, query)?;
    let mut sources = OpenSources::new(repo);
    let mut sides = Vec::with_capacity(join.sides.len());
    for (number, side) in join.sides.iter().enumerate() {
        sides.push(OpenSide::open(session, &mut sources, side, number, entities.times)?);
    }
    let scans: Vec<_> = sides.iter().map(|side| &side.table.table).collect();
    session.execute(Work { what: WHAT, scans: &scans }, &render::joined(&rendered(&sides)))?;
    let mut read = HistoricalRead::default();
    for side in &mut sides {
        read.ties += side.decide_ties(session)?;
    }
    let mut beside = BesideEntities::new(&entities, query.retrieval, sink)?;
    session.stream(Work { what: WHAT, scans: &[] }, &render::result(&rendered(&sides)), &mut beside)?;
    beside.finish()?;
    read.unfit = sides.iter().map(|side| side.table.table.scan().unfit()).sum();
    Ok(read)
}

fn rendered<'a, 'b>(sides: &'b [OpenSide<'a>]) -> Vec<&'b RenderedSide<'a>> {
    sides.iter().map(|side| &side.rendered).collect()
}

/// A feature may not be called like a column of the entity rows.
pub(super) fn check_names(entities: &EntityTable, query: &HistoricalQuery<'_>) -> Result<(), Problem> {
    for column in entities.columns() {
        if query.retrieval.outputs().any(|output| output == column) {
            let message = format!("{} has a column `{column}`, and so would the result", query.entities.shown());
            return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::QualifyOrRename));
        }
    }
    Ok(())
}

/// A side of the join with its source open.
struct OpenSide<'a> {
    source: ViewSource<'a>,
    /// Keys, times and the features that are wanted, of rows that can matter.
    table: ViewTable,
    rendered: RenderedSide<'a>,
}

impl<'a> OpenSide<'a> {
    /// `times` are the first and last of the entity rows.
    fn open(
        session: &DuckdbSession,
        sources: &mut OpenSources<'a>,
        side: &'a Side<'a>,
        number: usize,
        times: Option<(i64, i64)>,
    ) -> Result<Self, Problem> {
        let source = sources.open(side.view)?;
        let features: Vec<&Field> = side.features.iter().map(|feature| &side.view.features[*feature]).collect();
        let scan = source.scan(&features)?;
        let (first, last) = side.window(times);
        // Entity rows have times to the microsecond here, whose nanoseconds belong to them.
        let ticks = scan.ticks();
        let scan = scan.between(ticks.of_micros(first), ticks.of_micros(last).saturating_add(ticks.of_micros(1) - 1));
        let table = scan.table(session);
        let rendered = RenderedSide {
            side,
            name: format!("v{number}"),
            columns: table.columns,
            ticks: [table.ticks(), table.created_ticks()],
            rows: table.sql(),
            has_winners: false,
        };
        let mut open = Self { source, table, rendered };
        if open.source.is_text() {
            open.keep_rows(session)?;
        }
        Ok(open)
    }

    /// Reads the rows that can matter into a table, because reading them twice would take long.
    fn keep_rows(&mut self, session: &DuckdbSession) -> Result<(), Problem> {
        let work = Work { what: &self.source.what(), scans: &[&self.table.table] };
        session.execute(work, &self.rendered.kept_rows())?;
        self.rendered.rows = self.rendered.kept();
        Ok(())
    }

    /// Looks whether the row that was found has others of its entity and moment beside it, and
    /// decides between them by their values. Gives how many rows were as new as others.
    fn decide_ties(&mut self, session: &DuckdbSession) -> Result<u64, Problem> {
        if self.rendered.side.features.is_empty() {
            return Ok(0);
        }
        let what = self.source.what();
        let times = session.integers(Work { what: &what, scans: &[] }, &self.rendered.found_times())?;
        let [Some(first), Some(last)] = times else { return Ok(0) };
        let moments = self.source.scan(&[])?.between(first, last).table(session);
        let rows = if self.source.is_text() { self.rendered.rows.clone() } else { moments.sql() };
        let work = Work { what: &what, scans: &[&moments.table] };
        let counted = session.integers(work, &self.rendered.counted(&rows))?;
        let [moments, rows_of_them] = counted.map(Option::unwrap_or_default);
        // Most often there are as many rows as moments, and then there is nothing to decide.
        if moments == rows_of_them {
            return Ok(0);
        }
        session.execute(work, &self.rendered.tied(&rows))?;
        let all: Vec<&Field> = self.source.view.features.iter().collect();
        let contents = self.source.scan(&all)?.between(first, last).with_content().table(session);
        let winners = self.rendered.winners(&contents.sql());
        session.execute(Work { what: &what, scans: &[&contents.table] }, &winners)?;
        self.rendered.has_winners = true;
        Ok(u64::try_from(rows_of_them - moments).unwrap_or(0))
    }
}
