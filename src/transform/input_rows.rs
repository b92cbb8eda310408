//! Rows of inputs as a table of DuckDB: a statement is prepared once over a slot, and reads what lies in it each time.

use std::{
    error::Error,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use duckdb::{
    core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId},
    vtab::{
        BindInfo, InitInfo, TableFunctionInfo, VTab,
        arrow::{record_batch_to_duckdb_data_chunk, to_duckdb_logical_type},
    },
};

use crate::embedded::{Numbered, Numbers};

/// Name of the table function. Its argument is the number of a slot.
pub(super) const FUNCTION: &str = "feastr_inputs";

/// What DuckDB takes at once.
const ROWS: usize = 2048;

static SLOTS: Numbers<Known> = Numbers::new();

/// Where rows lie while a statement reads them.
#[derive(Debug)]
pub(super) struct Slot(Numbered<Known>);

#[derive(Debug)]
struct Known {
    schema: SchemaRef,
    rows: Mutex<Option<RecordBatch>>,
}

impl Known {
    fn rows(&self) -> MutexGuard<'_, Option<RecordBatch>> {
        self.rows.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// For rows of these columns.
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self(SLOTS.add(Known { schema, rows: Mutex::default() }))
    }

    /// The table in SQL.
    pub(super) fn sql(&self) -> String {
        format!("{FUNCTION}({})", self.0.number())
    }

    /// Puts rows into the slot, in place of others.
    pub(super) fn put(&self, rows: Option<RecordBatch>) {
        *self.0.rows() = rows;
    }
}

/// The table function.
pub(super) struct InputRows;

/// What a statement is bound to.
pub(super) struct Bound(Arc<Known>);

impl VTab for InputRows {
    /// The next row.
    type InitData = AtomicUsize;
    type BindData = Bound;

    fn bind(bind: &BindInfo) -> Result<Bound, Box<dyn Error>> {
        let number = bind.get_parameter(0).to_uint64();
        let known = SLOTS.get(number).ok_or_else(|| format!("there are no inputs {number}"))?;
        for field in known.schema.fields() {
            bind.add_result_column(field.name(), to_duckdb_logical_type(field.data_type())?);
        }
        Ok(Bound(known))
    }

    fn init(_: &InitInfo) -> Result<AtomicUsize, Box<dyn Error>> {
        Ok(AtomicUsize::new(0))
    }

    fn func(function: &TableFunctionInfo<Self>, output: &mut DataChunkHandle) -> Result<(), Box<dyn Error>> {
        let Bound(known) = function.get_bind_data();
        let first = function.get_init_data().fetch_add(ROWS, Ordering::Relaxed);
        let rows = known.rows().as_ref().filter(|rows| first < rows.num_rows()).map(|rows| {
            let count = ROWS.min(rows.num_rows() - first);
            rows.slice(first, count)
        });
        match rows {
            Some(rows) => record_batch_to_duckdb_data_chunk(&rows, output),
            None => {
                output.set_len(0);
                Ok(())
            }
        }
    }

    fn parameters() -> Option<Vec<LogicalTypeHandle>> {
        Some(vec![LogicalTypeHandle::from(LogicalTypeId::UBigint)])
    }
}
