//! What one query works with, and how its results come out of DuckDB.

use std::{ops::ControlFlow, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use duckdb::Connection;

use super::{
    error::explain,
    memory::Memory,
    scans::{Content, ScanTable},
};
use crate::{
    embedded::plain_schema,
    feast::values::encode::widen,
    offline::{BatchSink, Cancel, cancel::Running},
    problem::{Kind, Problem},
    sources::Scan,
};

/// What one query works with: a connection, which sees no temporary table of another one.
pub(crate) struct DuckdbSession {
    /// Over before the connection is closed.
    _running: Running,
    connection: Connection,
    memory: Arc<Memory>,
    cancel: Cancel,
}

/// What a statement is for, and the scans that it reads.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    /// Begins messages: `cannot read …`.
    pub what: &'a str,
    pub scans: &'a [&'a ScanTable],
}

impl DuckdbSession {
    /// A query that `cancel` calls off.
    pub(super) fn begin(connection: Connection, memory: Arc<Memory>, cancel: Cancel) -> Self {
        let handle = connection.interrupt_handle();
        let running = cancel.begin(move || handle.interrupt());
        Self { connection, memory, cancel, _running: running }
    }

    /// What calls it off.
    pub(super) const fn cancel(&self) -> &Cancel {
        &self.cancel
    }

    /// A scan as a table for statements.
    pub(crate) fn table(&self, scan: Scan) -> ScanTable {
        self.table_of(Content::Scan(Arc::new(scan)))
    }

    /// The same for what a scan is made of when it is known which columns are used.
    pub(crate) fn table_of(&self, content: Content) -> ScanTable {
        if let Some(limit) = self.memory.raised_for(content.kinds().len()) {
            // Where it is refused, the query says what is missing.
            let _ = self.connection.execute_batch(&format!("SET memory_limit = '{limit}B'"));
        }
        ScanTable::new(content, self.cancel.clone())
    }

    /// Runs statements without results.
    pub(crate) fn execute(&self, work: Work<'_>, sql: &str) -> Result<(), Problem> {
        self.cancel.check()?;
        self.connection.execute_batch(sql).map_err(|error| self.failure(work, &error))
    }

    /// The integers of the only row.
    pub(crate) fn integers<const N: usize>(&self, work: Work<'_>, sql: &str) -> Result<[Option<i64>; N], Problem> {
        let read = |row: &duckdb::Row<'_>| {
            let mut integers = [None; N];
            integers.iter_mut().enumerate().try_for_each(|(column, integer)| {
                *integer = row.get(column)?;
                Ok::<(), duckdb::Error>(())
            })?;
            Ok(integers)
        };
        self.cancel.check()?;
        self.connection.query_row(sql, [], read).map_err(|error| self.failure(work, &error))
    }

    /// The texts of the only column.
    pub(crate) fn texts(&self, work: Work<'_>, sql: &str) -> Result<Vec<String>, Problem> {
        let failure = |error: duckdb::Error| self.failure(work, &error);
        self.cancel.check()?;
        let mut statement = self.connection.prepare(sql).map_err(failure)?;
        let rows = statement.query_map([], |row| row.get(0)).map_err(failure)?;
        rows.collect::<Result<_, _>>().map_err(failure)
    }

    /// The columns of a query's result.
    pub(crate) fn columns(&self, work: Work<'_>, sql: &str) -> Result<SchemaRef, Problem> {
        let failure = |error: duckdb::Error| self.failure(work, &error);
        self.cancel.check()?;
        let mut statement = self.connection.prepare(sql).map_err(failure)?;
        Ok(plain_schema(&statement.stream_arrow([]).map_err(failure)?.get_schema()))
    }

    /// Streams a query's result; times come out as microseconds UTC. An ordered result stays in
    /// order only because `preserve_insertion_order` is left on (seen with DuckDB 2.0.0).
    pub(crate) fn stream(&self, work: Work<'_>, sql: &str, sink: &mut dyn BatchSink) -> Result<(), Problem> {
        let failure = |error: duckdb::Error| self.failure(work, &error);
        self.cancel.check()?;
        let mut statement = self.connection.prepare(sql).map_err(failure)?;
        let stream = statement.stream_arrow([]).map_err(failure)?;
        let schema = plain_schema(&stream.get_schema());
        if sink.start(&schema).is_break() {
            return Ok(());
        }
        for batch in stream {
            let batch = batch.map_err(failure)?;
            self.cancel.check()?;
            if plain(&batch, &schema, sink)
                .map_err(|error| Problem::new(Kind::Internal, format!("{}: {error}", work.what), None))?
                == ControlFlow::Break(())
            {
                return Ok(());
            }
        }
        Ok(())
    }

    /// For questions about statements themselves.
    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What is wrong: nothing but that it was called off; reading a file, if that failed; else what DuckDB
    /// says.
    fn failure(&self, work: Work<'_>, error: &duckdb::Error) -> Problem {
        if let Err(cancelled) = self.cancel.check() {
            return cancelled;
        }
        match work.scans.iter().find_map(|scan| scan.problem()) {
            Some(problem) => problem,
            None => explain(work.what, error, &self.memory.limit),
        }
    }
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
