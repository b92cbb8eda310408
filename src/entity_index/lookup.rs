//! Who was seen in a range of time, page by page.

use super::{
    database::{Cell, Value},
    index::{EntityIndex, has_table},
    schema::entity_table,
};
use crate::{
    model::{Interval, Timestamp},
    problem::{Kind, Problem},
};

/// How many entities are asked for at once.
const PAGE: i64 = 50_000;

/// Entities on their way: their ids, and the moment of each, if moments were asked for.
#[derive(Debug, Default)]
pub struct Seen {
    /// Ids as texts.
    pub ids: Vec<String>,
    /// When something was known of each; empty if nobody asked.
    pub moments: Vec<Timestamp>,
}

impl EntityIndex {
    /// Gives those of whom some of the views has an event in a range, both ends inside: each with each moment of an event, or
    /// each once. They come in pages, all as they were at one moment.
    ///
    /// # Errors
    /// When there is nothing of the entity in the index, it cannot be read, or `take` fails.
    pub fn seen(
        &self,
        entity: &str,
        views: &[&str],
        (interval, with_moments): (Interval, bool),
        take: &mut dyn FnMut(Seen) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let name = entity_table(entity);
        let places: Vec<String> = (0..views.len()).map(|place| format!("${}", place + 3)).collect();
        let (after, page) = (views.len() + 3, views.len() + if with_moments { 5 } else { 4 });
        let (columns, order, beyond) = match with_moments {
            true => (
                "id, event_timestamp",
                "event_timestamp, id",
                format!("(event_timestamp, id) > (${after}, ${})", after + 1),
            ),
            false => ("id", "id", format!("id > ${after}")),
        };
        let range =
            format!("feature_view IN ({}) AND event_timestamp >= $1 AND event_timestamp <= $2", places.join(", "));
        let select = |condition: &str, page: usize| {
            format!(
                "SELECT DISTINCT {columns} FROM {} WHERE {range}{condition} ORDER BY {order} LIMIT ${page}",
                self.table(&name)
            )
        };
        let (begin, go_on) = (select("", after), select(&format!(" AND {beyond}"), page));
        let found = self.looked_at(|session| {
            if !has_table(self, session, &name)? {
                return Ok(false);
            }
            let mut values = vec![Value::from(interval.start), Value::from(interval.end)];
            values.extend(views.iter().map(|view| Value::from(*view)));
            let mut last: Option<(String, Timestamp)> = None;
            loop {
                let mut values = values.clone();
                match &last {
                    Some((id, moment)) if with_moments => values.extend([Value::from(*moment), Value::from(id)]),
                    Some((id, _)) => values.push(Value::from(id)),
                    None => {}
                }
                values.push(Value::from(PAGE));
                let rows = session.run(if last.is_some() { &go_on } else { &begin }, &values)?;
                let count = rows.len();
                let seen = seen(rows, with_moments);
                last = seen.ids.last().map(|id| (id.clone(), seen.moments.last().copied().unwrap_or(Timestamp::FIRST)));
                take(seen)?;
                if (count as i64) < PAGE {
                    return Ok(true);
                }
            }
        })?;
        match found {
            Some(true) => Ok(()),
            _ => Err(Problem::new(
                Kind::NotFound,
                format!("the entity index has nothing of entity `{entity}`: there is none in {}", self.place()),
                "index the files that are there, or wait for events of their bucket".to_owned(),
            )),
        }
    }
}

fn seen(rows: Vec<Vec<Cell>>, with_moments: bool) -> Seen {
    let mut seen = Seen::default();
    for row in rows {
        let mut cells = row.into_iter();
        let (Some(id), moment) = (cells.next().and_then(Cell::text), cells.next()) else { continue };
        if with_moments {
            let Some(moment) = moment.and_then(|cell| cell.moment()) else { continue };
            seen.moments.push(moment);
        }
        seen.ids.push(id);
    }
    seen
}
