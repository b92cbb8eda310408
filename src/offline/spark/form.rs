//! In which form a view's rows are joined to entity rows: it depends on how many candidates these have.

use super::{cluster::Cluster, joined_side::JoinedSide, upload::SentRows};
use crate::problem::Problem;

/// Up to so many candidates of an entity row, on average, are numbered; sorting both sides takes longer then.
const FEW: i128 = 30;

/// How the row that counts is found for each entity row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// All candidates are joined to their entity rows and numbered.
    Numbered,
    /// Rows of the source are carried forward to the entity rows behind them.
    CarriedForward,
}

impl Form {
    /// The form for some entity rows, for which the server counts candidates: rows of their keys, in the range that can matter
    /// to them. A key with a long history weighs as much as entity rows ask about it. Whether all of them could ask about the
    /// longest history is looked at first: that is rarely too much, and takes rows of the source alone.
    ///
    /// # Errors
    /// When the server refuses to count or is away.
    pub(super) fn of(cluster: &Cluster<'_>, side: &JoinedSide<'_>, entities: &SentRows) -> Result<Self, Problem> {
        if side.side.features.is_empty() || entities.times.is_none() {
            return Ok(Self::Numbered);
        }
        let [rows, longest, first, last] = cluster.integers(&histories(side, entities))?;
        let [rows, longest] = [rows, longest].map(|count| i128::from(count.unwrap_or(0)));
        let count = i128::from(entities.count);
        let has_keys = !side.side.keys.is_empty();
        // Without keys, all rows are compared with each other, however old they are.
        let ttl = side.ttl().filter(|_| has_keys).map(i128::from);
        let fit = |pairs, range| Self::fit(pairs, (rows, count), (ttl, length(range)));
        let of_longest = fit(longest.saturating_mul(count), (first, last));
        if of_longest == Self::Numbered || !has_keys {
            return Ok(of_longest);
        }
        let [pairs, first, last] = cluster.integers(&pairs(side, entities))?;
        Ok(fit(pairs.unwrap_or(0).into(), (first, last)))
    }

    /// The form for so many pairs of entity rows and rows of their keys; events lie evenly in a time of this length. Rows of the
    /// source, of which there are so many, are read in either form, so that as many pairs are no burden.
    fn fit(pairs: i128, (rows, entities): (i128, i128), (ttl, events): (Option<i128>, i128)) -> Self {
        let few = FEW * entities + rows;
        let is_few = match ttl {
            Some(ttl) if ttl < events => pairs.saturating_mul(ttl) <= few.saturating_mul(events),
            _ => pairs <= few,
        };
        if is_few { Self::Numbered } else { Self::CarriedForward }
    }
}

/// How long it is from one moment to another.
fn length((first, last): (Option<i64>, Option<i64>)) -> i128 {
    first.zip(last).map_or(0, |(first, last)| i128::from(last) - i128::from(first))
}

/// The statement that counts rows that can matter, says how many of them the key with most has, and from when to when they are.
fn histories(side: &JoinedSide<'_>, entities: &SentRows) -> String {
    let keys: Vec<String> = (0..side.side.keys.len()).map(|key| format!("k{key}")).collect();
    format!(
        "SELECT sum(m) AS a, max(m) AS b, min(first) AS c, max(last) AS d FROM (SELECT count(*) AS m, min(t) AS first, max(t) AS \
         last FROM ({}){})",
        side.candidates(&[], entities.times),
        by(&keys)
    )
}

/// The statement that counts pairs of entity rows and rows of their keys, and says from when to when these are.
fn pairs(side: &JoinedSide<'_>, entities: &SentRows) -> String {
    let (own, asked): (Vec<String>, Vec<String>) =
        side.side.keys.iter().enumerate().map(|(own, key)| (format!("k{own}"), format!("k{key}"))).unzip();
    let behind = |keys: &[String]| -> String { keys.iter().map(|key| format!(", {key}")).collect() };
    let same: Vec<String> = own.iter().zip(&asked).map(|(own, asked)| format!("s.{own} = e.{asked}")).collect();
    format!(
        "SELECT CAST(least(sum(CAST(s.m AS DOUBLE) * e.m), CAST(9000000000000000000L AS DOUBLE)) AS BIGINT) AS a, \
         min(s.first) AS b, max(s.last) AS c FROM (SELECT count(*) AS m, min(t) AS first, max(t) AS \
         last{} FROM ({}){}) AS s JOIN (SELECT count(*) AS m{} FROM {}{}) AS e ON {}",
        behind(&own),
        side.candidates(&[], entities.times),
        by(&own),
        behind(&asked),
        entities.name,
        by(&asked),
        same.join(" AND ")
    )
}

/// That rows are put together by their keys.
fn by(keys: &[String]) -> String {
    if keys.is_empty() { String::new() } else { format!(" GROUP BY {}", keys.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i128 = 3_600_000_000;

    #[test]
    fn few_candidates_are_numbered_and_many_are_not() {
        let fit = |per_row: i128, ttl| Form::fit(per_row * 1000, (0, 1000), (ttl, 24 * HOUR));
        assert_eq!(
            [fit(0, None), fit(30, None), fit(31, None)],
            [Form::Numbered, Form::Numbered, Form::CarriedForward]
        );
        // Of a day's rows only those of an hour are candidates.
        assert_eq!(
            [fit(24 * 30, Some(HOUR)), fit(24 * 31, Some(HOUR)), fit(31, Some(48 * HOUR))],
            [Form::Numbered, Form::CarriedForward, Form::CarriedForward]
        );
    }

    #[test]
    fn a_key_with_a_long_history_matters_as_often_as_it_is_asked_about() {
        // A million events of one key, about which one of a million entity rows asks, or a thousand.
        let fit = |asking: i128| Form::fit(asking * 1_000_000 + 4_000_000, (1_000_000, 1_000_000), (None, 24 * HOUR));
        assert_eq!([fit(1), fit(1000)], [Form::Numbered, Form::CarriedForward]);
    }

    #[test]
    fn few_entity_rows_have_no_more_candidates_than_are_read() {
        // Ten million events; a hundred entity rows about keys with a hundred thousand of them each, or with a million.
        let fit = |history: i128| Form::fit(100 * history, (10_000_000, 100), (None, 24 * HOUR));
        assert_eq!([fit(100_000), fit(1_000_000)], [Form::Numbered, Form::CarriedForward]);
    }
}
