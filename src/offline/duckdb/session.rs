use std::{
    ops::ControlFlow,
    sync::{Mutex, PoisonError},
};

use arrow::{
    array::RecordBatch,
    datatypes::{DataType, FieldRef, Fields, Schema, SchemaRef},
};
use duckdb::{Config, Connection};
use std::sync::Arc;
use tempfile::TempDir;

use super::{
    error::explain,
    scans::{FUNCTION, ScanFunction, ScanTable},
};
use crate::{
    config::MemoryLimit,
    feast::values::encode::{micros_in_utc, widen},
    offline::BatchSink,
    problem::{Kind, Problem},
    sources::Scan,
};

/// The DuckDB of this process, in memory, with a folder to spill to. It starts with the first query.
pub struct Database {
    memory: MemoryLimit,
    started: Mutex<Option<Started>>,
}

struct Started {
    connection: Connection,
    /// Removed with the database.
    _spill: TempDir,
}

impl Database {
    pub const fn new(memory: MemoryLimit) -> Self {
        Self { memory, started: Mutex::new(None) }
    }

    /// Begins a query. The first one starts DuckDB, which takes about 20 ms.
    pub fn session(&self) -> Result<Session, Problem> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        if started.is_none() {
            *started = Some(self.start()?);
        }
        let connection = match started.as_ref() {
            Some(started) => started.connection.try_clone(),
            None => Connection::open_in_memory(),
        };
        let connection = connection.map_err(|error| explain("cannot start DuckDB", &error, &self.memory))?;
        Ok(Session { connection, memory: self.memory.clone() })
    }

    fn start(&self) -> Result<Started, Problem> {
        let spill = tempfile::Builder::new().prefix("feastr-").tempdir().map_err(|error| {
            Problem::new(
                Kind::Invalid,
                format!("cannot make a folder for temporary files: {error}"),
                "set TMPDIR to a folder that can be written".to_owned(),
            )
        })?;
        let open = || {
            let config = Config::default()
                // Without these a missing extension is first looked for in the network, for seconds.
                .with("autoinstall_known_extensions", "false")?
                .with("autoload_known_extensions", "false")?
                .max_memory(&self.memory.to_string())?
                // Values of a megabyte fill the offsets of small buffers with a few thousand rows.
                .with("arrow_large_buffer_size", "true")?
                .with("temp_directory", spill.path().display().to_string())?;
            let connection = Connection::open_in_memory_with_flags(config)?;
            connection.register_table_function::<ScanFunction>(FUNCTION)?;
            Ok(connection)
        };
        let connection = open().map_err(|error| explain("cannot start DuckDB", &error, &self.memory))?;
        Ok(Started { connection, _spill: spill })
    }
}

/// What one query works with: a connection, which sees no temporary table of another one.
pub struct Session {
    connection: Connection,
    memory: MemoryLimit,
}

/// What a statement is for, and the scans that it reads.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// Begins messages: `cannot read …`.
    pub what: &'a str,
    pub scans: &'a [&'a ScanTable],
}

impl Session {
    /// A scan as a table for statements.
    pub fn table(&self, scan: Scan) -> ScanTable {
        self.make_room(scan.columns().len());
        ScanTable::new(scan)
    }

    /// Sees to it that batches of so many columns fit into memory, whatever the limit is: with less nothing
    /// can be done at all.
    fn make_room(&self, columns: usize) {
        /// Of everything else.
        const BASE: u64 = 192 << 20;
        /// Of the vectors of one column, of which several batches are under way in each thread.
        const COLUMN: u64 = 2048 * 16 * 8;
        let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
        let least = BASE + columns as u64 * COLUMN * threads;
        if self.memory.bytes().is_some_and(|limit| limit < least) {
            // Where it is refused, the query says what is missing.
            let _ = self.connection.execute_batch(&format!("SET memory_limit = '{least}B'"));
        }
    }

    /// Runs statements without results.
    pub fn execute(&self, work: Work<'_>, sql: &str) -> Result<(), Problem> {
        self.connection.execute_batch(sql).map_err(|error| self.failure(work, &error))
    }

    /// The integers of the only row.
    pub fn integers<const N: usize>(&self, work: Work<'_>, sql: &str) -> Result<[Option<i64>; N], Problem> {
        let read = |row: &duckdb::Row<'_>| {
            let mut integers = [None; N];
            integers.iter_mut().enumerate().try_for_each(|(column, integer)| {
                *integer = row.get(column)?;
                Ok::<(), duckdb::Error>(())
            })?;
            Ok(integers)
        };
        self.connection.query_row(sql, [], read).map_err(|error| self.failure(work, &error))
    }

    /// Streams a query's result; times come out as microseconds UTC. An ordered result stays in
    /// order only because `preserve_insertion_order` is left on (seen with DuckDB 2.0.0).
    pub fn stream(&self, work: Work<'_>, sql: &str, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        let failure = |error: duckdb::Error| self.failure(work, &error);
        let mut statement = self.connection.prepare(sql).map_err(failure)?;
        let stream = statement.stream_arrow([]).map_err(failure)?;
        let schema = plain_schema(&stream.get_schema());
        if sink.start(&schema).is_break() {
            return Ok(());
        }
        for batch in stream {
            let batch = batch.map_err(failure)?;
            if plain(&batch, &schema, sink)
                .map_err(|error| Problem::new(Kind::Invalid, format!("{}: {error}", work.what), None))?
                == ControlFlow::Break(())
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// What is wrong: reading a file, if that failed, else what DuckDB says.
    fn failure(&self, work: Work<'_>, error: &duckdb::Error) -> Problem {
        match work.scans.iter().find_map(|scan| scan.problem()) {
            Some(problem) => problem,
            None => explain(work.what, error, &self.memory),
        }
    }
}

/// The types of a result as everybody knows them: small buffers, and times in UTC.
fn plain_schema(schema: &SchemaRef) -> SchemaRef {
    Arc::new(Schema::new(plain_fields(schema.fields())))
}

fn plain_fields(fields: &Fields) -> Fields {
    fields.iter().map(plain_field).collect()
}

fn plain_field(field: &FieldRef) -> FieldRef {
    let kind = match field.data_type() {
        DataType::Timestamp(..) => micros_in_utc(),
        DataType::LargeUtf8 => DataType::Utf8,
        DataType::LargeBinary => DataType::Binary,
        DataType::LargeList(element) | DataType::List(element) => DataType::List(plain_field(element)),
        DataType::Struct(members) => DataType::Struct(plain_fields(members)),
        DataType::Map(entries, sorted) => DataType::Map(plain_field(entries), *sorted),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(kind))
}

/// Hands a batch on in types with small buffers: in halves, if they are too small for all of it.
fn plain(
    batch: &RecordBatch,
    schema: &SchemaRef,
    sink: &mut dyn BatchSink,
) -> Result<ControlFlow<()>, Box<dyn std::error::Error>> {
    let columns = batch.columns().iter().zip(schema.fields());
    let columns: Result<Vec<_>, _> =
        columns.map(|(column, field)| widen(column, field.data_type()).map(|column| column.array)).collect();
    match columns {
        Ok(columns) => Ok(sink.batch(&RecordBatch::try_new(Arc::clone(schema), columns)?)),
        Err(error) if batch.num_rows() < 2 => Err(error.into()),
        Err(_) => {
            let half = batch.num_rows() / 2;
            let first = compact(&batch.slice(0, half))?;
            if plain(&first, schema, sink)? == ControlFlow::Break(()) {
                return Ok(ControlFlow::Break(()));
            }
            plain(&compact(&batch.slice(half, batch.num_rows() - half))?, schema, sink)
        }
    }
}

/// A part of a batch with buffers of its own.
fn compact(batch: &RecordBatch) -> Result<RecordBatch, arrow::error::ArrowError> {
    let all: arrow::array::UInt32Array = (0..u32::try_from(batch.num_rows()).unwrap_or(u32::MAX)).collect();
    arrow::compute::take_record_batch(batch, &all)
}
