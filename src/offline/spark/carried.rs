//! The rows of a side that count, found by carrying rows forward: those of the source and entity rows lie in one line, in
//! the order in which they can be seen, and every entity row takes the greatest of those before it. However many candidates
//! there are, no more rows are made than both sides have.
//!
//! Rows of the source are numbered first, in the order that decides between them: the greatest number is then found by any
//! server in one go. Sail gives fields of a struct that is null, so that what is too old, or is not there, is left out field
//! by field; and its `last_value … IGNORE NULLS` takes as long as the square of a key's rows.

use super::{joined_side::JoinedSide, sql::ascending};

/// Each entity row with the features of the row that counts, if there is one.
pub(super) fn counting(side: &JoinedSide<'_>, number: usize) -> String {
    let (own, asked): (Vec<String>, Vec<String>) =
        side.side.keys.iter().enumerate().map(|(own, key)| (format!("k{own}"), format!("k{key}"))).unzip();
    let partition = if own.is_empty() { String::new() } else { format!("PARTITION BY {} ", own.join(", ")) };
    let features: Vec<String> = side.side.features.iter().map(|feature| format!("f{feature}")).collect();
    let each = |column: fn(&str) -> String| -> String { features.iter().map(|name| column(name)).collect() };
    let fields: Vec<String> = features.iter().map(|name| format!("'{name}', {name}")).collect();
    let order = side.order();
    let lives = side.ttl().map_or_else(|| "event IS NOT NULL".to_owned(), |ttl| format!("event >= t - {ttl}L"));
    let living: String =
        features.iter().map(|name| format!(", CASE WHEN {lives} THEN carried.{name} END AS {name}")).collect();
    let line = format!(
        "OVER ({partition}ORDER BY seen ASC NULLS FIRST, side ASC ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)"
    );
    format!(
        "SELECT n{living} FROM (SELECT side, n, t, max(CASE WHEN side = 0 THEN t END) {line} AS event, max_by(CASE WHEN side = 0 \
         THEN named_struct({}) END, place) {line} AS carried FROM (SELECT 0 AS side, CAST(NULL AS BIGINT) AS n, t{}, {} AS seen, \
         row_number() OVER ({partition}ORDER BY {}) AS place{} FROM s{number} UNION ALL SELECT 1, n, t{}, t, CAST(NULL AS \
         INT){} FROM e)) WHERE side = 1",
        fields.join(", "),
        behind(&own),
        // Nobody sees a row before it is written, where that counts.
        if side.side.by_created { "greatest(t, c)" } else { "t" },
        ascending(order.iter().map(String::as_str)),
        each(|name| format!(", {name}")),
        behind(&asked),
        each(|_| ", NULL".to_owned()),
    )
}

/// Columns behind others.
fn behind(columns: &[String]) -> String {
    columns.iter().map(|column| format!(", {column}")).collect()
}
