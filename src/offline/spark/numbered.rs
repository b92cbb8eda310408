//! The rows of a side that count, found by joining candidates to entity rows and numbering them: as many rows are made as
//! entity rows have candidates.

use super::{joined_side::JoinedSide, sql::descending};

/// Each entity row with the features of the row that counts, if there is one.
pub(super) fn counting(side: &JoinedSide<'_>, number: usize) -> String {
    let mut conditions: Vec<String> = side
        .side
        .keys
        .iter()
        .enumerate()
        .map(|(own, key)| format!("s.k{own} = e.k{key}"))
        .chain(["s.t <= e.t".to_owned()])
        .collect();
    conditions.extend(side.ttl().map(|ttl| format!("s.t >= e.t - {ttl}L")));
    conditions.extend(side.side.by_created.then(|| "s.c <= e.t".to_owned()));
    let columns =
        |prefix: &str| -> String { side.side.features.iter().map(|feature| format!(", {prefix}f{feature}")).collect() };
    let order: Vec<String> = side.order().into_iter().map(|column| format!("s.{column}")).collect();
    format!(
        "SELECT n{} FROM (SELECT e.n{}, row_number() OVER (PARTITION BY e.n ORDER BY {}) AS p FROM e LEFT JOIN s{number} AS s ON \
         {}) WHERE p = 1",
        columns(""),
        columns("s."),
        descending(order.iter().map(String::as_str)),
        conditions.join(" AND ")
    )
}
