//! Features joined to entity rows by the cluster: numbers, keys and times of the rows are sent, and features come back with the
//! numbers, which are put behind the rows as they are here.

use std::ops::ControlFlow;

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType as ArrowType, Schema, SchemaRef},
};

use super::{
    answer::Declared,
    cluster::{Cluster, Way},
    entity_parts::{EntityPart, EntityParts, MOST},
    form::Form,
    in_order::InOrder,
    joined::joined,
    joined_side::JoinedSide,
    taking::{Takes, taken},
    upload::{ENTITIES, SentEntities, SentRows},
};
use crate::{
    offline::{
        BatchSink, Cancel, HistoricalQuery, HistoricalRead,
        join::{Join, Side},
        point_in_time::{BesideEntities, EntityRows, check_names},
    },
    problem::Problem,
    retrieval::SelectedView,
};

/// Rows that are handed on at once where nothing is joined.
const ROWS: usize = 8192;

/// Has features joined, and streams the result.
///
/// # Errors
/// When entity rows or sources cannot be read or lack a column, the cluster does not join them, or it is called off.
pub(super) fn run(
    way: Way<'_>,
    query: &HistoricalQuery<'_>,
    sink: &mut dyn BatchSink,
) -> Result<HistoricalRead, Problem> {
    way.cancel.check()?;
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    if query.retrieval.fetched().next().is_none() {
        return entities_alone(entities, query, (way.cancel, sink));
    }
    let cluster = Cluster::open(way)?;
    let sides = sides(&cluster, query, &join)?;
    let kinds = kinds(&sides)?;
    let beside = BesideEntities::new(&entities, (query.retrieval, &kinds))?;
    if sink.start(beside.schema()).is_break() {
        return Ok(HistoricalRead::default());
    }
    query.progress.joined.expect(entities.about_rows());
    let wanted = sides.iter().flat_map(|side| {
        let features = side.side.features.iter().zip(&side.outputs);
        features.map(|(feature, output)| side.rows.wanted(output, *feature))
    });
    let declared = Declared::new(wanted.collect(), "the joined features".to_owned());
    let mut rows = JoinedRows { declared, kinds, beside, is_wanted: true, query, sink };
    let mut parts = EntityParts::new((way, &cluster.session), (entities, &join.keys), |_| Ok(Vec::new()));
    while let Some(EntityPart { rows: asked, numbers }) = parts.next()? {
        let mut in_order = InOrder::new(&mut rows, numbers, (cluster.session.server(), way.cancel));
        taken(&cluster.session, &asking(&cluster, &sides, (&asked, join.keys.len()))?, &mut in_order)?;
        in_order.finish()?;
        if !rows.is_wanted {
            break;
        }
    }
    Ok(HistoricalRead { unfit: rows.declared.unfit, ties: 0 })
}

/// The columns of the result. No rows of sources are read.
///
/// # Errors
/// As for [`run`].
pub(super) fn columns(way: Way<'_>, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
    let join = Join::of(query.retrieval, false);
    let entities = EntityRows::open(query.entities, &join.keys)?;
    check_names(&entities, query)?;
    let kinds = match query.retrieval.fetched().next() {
        None => Vec::new(),
        Some(_) => kinds(&sides(&Cluster::open(way)?, query, &join)?)?,
    };
    Ok(BesideEntities::new(&entities, (query.retrieval, &kinds))?.schema().clone())
}

/// The statement that joins entity rows: the first one, where they are sent in several parts.
///
/// # Errors
/// As for [`run`].
pub(super) fn statement(cluster: &Cluster<'_>, query: &HistoricalQuery<'_>) -> Result<String, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let sides = sides(cluster, query, &join)?;
    let mut entities = EntityRows::open(query.entities, &join.keys)?;
    let asked = match entities.next(MOST)? {
        Some(asked) => {
            let sent = SentEntities::of(&asked, entities.ticks(), &join.keys)?;
            sent.parts().first().map(|part| sent.send(&cluster.session, part)).transpose()?
        }
        None => None,
    };
    let asked = asked.unwrap_or_else(|| SentRows { name: ENTITIES.to_owned(), count: 0, times: None });
    asking(cluster, &sides, (&asked, join.keys.len()))
}

/// The statement for entity rows that were sent, with so many keys; in which form each view is joined, the server is asked.
pub(super) fn asking(
    cluster: &Cluster<'_>,
    sides: &[JoinedSide<'_>],
    (entities, keys): (&SentRows, usize),
) -> Result<String, Problem> {
    let form = |side| Form::of(cluster, side, entities).map(|form| (side, form));
    Ok(joined(&sides.iter().map(form).collect::<Result<Vec<_>, _>>()?, entities, keys))
}

/// The sides of a join, whose rows the server has found.
pub(super) fn sides<'a>(
    cluster: &Cluster<'_>,
    query: &HistoricalQuery<'a>,
    join: &'a Join<'a>,
) -> Result<Vec<JoinedSide<'a>>, Problem> {
    let sides = join.sides.iter().zip(&query.retrieval.views);
    let side = |(side, selected): (&'a Side<'a>, &'a SelectedView)| {
        let outputs = selected.features.iter().map(|feature| &*feature.output).collect();
        Ok(JoinedSide { side, rows: cluster.rows_of(side.view)?, outputs })
    };
    sides.map(side).collect()
}

/// The types of all features.
pub(super) fn kinds(sides: &[JoinedSide<'_>]) -> Result<Vec<ArrowType>, Problem> {
    let kinds = sides.iter().map(|side| side.rows.kinds(&side.side.features));
    Ok(kinds.collect::<Result<Vec<_>, _>>()?.concat())
}

/// What is left where all features are computed of the entity rows.
fn entities_alone(
    mut entities: EntityRows<'_>,
    query: &HistoricalQuery<'_>,
    (cancel, sink): (&Cancel, &mut dyn BatchSink),
) -> Result<HistoricalRead, Problem> {
    let mut beside = BesideEntities::new(&entities, (query.retrieval, &[]))?;
    if sink.start(beside.schema()).is_break() {
        return Ok(HistoricalRead::default());
    }
    query.progress.joined.expect(entities.about_rows());
    while let Some(asked) = entities.next(ROWS)? {
        cancel.check()?;
        query.progress.joined.add(asked.count as u64);
        if sink.batch(&beside.next(Vec::new(), asked.count)?).is_break() {
            break;
        }
    }
    Ok(HistoricalRead::default())
}

/// Takes joined rows in the order of the entity rows, and hands them on behind those.
struct JoinedRows<'a> {
    declared: Declared,
    kinds: Vec<ArrowType>,
    beside: BesideEntities,
    /// Whether more rows are wanted.
    is_wanted: bool,
    query: &'a HistoricalQuery<'a>,
    sink: &'a mut dyn BatchSink,
}

impl Takes for JoinedRows<'_> {
    fn begin(&mut self, _: &Schema) -> Result<ControlFlow<()>, Problem> {
        Ok(ControlFlow::Continue(()))
    }

    fn take(&mut self, rows: &RecordBatch) -> Result<ControlFlow<()>, Problem> {
        let features: Vec<ArrayRef> = self.declared.read(rows, &self.kinds)?;
        self.query.progress.joined.add(rows.num_rows() as u64);
        let flow = self.sink.batch(&self.beside.next(features, rows.num_rows())?);
        self.is_wanted = flow.is_continue();
        Ok(flow)
    }
}
