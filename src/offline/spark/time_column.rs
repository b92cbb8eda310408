//! A column of moments in statements. Moments are compared in microseconds UTC.

use arrow::datatypes::{DataType as ArrowType, TimeUnit};

use super::sql::{moment, quoted};
use crate::sources::Column;

/// A column of moments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TimeColumn {
    /// As statements write it.
    name: String,
    kind: TimeKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TimeKind {
    /// `TIMESTAMP`.
    Moment,
    /// `TIMESTAMP_NTZ`, which is in UTC.
    Local,
    /// `DATE`: its beginning in UTC.
    Day,
}

impl TimeColumn {
    /// The column, unless it holds something else, or moments that microseconds cannot tell apart.
    pub(super) fn of(column: &Column) -> Option<Self> {
        let [only] = column.kinds.as_slice() else { return None };
        let kind = match only.holds.arrow() {
            ArrowType::Timestamp(TimeUnit::Nanosecond, _) => return None,
            ArrowType::Timestamp(_, Some(_)) => TimeKind::Moment,
            ArrowType::Timestamp(_, None) => TimeKind::Local,
            ArrowType::Date32 => TimeKind::Day,
            _ => return None,
        };
        Some(Self { name: quoted(&column.name), kind })
    }

    /// As statements write it, as it is.
    pub(super) fn bare(&self) -> &str {
        &self.name
    }

    /// Its microseconds.
    pub(super) fn micros(&self) -> String {
        match self.kind {
            TimeKind::Moment => format!("unix_micros({})", self.name),
            TimeKind::Local | TimeKind::Day => format!("unix_micros(CAST({} AS TIMESTAMP))", self.name),
        }
    }

    /// That it is between two moments, both inside; `None` is before or after all. The column stands bare as far as
    /// possible, so that files and partitions are left out by what is known of them.
    pub(super) fn between(&self, (first, last): (Option<i64>, Option<i64>)) -> Vec<String> {
        let bound = |operator: &str, micros: i64| match self.kind {
            TimeKind::Moment => format!("{} {operator} {}", self.name, moment(micros)),
            TimeKind::Local => format!("{} {operator} CAST({} AS TIMESTAMP_NTZ)", self.name, moment(micros)),
            TimeKind::Day => format!("{} {operator} {micros}L", self.micros()),
        };
        let bounds = [first.map(|first| bound(">=", first)), last.map(|last| bound("<=", last))];
        bounds.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(kind: ArrowType) -> Option<TimeColumn> {
        TimeColumn::of(&Column::typed("at", kind))
    }

    #[test]
    fn moments_stand_bare_in_conditions() {
        let moments = column(ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))).unwrap();
        assert_eq!(moments.micros(), "unix_micros(`at`)");
        assert_eq!(
            moments.between((Some(1), Some(2))),
            ["`at` >= timestamp_micros(1L)", "`at` <= timestamp_micros(2L)"]
        );
        let local = column(ArrowType::Timestamp(TimeUnit::Microsecond, None)).unwrap();
        assert_eq!(local.micros(), "unix_micros(CAST(`at` AS TIMESTAMP))");
        assert_eq!(local.between((None, Some(2))), ["`at` <= CAST(timestamp_micros(2L) AS TIMESTAMP_NTZ)"]);
        let days = column(ArrowType::Date32).unwrap();
        assert_eq!(days.between((Some(-1), None)), ["unix_micros(CAST(`at` AS TIMESTAMP)) >= -1L"]);
    }

    #[test]
    fn what_microseconds_cannot_tell_apart_is_none() {
        let others = [ArrowType::Timestamp(TimeUnit::Nanosecond, None), ArrowType::Utf8, ArrowType::Int64];
        assert!(others.into_iter().all(|kind| column(kind).is_none()));
    }
}
