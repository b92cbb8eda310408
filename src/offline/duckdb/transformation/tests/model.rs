//! Aggregates by looking at every row for every moment.

use std::collections::BTreeSet;

/// A row of a source: driver, event, creation (in seconds) and value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub driver: Option<i64>,
    pub event: Option<i64>,
    pub created: Option<i64>,
    pub x: Option<i64>,
}

/// A function over a window of seconds; 0 is none.
pub(super) type Aggregate = (&'static str, i64);

/// The rows of an entity that have come in by a moment, each with the moment at which it did.
fn of_entity(rows: &[Row], driver: Option<i64>, by_created: bool) -> Vec<(Row, i64, i64)> {
    let known = |row: &Row| {
        if driver.is_some() && row.driver != driver {
            return None;
        }
        let event = row.event?;
        let from = if by_created { event.max(row.created?) } else { event };
        Some((*row, event, from))
    };
    rows.iter().filter_map(known).collect()
}

fn window(aggregate: &Aggregate) -> i64 {
    if aggregate.1 == 0 { i64::MAX / 2 } else { aggregate.1 }
}

/// When the values of an entity changed last, and what they are.
pub(super) fn known_at(
    rows: &[Row],
    (driver, moment): (Option<i64>, i64),
    aggregates: &[Aggregate],
    by_created: bool,
) -> Option<(i64, Vec<Option<f64>>)> {
    let rows = of_entity(rows, driver, by_created);
    let moments = rows.iter().flat_map(|(_, event, from)| {
        aggregates
            .iter()
            .map(window)
            .filter(move |window| *from < event + window)
            .flat_map(move |window| [*from, event + window])
    });
    let changed = moments.filter(|change| *change <= moment).max()?;
    let value = |aggregate: &Aggregate| {
        let inside = rows.iter().filter(|(_, event, from)| *from <= moment && moment < event + window(aggregate));
        let mut inside: Vec<_> =
            inside.filter_map(|(row, event, _)| Some((*event, row.created, row.x? as f64))).collect();
        inside.sort_by(|one, other| one.partial_cmp(other).unwrap());
        let values: Vec<f64> = inside.iter().map(|(.., x)| *x).collect();
        let (count, sum) = (values.len() as f64, values.iter().sum::<f64>());
        let variance = || values.iter().map(|x| (x - sum / count).powi(2)).sum::<f64>() / (count - 1.0);
        match aggregate.0 {
            "count" => Some(count),
            "count_distinct" => Some(values.iter().map(|x| *x as i64).collect::<BTreeSet<_>>().len() as f64),
            _ if values.is_empty() => None,
            "sum" => Some(sum),
            "mean" => Some(sum / count),
            "min" => values.iter().copied().reduce(f64::min),
            "max" => values.iter().copied().reduce(f64::max),
            "first" => values.first().copied(),
            "last" => values.last().copied(),
            _ if values.len() < 2 => None,
            "var" => Some(variance()),
            _ => Some(variance().sqrt()),
        }
    };
    Some((changed, aggregates.iter().map(value).collect()))
}
