//! SQLite: a file, in which names of tables begin with that of the schema. Moments are texts, which sort as they follow.

use std::path::PathBuf;

use arrow::array::Array as _;
use chrono::{DateTime, Utc};
use rusqlite::{
    Connection,
    types::{ToSqlOutput, ValueRef},
};

use super::{Cell, Database, Dialect, NextRows, Session, Value};
use crate::{
    clients::sqlite::SqliteFile,
    model::Timestamp,
    problem::{Kind, Problem},
    sql_name::quoted,
};

/// How moments are written.
const FORM: &str = "%Y-%m-%d %H:%M:%S%.6f";

const DIALECT: Dialect = Dialect {
    moment: "TEXT",
    numbered: "INTEGER PRIMARY KEY AUTOINCREMENT",
    now: "strftime('%Y-%m-%d %H:%M:%f000', 'now')",
    later: |seconds| format!("strftime('%Y-%m-%d %H:%M:%f000', 'now', '+{seconds} seconds')"),
    earlier: |seconds| format!("strftime('%Y-%m-%d %H:%M:%f000', 'now', '-{seconds} seconds')"),
    begin: "BEGIN IMMEDIATE",
    begin_again: "BEGIN IMMEDIATE",
    begin_reading: "BEGIN",
    take_turns: "",
    create_schema: |_| String::new(),
    in_schema: |schema, table| quoted(&format!("{schema}_{table}")),
    has_table: "SELECT 1 FROM sqlite_master WHERE name = $1 || '_' || $2",
    create_view: "CREATE VIEW IF NOT EXISTS",
};

/// An index in an SQLite file.
pub(super) struct Sqlite(SqliteFile);

impl Sqlite {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self(SqliteFile::new("entity index", path))
    }
}

impl Database for Sqlite {
    fn dialect(&self) -> &'static Dialect {
        &DIALECT
    }

    fn open(&self) -> Result<Box<dyn Session>, Problem> {
        let connection = self.0.open_for_writing()?;
        connection.set_prepared_statement_cache_capacity(64);
        Ok(Box::new(SqliteSession { file: self.0.clone(), connection }))
    }

    fn is_there(&self) -> bool {
        self.0.path().exists()
    }

    fn place(&self) -> String {
        self.0.path().display().to_string()
    }
}

struct SqliteSession {
    file: SqliteFile,
    connection: Connection,
}

impl Session for SqliteSession {
    fn is_usable(&self) -> bool {
        true
    }

    fn execute(&mut self, statements: &str) -> Result<(), Problem> {
        self.connection.execute_batch(statements).map_err(|error| self.file.explain(&error))
    }

    fn run(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, Problem> {
        let answer = || {
            let mut statement = self.connection.prepare_cached(statement)?;
            for (place, value) in values.iter().enumerate() {
                // SQLite counts names in the order in which it meets them.
                if let Some(index) = statement.parameter_index(&format!("${}", place + 1))? {
                    statement.raw_bind_parameter(index, value)?;
                }
            }
            let columns = statement.column_count();
            let (mut answered, mut rows) = (Vec::new(), statement.raw_query());
            while let Some(row) = rows.next()? {
                let cells = (0..columns).map(|index| Ok(cell(row.get_ref(index)?)));
                answered.push(cells.collect::<rusqlite::Result<Vec<Cell>>>()?);
            }
            Ok(answered)
        };
        answer().map_err(|error| self.file.explain(&error))
    }

    fn add(&mut self, table: &str, rows: &mut NextRows<'_>) -> Result<(), Problem> {
        let columns = "id, feature_view, event_timestamp, created_timestamp, path, file_row";
        let statement = format!("INSERT INTO {table} ({columns}) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        let explained = |error: rusqlite::Error| self.file.explain(&error);
        let mut insert = self.connection.prepare_cached(&statement).map_err(explained)?;
        while let Some((origin, rows)) = rows()? {
            for row in 0..rows.ids.len() {
                let created = rows.created.as_ref().filter(|created| !created.is_null(row));
                let created = created.map(|created| written(created.value(row))).transpose()?;
                let event = written(rows.events.value(row))?;
                let values = (rows.ids.value(row), origin.view, event, created, origin.path, rows.file_rows.value(row));
                insert.execute(values).map_err(explained)?;
            }
        }
        Ok(())
    }
}

impl rusqlite::ToSql for Value<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(match self {
            Self::Text(text) => ToSqlOutput::from(*text),
            Self::Integer(number) => ToSqlOutput::from(*number),
            Self::Moment(moment) => {
                let text = written(moment.micros())
                    .map_err(|problem| rusqlite::Error::ToSqlConversionFailure(problem.into()))?;
                ToSqlOutput::from(text)
            }
        })
    }
}

/// A moment as a text.
fn written(micros: i64) -> Result<String, Problem> {
    let known = Timestamp::FIRST.micros()..=Timestamp::LAST.micros();
    let moment = DateTime::<Utc>::from_timestamp_micros(micros).filter(|_| known.contains(&micros));
    moment.map(|moment| moment.format(FORM).to_string()).ok_or_else(|| {
        let message = format!("a time is beyond the years 1 to 9999: {}", Timestamp::from_micros(micros));
        Problem::new(Kind::Invalid, message, None)
    })
}

fn cell(value: ValueRef<'_>) -> Cell {
    match value {
        ValueRef::Null | ValueRef::Real(_) => Cell::Null,
        ValueRef::Integer(number) => Cell::Integer(number),
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Cell::Text(String::from_utf8_lossy(bytes).into_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_sort_as_they_follow_and_are_read_again() {
        let moments = [Timestamp::FIRST.micros(), -1, 0, 1_790_000_000_123_456, Timestamp::LAST.micros()];
        let texts = moments.map(|micros| written(micros).unwrap());
        assert!(texts.is_sorted(), "{texts:?}");
        assert_eq!(texts[3], "2026-09-21 14:13:20.123456");
        for (micros, text) in moments.into_iter().zip(texts) {
            assert_eq!(Cell::Text(text).moment(), Some(Timestamp::from_micros(micros)));
        }
        assert!(written(i64::MAX).is_err());
    }
}
