//! PostgreSQL: a schema of its own, and rows that come by `COPY`.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arrow::array::Array as _;
use tokio_postgres::{
    Row,
    types::{IsNull, ToSql, Type, private::BytesMut, to_sql_checked},
};

use super::{Cell, Database, Dialect, EntityRows, NextRows, Origin, Session, Value};
use crate::{
    clients::{
        postgres::{
            ANSWER_LIMIT, COPY_END, COPY_FLAGS, COPY_SIGNATURE, Connection, ORIGIN, PostgresError, PostgresServer, Role,
        },
        runtime::wait,
    },
    config::ServerUrl,
    model::Timestamp,
    problem::{Advice, Kind, Problem},
    sql_name::quoted,
};

const ROLE: Role = Role {
    name: "entity index",
    settings: "in `path` of `entity_index` in feature_store.yaml, or of the registry",
    password: "write it into the URL: postgresql://user:${PASSWORD}@host/database",
    interrupted: "what was begun is undone; it is done again when the server is up",
    locked: "try again when the other program is done",
    read_only: "let the URL name the primary, and a user who may write",
    missing: || Advice::Text("index the files that are there first".to_owned()),
};

/// How long the server may take for the rows of a file.
const ROWS_LIMIT: Duration = Duration::from_secs(600);

/// Rows are sent when there are so many bytes of them.
const CHUNK: usize = 256 << 10;

const DIALECT: Dialect = Dialect {
    moment: "timestamptz",
    numbered: "bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY",
    now: "clock_timestamp()",
    later: |seconds| format!("clock_timestamp() + interval '{seconds} seconds'"),
    earlier: |seconds| format!("clock_timestamp() - interval '{seconds} seconds'"),
    begin: "BEGIN ISOLATION LEVEL READ COMMITTED",
    begin_again: "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL synchronous_commit = off",
    begin_reading: "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    take_turns: "SELECT pg_advisory_xact_lock(7305799031234)",
    create_schema: |schema| format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(schema)),
    in_schema: |schema, table| format!("{}.{}", quoted(schema), quoted(table)),
    has_table: "SELECT 1::bigint FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
                WHERE n.nspname = $1 AND c.relname = $2",
    create_view: "CREATE OR REPLACE VIEW",
};

/// An index in PostgreSQL.
pub(super) struct Postgres(PostgresServer);

impl Postgres {
    pub(super) const fn new(url: ServerUrl) -> Self {
        Self(PostgresServer::new(&ROLE, url))
    }
}

impl Database for Postgres {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn open(&self) -> Result<Box<dyn Session>, Problem> {
        let connection = wait(self.0.connect(|config| {
            config.application_name("feastr entity index");
        }))?;
        Ok(Box::new(PostgresSession { server: self.0.clone(), connection: Some(connection) }))
    }

    fn is_there(&self) -> bool {
        true
    }

    fn place(&self) -> String {
        self.0.url().to_string()
    }
}

struct PostgresSession {
    server: PostgresServer,
    /// Gone while rows are sent, and after that went wrong.
    connection: Option<Connection>,
}

impl PostgresSession {
    fn connection(&mut self) -> Result<&mut Connection, Problem> {
        let lost = || Problem::new(Kind::Unavailable, "the connection to the entity index is lost", None);
        self.connection.as_mut().ok_or_else(lost)
    }

    fn explained(&self, error: &PostgresError) -> Problem {
        self.server.explain(error).into()
    }
}

impl Session for PostgresSession {
    fn is_usable(&self) -> bool {
        self.connection.as_ref().is_some_and(|connection| !connection.is_closed())
    }

    fn execute(&mut self, statements: &str) -> Result<(), Problem> {
        let done = wait(self.connection()?.batch_execute(statements));
        done.map_err(|error| self.explained(&error))
    }

    fn run(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, Problem> {
        let typed: Vec<(&(dyn ToSql + Sync), Type)> =
            values.iter().map(|value| (value as &(dyn ToSql + Sync), value.kind())).collect();
        let rows = wait(self.connection()?.query_prepared(statement, &typed));
        let rows = rows.map_err(|error| self.explained(&error))?;
        rows.iter().map(|row| cells(row).map_err(|error| self.explained(&error.into()))).collect()
    }

    fn add(&mut self, table: &str, rows: &mut NextRows<'_>) -> Result<(), Problem> {
        self.connection()?.set_limit(ROWS_LIMIT);
        let Some(connection) = self.connection.take() else { return Ok(()) };
        let columns = "id, feature_view, event_timestamp, created_timestamp, path, file_row";
        let statement = format!("COPY {table} ({columns}) FROM STDIN (FORMAT binary)");
        let mut copy = wait(connection.copy_in(&statement)).map_err(|error| self.explained(&error))?;
        let mut waiting = [COPY_SIGNATURE.as_slice(), &[0; COPY_FLAGS]].concat();
        while let Some((origin, rows)) = rows()? {
            for row in 0..rows.ids.len() {
                put_row(&rows, row, origin, &mut waiting)?;
                if waiting.len() >= CHUNK {
                    let sent = wait(copy.send(std::mem::take(&mut waiting)));
                    sent.map_err(|error| self.explained(&error))?;
                }
            }
        }
        waiting.extend(COPY_END.to_be_bytes());
        wait(copy.send(waiting)).map_err(|error| self.explained(&error))?;
        let mut connection = wait(copy.finish()).map_err(|error| self.explained(&error))?;
        connection.set_limit(ANSWER_LIMIT);
        self.connection = Some(connection);
        Ok(())
    }
}

/// Appends a row as `COPY` takes it.
fn put_row(rows: &EntityRows, row: usize, origin: Origin<'_>, out: &mut Vec<u8>) -> Result<(), Problem> {
    out.extend(6_i16.to_be_bytes());
    put_text(rows.ids.value(row), out)?;
    put_text(origin.view, out)?;
    put_moment(rows.events.value(row), out)?;
    match rows.created.as_ref().filter(|created| !created.is_null(row)) {
        Some(created) => put_moment(created.value(row), out)?,
        None => out.extend((-1_i32).to_be_bytes()),
    }
    put_text(origin.path, out)?;
    out.extend(8_i32.to_be_bytes());
    out.extend(rows.file_rows.value(row).to_be_bytes());
    Ok(())
}

fn put_text(text: &str, out: &mut Vec<u8>) -> Result<(), Problem> {
    let length = i32::try_from(text.len()).ok().filter(|_| !text.contains('\0'));
    let unfit = || Problem::new(Kind::Invalid, "PostgreSQL takes no text with a zero byte, or of 2 GiB", None);
    out.extend(length.ok_or_else(unfit)?.to_be_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}

fn put_moment(micros: i64, out: &mut Vec<u8>) -> Result<(), Problem> {
    let known = Timestamp::FIRST.micros()..=Timestamp::LAST.micros();
    if !known.contains(&micros) {
        let message = format!("a time is beyond the years 1 to 9999: {}", Timestamp::from_micros(micros));
        return Err(Problem::new(Kind::Invalid, message, None));
    }
    out.extend(8_i32.to_be_bytes());
    out.extend((micros - ORIGIN).to_be_bytes());
    Ok(())
}

impl Value<'_> {
    const fn kind(&self) -> Type {
        match self {
            Self::Text(_) => Type::TEXT,
            Self::Integer(_) => Type::INT8,
            Self::Moment(_) => Type::TIMESTAMPTZ,
        }
    }
}

impl ToSql for Value<'_> {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn std::error::Error + Sync + Send>> {
        match self {
            Self::Text(text) => text.to_sql(kind, out),
            Self::Integer(number) => number.to_sql(kind, out),
            Self::Moment(moment) => system_time(*moment).to_sql(kind, out),
        }
    }

    fn accepts(kind: &Type) -> bool {
        matches!(*kind, Type::TEXT | Type::INT8 | Type::TIMESTAMPTZ)
    }

    to_sql_checked!();
}

fn system_time(moment: Timestamp) -> SystemTime {
    let distance = Duration::from_micros(moment.micros().unsigned_abs());
    if moment.micros() < 0 { UNIX_EPOCH - distance } else { UNIX_EPOCH + distance }
}

fn cells(row: &Row) -> Result<Vec<Cell>, tokio_postgres::Error> {
    let cell = |index: usize| {
        Ok(match *row.columns()[index].type_() {
            Type::INT8 => row.try_get::<_, Option<i64>>(index)?.map_or(Cell::Null, Cell::Integer),
            Type::TIMESTAMPTZ => row.try_get::<_, Option<SystemTime>>(index)?.map_or(Cell::Null, moment),
            _ => row.try_get::<_, Option<String>>(index)?.map_or(Cell::Null, Cell::Text),
        })
    };
    (0..row.len()).map(cell).collect()
}

fn moment(time: SystemTime) -> Cell {
    let micros = |distance: Duration| i64::try_from(distance.as_micros()).unwrap_or(i64::MAX);
    Cell::Moment(Timestamp::from_micros(match time.duration_since(UNIX_EPOCH) {
        Ok(since) => micros(since),
        Err(before) => -micros(before.duration()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_back_as_they_went() {
        for micros in [0, -1, 1_790_000_000_123_456, Timestamp::FIRST.micros(), Timestamp::LAST.micros()] {
            let there = Timestamp::from_micros(micros);
            assert_eq!(moment(system_time(there)), Cell::Moment(there));
        }
        assert!(put_moment(i64::MAX, &mut Vec::new()).is_err() && put_text("a\0", &mut Vec::new()).is_err());
    }
}
