//! Rows in a table of PostgreSQL: one transaction, in which the table is made if there is none.

mod column;
mod numeric;
mod values;

use std::time::Duration;

use arrow::{
    array::RecordBatch,
    datatypes::{Schema, SchemaRef},
};
use tokio_postgres::types::Type;

use self::{column::TableColumn, values::Values};
use super::writer::{OpenRows, RowWriter, SinkError};
use crate::{
    clients::{
        postgres::{COPY_END, COPY_FLAGS, COPY_SIGNATURE, Connection, CopyIn, PostgresError, PostgresServer, Role},
        runtime::wait,
    },
    config::TableUrl,
    problem::{Advice, Kind, Problem},
    sql_name::quoted,
};

const ROLE: Role = Role {
    name: "output database",
    settings: "in the URL of the output",
    password: "write it into the URL: postgresql://user:password@host/database#table",
    interrupted: "nothing was written; run it again when the server is up",
    locked: "nothing was written; run it again when the other program is done",
    read_only: "let the URL name the primary, and a user who may write",
    missing: || Advice::Text("create it, or name another table; nothing was written".to_owned()),
};

/// How long to wait for a table that another program holds.
const LOCK_WAIT: Duration = Duration::from_secs(60);

/// How long the server may take for an answer; at the end it checks constraints and writes everything.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);

/// Rows are sent when there are so many bytes of them.
const CHUNK: usize = 256 << 10;

/// A table that will take rows.
pub struct PostgresTable {
    database: Database,
    connection: Connection,
}

/// What messages need.
struct Database {
    server: PostgresServer,
    url: TableUrl,
}

impl PostgresTable {
    /// Connects to the table's database.
    ///
    /// # Errors
    /// When there is no connection to be had.
    pub fn connect(url: TableUrl) -> Result<Self, Problem> {
        let server = PostgresServer::new(&ROLE, url.server.clone());
        let options = format!("-c lock_timeout={}", LOCK_WAIT.as_millis());
        let adjust = |config: &mut tokio_postgres::Config| {
            config.application_name("feastr").options(&options);
        };
        let mut connection = wait(server.connect(adjust))?;
        connection.set_limit(ANSWER_LIMIT);
        Ok(Self { database: Database { server, url }, connection })
    }

    /// Begins to write when the columns are known.
    pub fn opening(self) -> OpenRows {
        Box::new(move |schema| Ok(Box::new(self.open(schema)?)))
    }

    fn open(self, schema: &SchemaRef) -> Result<TableRows, SinkError> {
        let Self { database, mut connection } = self;
        let columns = columns(schema)?;
        let said = |error: PostgresError| Problem::from(database.server.explain(&error));
        wait(connection.batch_execute("BEGIN")).map_err(said)?;
        let there = there(&mut connection, &database.table()).map_err(said)?;
        match there.is_empty() {
            true => wait(connection.batch_execute(&creation(&database.table(), &columns))).map_err(said)?,
            false => check(&columns, &there, &database.url)?,
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let statement = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", database.table(), names.join(", "));
        let copy = wait(connection.copy_in(&statement)).map_err(said)?;
        Ok(TableRows {
            columns,
            sending: Sending { copy, database, waiting: [COPY_SIGNATURE.as_slice(), &[0; COPY_FLAGS]].concat() },
            rows: 0,
        })
    }
}

impl Database {
    /// The table, as SQL has it.
    fn table(&self) -> String {
        let schema = self.url.schema.as_ref().map_or_else(String::new, |schema| format!("{}.", quoted(schema)));
        format!("{schema}{}", quoted(&self.url.table))
    }
}

/// The columns of a result as those of a table.
fn columns(schema: &Schema) -> Result<Vec<TableColumn>, Problem> {
    schema.fields().iter().map(|field| TableColumn::of(field)).collect()
}

/// A column of a table that is there.
struct ThereColumn {
    name: String,
    /// PostgreSQL's number of its type.
    kind: u32,
    /// The name of the type.
    shown: String,
}

/// The columns of a table; none if it is not there.
fn there(connection: &mut Connection, table: &str) -> Result<Vec<ThereColumn>, PostgresError> {
    const COLUMNS: &str = "SELECT attname :: text, atttypid, format_type(atttypid, atttypmod) \
                           FROM pg_catalog.pg_attribute \
                           WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped";
    let rows = wait(connection.query_typed(COLUMNS, &[(&table, Type::TEXT)]))?;
    let column = |row: &tokio_postgres::Row| {
        Ok(ThereColumn { name: row.try_get(0)?, kind: row.try_get(1)?, shown: row.try_get(2)? })
    };
    rows.iter().map(column).collect()
}

fn creation(table: &str, columns: &[TableColumn]) -> String {
    let columns = columns.iter().map(|column| format!("{} {}", quoted(&column.name), column.kind.sql()));
    format!("CREATE TABLE {table} ({})", columns.collect::<Vec<_>>().join(", "))
}

/// Asserts that a table that is there takes the columns.
fn check(columns: &[TableColumn], there: &[ThereColumn], url: &TableUrl) -> Result<(), Problem> {
    let conflict = |message: String| {
        let help = "change the table, name another one, or remove it and it is made; nothing was written";
        Err(Problem::new(Kind::Conflict, message, help.to_owned()))
    };
    for column in columns {
        let Some(found) = there.iter().find(|there| there.name == column.name) else {
            return conflict(format!("the table {url} has no column `{}`", column.name));
        };
        if !column.kind.fits(found.kind) {
            let (wanted, shown) = (column.kind.sql(), &found.shown);
            return conflict(format!(
                "column `{}` of the table {url} is of type {shown}, and the result has {wanted}",
                column.name
            ));
        }
    }
    Ok(())
}

/// Encodes rows and sends them.
struct TableRows {
    columns: Vec<TableColumn>,
    sending: Sending,
    rows: usize,
}

/// What is on its way.
struct Sending {
    copy: CopyIn,
    database: Database,
    /// What is not sent yet.
    waiting: Vec<u8>,
}

impl Sending {
    fn send(&mut self) -> Result<(), Problem> {
        let bytes = std::mem::take(&mut self.waiting);
        wait(self.copy.send(bytes)).map_err(|error| self.database.server.explain(&error).into())
    }
}

impl RowWriter for TableRows {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let arrays = self.columns.iter().zip(batch.columns()).map(|(column, array)| column.carried(array));
        let arrays = arrays.collect::<Result<Vec<_>, _>>()?;
        let values = self.columns.iter().zip(&arrays).map(|(column, array)| Values::of(column, array));
        let mut values = values.collect::<Result<Vec<_>, _>>()?;
        // There are at most 1600 columns in a table.
        let count = i16::try_from(self.columns.len()).unwrap_or(i16::MAX).to_be_bytes();
        for row in 0..batch.num_rows() {
            self.sending.waiting.extend(count);
            for (values, column) in values.iter_mut().zip(&self.columns) {
                values.put(row, &mut self.sending.waiting).map_err(|unfit| {
                    let place = format!("row {}, column `{}`", self.rows + row + 1, column.name);
                    Problem::new(Kind::Invalid, format!("{place}: {unfit}"), None)
                })?;
            }
            if self.sending.waiting.len() >= CHUNK {
                self.sending.send()?;
            }
        }
        self.rows += batch.num_rows();
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<(), SinkError> {
        let mut sending = self.sending;
        sending.waiting.extend(COPY_END.to_be_bytes());
        sending.send()?;
        let Sending { copy, database, .. } = sending;
        let said = |error: PostgresError| Problem::from(database.server.explain(&error));
        let mut connection = wait(copy.finish()).map_err(said)?;
        wait(connection.batch_execute("COMMIT")).map_err(|error| {
            let problem = said(error);
            let help = "look into the table: either all rows are in it or none".to_owned();
            Problem::new(problem.kind, format!("{}, while the rows were confirmed", problem.message), help)
        })?;
        Ok(())
    }
}
