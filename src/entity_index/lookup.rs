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
#[derive(Debug)]
pub struct Seen {
    /// Ids as texts: of each entity as many, those of one place belong together.
    pub ids: Vec<Vec<String>>,
    /// When something was known of each; empty if nobody asked.
    pub moments: Vec<Timestamp>,
}

/// The statement that gives a page.
struct Pages {
    /// How many entities belong together.
    entities: usize,
    /// How many views count.
    views: usize,
    with_moments: bool,
    /// The tables, each with those that belong to it.
    from: String,
}

impl Pages {
    /// The columns in which entities differ, and in whose order they come.
    fn columns(&self) -> String {
        let moment = self.with_moments.then(|| "e0.event_timestamp".to_owned());
        moment
            .into_iter()
            .chain((0..self.entities).map(|entity| format!("e{entity}.id")))
            .collect::<Vec<_>>()
            .join(", ")
    }

    /// The page behind the last one, or the first.
    fn statement(&self, is_first: bool) -> String {
        let places = |first: usize, count: usize| {
            (first..first + count).map(|place| format!("${place}")).collect::<Vec<_>>().join(", ")
        };
        // Before them are the ends of the range.
        let columns = self.entities + usize::from(self.with_moments);
        let (columns_of, views) = (self.columns(), places(3, self.views));
        let behind = match is_first {
            true => String::new(),
            false => format!(" AND ({columns_of}) > ({})", places(3 + self.views, columns)),
        };
        let page = 3 + self.views + if is_first { 0 } else { columns };
        format!(
            "SELECT DISTINCT {columns_of} FROM {} WHERE e0.feature_view IN ({views}) AND e0.event_timestamp >= $1 \
             AND e0.event_timestamp <= $2{behind} ORDER BY {columns_of} LIMIT ${page}",
            self.from
        )
    }
}

impl EntityIndex {
    /// Gives those of whom some of the views has an event in a range, both ends inside: each with each moment of an event, or
    /// each once. Of several entities those who are in one row of a file. They come in pages, all as they were at one moment.
    ///
    /// # Errors
    /// When there is nothing of an entity in the index, it cannot be read, or `take` fails.
    pub fn seen(
        &self,
        entities: &[&str],
        views: &[&str],
        (interval, with_moments): (Interval, bool),
        take: &mut dyn FnMut(Seen) -> Result<(), Problem>,
    ) -> Result<(), Problem> {
        let names: Vec<String> = entities.iter().map(|entity| entity_table(entity)).collect();
        let pages = Pages { entities: names.len(), views: views.len(), with_moments, from: self.joined(&names) };
        let (begin, go_on) = (pages.statement(true), pages.statement(false));
        let found = self.looked_at(|session| {
            for (name, entity) in names.iter().zip(entities) {
                if !has_table(self, session, name)? {
                    return Ok(Some((*entity).to_owned()));
                }
            }
            let mut known = vec![Value::from(interval.start), Value::from(interval.end)];
            known.extend(views.iter().map(|view| Value::from(*view)));
            let mut last: Option<(Option<Timestamp>, Vec<String>)> = None;
            loop {
                let mut values = known.clone();
                if let Some((moment, ids)) = &last {
                    values.extend(moment.map(Value::from));
                    values.extend(ids.iter().map(Value::from));
                }
                values.push(Value::from(PAGE));
                let rows = session.run(if last.is_some() { &go_on } else { &begin }, &values)?;
                let count = rows.len();
                let seen = seen(rows, names.len(), with_moments);
                let ids = seen.ids.iter().filter_map(|ids| ids.last().cloned()).collect();
                last = Some((seen.moments.last().copied(), ids));
                take(seen)?;
                if (count as i64) < PAGE {
                    return Ok(None);
                }
            }
        })?;
        match found {
            Some(None) => Ok(()),
            missing => {
                let entity = missing.flatten().unwrap_or_else(|| entities.join("`, `"));
                Err(Problem::new(
                    Kind::NotFound,
                    format!("the entity index has nothing of entity `{entity}`: there is none in {}", self.place()),
                    "index the files that are there, or wait for events of their bucket".to_owned(),
                ))
            }
        }
    }

    /// The tables of entities, joined by the rows of the files that they are from.
    fn joined(&self, names: &[String]) -> String {
        let mut from = String::new();
        for (number, name) in names.iter().enumerate() {
            let table = format!("{} AS e{number}", self.table(name));
            from += &match number {
                0 => table,
                _ => format!(
                    " JOIN {table} ON e{number}.path = e0.path AND e{number}.feature_view = e0.feature_view \
                     AND e{number}.file_row = e0.file_row"
                ),
            };
        }
        from
    }
}

fn seen(rows: Vec<Vec<Cell>>, entities: usize, with_moments: bool) -> Seen {
    let mut seen = Seen { ids: vec![Vec::with_capacity(rows.len()); entities], moments: Vec::new() };
    for row in rows {
        let mut cells = row.into_iter();
        if with_moments {
            // A column of them has no nulls.
            seen.moments.extend(cells.next().and_then(|cell| cell.moment()));
        }
        seen.ids.iter_mut().zip(cells).for_each(|(ids, cell)| ids.extend(cell.text()));
    }
    seen
}
