//! Scans of sources as tables of DuckDB: its threads read the files through them, and of them the columns that a
//! statement uses.

use std::{
    error::Error,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    thread,
};

use arrow::{
    array::{Array, ArrayRef, AsArray, RecordBatch},
    datatypes::{DataType as ArrowType, Field, Schema, SchemaRef, TimestampMicrosecondType},
};
use duckdb::{
    core::{DataChunkHandle, LogicalTypeHandle, LogicalTypeId},
    vtab::{
        BindInfo, InitInfo, TableFunctionInfo, VTab,
        arrow::{record_batch_to_duckdb_data_chunk, to_duckdb_logical_type},
    },
};

use crate::{
    embedded::{Numbered, Numbers},
    offline::Cancel,
    problem::{Kind, Problem},
    sources::{OpenSource, Part, Rows, Scan, ScanRun, Wanted},
};

/// Name of the table function. Its argument is the number of a scan, its columns are `c0`, `c1`, ….
pub(crate) const FUNCTION: &str = "feastr_scan";

/// What DuckDB takes at once.
const ROWS: usize = 2048;
/// Bytes of large texts that are taken at once, or one row.
const BYTES: usize = 16 << 20;

static SCANS: Numbers<Known> = Numbers::new();

/// A scan that statements can read from, any number of times, as long as this value lives.
#[derive(Debug)]
pub(crate) struct ScanTable(Numbered<Known>);

/// What a table has, and what came of reading it.
#[derive(Debug)]
struct Known {
    content: Content,
    /// Calls off its reading.
    cancel: Cancel,
    problem: Mutex<Option<Problem>>,
}

/// What statements read.
#[derive(Debug)]
pub(crate) enum Content {
    /// A scan: all of its columns are read.
    Scan(Arc<Scan>),
    /// Columns of a source, of these types. Those are read that a statement uses; times have no zone, they are in UTC.
    Source { files: Arc<OpenSource>, wanted: Vec<Wanted>, kinds: Vec<ArrowType> },
}

impl Content {
    /// The types of its columns.
    pub(crate) fn kinds(&self) -> Vec<ArrowType> {
        match self {
            Self::Scan(scan) => scan.columns(),
            Self::Source { kinds, .. } => kinds.clone(),
        }
    }

    fn about_rows(&self) -> u64 {
        match self {
            Self::Scan(scan) => scan.about_rows(),
            Self::Source { files, .. } => files.columns().rows.unwrap_or(0),
        }
    }

    /// Begins a reading of some columns.
    fn run(&self, columns: &[usize]) -> Result<ScanRun, Problem> {
        match self {
            Self::Scan(scan) => Ok(scan.run()),
            Self::Source { files, wanted, .. } => {
                let wanted = columns.iter().filter_map(|column| wanted.get(*column).cloned()).collect();
                Ok(Arc::new(files.scan(wanted)?).run())
            }
        }
    }

    /// The wanted columns of rows that were read.
    fn batch(&self, rows: Rows, columns: &[usize]) -> Result<RecordBatch, Problem> {
        let arrays: Vec<ArrayRef> = match self {
            Self::Scan(_) => columns.iter().filter_map(|column| rows.columns.get(*column).cloned()).collect(),
            Self::Source { .. } => rows.columns.into_iter().map(without_zone).collect(),
        };
        record_batch(arrays)
    }
}

/// Times as DuckDB counts with them.
fn without_zone(array: ArrayRef) -> ArrayRef {
    match array.as_primitive_opt::<TimestampMicrosecondType>() {
        Some(times) => Arc::new(times.clone().with_timezone_opt(None::<Arc<str>>)),
        None => array,
    }
}

impl ScanTable {
    /// Makes a scan or a source known to DuckDB.
    pub(crate) fn new(content: Content, cancel: Cancel) -> Self {
        Self(SCANS.add(Known { content, cancel, problem: Mutex::default() }))
    }

    /// The table in SQL, as `alias` with columns of these names.
    pub(crate) fn sql(&self, alias: &str, columns: &[String]) -> String {
        format!("{FUNCTION}({}) AS {alias}({})", self.0.number(), columns.join(", "))
    }

    /// How many columns it has.
    pub(crate) fn width(&self) -> usize {
        self.0.content.kinds().len()
    }

    /// Whether there is a last column that orders rows by values.
    pub(crate) fn has_content(&self) -> bool {
        matches!(&self.0.content, Content::Scan(scan) if scan.has_content())
    }

    /// How many values became null because they do not fit, in all readings.
    pub(crate) fn unfit(&self) -> u64 {
        match &self.0.content {
            Content::Scan(scan) => scan.unfit(),
            Content::Source { .. } => 0,
        }
    }

    /// Why reading failed, the first time.
    pub(crate) fn problem(&self) -> Option<Problem> {
        self.0.problem.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The table function.
pub(crate) struct ScanFunction;

/// One execution of a statement that reads a scan.
pub(crate) struct Reading {
    /// The columns that it uses.
    columns: Vec<usize>,
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
        let known = SCANS.get(number).ok_or_else(|| format!("there is no scan {number}"))?;
        for (index, kind) in known.content.kinds().iter().enumerate() {
            bind.add_result_column(&format!("c{index}"), to_duckdb_logical_type(kind)?);
        }
        bind.set_cardinality(known.content.about_rows(), false);
        Ok(Bound(known))
    }

    fn init(init: &InitInfo) -> Result<Reading, Box<dyn Error>> {
        init.set_max_threads(thread::available_parallelism().map_or(1, |threads| threads.get() as u64));
        let columns = init.get_column_indices().into_iter().map(usize::try_from).collect::<Result<_, _>>()?;
        Ok(Reading { columns, run: OnceLock::new(), idle: Mutex::default() })
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

    fn supports_pushdown() -> bool {
        true
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
        let run = match self.run.get() {
            Some(run) => run,
            None => {
                let run = known.content.run(&self.columns)?;
                self.run.get_or_init(|| run)
            }
        };
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
            if let Some(rows) = current.next(run, |rows| known.content.batch(rows, &self.columns))? {
                idle().push(current);
                return Ok(Some(rows));
            }
        }
    }
}

impl Cursor {
    /// The next rows of the part, few enough for DuckDB.
    fn next(
        &mut self,
        run: &ScanRun,
        batch: impl Fn(Rows) -> Result<RecordBatch, Problem>,
    ) -> Result<Option<RecordBatch>, Problem> {
        if self.batch.is_none() {
            let Some(rows) = run.batch(&mut self.part)? else { return Ok(None) };
            self.batch = Some(Batch { rows: batch(rows)?, next: 0 });
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

fn record_batch(columns: Vec<ArrayRef>) -> Result<RecordBatch, Problem> {
    let fields: Vec<Field> = columns.iter().map(|column| Field::new("", column.data_type().clone(), true)).collect();
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    RecordBatch::try_new(schema, columns).map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
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
