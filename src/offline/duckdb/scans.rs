//! Scans of sources as tables of DuckDB: its threads read the files through them.

use std::{
    collections::HashMap,
    error::Error,
    sync::{
        Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef},
};
use duckdb::{
    core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId},
    vtab::{
        BindInfo, InitInfo, TableFunctionInfo, VTab,
        arrow::{record_batch_to_duckdb_data_chunk, to_duckdb_logical_type},
    },
};

use crate::{
    offline::Cancel,
    problem::{Kind, Problem},
    sources::{Part, Rows, Scan, ScanRun},
};

/// Name of the table function. Its argument is the number of a scan, its columns are `c0`, `c1`, ….
pub(crate) const FUNCTION: &str = "feastr_scan";

/// What DuckDB takes at once.
const ROWS: usize = 2048;
/// Bytes of large texts that are taken at once, or one row.
const BYTES: usize = 16 << 20;

/// Functions of DuckDB are handed numbers and texts only, so scans are known by number.
static SCANS: LazyLock<Mutex<HashMap<u64, Arc<Known>>>> = LazyLock::new(Mutex::default);
static NEXT: AtomicU64 = AtomicU64::new(1);

/// A scan that statements can read from, any number of times, as long as this value lives.
#[derive(Debug)]
pub(crate) struct ScanTable {
    number: u64,
    known: Arc<Known>,
}

/// A scan, and what came of reading it.
#[derive(Debug)]
struct Known {
    scan: Arc<Scan>,
    /// Calls off its reading.
    cancel: Cancel,
    problem: Mutex<Option<Problem>>,
}

impl ScanTable {
    /// Makes a scan known to DuckDB.
    pub(crate) fn new(scan: Scan, cancel: Cancel) -> Self {
        let known = Arc::new(Known { scan: Arc::new(scan), cancel, problem: Mutex::default() });
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        scans().insert(number, Arc::clone(&known));
        Self { number, known }
    }

    /// The table in SQL, as `alias` with columns of these names.
    pub(crate) fn sql(&self, alias: &str, columns: &[String]) -> String {
        format!("{FUNCTION}({}) AS {alias}({})", self.number, columns.join(", "))
    }

    /// The scan.
    pub(crate) fn scan(&self) -> &Scan {
        &self.known.scan
    }

    /// Why reading failed, the first time.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.known.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for ScanTable {
    fn drop(&mut self) {
        scans().remove(&self.number);
    }
}

fn scans() -> MutexGuard<'static, HashMap<u64, Arc<Known>>> {
    SCANS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The table function.
pub(crate) struct ScanFunction;

/// One execution of a statement that reads a scan.
#[derive(Default)]
pub(crate) struct Reading {
    run: OnceLock<ScanRun>,
    /// Parts that no thread is reading at the moment.
    idle: Mutex<Vec<Cursor>>,
}

struct Cursor {
    part: Part,
    batch: Option<Batch>,
}

struct Batch {
    rows: RecordBatch,
    /// The next row.
    next: usize,
}

/// What a statement is bound to.
pub(crate) struct Bound(Arc<Known>);

impl VTab for ScanFunction {
    type InitData = Reading;
    type BindData = Bound;

    fn bind(bind: &BindInfo) -> Result<Bound, Box<dyn Error>> {
        let number = bind.get_parameter(0).to_uint64();
        let known = scans().get(&number).cloned().ok_or_else(|| format!("there is no scan {number}"))?;
        for (index, kind) in known.scan.columns().iter().enumerate() {
            bind.add_result_column(&format!("c{index}"), to_duckdb_logical_type(kind)?);
        }
        bind.set_cardinality(known.scan.about_rows(), false);
        Ok(Bound(known))
    }

    fn init(init: &InitInfo) -> Result<Reading, Box<dyn Error>> {
        init.set_max_threads(thread::available_parallelism().map_or(1, |threads| threads.get() as u64));
        Ok(Reading::default())
    }

    fn func(function: &TableFunctionInfo<Self>, output: &mut DataChunkHandle) -> Result<(), Box<dyn Error>> {
        let Bound(known) = function.get_bind_data();
        let reading = function.get_init_data();
        match reading.next(known) {
            Ok(Some(rows)) => record_batch_to_duckdb_data_chunk(&rows, output),
            Ok(None) => {
                output.set_len(0);
                Ok(())
            }
            Err(problem) => {
                let message = problem.message.clone();
                known.problem.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
                Err(message.into())
            }
        }
    }

    fn parameters() -> Option<Vec<LogicalTypeHandle>> {
        Some(vec![LogicalTypeHandle::from(LogicalTypeId::UBigint)])
    }
}

impl Reading {
    /// The next rows for a thread of DuckDB.
    fn next(&self, known: &Known) -> Result<Option<RecordBatch>, Problem> {
        // DuckDB forgets an interruption that comes before a statement has begun.
        known.cancel.check()?;
        let run = self.run.get_or_init(|| known.scan.run());
        let idle = || self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut cursor = idle().pop();
        loop {
            let mut current = match cursor.take() {
                Some(current) => current,
                None => match run.part()? {
                    Some(part) => Cursor { part, batch: None },
                    None => return Ok(None),
                },
            };
            if let Some(rows) = current.next(run)? {
                idle().push(current);
                return Ok(Some(rows));
            }
        }
    }
}

impl Cursor {
    /// The next rows of the part, few enough for DuckDB.
    fn next(&mut self, run: &ScanRun) -> Result<Option<RecordBatch>, Problem> {
        if self.batch.is_none() {
            let Some(rows) = run.batch(&mut self.part)? else { return Ok(None) };
            self.batch = Some(Batch { rows: record_batch(rows)?, next: 0 });
        }
        let Some(batch) = &mut self.batch else { return Ok(None) };
        let rows = fitting(batch.rows.columns(), batch.next, (batch.rows.num_rows() - batch.next).min(ROWS));
        let taken = batch.rows.slice(batch.next, rows);
        batch.next += rows;
        if batch.next == batch.rows.num_rows() {
            self.batch = None;
        }
        Ok(Some(taken))
    }
}

fn record_batch(rows: Rows) -> Result<RecordBatch, Problem> {
    let fields: Vec<Field> =
        rows.columns.iter().map(|column| Field::new("", column.data_type().clone(), true)).collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, rows.columns).map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
}

/// How many of the rows have values that fit into memory at once. A page's dictionary makes texts
/// that are small on disk large here.
fn fitting(columns: &[ArrayRef], first: usize, rows: usize) -> usize {
    let large: Vec<&ArrayRef> =
        columns.iter().filter(|column| bytes(column, first, rows) > BYTES / columns.len().max(1)).collect();
    if large.is_empty() {
        return rows;
    }
    let mut sum = 0;
    for row in 0..rows {
        sum += large.iter().map(|column| bytes(column, first + row, 1)).sum::<usize>();
        if sum > BYTES {
            return row.max(1);
        }
    }
    rows
}

/// Bytes of texts and bytes that stand in pages; others have a size of their own already.
fn bytes(column: &ArrayRef, first: usize, rows: usize) -> usize {
    // The length is in the lower half of a view's first eight bytes.
    let lengths = |views: &[u128]| views[first..first + rows].iter().map(|view| *view as u32 as usize).sum();
    match column.data_type() {
        ArrowType::Utf8View => lengths(column.as_string_view().views()),
        ArrowType::BinaryView => lengths(column.as_binary_view().views()),
        _ => 0,
    }
}
