//! The statement that copies rows, with what needs not be read left out on the server.

use chrono::{DateTime, Datelike as _, Utc};
use tokio_postgres::types::Type;

use super::column::TableColumn;
use crate::{model::DAY, sources::key_values::KeyValues};

/// Which rows are of interest. What the server cannot be told is left out here and filtered afterwards, so that too
/// many rows may come, and never too few.
#[derive(Debug, Default)]
pub(in crate::sources) struct Conditions<'a> {
    /// A column of times, with the first and the last moment in microseconds UTC.
    pub times: Option<(usize, i64, i64)>,
    /// Columns with values of which rows have one.
    pub keys: Vec<(usize, &'a KeyValues)>,
}

/// `COPY` of some columns.
pub(super) fn copy(from: &str, columns: &[TableColumn], wanted: &[usize], conditions: &Conditions<'_>) -> String {
    let selected: Vec<String> = wanted.iter().map(|column| columns[*column].selected()).collect();
    let mut parts = Vec::new();
    if let Some((column, first, last)) = conditions.times {
        parts.extend(between(&columns[column], first, last));
    }
    parts.extend(conditions.keys.iter().filter_map(|(column, values)| values.condition(&columns[*column])));
    let condition = if parts.is_empty() { String::new() } else { format!(" WHERE {}", parts.join(" AND ")) };
    format!("COPY (SELECT {} FROM {from}{condition}) TO STDOUT (FORMAT binary)", selected.join(", "))
}

/// First and last moment of a column in microseconds since 1970, UTC, and how many rows have none; `None` for columns that
/// hold no moments.
pub(super) fn times(from: &str, column: &TableColumn) -> Option<String> {
    let quoted = column.quoted();
    let zone = match column.kind {
        Type::TIMESTAMPTZ => "",
        Type::TIMESTAMP => " AT TIME ZONE 'UTC'",
        Type::DATE => "::timestamp AT TIME ZONE 'UTC'",
        _ => return None,
    };
    // Exact: seconds are a number of any digits.
    let micros = |which: &str| {
        format!(
            "(extract(epoch FROM {which}({quoted}) FILTER (WHERE isfinite({quoted})){zone})::numeric * 1000000)::bigint"
        )
    };
    let without = format!("count(*) FILTER (WHERE isfinite({quoted}) IS NOT TRUE)");
    Some(format!("SELECT {}, {}, {without} FROM {from}", micros("min"), micros("max")))
}

/// Conditions of a range of times, which let the server use an index or leave out partitions.
pub(crate) fn between(column: &TableColumn, first: i64, last: i64) -> Vec<String> {
    let is_date = column.kind == Type::DATE;
    let (kind, form) = match column.kind {
        Type::TIMESTAMPTZ => ("timestamptz", "%Y-%m-%d %H:%M:%S%.6f+00"),
        Type::TIMESTAMP => ("timestamp", "%Y-%m-%d %H:%M:%S%.6f"),
        Type::DATE => ("date", "%Y-%m-%d"),
        _ => return Vec::new(),
    };
    let bound = |comparison: &str, micros: i64| {
        let moment = DateTime::<Utc>::from_timestamp_micros(micros)?;
        // Others are written differently, and are no bounds that anybody needs.
        let is_plain = (1..=9999).contains(&moment.year());
        is_plain.then(|| format!("{} {comparison} {kind} '{}'", column.quoted(), moment.format(form)))
    };
    // A day begins before the moment whose date it is.
    let first =
        if is_date { first.saturating_sub(1).div_euclid(DAY).saturating_add(1).saturating_mul(DAY) } else { first };
    [bound(">=", first), bound("<=", last)].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn columns() -> Vec<TableColumn> {
        [
            ("id", Type::INT8),
            ("at", Type::TIMESTAMPTZ),
            ("local", Type::TIMESTAMP),
            ("day", Type::DATE),
            ("t", Type::TEXT),
        ]
        .iter()
        .map(|(name, kind)| TableColumn::new(name, kind, -1))
        .collect()
    }

    fn statement(column: usize, first: i64, last: i64) -> String {
        let conditions = Conditions { times: Some((column, first, last)), keys: Vec::new() };
        copy("stats AS s", &columns(), &[0], &conditions)
    }

    #[test]
    fn times_are_compared_in_the_columns_own_type_to_the_microsecond() {
        let (first, last) = (1_767_225_600_000_001, 1_767_312_000_000_000);
        assert_eq!(
            statement(1, first, last),
            "COPY (SELECT s.\"id\" FROM stats AS s WHERE s.\"at\" >= timestamptz '2026-01-01 00:00:00.000001+00' AND \
             s.\"at\" <= timestamptz '2026-01-02 00:00:00.000000+00') TO STDOUT (FORMAT binary)"
        );
        assert!(statement(2, first, last).contains("s.\"local\" >= timestamp '2026-01-01 00:00:00.000001' AND"));
        assert!(
            statement(3, first, last).contains("s.\"day\" >= date '2026-01-02' AND s.\"day\" <= date '2026-01-02'")
        );
        assert!(statement(3, first - 1, last).contains("s.\"day\" >= date '2026-01-01'"));
    }

    #[test]
    fn what_cannot_be_written_is_no_condition() {
        assert!(!statement(4, 0, 1).contains("WHERE"));
        assert!(!statement(1, i64::MIN, i64::MAX).contains("WHERE"));
        assert!(statement(1, i64::MIN, 0).contains("WHERE s.\"at\" <= timestamptz '1970-01-01 00:00:00.000000+00')"));
        assert!(!statement(3, i64::MIN, i64::MAX).contains("WHERE"));
    }
}
