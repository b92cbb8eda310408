//! On-demand features of training rows: computed as the rows stream by.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::ControlFlow,
    sync::Arc,
};

use arrow::{
    array::{Array, ArrayRef, RecordBatch},
    compute::concat,
    datatypes::{DataType as ArrowType, Field, FieldRef, Schema, SchemaRef},
    error::ArrowError,
};

use super::{Engine, Evaluator};
use crate::{
    diagnostics::did_you_mean,
    offline::BatchSink,
    problem::{Advice, Kind, Problem, Subject},
    retrieval::{Entities, InputFrom, Retrieval, SelectedOnDemand, Shown},
};

/// So many rows are computed at once, if they come in smaller batches: DuckDB plans each time anew.
const AT_ONCE: usize = 1 << 15;
/// Or rows of so many bytes.
const BYTES_AT_ONCE: usize = 32 << 20;

/// Takes rows with the features that were fetched, and hands them on with those that are computed of them.
pub struct ComputedRows<'a> {
    engine: &'a Arc<Engine>,
    retrieval: &'a Retrieval,
    /// Whose rows they are, for messages.
    entities: &'a Entities,
    sink: &'a mut dyn BatchSink,
    prepared: Option<Prepared<'a>>,
    /// Rows that are computed together with those to come.
    waiting: Vec<RecordBatch>,
    /// Rows that were computed.
    done: usize,
    /// Whether rows go on: no problem has come up, and more are wanted.
    flow: ControlFlow<()>,
    problem: Option<Problem>,
}

/// What the columns of the rows are.
struct Prepared<'a> {
    schema: SchemaRef,
    /// The positions of columns that are handed on.
    kept: Vec<usize>,
    views: Vec<(&'a SelectedOnDemand, Evaluator)>,
    /// The first column of a feature.
    features: usize,
}

impl<'a> ComputedRows<'a> {
    /// In front of where the rows go.
    pub const fn new(
        engine: &'a Arc<Engine>,
        (retrieval, entities): (&'a Retrieval, &'a Entities),
        sink: &'a mut dyn BatchSink,
    ) -> Self {
        Self {
            engine,
            retrieval,
            entities,
            sink,
            prepared: None,
            waiting: Vec::new(),
            done: 0,
            flow: ControlFlow::Continue(()),
            problem: None,
        }
    }

    /// Hands on the last rows, when all have come.
    ///
    /// # Errors
    /// When, here or before, a column is missing, or a value cannot be computed.
    pub fn finish(mut self) -> Result<(), Problem> {
        if self.flow.is_continue() {
            self.flow = self.hand_on();
        }
        self.problem.map_or(Ok(()), Err)
    }

    /// Computes the rows that wait, and hands them on.
    fn hand_on(&mut self) -> ControlFlow<()> {
        let batches = std::mem::take(&mut self.waiting);
        let Some(prepared) = self.prepared.as_ref().filter(|_| !batches.is_empty()) else {
            return ControlFlow::Continue(());
        };
        match self.compute(prepared, &batches) {
            Ok(computed) => {
                self.done += batches.iter().map(RecordBatch::num_rows).sum::<usize>();
                computed.iter().try_for_each(|batch| self.sink.batch(batch))
            }
            Err(problem) => self.fail(problem),
        }
    }

    /// The same rows with what is computed of them.
    fn compute(&self, prepared: &Prepared<'_>, batches: &[RecordBatch]) -> Result<Vec<RecordBatch>, Problem> {
        let mut inputs: BTreeMap<usize, ArrayRef> = BTreeMap::new();
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        let mut outputs: Vec<ArrayRef> = Vec::new();
        for (selected, evaluator) in &prepared.views {
            let position =
                |name: &str| position(self.retrieval, selected, name, batches[0].schema_ref(), prepared.features);
            for column in selected.inputs.iter().filter_map(|input| position(&input.column)) {
                if let Entry::Vacant(entry) = inputs.entry(column) {
                    entry.insert(whole(batches, column).map_err(|error| broken(&error))?);
                }
            }
            let column = |name: &str| inputs.get(&position(name)?);
            let computed = evaluator.compute(rows, column)?;
            if let Some(cell) = computed.failed.first() {
                let message = format!(
                    "`{}` of {} cannot be computed: {}",
                    selected.outputs[cell.output],
                    self.entities.row(self.done + cell.row),
                    evaluator.reason(cell, column)?
                );
                let help = format!(
                    "let the expression in `{}` take care of such values, for example with TRY(…), nullif or CASE",
                    selected.view.name
                );
                return Err(Problem::new(Kind::Invalid, message, help));
            }
            outputs.extend(computed.columns);
        }
        let mut first = 0;
        let with_outputs = |batch: &RecordBatch| {
            let kept = prepared.kept.iter().map(|column| Arc::clone(batch.column(*column)));
            let computed = outputs.iter().map(|output| output.slice(first, batch.num_rows()));
            let columns = kept.chain(computed).collect();
            first += batch.num_rows();
            RecordBatch::try_new(Arc::clone(&prepared.schema), columns).map_err(|error| broken(&error))
        };
        batches.iter().map(with_outputs).collect()
    }

    fn fail(&mut self, problem: Problem) -> ControlFlow<()> {
        self.problem = Some(problem);
        ControlFlow::Break(())
    }
}

impl BatchSink for ComputedRows<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        self.flow = match prepare(self.engine, self.retrieval, self.entities, schema) {
            Ok(prepared) => {
                let flow = self.sink.start(&prepared.schema);
                self.prepared = Some(prepared);
                flow
            }
            Err(problem) => self.fail(problem),
        };
        self.flow
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        if self.flow.is_continue() {
            self.waiting.push(batch.clone());
            let rows: usize = self.waiting.iter().map(RecordBatch::num_rows).sum();
            let bytes: usize = self.waiting.iter().map(RecordBatch::get_array_memory_size).sum();
            if rows >= AT_ONCE || bytes >= BYTES_AT_ONCE {
                self.flow = self.hand_on();
            }
        }
        self.flow
    }
}

/// A column of all batches.
fn whole(batches: &[RecordBatch], column: usize) -> Result<ArrayRef, ArrowError> {
    match batches {
        [batch] => Ok(Arc::clone(batch.column(column))),
        batches => concat(&batches.iter().map(|batch| batch.column(column).as_ref()).collect::<Vec<&dyn Array>>()),
    }
}

fn broken(error: &ArrowError) -> Problem {
    Problem::new(Kind::Internal, format!("cannot put computed features in rows: {error}"), None)
}

/// The columns of rows with computed features, by those of the rows without.
///
/// # Errors
/// When a column is missing, or an expression does not go together with the columns' types.
pub fn computed_columns(
    engine: &Arc<Engine>,
    (retrieval, entities): (&Retrieval, &Entities),
    fetched: &SchemaRef,
) -> Result<SchemaRef, Problem> {
    Ok(prepare(engine, retrieval, entities, fetched)?.schema)
}

fn prepare<'a>(
    engine: &Arc<Engine>,
    retrieval: &'a Retrieval,
    entities: &Entities,
    schema: &SchemaRef,
) -> Result<Prepared<'a>, Problem> {
    let features = schema.fields().len() - retrieval.fetched().count();
    check_names(retrieval, entities, &schema.fields()[..features])?;
    let hidden =
        |column: usize| retrieval.fetched().nth(column - features).is_some_and(|feature| feature.shown == Shown::Never);
    let kept: Vec<usize> = (0..schema.fields().len()).filter(|column| *column < features || !hidden(*column)).collect();
    let mut fields: Vec<Field> = kept.iter().map(|column| schema.field(*column).clone()).collect();
    let mut views = Vec::with_capacity(retrieval.on_demand.len());
    for selected in &retrieval.on_demand {
        for input in &selected.inputs {
            if position(retrieval, selected, &input.column, schema, features).is_none() {
                return Err(missing(&input.column, &selected.view.name, entities, &schema.fields()[..features]));
            }
        }
        let kind = |name: &str| {
            let column = position(retrieval, selected, name, schema, features);
            column.map_or(ArrowType::Null, |column| schema.field(column).data_type().clone())
        };
        let evaluator = Evaluator::new(engine, &selected.view, kind)?;
        let outputs = evaluator.outputs().fields().iter().zip(&selected.outputs);
        fields.extend(outputs.map(|(field, name)| Field::new(&**name, field.data_type().clone(), true)));
        views.push((selected, evaluator));
    }
    let schema = Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone()));
    Ok(Prepared { schema, kept, views, features })
}

/// The column with the values of an input.
fn position(
    retrieval: &Retrieval,
    selected: &SelectedOnDemand,
    input: &str,
    schema: &Schema,
    features: usize,
) -> Option<usize> {
    match &selected.inputs.iter().find(|known| known.column == input)?.from {
        InputFrom::Feature(view, feature) => {
            let before: usize = retrieval.views[..*view].iter().map(|view| view.features.len()).sum();
            Some(features + before + feature)
        }
        InputFrom::Request(field) => schema.fields()[..features].iter().position(|column| *column.name() == field.name),
    }
}

fn missing(field: &str, view: &str, entities: &Entities, columns: &[FieldRef]) -> Problem {
    let message =
        format!("{}: there is no column `{field}`, which on demand feature view `{view}` needs", entities.shown());
    let help = did_you_mean(field, columns.iter().map(|column| column.name().as_str()))
        .unwrap_or_else(|| format!("add `{field}`, a field of the request, to the entity rows"));
    Problem::new(Kind::Invalid, message, help).about(Subject::RequestData)
}

/// A computed feature may not be called like a column of the entity rows.
fn check_names(retrieval: &Retrieval, entities: &Entities, columns: &[FieldRef]) -> Result<(), Problem> {
    for output in retrieval.computed() {
        if columns.iter().any(|column| column.name() == output) {
            let message = format!("{} has a column `{output}`, and so would the result", entities.shown());
            return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::QualifyOrRename));
        }
    }
    Ok(())
}
