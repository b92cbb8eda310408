//! Rows of entities as people write them into forms: a line for each, and times that are spread over a range.

use std::{str::FromStr, sync::Arc};

use arrow::{
    array::{ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{Field, Schema},
};

use crate::{
    model::{DataType, Timestamp, printable},
    problem::{Kind, Problem},
    retrieval::{EVENT_TIMESTAMP, Entities, Retrieval},
};

/// Rows of entities in texts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WrittenRows {
    /// The columns of the values.
    pub keys: Vec<String>,
    /// A line for each row, with a value for each key between commas; of one key several values may be in a line.
    pub values: String,
    /// The time of the first row. Without an end all of them are of this moment, as in Feast.
    pub start: Option<Timestamp>,
    /// The time of the last row; the others are spread evenly. Without a start all of them are of this time.
    pub end: Option<Timestamp>,
    /// A line `COLUMN=VALUE` for each further column, which has one value.
    pub columns: String,
}

/// A column, with a text for each row.
type Column<'a> = (&'a str, Vec<&'a str>);

impl WrittenRows {
    /// The rows, with values of the types that a retrieval wants; all others are numbers where all of a column look so.
    ///
    /// # Errors
    /// [`Kind::Invalid`] when there is no row, or one has more or fewer values than there are keys.
    pub(super) fn entities(&self, retrieval: &Retrieval, now: Timestamp) -> Result<Entities, Problem> {
        let rows = self.typed(retrieval, now)?;
        Ok(Entities::of_batches(rows.schema(), vec![rows]))
    }

    fn typed(&self, retrieval: &Retrieval, now: Timestamp) -> Result<RecordBatch, Problem> {
        let keys = self.keys()?;
        let rows = keys.first().map_or(0, |(_, values)| values.len());
        let times = self.times(rows, now)?.into_iter().map(Timestamp::micros);
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"));
        let mut columns: Vec<(&str, ArrayRef)> = Vec::with_capacity(keys.len() + 1);
        for (name, texts) in keys {
            columns.push((name, array(&texts, wanted(retrieval, name))));
        }
        columns.push((EVENT_TIMESTAMP, times));
        for (name, text) in self.columns.lines().filter_map(|line| line.split_once('=')) {
            columns.push((name.trim(), array(&vec![text.trim(); rows], wanted(retrieval, name.trim()))));
        }
        columns.retain(|(name, _)| !name.is_empty());
        let again = |place: usize| columns[..place].iter().any(|(name, _)| *name == columns[place].0);
        if let Some(place) = (0..columns.len()).find(|place| again(*place)) {
            let message = format!("column `{}` is given twice", printable(columns[place].0));
            return Err(Problem::new(Kind::Invalid, message, None));
        }
        let field = |(name, array): &(&str, ArrayRef)| Field::new(*name, array.data_type().clone(), true);
        let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
        RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, array)| array).collect())
            .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
    }

    /// Those of the keys.
    fn keys(&self) -> Result<Vec<Column<'_>>, Problem> {
        let invalid = |message: String| Problem::new(Kind::Invalid, message, None);
        let lines: Vec<Vec<&str>> = match self.keys.as_slice() {
            [] => return Err(invalid("no columns are named for the values of the entities".to_owned())),
            [_] => self
                .values
                .split(['\n', ','])
                .map(str::trim)
                .filter(|value| !value.is_empty())
                .map(|value| vec![value])
                .collect(),
            _ => {
                let lines = self.values.lines().map(str::trim).filter(|line| !line.is_empty());
                lines.map(|line| line.split(',').map(str::trim).collect()).collect()
            }
        };
        if lines.is_empty() {
            return Err(invalid("there are no values of entities".to_owned()));
        }
        let count = self.keys.len();
        if let Some((place, line)) = lines.iter().enumerate().find(|(_, line)| line.len() != count) {
            return Err(invalid(format!("row {} has {} values, and there are {count} keys", place + 1, line.len())));
        }
        let keys = self.keys.iter().map(|key| key.trim());
        Ok(keys.enumerate().map(|(place, key)| (key, lines.iter().map(|line| line[place]).collect())).collect())
    }

    /// The time of each row.
    fn times(&self, rows: usize, now: Timestamp) -> Result<Vec<Timestamp>, Problem> {
        let (Some(start), Some(end)) = (self.start, self.end) else { return Ok(vec![self.end.unwrap_or(now); rows]) };
        if start > end {
            let message = format!("the range of times starts at {start}, after its end {end}");
            return Err(Problem::new(Kind::Invalid, message, "swap them".to_owned()));
        }
        let (first, length) = (i128::from(start.micros()), i128::from(end.micros()) - i128::from(start.micros()));
        let last = rows.saturating_sub(1);
        // A single row is of the end; all of them are between two moments.
        let at =
            |row: usize| if last == 0 { end.micros() } else { (first + length * row as i128 / last as i128) as i64 };
        Ok((0..rows).map(|row| Timestamp::from_micros(at(row))).collect())
    }
}

/// The type that a retrieval wants of a column, if it wants one.
fn wanted<'r>(retrieval: &'r Retrieval, column: &str) -> Option<&'r DataType> {
    let keys = retrieval.entity_columns().into_iter().filter(|key| key.column == column).map(|key| &key.field.dtype);
    let fields = retrieval.request_fields().into_iter().filter(|(field, _)| field.name == column);
    keys.chain(fields.map(|(field, _)| &field.dtype)).next()
}

/// The values of a column; texts where some are nothing else, of which others tell.
fn array(texts: &[&str], wanted: Option<&DataType>) -> ArrayRef {
    let integers = || Some(Arc::new(Int64Array::from(parsed::<i64>(texts)?)) as ArrayRef);
    let floats = || Some(Arc::new(Float64Array::from(parsed::<f64>(texts)?)) as ArrayRef);
    let values = match wanted {
        None => integers().or_else(floats),
        Some(DataType::Int32 | DataType::Int64) => integers(),
        Some(DataType::Float32 | DataType::Float64) => floats(),
        Some(DataType::Bool) => {
            let words: Vec<String> = texts.iter().map(|text| text.to_ascii_lowercase()).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            parsed::<bool>(&words).map(|values| Arc::new(BooleanArray::from(values)) as ArrayRef)
        }
        Some(_) => None,
    };
    values.unwrap_or_else(|| Arc::new(StringArray::from_iter_values(texts)))
}

/// What all of some texts say, if they all say something.
fn parsed<T: FromStr>(texts: &[&str]) -> Option<Vec<T>> {
    texts.iter().map(|text| text.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value as Json, json};

    use super::*;
    use crate::{
        model::{FeatureView, Field as ModelField},
        retrieval::{JoinKey, SelectedView},
        sink::json_objects,
    };

    fn retrieval() -> Retrieval {
        let key = |name: &str, dtype| JoinKey { field: ModelField::new(name, dtype), column: name.to_owned() };
        let join_keys = vec![key("user", DataType::String), key("item", DataType::Int64)];
        let view = FeatureView::new("v");
        let view = SelectedView { name: view.name.clone(), view, join_keys, features: Vec::new() };
        Retrieval { views: vec![view], on_demand: Vec::new() }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    fn written(keys: &[&str], values: &str, range: (Option<i64>, Option<i64>)) -> WrittenRows {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        WrittenRows {
            keys,
            values: values.to_owned(),
            start: range.0.map(at),
            end: range.1.map(at),
            ..Default::default()
        }
    }

    /// The rows as lines.
    fn lines(rows: &WrittenRows) -> Vec<Json> {
        let rows = rows.typed(&retrieval(), at(9)).unwrap();
        json_objects(&rows).unwrap().into_iter().map(Json::from).collect()
    }

    #[test]
    fn values_are_of_the_types_of_their_keys_and_times_are_spread() {
        let rows = written(&["user", "item"], "1, 7\n\n x,8 \n", (Some(0), Some(5)));
        let rows = WrittenRows { columns: "price = 1.5\nnote=a=b\n=x\nnothing".to_owned(), ..rows };
        let row = |user: &str, item: i64, second: u8| {
            let time = format!("1970-01-01T00:00:0{second}Z");
            json!({ "user": user, "item": item, "price": 1.5, "note": "a=b", "event_timestamp": time })
        };
        assert_eq!(lines(&rows), [row("1", 7, 0), row("x", 8, 5)]);
        let rows = lines(&written(&["item"], "1,2\n3", (Some(0), Some(4))));
        let items: Vec<&Json> = rows.iter().map(|row| &row["item"]).collect();
        assert_eq!(
            (items, &rows[1]["event_timestamp"]),
            (vec![&json!(1), &json!(2), &json!(3)], &json!("1970-01-01T00:00:02Z"))
        );
        // What is no number is told by who reads the rows.
        assert_eq!(lines(&written(&["item"], "1,x", (None, None)))[0]["item"], "1");
    }

    #[test]
    fn rows_without_a_range_are_of_its_end_or_of_now() {
        for (range, time) in
            [((None, None), "09"), ((Some(1), None), "09"), ((None, Some(4)), "04"), ((Some(1), Some(4)), "04")]
        {
            let rows = lines(&written(&["item"], "1", range));
            assert_eq!(rows[0]["event_timestamp"], format!("1970-01-01T00:00:{time}Z"), "{range:?}");
        }
    }

    #[test]
    fn rows_that_are_none_are_told() {
        let problem = |rows: WrittenRows| rows.typed(&retrieval(), at(9)).unwrap_err().message;
        assert!(problem(written(&[], "1", (None, None))).contains("no columns"));
        assert!(problem(written(&["item"], " ,\n", (None, None))).contains("no values"));
        let message = "row 2 has 1 values, and there are 2 keys";
        assert_eq!(problem(written(&["user", "item"], "a,1\nb", (None, None))), message);
        assert!(problem(written(&["item"], "1", (Some(2), Some(1)))).contains("after its end"));
        assert_eq!(problem(written(&["item", "item"], "1,2", (None, None))), "column `item` is given twice");
        assert!(problem(written(&["event_timestamp"], "1", (None, None))).contains("given twice"));
    }
}
