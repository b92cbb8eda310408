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
use super::writer::{Complete, OpenRows, RowWriter, SinkError};
use crate::{
    clients::{
        postgres::{COPY_END, COPY_FLAGS, COPY_SIGNATURE, Connection, CopyIn, PostgresError, PostgresServer, Role},
        runtime::wait,
    },
    config::{ClientCertificate, ServerUrl, TableUrl},
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

/// Somebody adds rows to a table that is there.
const ADDING: Role = Role {
    name: "database of the source",
    settings: "under `offline_store` in feature_store.yaml, or in the URL that `connection_ref` names",
    password: "write a password into the URL, or under `offline_store`: password: ${…}, with the name of an environment \
               variable",
    interrupted: "no rows were added; push them again when the server is up",
    locked: "no rows were added; push them again when the other program is done",
    read_only: "let the settings name the primary, and a user who may write",
    missing: || Advice::Text("check `table` of the source; no rows were added".to_owned()),
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
    /// The table, as SQL has it.
    table: String,
    /// What messages call it.
    shown: String,
    /// Whether it is made if there is none.
    is_made: bool,
}

/// A table that is there, and is not made.
#[derive(Debug, Clone)]
pub struct ExistingTable {
    /// Its database.
    pub url: ServerUrl,
    /// Who we are, for a server that asks for a certificate.
    pub certificate: Option<ClientCertificate>,
    /// Where tables are that are named without a schema; `None` leaves it to the user's.
    pub search_path: Option<String>,
    /// The table, as SQL has it.
    pub name: String,
    /// What messages call it.
    pub shown: String,
}

impl ExistingTable {
    /// Connects to the table's database.
    ///
    /// # Errors
    /// When there is no connection to be had.
    pub fn connect(self) -> Result<PostgresTable, Problem> {
        let Self { url, certificate, search_path, name: table, shown } = self;
        let server = PostgresServer::new(&ADDING, url).with_certificate(certificate);
        PostgresTable::of(Database { server, table, shown, is_made: false }, search_path.as_deref())
    }
}

impl PostgresTable {
    /// Connects to the table's database.
    ///
    /// # Errors
    /// When there is no connection to be had.
    pub fn connect(url: TableUrl) -> Result<Self, Problem> {
        let schema = url.schema.as_ref().map_or_else(String::new, |schema| format!("{}.", quoted(schema)));
        let (table, shown) = (format!("{schema}{}", quoted(&url.table)), url.to_string());
        Self::of(Database { server: PostgresServer::new(&ROLE, url.server), table, shown, is_made: true }, None)
    }

    fn of(database: Database, search_path: Option<&str>) -> Result<Self, Problem> {
        // A path has letters, digits and a few marks; see the settings.
        let path = search_path.map_or_else(String::new, |path| format!(" -c search_path={path}"));
        let options = format!("-c lock_timeout={}{path}", LOCK_WAIT.as_millis());
        let adjust = |config: &mut tokio_postgres::Config| {
            config.application_name("feastr").options(&options);
        };
        let mut connection = wait(database.server.connect(adjust))?;
        connection.set_limit(ANSWER_LIMIT);
        Ok(Self { database, connection })
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
        let there = there(&mut connection, &database.table).map_err(said)?;
        let as_there = |column: TableColumn| match there.iter().find(|there| there.name == column.name) {
            Some(found) => column.in_column(found.kind),
            None => column,
        };
        let columns: Vec<TableColumn> = columns.into_iter().map(as_there).collect();
        match there.is_empty() && database.is_made {
            true => wait(connection.batch_execute(&creation(&database.table, &columns))).map_err(said)?,
            false => check(&columns, &there, &database)?,
        }
        let names: Vec<String> = columns.iter().map(|column| quoted(&column.name)).collect();
        let statement = format!("COPY {} ({}) FROM STDIN (FORMAT binary)", database.table, names.join(", "));
        let copy = wait(connection.copy_in(&statement)).map_err(said)?;
        Ok(TableRows {
            columns,
            sending: Sending { copy, database, waiting: [COPY_SIGNATURE.as_slice(), &[0; COPY_FLAGS]].concat() },
            rows: 0,
        })
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
fn check(columns: &[TableColumn], there: &[ThereColumn], database: &Database) -> Result<(), Problem> {
    let shown = &database.shown;
    let conflict = |message: String| {
        let help = match database.is_made {
            true => "change the table, name another one, or remove it and it is made; nothing was written",
            false => "change the table, or push to the online store only; nothing was written",
        };
        Err(Problem::new(Kind::Conflict, message, help.to_owned()))
    };
    for column in columns {
        let Some(found) = there.iter().find(|there| there.name == column.name) else {
            return conflict(format!("the table {shown} has no column `{}`", column.name));
        };
        if !column.kind.fits(found.kind) {
            let (wanted, found) = (column.kind.sql(), &found.shown);
            return conflict(format!(
                "column `{}` of the table {shown} is of type {found}, and the result has {wanted}",
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

    fn complete(self: Box<Self>) -> Result<Box<dyn Complete>, SinkError> {
        let mut sending = self.sending;
        sending.waiting.extend(COPY_END.to_be_bytes());
        sending.send()?;
        let Sending { copy, database, .. } = sending;
        let connection = wait(copy.finish()).map_err(|error| Problem::from(database.server.explain(&error)))?;
        Ok(Box::new(SentRows { connection, database }))
    }
}

/// Rows that the server has and not committed.
struct SentRows {
    connection: Connection,
    database: Database,
}

impl Complete for SentRows {
    fn appear(mut self: Box<Self>) -> Result<(), SinkError> {
        wait(self.connection.batch_execute("COMMIT")).map_err(|error| {
            let problem = Problem::from(self.database.server.explain(&error));
            let help = "look into the table: either all rows are in it or none".to_owned();
            Problem::new(problem.kind, format!("{}, while the rows were confirmed", problem.message), help)
        })?;
        Ok(())
    }
}
