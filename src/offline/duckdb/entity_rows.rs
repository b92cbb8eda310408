//! Keys and times of entity rows as a table of DuckDB, looked at once for all views of a query.

use arrow::datatypes::DataType as ArrowType;

use super::session::{DuckdbSession, Work};
use crate::{
    diagnostics::did_you_mean,
    model::DataType,
    problem::{Kind, Problem},
    retrieval::{Entities, JoinKey},
    sources::{OpenSource, Role, Ticks, Wanted},
};

/// The column Feast looks for first.
const EVENT_TIMESTAMP: &str = "event_timestamp";

/// Name of the table.
pub(crate) const TABLE: &str = "feastr_entity_rows";
/// Column with a row's place in the file, from 1.
pub(crate) const ROW: &str = "number";

/// The keys and times of entity rows in a table of their own: `number`, the time as `us` and `ns`,
/// and keys `k0`, ….
pub(crate) struct EntityTable<'a> {
    pub file: OpenSource,
    /// The column with the times.
    pub time_column: String,
    /// Join key columns, each in the types under which views know it.
    keys: &'a [&'a JoinKey],
    /// Earliest and latest time in microseconds; `None` when no row has one.
    pub times: Option<(i64, i64)>,
}

impl<'a> EntityTable<'a> {
    /// Reads keys and times of the file into DuckDB.
    pub(crate) fn load(session: &DuckdbSession, rows: &Entities, keys: &'a [&'a JoinKey]) -> Result<Self, Problem> {
        let what = format!("cannot read entity rows from {}", rows.shown());
        let file = rows.open()?;
        let time_column = time_column(&file, rows.shown())?;
        for key in keys {
            if file.columns().get(&key.column).is_none() {
                let names = file.columns().columns.iter().map(|column| column.name.as_str());
                let help = did_you_mean(&key.column, names);
                let message = format!("{} has no join key column `{}`", rows.shown(), key.column);
                return Err(Problem::new(Kind::Invalid, message, help));
            }
        }
        let wanted = |column: &str, role: Role| Wanted { column: column.to_owned(), role, null_if_unfit: false };
        let columns = keys
            .iter()
            .map(|key| wanted(&key.column, Role::EntityKey(key.field.dtype.clone())))
            .chain([wanted(&time_column, Role::Time)])
            .collect();
        let scan = file.scan(columns)?.numbered();
        let ticks = scan.ticks(keys.len());
        let table = session.table(scan);
        let key_names: Vec<String> = (0..keys.len()).map(|index| format!("k{index}")).collect();
        let names: Vec<String> = key_names.iter().cloned().chain(["t".to_owned(), ROW.to_owned()]).collect();
        let selected: Vec<String> =
            [ROW.to_owned(), micros(ticks), nanos(ticks)].into_iter().chain(key_names).collect();
        let sql = format!(
            "CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT {} FROM {}",
            selected.join(", "),
            table.sql("r", &names)
        );
        let work = Work { what: &what, scans: &[&table] };
        session.execute(work, &sql)?;
        let [first, last] = session.integers(work, &format!("SELECT min(us), max(us) FROM {TABLE}"))?;
        Ok(Self { file, time_column, keys, times: first.zip(last) })
    }

    /// Names of the file's columns, in order.
    pub(crate) fn columns(&self) -> impl Iterator<Item = &str> {
        self.file.columns().columns.iter().map(|column| column.name.as_str())
    }

    /// The type of a join key column, as the first view knows it.
    pub(crate) fn key_type(&self, column: &str) -> Option<&DataType> {
        self.keys.iter().find(|key| key.column == column).map(|key| &key.field.dtype)
    }
}

/// The time in microseconds, rounded towards the past.
fn micros(ticks: Ticks) -> String {
    match ticks {
        Ticks::Nanos => "(t - ((t % 1000) + 1000) % 1000) // 1000 AS us".to_owned(),
        Ticks::Micros => "t AS us".to_owned(),
    }
}

/// The time in nanoseconds, or the first or last moment that can be said in them.
fn nanos(ticks: Ticks) -> String {
    const MOST: i64 = i64::MAX / 1_000;
    match ticks {
        Ticks::Nanos => "t AS ns".to_owned(),
        Ticks::Micros => format!(
            "CASE WHEN t > {MOST} THEN {} WHEN t < -{MOST} THEN -{} ELSE t * 1000 END AS ns",
            i64::MAX,
            i64::MAX
        ),
    }
}

/// `event_timestamp`, or else the only column with times.
fn time_column(file: &OpenSource, shown: &str) -> Result<String, Problem> {
    let columns = file.columns();
    if let Some(named) = columns.get(EVENT_TIMESTAMP) {
        if file.accepts(named, &Role::Time) {
            return Ok(EVENT_TIMESTAMP.to_owned());
        }
        return Err(Problem::new(
            Kind::Invalid,
            format!("column `{EVENT_TIMESTAMP}` of {shown} holds {} values, not times", named.describe()),
            None,
        ));
    }
    let texts = file.columns_of_times()?;
    let is_time = |kind: &ArrowType| matches!(kind, ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64);
    let times: Vec<&str> = columns
        .columns
        .iter()
        .filter(|column| column.kinds.iter().all(|kind| is_time(kind.holds.arrow())) || texts.contains(&column.name))
        .map(|column| column.name.as_str())
        .collect();
    match times.as_slice() {
        [only] => Ok((*only).to_owned()),
        [] => Err(Problem::new(
            Kind::Invalid,
            format!("{shown} has no column with times"),
            format!("call the column with the time of each row `{EVENT_TIMESTAMP}`"),
        )),
        several => Err(Problem::new(
            Kind::Invalid,
            format!("{shown} has several columns with times: {}", several.join(", ")),
            format!("call the one that counts `{EVENT_TIMESTAMP}`"),
        )),
    }
}
