use std::ops::ControlFlow;

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::cast,
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};
use duckdb::{Config, Connection};
use std::sync::Arc;
use tempfile::TempDir;

use super::error::explain;
use crate::offline::{BatchSink, OfflineError};

/// What DuckDB may use of memory; beyond, it works in files.
const MEMORY_LIMIT: &str = "512MB";

/// The same for work that saves memory.
const SMALL_MEMORY_LIMIT: &str = "128MB";

/// A DuckDB of its own, in memory, with a folder to spill to.
pub struct Session {
    connection: Connection,
    /// Removed with the session.
    _spill: TempDir,
}

impl Session {
    /// Starts DuckDB, which takes about 20 ms.
    pub fn open() -> Result<Self, OfflineError> {
        let spill = tempfile::Builder::new().prefix("feastr-").tempdir().map_err(|error| {
            OfflineError::new(
                format!("cannot make a folder for temporary files: {error}"),
                "set TMPDIR to a folder that can be written".to_owned(),
            )
        })?;
        let open = || {
            let config = Config::default()
                // Without these a missing extension is first looked for in the network, for seconds.
                .with("autoinstall_known_extensions", "false")?
                .with("autoload_known_extensions", "false")?
                .max_memory(MEMORY_LIMIT)?
                .with("temp_directory", spill.path().display().to_string())?;
            Connection::open_in_memory_with_flags(config)
        };
        let connection = open().map_err(|error| explain("cannot start DuckDB", &error))?;
        Ok(Self { connection, _spill: spill })
    }

    /// Keeps to little memory, for work beside other memory users such as an online store's cache.
    pub fn save_memory(&self) -> Result<(), OfflineError> {
        self.execute("cannot start DuckDB", &format!("SET memory_limit = '{SMALL_MEMORY_LIMIT}'"))
    }

    /// Runs statements without results.
    pub fn execute(&self, what: &str, sql: &str) -> Result<(), OfflineError> {
        self.connection.execute_batch(sql).map_err(|error| explain(what, &error))
    }

    /// The first row, if there is one.
    pub fn row<A, B>(&self, what: &str, sql: &str) -> Result<Option<(A, B)>, OfflineError>
    where
        A: duckdb::types::FromSql,
        B: duckdb::types::FromSql,
    {
        let mut statement = self.connection.prepare(sql).map_err(|error| explain(what, &error))?;
        let mut rows = statement.query([]).map_err(|error| explain(what, &error))?;
        let row = rows.next().map_err(|error| explain(what, &error))?;
        row.map(|row| Ok((row.get(0)?, row.get(1)?))).transpose().map_err(|error| explain(what, &error))
    }

    /// The integers of the only row.
    pub fn integers<const N: usize>(&self, what: &str, sql: &str) -> Result<[Option<i64>; N], OfflineError> {
        let read = |row: &duckdb::Row<'_>| {
            let mut integers = [None; N];
            integers.iter_mut().enumerate().try_for_each(|(column, integer)| {
                *integer = row.get(column)?;
                Ok::<(), duckdb::Error>(())
            })?;
            Ok(integers)
        };
        self.connection.query_row(sql, [], read).map_err(|error| explain(what, &error))
    }

    /// Names and types of a query's columns.
    pub fn columns(&self, what: &str, query: &str) -> Result<Vec<(String, String)>, OfflineError> {
        let mut statement =
            self.connection.prepare(&format!("DESCRIBE {query}")).map_err(|error| explain(what, &error))?;
        let rows =
            statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).map_err(|error| explain(what, &error))?;
        rows.collect::<Result<_, _>>().map_err(|error| explain(what, &error))
    }

    /// Streams a query's result; times come out as microseconds UTC. An ordered result stays in
    /// order only because `preserve_insertion_order` is left on (seen with DuckDB 2.0.0).
    pub fn stream(&self, what: &str, sql: &str, sink: &mut dyn BatchSink) -> Result<(), OfflineError> {
        let mut statement = self.connection.prepare(sql).map_err(|error| explain(what, &error))?;
        let stream = statement.stream_arrow([]).map_err(|error| explain(what, &error))?;
        let schema = in_utc(&stream.get_schema());
        if sink.start(&schema).is_break() {
            return Ok(());
        }
        for batch in stream {
            let batch = batch.map_err(|error| explain(what, &error))?;
            let batch =
                batch_in_utc(&batch, &schema).map_err(|error| OfflineError::new(format!("{what}: {error}"), None))?;
            if sink.batch(&batch) == ControlFlow::Break(()) {
                return Ok(());
            }
        }
        Ok(())
    }
}

/// Times without a zone are UTC by convention; say so in the types.
fn in_utc(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| match field.data_type() {
        DataType::Timestamp(_, _) => {
            let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            Arc::new(Field::new(field.name(), utc, true))
        }
        _ => Arc::clone(field),
    });
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn batch_in_utc(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, arrow::error::ArrowError> {
    let columns: Result<Vec<ArrayRef>, _> = batch
        .columns()
        .iter()
        .zip(schema.fields())
        .map(|(column, field)| match column.data_type() {
            DataType::Timestamp(_, _) => cast(column, field.data_type()),
            _ => Ok(Arc::clone(column)),
        })
        .collect();
    RecordBatch::try_new(Arc::clone(schema), columns?)
}
