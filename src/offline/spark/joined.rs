//! A point-in-time join as one statement of Spark SQL, for Spark and Sail.
//!
//! `e` has the entity rows: their number `n`, time `t` and keys `k0`, …. Of each view, `s0`, … has the rows that can matter,
//! and `v0`, … for each entity row the one that counts: of those that are there the newest by event, then by creation, then
//! the one with the greatest values. All features of a view are of that one row, also those that are null there.

use super::{
    sql::{descending, quoted},
    view_rows::ViewRows,
};
use crate::{model::Timestamp, offline::join::Side};

/// The column with the number of the entity row.
pub(super) const NUMBER: &str = "__feastr_row";

/// The first and the last moment of entity rows in microseconds, if they have some.
pub(super) type Times = Option<(i64, i64)>;

/// A side of a join, whose rows have a name.
pub(super) struct JoinedSide<'a> {
    /// What is joined.
    pub(super) side: &'a Side<'a>,
    /// Its rows.
    pub(super) rows: ViewRows<'a>,
    /// What its features are called in the result.
    pub(super) outputs: Vec<&'a str>,
}

/// The statement that answers numbers of entity rows, in their order, and features. Entity rows have this name and so many
/// keys.
pub(super) fn joined(sides: &[JoinedSide<'_>], (entities, keys): (&str, usize), times: Times) -> String {
    let names: String = (0..keys).map(|key| format!(", k{key}")).collect();
    let mut with = vec![format!("e AS (SELECT n, t{names} FROM {entities})")];
    let (mut selected, mut joins) = (vec![format!("e.n AS {NUMBER}")], String::new());
    for (number, side) in sides.iter().enumerate() {
        if side.side.features.is_empty() {
            continue;
        }
        with.push(format!("s{number} AS ({})", side.candidates(times)));
        with.push(format!("v{number} AS ({})", side.counting(number)));
        joins += &format!("\nLEFT JOIN v{number} ON v{number}.n = e.n");
        let outputs = side.side.features.iter().zip(&side.outputs);
        selected.extend(outputs.map(|(feature, output)| format!("v{number}.f{feature} AS {}", quoted(output))));
    }
    format!("WITH {}\nSELECT {}\nFROM e{joins}\nORDER BY e.n", with.join(",\n"), selected.join(", "))
}

impl JoinedSide<'_> {
    /// The rows that can matter to entity rows between two moments.
    fn candidates(&self, times: Times) -> String {
        let Some((first, last)) = times else { return self.rows.select(&self.features(), &["false".to_owned()]) };
        let from = self.ttl().map(|ttl| first.saturating_sub(ttl));
        let mut conditions = self.rows.inside((from, Some(last)));
        conditions.extend(self.rows.of_entities());
        if self.side.by_created {
            conditions.extend(self.rows.written_by(Some(last)));
        }
        self.rows.select(&self.features(), &conditions)
    }

    /// For each entity row the one that counts, if there is one.
    fn counting(&self, number: usize) -> String {
        let mut conditions: Vec<String> = self
            .side
            .keys
            .iter()
            .enumerate()
            .map(|(own, key)| format!("s.k{own} = e.k{key}"))
            .chain(["s.t <= e.t".to_owned()])
            .collect();
        conditions.extend(self.ttl().map(|ttl| format!("s.t >= e.t - {ttl}L")));
        conditions.extend(self.side.by_created.then(|| "s.c <= e.t".to_owned()));
        let columns = |prefix: &str| -> String {
            self.side.features.iter().map(|feature| format!(", {prefix}f{feature}")).collect()
        };
        let created = self.rows.has_created().then(|| "s.c".to_owned());
        let content = self.rows.content().into_iter().map(|feature| format!("s.f{feature}"));
        let order: Vec<String> = ["s.t".to_owned()].into_iter().chain(created).chain(content).collect();
        format!(
            "SELECT n{} FROM (SELECT e.n{}, row_number() OVER (PARTITION BY e.n ORDER BY {}) AS p FROM e JOIN s{number} AS s ON \
             {}) WHERE p = 1",
            columns(""),
            columns("s."),
            descending(order.iter().map(String::as_str)),
            conditions.join(" AND ")
        )
    }

    /// The features that are read: those that are wanted, and those that decide between rows.
    fn features(&self) -> Vec<usize> {
        let mut features: Vec<usize> = self.side.features.iter().copied().chain(self.rows.content()).collect();
        features.sort_unstable();
        features.dedup();
        features
    }

    /// How long values live; longer than all of time is no limit.
    fn ttl(&self) -> Option<i64> {
        const LONGEST: i64 = Timestamp::LAST.micros() - Timestamp::FIRST.micros();
        self.side.ttl.filter(|ttl| *ttl <= LONGEST)
    }
}
