//! A join as one statement of PostgreSQL.
//!
//! `e` has the entity rows: their number `n`, time `t` and keys `k0`, …. Of each view, `s0`, … has the rows that can matter,
//! numbered `r` so that of two rows that are there the greater number counts: by event, by creation, by what they hold. In
//! `w0`, … both stand in the order of time, each row from the moment on at which it is there, and every entity row takes the
//! greatest number before it. So each table is sorted once, whatever there are of rows of one entity.

use std::fmt::Write as _;

use tokio_postgres::types::Type;

use super::server_side::ServerSide;
use crate::{
    sources::postgres::{TableColumn, between},
    sql_name::quoted,
};

/// The statement that answers the features of entity rows in their order, called as in `outputs`. `entities` stands behind
/// `FROM`, `times` are the first and the last of them.
pub(super) fn joined(
    sides: &[ServerSide<'_>],
    (entities, keys): (&str, usize),
    times: Option<(i64, i64)>,
    outputs: &[&str],
) -> String {
    let names: String = (0..keys).map(|key| format!(", k{key}")).collect();
    let mut with = format!("WITH e AS (SELECT n, t{names} FROM {entities})");
    let (mut selected, mut joins) = (Vec::new(), String::new());
    let mut outputs = outputs.iter();
    for (number, side) in sides.iter().enumerate() {
        if side.features.is_empty() {
            continue;
        }
        let _ = write!(with, ",\ns{number} AS ({}),\nw{number} AS ({})", rows(side, times), newest(side, number));
        let features: String = (0..side.features.len()).map(|feature| format!(", s{number}.f{feature}")).collect();
        let ttl = side
            .side
            .ttl
            .map_or_else(String::new, |ttl| format!(" AND s{number}.at >= w{number}.t - interval '{}'", interval(ttl)));
        let _ = write!(
            joins,
            "\nLEFT JOIN (SELECT w{number}.n{features} FROM w{number} JOIN s{number} USING (r) WHERE w{number}.n IS NOT \
             NULL{ttl}) AS v{number} ON v{number}.n = e.n"
        );
        let names = (0..side.features.len()).zip(outputs.by_ref());
        selected.extend(names.map(|(feature, output)| format!("v{number}.f{feature} AS {}", quoted(output))));
    }
    format!("{with}\nSELECT {} FROM e{joins}\nORDER BY e.n", selected.join(", "))
}

/// The rows of a side that can matter, with keys, event `at`, the moment `x` from which they are there, and features.
fn rows(side: &ServerSide<'_>, times: Option<(i64, i64)>) -> String {
    let at = moment(&side.event);
    let created = side.created.as_ref().map(moment);
    let mut order = vec![at.clone()];
    order.extend(created.iter().cloned());
    order.extend(side.contents.iter().map(TableColumn::ordered));
    let order: Vec<String> = order.into_iter().map(|part| format!("{part} NULLS FIRST")).collect();
    let mut conditions = match times {
        None => vec!["false".to_owned()],
        Some((first, last)) => {
            let first = side.side.ttl.map_or(i64::MIN, |ttl| first.saturating_sub(ttl));
            between(&side.event, first, last)
        }
    };
    conditions.push(format!("isfinite({})", side.event.quoted()));
    let there_from = match (&created, side.side.by_created) {
        (Some(created), true) => {
            conditions.push(format!("{created} IS NOT NULL"));
            format!("greatest({at}, {created})")
        }
        _ => at.clone(),
    };
    if !side.keys.is_empty() {
        let same: Vec<String> = side.keys.iter().map(|(key, column)| same(column, *key)).collect();
        conditions.push(format!("EXISTS (SELECT FROM e WHERE {})", same.join(" AND ")));
    }
    let mut columns: Vec<String> =
        side.keys.iter().map(|(key, column)| format!("{} AS k{key}", value(column))).collect();
    columns.extend([format!("{at} AS at"), format!("{there_from} AS x")]);
    let features = side.features.iter().enumerate();
    columns.extend(features.map(|(feature, (_, column))| format!("{} AS f{feature}", column.selected())));
    format!(
        "SELECT row_number() OVER (ORDER BY {}) AS r, {} FROM {} WHERE {}",
        order.join(", "),
        columns.join(", "),
        side.table.from(),
        conditions.join(" AND ")
    )
}

/// The greatest number before each entity row; a row of the same moment is before it.
fn newest(side: &ServerSide<'_>, number: usize) -> String {
    let keys: Vec<String> = side.keys.iter().map(|(key, _)| format!("k{key}")).collect();
    let (mut names, mut partition, mut known) = (String::new(), String::new(), String::new());
    for key in &keys {
        let _ = write!(names, "{key}, ");
        let _ = write!(known, " AND {key} IS NOT NULL");
    }
    if !keys.is_empty() {
        partition = format!("PARTITION BY {} ", keys.join(", "));
    }
    format!(
        "SELECT n, t, max(r) OVER ({partition}ORDER BY x, n NULLS FIRST ROWS UNBOUNDED PRECEDING) AS r FROM (SELECT {names}x, \
         r, NULL::int8 AS n, NULL::timestamptz AS t FROM s{number} UNION ALL SELECT {names}t, NULL, n, t FROM e WHERE t IS NOT \
         NULL{known}) AS m"
    )
}

/// A column of times as moments.
fn moment(column: &TableColumn) -> String {
    let quoted = column.quoted();
    match column.kind {
        Type::TIMESTAMPTZ => quoted,
        Type::DATE => format!("{quoted}::timestamp AT TIME ZONE 'UTC'"),
        _ => format!("{quoted} AT TIME ZONE 'UTC'"),
    }
}

/// A key as entity rows have it.
fn value(column: &TableColumn) -> String {
    let kind = if matches!(column.kind, Type::INT2 | Type::INT4 | Type::INT8) { "int8" } else { "text" };
    format!("{}::{kind}", column.quoted())
}

/// That a key is that of an entity row, in words for which the server can use an index.
fn same(column: &TableColumn, key: usize) -> String {
    let quoted = column.quoted();
    match column.kind {
        // Other texts are none that a UUID is read as.
        Type::UUID => format!(
            "{quoted} = CASE WHEN e.k{key} ~ '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN e.k{key}::uuid END"
        ),
        _ => format!("{quoted} = e.k{key}"),
    }
}

/// Microseconds as hours, minutes and seconds, which every version reads exactly.
fn interval(micros: i64) -> String {
    let (seconds, micros) = (micros / 1_000_000, micros % 1_000_000);
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("{}:{:02}:{seconds:02}.{micros:06}", minutes / 60, minutes % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_are_written_to_the_microsecond() {
        assert_eq!(interval(86_400_000_000), "24:00:00.000000");
        assert_eq!(interval(61_000_001), "0:01:01.000001");
    }
}
