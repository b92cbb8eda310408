//! The columns of a result that nobody has asked for yet.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
};

use super::{
    beside::BesideEntities,
    entity_rows::{EntityTable, ROW},
    historical::check_names,
    session::DuckdbSession,
};
use crate::{
    feast::values::encode::carrier,
    offline::{BatchSink, HistoricalQuery, join::Join},
    problem::{Kind, Problem},
};

/// The columns of a join: those of the entity rows, then the features.
pub(crate) fn of_historical(session: &DuckdbSession, query: &HistoricalQuery<'_>) -> Result<SchemaRef, Problem> {
    let join = Join::of(query.retrieval, query.filter_by_created_timestamp);
    let entities = EntityTable::load(session, query.entities, &join.keys)?;
    check_names(&entities, query)?;
    // What the engine would answer: the number of the entity row, then features.
    let mut fields = vec![Field::new(ROW, ArrowType::Int64, true)];
    for feature in query.retrieval.views.iter().flat_map(|view| &view.features) {
        let Some(kind) = carrier(&feature.field.dtype) else {
            let message =
                format!("feature `{}` is of type {}, which no column holds", feature.output, feature.field.dtype);
            return Err(Problem::new(Kind::Unsupported, message, None));
        };
        fields.push(Field::new(&*feature.output, kind, true));
    }
    let mut columns = Heading(Arc::new(Schema::empty()));
    _ = BesideEntities::new(&entities, query.retrieval, &mut columns)?.start(&Arc::new(Schema::new(fields)));
    Ok(columns.0)
}

/// Takes the columns of a result and nothing else.
struct Heading(SchemaRef);

impl BatchSink for Heading {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.0 = Arc::clone(schema);
        ControlFlow::Break(())
    }

    fn batch(&mut self, _: &RecordBatch) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}
