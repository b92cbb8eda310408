use super::{
    json,
    session::Session,
    source::{Columns, csv, micros},
    sql,
};
use crate::{
    diagnostics::did_you_mean,
    model::{DataType, printable},
    offline::{EntityRows, OfflineError, RowFormat},
    retrieval::JoinKey,
};

/// The column Feast looks for first.
const EVENT_TIMESTAMP: &str = "event_timestamp";

/// Entity rows in a table of their own, with a number and a time per row.
pub struct EntityTable {
    /// The file's columns, in order.
    columns: Columns,
    /// The one with the times.
    time_column: String,
    shown: String,
}

/// Name of the table.
pub const TABLE: &str = "feastr_entity_rows";
/// Column with a row's place in the file.
pub const ROW: &str = "__feastr_row";
/// Column with a row's time in microseconds UTC.
pub const TIME: &str = "__feastr_time";

impl EntityTable {
    /// Reads the file into DuckDB and checks its times.
    pub fn load(session: &Session, rows: &EntityRows) -> Result<Self, OfflineError> {
        let what = format!("cannot read entity rows from {}", rows.shown);
        let relation = relation(rows);
        let columns = Columns(session.columns(&what, &format!("SELECT * FROM {relation}"))?);
        let time_column = time_column(&columns, &rows.shown)?;
        let kind = columns.kind(&time_column).unwrap_or_default();
        let time = micros(&sql::name(&time_column), kind).ok_or_else(|| {
            OfflineError::new(format!("column `{time_column}` of {} holds {kind} values, not times", rows.shown), None)
        })?;
        session.execute(
            &what,
            &format!(
                "CREATE TEMP TABLE {TABLE} AS
                 SELECT row_number() OVER () AS {ROW}, {time} AS {TIME}, * FROM {relation}"
            ),
        )?;
        let table = Self { columns, time_column, shown: rows.shown.clone() };
        table.check_times(session, &what)?;
        Ok(table)
    }

    /// Names of the file's columns.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.columns.names()
    }

    /// The columns as they come back: as they are, but the time in UTC.
    pub fn outputs(&self) -> Vec<String> {
        let output = |column: &str| {
            let quoted = sql::name(column);
            if column == self.time_column {
                format!("make_timestamp(e.{TIME}) AS {quoted}")
            } else {
                format!("e.{quoted}")
            }
        };
        self.columns.names().map(output).collect()
    }

    /// Checks that a join key is there and of its declared type, and gives its expression.
    pub fn join_key(&self, session: &Session, key: &JoinKey) -> Result<String, OfflineError> {
        let Some(kind) = self.columns.kind(&key.column) else {
            let help = did_you_mean(&key.column, self.columns.names());
            return Err(OfflineError::new(format!("{} has no join key column `{}`", self.shown, key.column), help));
        };
        let column = format!("e.{}", sql::name(&key.column));
        let (value, suspect) = key_value(&column, kind, &key.field.dtype);
        if let Some(suspect) = suspect {
            let bad: Option<(i64, String)> = session.row(
                &format!("cannot check join key `{}`", key.column),
                &format!("SELECT {ROW}, {column} :: VARCHAR FROM {TABLE} AS e WHERE {suspect} ORDER BY {ROW} LIMIT 1"),
            )?;
            if let Some((row, text)) = bad {
                return Err(OfflineError::new(
                    format!(
                        "row {row} of {}: `{}` in column `{}` is no {}",
                        self.shown,
                        printable(&text),
                        key.column,
                        key.field.dtype
                    ),
                    None,
                ));
            }
        }
        Ok(value)
    }

    /// Earliest and latest time, or `None` when no row has one.
    pub fn time_range(&self, session: &Session) -> Result<Option<(i64, i64)>, OfflineError> {
        let range: Option<(Option<i64>, Option<i64>)> =
            session.row("cannot read entity rows", &format!("SELECT min({TIME}), max({TIME}) FROM {TABLE}"))?;
        Ok(range.and_then(|(first, last)| Some((first?, last?))))
    }

    fn check_times(&self, session: &Session, what: &str) -> Result<(), OfflineError> {
        let column = sql::name(&self.time_column);
        let bad: Option<(i64, String)> = session.row(
            what,
            &format!(
                "SELECT {ROW}, {column} :: VARCHAR FROM {TABLE}
                 WHERE {TIME} IS NULL AND {column} IS NOT NULL ORDER BY {ROW} LIMIT 1"
            ),
        )?;
        match bad {
            None => Ok(()),
            Some((row, text)) => Err(OfflineError::new(
                format!(
                    "row {row} of {}: `{}` in column `{}` is not a time",
                    self.shown,
                    printable(&text),
                    self.time_column
                ),
                "write times like 2026-01-31T12:00:00Z; without a zone they are UTC".to_owned(),
            )),
        }
    }
}

/// The value of a join key in its declared type, and the condition under which there is none.
fn key_value(column: &str, kind: &str, dtype: &DataType) -> (String, Option<String>) {
    let wanted = sql::key_type(dtype);
    if kind == wanted {
        return (column.to_owned(), None);
    }
    match (dtype, kind) {
        // Times are compared in microseconds UTC, like those of sources.
        (DataType::UnixTimestamp, _) => match micros(column, kind) {
            Some(time) => {
                let value = format!("make_timestamp({time})");
                let suspect = format!("{column} IS NOT NULL AND {value} IS NULL");
                (value, Some(suspect))
            }
            None => (format!("make_timestamp({column} :: BIGINT * 1000000)"), None),
        },
        // Pandas turns integers into floats where one is missing, and the missing one into NaN.
        (DataType::Int32 | DataType::Int64, "FLOAT" | "DOUBLE") => {
            let present = format!("({column} IS NOT NULL AND NOT isnan({column}))");
            let value = format!("CASE WHEN {present} THEN TRY_CAST({column} AS {wanted}) END");
            (value.clone(), Some(format!("{present} AND ({value} IS NULL OR {value} <> {column})")))
        }
        _ => {
            let value = format!("TRY_CAST({column} AS {wanted})");
            let suspect = format!("{column} IS NOT NULL AND {value} IS NULL");
            (value, Some(suspect))
        }
    }
}

fn relation(rows: &EntityRows) -> String {
    let path = sql::text(&rows.path.display().to_string());
    match rows.format {
        RowFormat::Parquet => format!("read_parquet({path})"),
        RowFormat::Csv => csv(&path, std::iter::empty()),
        RowFormat::JsonLines => json::detected(&path),
    }
}

/// `event_timestamp`, or else the only column with times.
fn time_column(columns: &Columns, shown: &str) -> Result<String, OfflineError> {
    if columns.kind(EVENT_TIMESTAMP).is_some() {
        return Ok(EVENT_TIMESTAMP.to_owned());
    }
    let is_time = |kind: &str| kind.starts_with("TIMESTAMP") || kind == "DATE";
    let times: Vec<&str> = columns.0.iter().filter(|(_, kind)| is_time(kind)).map(|(name, _)| name.as_str()).collect();
    match times.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(OfflineError::new(
            format!("{shown} has no column with times"),
            format!("call the column with the time of each row `{EVENT_TIMESTAMP}`"),
        )),
        several => Err(OfflineError::new(
            format!("{shown} has several columns with times: {}", several.join(", ")),
            format!("call the one that counts `{EVENT_TIMESTAMP}`"),
        )),
    }
}
