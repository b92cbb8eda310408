//! Rows for a feature server, which stores them: the newest of each entity, in the columns that all its views need.

use std::{collections::BTreeSet, ops::Range};

use serde_json::Value as Json;

use super::{Newest, newest::source};
use crate::{
    feast::values::{
        entity_key::{KeyPart, decode},
        value::{Kind as ValueKind, Value},
    },
    model::DataType,
    online::{BatchEncoder, EncodedRow, SentRows},
    problem::{Kind, Problem},
    sources::Places,
};

/// Rows that are sent at once.
const ROWS: usize = 2_000;

/// What floating point holds exactly.
const EXACT: i64 = 1 << 53;

/// The newest rows of some views, in an order in which a server can take them.
///
/// A view over other join keys has other newest rows: rows that only one of them needs reach the others, too. Then they come
/// in the order of their times, so that the last row of an entity is its newest one, whether the server compares times or
/// not.
pub struct Outgoing {
    columns: SentRows,
    parts: Vec<Range<usize>>,
    /// Values that are null because they are out of the range of their type.
    pub out_of_range: u64,
}

/// What a row is sorted by: event and creation time.
type Recency = (i64, Option<i64>);

impl Outgoing {
    /// Reads the newest rows of views over one source again, as a store of ours would get them.
    ///
    /// # Errors
    /// When rows cannot be read a second time, or two views take a column for different things.
    pub fn of(views: &[&Newest<'_>]) -> Result<Self, Problem> {
        let newest = views.iter().flat_map(|view| view.places.as_slice().iter().copied());
        let places = Places::new(newest.collect());
        let (mut columns, mut out_of_range) = (SentRows::new(), 0);
        let (mut recency, mut times) = (Vec::new(), BTreeSet::new());
        for view in views {
            let read = Columns::of(view, &places)?;
            out_of_range += read.out_of_range;
            recency = read.recency;
            let moments = view.view().features.iter().filter(|feature| feature.dtype == DataType::UnixTimestamp);
            times.extend(moments.map(|feature| feature.name.as_str()));
            for (name, values) in read.columns {
                match columns.iter().find(|(known, _)| *known == name) {
                    None => columns.push((name, values)),
                    Some((_, known)) if *known == values => {}
                    Some(_) => return Err(ambiguous(&name, view)),
                }
            }
        }
        // Every view wants all of them: no entity has two rows.
        let is_one_each = views.iter().all(|view| view.places.as_slice().len() == places.as_slice().len());
        let nulls = nulls(&columns, &times, recency.len());
        let mut order: Vec<usize> = (0..recency.len()).collect();
        order.sort_by_key(|row| (is_one_each.then(|| &nulls[*row]), recency[*row]));
        for (_, values) in &mut columns {
            *values = order.iter().map(|row| values[*row].take()).collect();
        }
        Ok(Self { columns, parts: parts(&order, &nulls), out_of_range })
    }

    /// The rows in parts, in their order.
    pub fn parts(&self) -> impl Iterator<Item = SentRows> {
        self.parts.iter().map(|part| {
            self.columns.iter().map(|(name, values)| (name.clone(), values[part.clone()].to_vec())).collect()
        })
    }
}

/// Which values of each row are null in columns that must not be null in one row and a number in another one of a part:
/// Feast's server (pandas) makes floats of integers beside nulls, which round those beyond 2^53 and lose timestamps.
fn nulls(columns: &SentRows, times: &BTreeSet<&str>, rows: usize) -> Vec<Vec<bool>> {
    let is_large = |value: &Json| value.as_i64().is_some_and(|number| number.unsigned_abs() > EXACT.unsigned_abs());
    let is_fragile = |(name, values): &&(String, Vec<Json>)| {
        values.iter().any(Json::is_null) && (times.contains(name.as_str()) || values.iter().any(is_large))
    };
    let fragile: Vec<&Vec<Json>> = columns.iter().filter(is_fragile).map(|(_, values)| values).collect();
    (0..rows).map(|row| fragile.iter().map(|values| values[row].is_null()).collect()).collect()
}

/// Neighbours that can be sent together, by their places in an order.
fn parts(order: &[usize], nulls: &[Vec<bool>]) -> Vec<Range<usize>> {
    let mut parts: Vec<Range<usize>> = Vec::new();
    for (place, row) in order.iter().enumerate() {
        match parts.last_mut() {
            Some(part) if part.len() < ROWS && nulls[order[part.start]] == nulls[*row] => part.end += 1,
            _ => parts.push(place..place + 1),
        }
    }
    parts
}

fn ambiguous(column: &str, newest: &Newest<'_>) -> Problem {
    let message = format!(
        "column `{column}` is another type in view `{}` than in others of its source, and a feature server is sent one column",
        newest.view().name
    );
    Problem::new(Kind::Unsupported, message, "declare it alike in all views, and apply them".to_owned())
}

/// The columns of a view at some places.
struct Columns {
    columns: SentRows,
    recency: Vec<Recency>,
    out_of_range: u64,
}

impl Columns {
    fn of(newest: &Newest<'_>, places: &Places) -> Result<Self, Problem> {
        let view = &newest.view;
        let columns = names(newest)?.into_iter().map(|name| (name, Vec::new())).collect();
        let mut read = Self { columns, recency: Vec::new(), out_of_range: 0 };
        let encoder = BatchEncoder::new(view.view, view.out_of_range);
        let (scan, ticks) = view.scan(places)?;
        let run = scan.run();
        while let Some(mut part) = run.part()? {
            while let Some(batch) = run.batch(&mut part)? {
                let encoded = encoder.encode(&view.batch(&batch, ticks)?)?;
                read.out_of_range += encoded.out_of_range;
                encoded.rows().iter().try_for_each(|row| read.add(newest, row))?;
            }
        }
        read.out_of_range += scan.unfit();
        Ok(read)
    }

    /// A row: keys, event time, creation time if there are any, features.
    fn add(&mut self, newest: &Newest<'_>, row: &EncodedRow<'_>) -> Result<(), Problem> {
        let internal = |error: &dyn std::error::Error| Problem::new(Kind::Internal, error.to_string(), None);
        let keys = decode(row.key).map_err(|error| internal(&error))?;
        let mut cells = Vec::with_capacity(self.columns.len());
        for join_key in newest.view().join_keys() {
            let part = keys.iter().find(|(name, _)| *name == join_key.name).map(|(_, part)| *part);
            cells.push(part.map_or(Json::Null, key_json));
        }
        cells.push(row.event.to_micros_text().into());
        if newest.view.has_created {
            cells.push(row.created.map(|created| created.to_micros_text()).into());
        }
        for bytes in &row.values {
            cells.push(Value::read(bytes).map_err(|error| internal(&error))?.to_sent_json());
        }
        self.columns.iter_mut().zip(cells).for_each(|((_, values), cell)| values.push(cell));
        self.recency.push((row.event.micros(), row.created.map(|created| created.micros())));
        Ok(())
    }
}

/// The names of the columns of a view, those that its source's `field_mapping` gives: Feast's server knows no others.
fn names(newest: &Newest<'_>) -> Result<Vec<String>, Problem> {
    let (view, source) = (newest.view(), source(newest.view())?);
    let keys = view.join_keys().iter().map(|key| key.name.as_str());
    let created = newest.view.has_created.then(|| source.mapped(source.created_column()));
    let times = [source.mapped(source.event_column())].into_iter().chain(created);
    let features = view.features.iter().map(|feature| feature.name.as_str());
    Ok(keys.chain(times).chain(features).map(str::to_owned).collect())
}

fn key_json(part: KeyPart<'_>) -> Json {
    let kind = match part {
        KeyPart::Bytes(bytes) => ValueKind::Bytes(bytes.to_vec()),
        KeyPart::String(text) => ValueKind::String(text.to_owned()),
        KeyPart::Int32(number) => ValueKind::Int32(number),
        KeyPart::Int64(number) => ValueKind::Int64(number),
        KeyPart::UnixTimestamp(seconds) => ValueKind::UnixTimestamp(seconds),
    };
    Value::from(kind).to_sent_json()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nulls_stand_apart_from_what_they_would_change() {
        let column = |name: &str, values: Json| match values {
            Json::Array(values) => (name.to_owned(), values),
            other => panic!("{other}"),
        };
        let columns = vec![
            column("small", json!([1, null, 3])),
            column("large", json!([null, 2, (1_i64 << 53) + 1])),
            column("full", json!([i64::MAX, i64::MIN, 0])),
            column("float", json!([1e300, null, 0.5])),
            column("time", json!([1, null, 2])),
        ];
        let expected = [[true, false], [false, true], [false, false]].map(Vec::from);
        assert_eq!(nulls(&columns, &BTreeSet::from(["time"]), 3), expected);
    }

    #[test]
    fn parts_are_neighbours_that_are_alike() {
        let alike = vec![Vec::new(); ROWS + 1];
        let order: Vec<usize> = (0..=ROWS).rev().collect();
        assert_eq!(parts(&order, &alike), [0..ROWS, ROWS..ROWS + 1]);
        let nulls = [true, false, true].map(|is_null| vec![is_null]);
        assert_eq!(parts(&[0, 2, 1], &nulls), [0..2, 2..3]);
        assert_eq!(parts(&[0, 1, 2], &nulls), [0..1, 1..2, 2..3]);
        assert!(parts(&[], &[]).is_empty());
    }
}
