//! Feast's tables in an SQLite file: its dialect, and how writers take turns.

use std::path::PathBuf;

use rusqlite::{
    Connection, params_from_iter,
    types::{ToSqlOutput, ValueRef},
};

use super::{
    dialect::{Dialect, on_conflict},
    schema::ColumnType,
    session::{Database, Session, SqlFailure},
    value::{Cell, Parameter},
};
use crate::{
    clients::sqlite::SqliteFile,
    problem::Problem,
    registry::{
        lock_file::LockFile,
        locks::{Holder, LockName, Locking, ViewLock},
    },
};

/// A registry in an SQLite file.
pub(crate) struct Sqlite {
    file: SqliteFile,
}

impl Sqlite {
    /// The file at `path`, which need not exist yet.
    pub(crate) fn new(path: PathBuf) -> Self {
        Self { file: SqliteFile::new("registry", path) }
    }
}

static DIALECT: Dialect = Dialect {
    spell: |kind| match kind {
        ColumnType::Varchar(length) => format!("VARCHAR({length})"),
        ColumnType::Text | ColumnType::LongText => "TEXT".to_owned(),
        ColumnType::Integer => "INTEGER".to_owned(),
        ColumnType::BigInt => "BIGINT".to_owned(),
        ColumnType::Blob => "BLOB".to_owned(),
    },
    placeholder: |number| format!("?{number}"),
    as_bytes: |text| format!("CAST({text} AS BLOB)"),
    replace: on_conflict,
    // A writer locks the whole file.
    lock_rows: "",
    unsynced: None,
    row_state: None,
    index_in_table: false,
    columns: "SELECT tables.name, columns.name FROM sqlite_master AS tables, pragma_table_info(tables.name) AS columns \
              WHERE tables.type = 'table'",
    indexes: "SELECT name FROM sqlite_master WHERE type = 'index'",
};

impl Database for Sqlite {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn location(&self) -> String {
        self.file.path().display().to_string()
    }

    fn stays(&self) -> bool {
        false
    }

    fn reader(&self) -> Result<Option<Box<dyn Session>>, Problem> {
        let Some(connection) = self.file.open_for_reading()? else { return Ok(None) };
        Ok(Some(Box::new(SqliteSession { file: self.file.clone(), connection, lock: None })))
    }

    fn writer(&self, _: &Locking) -> Result<Box<dyn Session>, SqlFailure> {
        let connection = self.file.open_for_writing()?;
        Ok(Box::new(SqliteSession { file: self.file.clone(), connection, lock: None }))
    }

    fn lock(&self, name: &LockName, locking: &Locking) -> Result<ViewLock, SqlFailure> {
        Ok(ViewLock::new(LockFile::take_named(self.file.path(), name, locking)?))
    }

    fn holder(&self, name: &LockName) -> Result<Option<Holder>, SqlFailure> {
        Ok(LockFile::holder_of(self.file.path(), name))
    }
}

/// A connection; `BEGIN IMMEDIATE` keeps Python Feast out, and the lock file says who is writing.
struct SqliteSession {
    file: SqliteFile,
    connection: Connection,
    /// There is one during a transaction.
    lock: Option<LockFile>,
}

impl Session for SqliteSession {
    fn run(&mut self, statement: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Vec<Cell>>, SqlFailure> {
        let run = || -> rusqlite::Result<Vec<Vec<Cell>>> {
            let mut statement = self.connection.prepare(statement)?;
            let columns = statement.column_count();
            let mut rows = statement.query(params_from_iter(parameters))?;
            let mut answer = Vec::new();
            while let Some(row) = rows.next()? {
                answer.push((0..columns).map(|column| row.get_ref(column).map(cell)).collect::<Result<_, _>>()?);
            }
            Ok(answer)
        };
        run().map_err(|error| {
            let problem = self.file.explain(&error);
            SqlFailure::Final(problem)
        })
    }

    /// There is one lock for the whole file.
    fn lock_project(&mut self, _: &str, locking: &Locking) -> Result<(), SqlFailure> {
        self.begin(locking)
    }

    fn begin(&mut self, locking: &Locking) -> Result<(), SqlFailure> {
        if self.lock.is_none() {
            let lock = LockFile::take(self.file.path(), locking)?;
            // The write lock is taken before anything is read, so that nobody else gets in between.
            self.run("BEGIN IMMEDIATE", &[])?;
            self.lock = Some(lock);
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), SqlFailure> {
        self.run("COMMIT", &[])?;
        self.lock = None;
        Ok(())
    }
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
    }
}

impl rusqlite::ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self {
            Self::Text(text) => ValueRef::Text(text.as_bytes()),
            Self::Integer(number) => ValueRef::Integer(*number),
            Self::Bytes(bytes) => ValueRef::Blob(bytes),
        }))
    }
}
