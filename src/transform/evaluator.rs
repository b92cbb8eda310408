//! The expressions of one view over rows of its inputs.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch, RecordBatchOptions, UInt32Array, new_empty_array},
    compute::{cast, concat, take},
    datatypes::{DataType as ArrowType, Field, FieldRef, Fields, Float32Type, Float64Type, Schema, SchemaRef},
    error::ArrowError,
};
use duckdb::{Connection, params_from_iter, types::Value};

use super::{engine::Engine, input_rows::Slot, parameters};
use crate::{
    embedded::{plain_schema, words},
    expression::{Computation, Output},
    feast::values::encode::widen,
    model::OnDemandFeatureView,
    problem::{Kind, Problem},
    sql_name::quoted,
};

/// So many rows are handed over as parameters, of which each value costs something, and not as a table, which costs
/// something once.
const FEW: usize = 500;

/// Of a view without inputs: there is a row for each row of outputs.
const NO_INPUT: &str = "__feastr_row";

/// What a view computes, ready to be computed: statements are prepared once for each thread that computes at the same
/// time. Threads share it, and none waits for another while it computes.
pub struct Evaluator {
    view: String,
    computation: Computation,
    engine: Arc<Engine>,
    /// The columns that rows of inputs have.
    inputs: SchemaRef,
    /// The columns of the outputs.
    outputs: SchemaRef,
    /// Those who do not compute at the moment.
    idle: Mutex<Vec<Worker>>,
}

/// What was computed.
#[derive(Debug)]
pub struct Computed {
    /// A column for each output, with a value for each row; null where it failed.
    pub columns: Vec<ArrayRef>,
    /// Where an expression failed, by output, then by row.
    pub failed: Vec<FailedCell>,
}

/// A value that cannot be computed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedCell {
    /// The row, from 0.
    pub row: usize,
    /// The position of the output.
    pub output: usize,
}

/// A connection with its slot.
struct Worker {
    connection: Connection,
    slot: Slot,
    sql: String,
    /// The same over parameters, if they can have the types of the inputs.
    few: Option<String>,
}

impl Evaluator {
    /// Prepares a view whose inputs come in columns of some types, which `type_of` tells by their names:
    /// `view__feature`, or that of a request's field.
    ///
    /// # Errors
    /// When DuckDB does not start, or an expression does not go together with the types.
    pub fn new(
        engine: &Arc<Engine>,
        view: &OnDemandFeatureView,
        type_of: impl Fn(&str) -> ArrowType,
    ) -> Result<Self, Problem> {
        let computation = Computation::of(view);
        let mut fields: Vec<Field> = computation
            .inputs
            .iter()
            .map(|input| Field::new(&input.name, taken_as(&type_of(&input.column)), true))
            .collect();
        if fields.is_empty() {
            fields.push(Field::new(NO_INPUT, ArrowType::Boolean, true));
        }
        let mut evaluator = Self {
            view: view.name.clone(),
            computation,
            engine: Arc::clone(engine),
            inputs: Arc::new(Schema::new(fields)),
            outputs: Arc::new(Schema::empty()),
            idle: Mutex::default(),
        };
        let worker = evaluator.worker()?;
        let schema = worker.schema().map_err(|error| evaluator.failed(&error))?;
        evaluator.outputs = plain_schema(&schema);
        evaluator.put_back(worker);
        Ok(evaluator)
    }

    /// Names and types of the outputs: times are in microseconds UTC.
    pub const fn outputs(&self) -> &SchemaRef {
        &self.outputs
    }

    /// Computes all outputs of some rows. `column` hands out the input columns by their names.
    ///
    /// # Errors
    /// When DuckDB cannot do it at all; of values that cannot be computed the result tells.
    pub fn compute<'c>(&self, rows: usize, column: impl Fn(&str) -> Option<&'c ArrayRef>) -> Result<Computed, Problem> {
        if rows == 0 {
            let columns = self.outputs.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
            return Ok(Computed { columns, failed: Vec::new() });
        }
        let inputs = self.rows(rows, column)?;
        let worker = match self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop() {
            Some(worker) => worker,
            None => self.worker()?,
        };
        let computed = match self.compute_all(&worker, &inputs) {
            Ok(columns) => Ok(Computed { columns, failed: Vec::new() }),
            Err(_) => {
                worker.slot.put(Some(inputs));
                self.compute_each(&worker)
            }
        };
        worker.slot.put(None);
        self.put_back(worker);
        computed
    }

    /// Computes everything at once.
    fn compute_all(&self, worker: &Worker, inputs: &RecordBatch) -> Result<Vec<ArrayRef>, Failed> {
        let few = worker.few.as_ref().filter(|_| inputs.num_rows() <= FEW);
        if let Some(sql) = few
            && let Some(parameters) = parameters::of(inputs)
        {
            return self.run(worker, (sql, &parameters), &self.outputs);
        }
        worker.slot.put(Some(inputs.clone()));
        self.run(worker, (&worker.sql, &[]), &self.outputs)
    }

    /// Computes what can be, and finds what cannot.
    fn compute_each(&self, worker: &Worker) -> Result<Computed, Problem> {
        let outputs = &self.computation.outputs;
        let tried = outputs.iter().map(|output| {
            let value = output.cast();
            format!("TRY({value}), TRY({value} IS NULL) IS NULL")
        });
        let sql = self.statement(&worker.slot.sql(), tried);
        let columns = self.read_as(worker, &sql, &self.with_flags())?;
        let mut computed = Computed { columns: Vec::with_capacity(outputs.len()), failed: Vec::new() };
        for (output, pair) in columns.chunks_exact(2).enumerate() {
            let failed = pair[1].as_boolean().values().set_indices();
            computed.failed.extend(failed.map(|row| FailedCell { row, output }));
            computed.columns.push(Arc::clone(&pair[0]));
        }
        Ok(computed)
    }

    /// Why a value cannot be computed: in DuckDB's words, for the same rows.
    ///
    /// # Errors
    /// When a column is missing, or DuckDB gives no connection.
    pub fn reason<'c>(
        &self,
        cell: &FailedCell,
        column: impl Fn(&str) -> Option<&'c ArrayRef>,
    ) -> Result<String, Problem> {
        let worker = self.worker()?;
        let one = UInt32Array::from(vec![u32::try_from(cell.row).unwrap_or(u32::MAX)]);
        let taken = |input: &str| column(input).and_then(|column| take(column, &one, None).ok());
        let columns = self.computation.inputs.iter().map(|input| taken(&input.column));
        let columns: Vec<Option<ArrayRef>> = columns.collect();
        let at = |input: &str| {
            let position = self.computation.inputs.iter().position(|known| known.column == input)?;
            columns[position].as_ref()
        };
        worker.slot.put(Some(self.rows(1, at)?));
        let output = &self.computation.outputs[cell.output];
        let sql = self.outputs_of(&worker.slot.sql(), std::slice::from_ref(output));
        let schema = Arc::new(self.outputs.project(&[cell.output]).map_err(|error| self.internal(&error))?);
        Ok(match self.run(&worker, (&sql, &[]), &schema) {
            Ok(_) => "it fails beside other rows".to_owned(),
            Err(Failed::Engine(error)) => words(&error),
            Err(Failed::Arrow(error)) => error.to_string(),
        })
    }

    /// The outputs' columns, each followed by whether its value is null.
    fn with_flags(&self) -> SchemaRef {
        let flag: FieldRef = Arc::new(Field::new("", ArrowType::Boolean, true));
        let fields: Fields =
            self.outputs.fields().iter().flat_map(|field| [Arc::clone(field), Arc::clone(&flag)]).collect();
        Arc::new(Schema::new(fields))
    }

    fn worker(&self) -> Result<Worker, Problem> {
        let connection = self.engine.connection()?;
        let slot = Slot::new(Arc::clone(&self.inputs));
        let outputs = &self.computation.outputs;
        let sql = self.outputs_of(&slot.sql(), outputs);
        let few = parameters::table(&self.inputs).map(|table| self.outputs_of(&table, outputs));
        Ok(Worker { connection, slot, sql, few })
    }

    fn put_back(&self, worker: Worker) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(worker);
    }

    /// Outputs of each row of a table.
    fn outputs_of(&self, table: &str, outputs: &[Output]) -> String {
        self.statement(table, outputs.iter().map(|output| format!("{} AS {}", output.cast(), quoted(&output.name))))
    }

    /// Some values of each row of a table, in its order: there is one thread only.
    fn statement(&self, table: &str, values: impl Iterator<Item = String>) -> String {
        let values: Vec<String> = values.collect();
        let columns = self.inputs.fields().iter();
        let typed = self.computation.inputs.iter().zip(columns).map(|(input, column)| {
            // What is no number was taken out of columns of floats; a text may still say it.
            let value = if column.data_type().is_floating() { input.cast() } else { input.value() };
            input.named(&value)
        });
        let mut inputs: Vec<String> = typed.collect();
        if inputs.is_empty() {
            inputs.push(NO_INPUT.to_owned());
        }
        format!("SELECT {}\nFROM (SELECT {} FROM {table})", values.join(",\n"), inputs.join(", "))
    }

    /// Rows of inputs under the names that expressions use.
    fn rows<'c>(&self, count: usize, column: impl Fn(&str) -> Option<&'c ArrayRef>) -> Result<RecordBatch, Problem> {
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(self.inputs.fields().len());
        for (input, field) in self.computation.inputs.iter().zip(self.inputs.fields()) {
            let given = column(&input.column).ok_or_else(|| {
                Problem::new(Kind::Internal, format!("`{}` has no column for `{}`", self.view, input.column), None)
            })?;
            columns.push(match given.data_type() == field.data_type() {
                true => numbers(given),
                false => numbers(&cast(given, field.data_type()).map_err(|error| self.internal(&error))?),
            });
        }
        if columns.is_empty() {
            columns.push(Arc::new(BooleanArray::new_null(count)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(count));
        RecordBatch::try_new_with_options(Arc::clone(&self.inputs), columns, &options)
            .map_err(|error| self.internal(&error))
    }

    fn read_as(&self, worker: &Worker, sql: &str, schema: &SchemaRef) -> Result<Vec<ArrayRef>, Problem> {
        self.run(worker, (sql, &[]), schema).map_err(|failed| match failed {
            Failed::Engine(error) => self.failed(&error),
            Failed::Arrow(error) => self.internal(&error),
        })
    }

    /// Runs a statement over what is in the slot, or over parameters.
    fn run(
        &self,
        worker: &Worker,
        (sql, parameters): (&str, &[Value]),
        schema: &SchemaRef,
    ) -> Result<Vec<ArrayRef>, Failed> {
        let mut statement = worker.connection.prepare_cached(sql).map_err(Failed::Engine)?;
        let batches: Vec<RecordBatch> = statement
            .stream_arrow(params_from_iter(parameters))
            .map_err(Failed::Engine)?
            .collect::<Result<_, _>>()
            .map_err(Failed::Engine)?;
        let column = |(index, field): (usize, &FieldRef)| {
            let parts: Vec<&dyn Array> = batches.iter().map(|batch| batch.column(index).as_ref()).collect();
            let whole = match parts.as_slice() {
                [_] => Arc::clone(batches[0].column(index)),
                _ => concat(&parts).map_err(Failed::Arrow)?,
            };
            widen(&whole, field.data_type())
                .map(|column| numbers(&column.array))
                .map_err(|error| Failed::Arrow(ArrowError::ComputeError(error.to_string())))
        };
        schema.fields().iter().enumerate().map(column).collect()
    }

    fn failed(&self, error: &duckdb::Error) -> Problem {
        Problem::new(Kind::Invalid, format!("on demand feature view `{}`: {}", self.view, words(error)), None)
    }

    fn internal(&self, error: &ArrowError) -> Problem {
        Problem::new(Kind::Internal, format!("on demand feature view `{}`: {error}", self.view), None)
    }
}

impl Worker {
    fn schema(&self) -> duckdb::Result<SchemaRef> {
        let mut statement = self.connection.prepare_cached(&self.sql)?;
        let stream = statement.stream_arrow([])?;
        let schema = stream.get_schema();
        // A result that is not read to its end stands in the way of the next one.
        stream.collect::<duckdb::Result<Vec<_>>>()?;
        Ok(schema)
    }
}

enum Failed {
    Engine(duckdb::Error),
    Arrow(ArrowError),
}

/// A column in which what is no number is null: in SQL it would cost more than the expressions.
fn numbers(column: &ArrayRef) -> ArrayRef {
    macro_rules! numbers {
        ($kind:ty) => {{
            let floats = column.as_primitive::<$kind>();
            // Without looking for the first one this is done many at a time.
            match floats.values().iter().fold(false, |found, float| found | float.is_nan()) {
                true => Arc::new(floats.unary_opt::<_, $kind>(|float| (!float.is_nan()).then_some(float))),
                false => Arc::clone(column),
            }
        }};
    }
    match column.data_type() {
        ArrowType::Float32 => numbers!(Float32Type),
        ArrowType::Float64 => numbers!(Float64Type),
        _ => Arc::clone(column),
    }
}

/// How a column is handed to DuckDB, which knows no zones without an extension: times are those of UTC.
fn taken_as(kind: &ArrowType) -> ArrowType {
    match kind {
        ArrowType::Timestamp(unit, Some(_)) => ArrowType::Timestamp(*unit, None),
        ArrowType::Utf8View | ArrowType::LargeUtf8 => ArrowType::Utf8,
        ArrowType::BinaryView | ArrowType::LargeBinary => ArrowType::Binary,
        ArrowType::List(element) => ArrowType::List(taken_field(element)),
        ArrowType::LargeList(element) => ArrowType::List(taken_field(element)),
        ArrowType::Struct(members) => ArrowType::Struct(members.iter().map(taken_field).collect()),
        kind => kind.clone(),
    }
}

fn taken_field(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(taken_as(field.data_type())))
}
