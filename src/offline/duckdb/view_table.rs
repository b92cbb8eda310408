//! The rows of a view's source as a table of DuckDB: keys `k0`, …, event times `t`, creation times `c`,
//! features `f0`, ….

use super::{scans::ScanTable, session::DuckdbSession};
use crate::{
    offline::view_source::{ViewColumns, ViewScan},
    sources::Ticks,
};

/// Ticks of a column in microseconds: what is finer counts from the next one on, so that whoever asks about the event's
/// own microsecond sees the row.
pub(crate) fn micros(column: &str, ticks: Ticks) -> String {
    match ticks {
        Ticks::Micros => column.to_owned(),
        Ticks::Nanos => format!("({column} // 1000 + CASE WHEN {column} % 1000 > 0 THEN 1 ELSE 0 END)"),
    }
}

/// The rows of a view's source as a table.
pub(crate) struct ViewTable {
    pub table: ScanTable,
    pub columns: ViewColumns,
    ticks: [Ticks; 2],
}

impl ViewTable {
    /// A scan as a table.
    pub(crate) fn of(scan: ViewScan, session: &DuckdbSession) -> Self {
        Self { table: session.table(scan.scan), columns: scan.columns, ticks: scan.ticks }
    }

    /// The table in SQL, called `s`.
    pub(crate) fn sql(&self) -> String {
        let mut names = self.names();
        if self.table.has_content() {
            names.push("content".to_owned());
        }
        self.table.sql("s", &names)
    }

    /// The columns, in order.
    pub(crate) fn names(&self) -> Vec<String> {
        let created = self.columns.has_created.then(|| "c".to_owned());
        let keys = self.columns.key_names();
        keys.chain(["t".to_owned()]).chain(created).chain(self.columns.feature_names()).collect()
    }

    /// What event times count.
    pub(crate) const fn ticks(&self) -> Ticks {
        self.ticks[0]
    }

    /// What creation times count.
    pub(crate) const fn created_ticks(&self) -> Ticks {
        self.ticks[1]
    }
}
