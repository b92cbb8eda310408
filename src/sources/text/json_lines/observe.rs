//! What the first rows show of the columns.

use std::{collections::HashMap, sync::Arc};

use arrow::datatypes::{DataType as ArrowType, Field};
use serde_json::value::RawValue;

use super::each_object;
use crate::sources::text::{Chunks, RowProblem, numbers::named_double};

/// How many rows are looked at.
const ROWS: usize = 1_000;

/// How deep lists in lists are looked into: as deep as types can be declared.
const DEEPEST: usize = 16;

/// What the first rows show.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Observed {
    /// Names and kinds of the columns.
    pub columns: Vec<(String, ArrowType)>,
    /// Whether there is no row.
    pub is_empty: bool,
}

/// The columns that the first 1000 rows have, in the order in which they come. Objects, and values of
/// several kinds, count as texts; names such as `NaN` and `Infinity` beside numbers as floats;
/// integers beyond 64 bits as decimals.
///
/// # Errors
/// When the file cannot be read, or a row is not a JSON object.
pub(crate) fn observe(chunks: &mut Chunks) -> Result<Observed, RowProblem> {
    let mut columns: Vec<(String, Kind)> = Vec::new();
    let mut positions: HashMap<String, usize> = HashMap::new();
    let rows = each_object(chunks, ROWS, |_, _, object| {
        for (name, value) in object.0 {
            let kind = Kind::of(value, 0);
            match positions.get(&*name) {
                Some(position) => columns[*position].1.join(kind),
                None => {
                    positions.insert(name.clone().into_owned(), columns.len());
                    columns.push((name.into_owned(), kind));
                }
            }
        }
    })?;
    let columns = columns.into_iter().map(|(name, kind)| (name, kind.arrow())).collect();
    Ok(Observed { columns, is_empty: rows == 0 })
}

/// What a value or all values of a column are.
#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Null,
    Bool,
    Int,
    /// An integer that 64 bits do not hold.
    LongInt,
    Float,
    /// A text such as `NaN`, which is a number beside numbers.
    FloatName,
    Text,
    List(Box<Kind>),
}

impl Kind {
    fn of(json: &RawValue, depth: usize) -> Self {
        let json = json.get();
        match json.as_bytes().first() {
            Some(b'n') => Self::Null,
            Some(b't' | b'f') => Self::Bool,
            Some(b'"') if named_double(json.trim_matches('"')).is_some() => Self::FloatName,
            Some(b'[') if depth < DEEPEST => Self::list(json, depth),
            Some(b'-' | b'0'..=b'9') => Self::number(json),
            _ => Self::Text,
        }
    }

    fn number(digits: &str) -> Self {
        /// How many digits fit the decimals that stand for long integers.
        const LONGEST: usize = 38;
        let length = digits.trim_start_matches('-').len();
        match () {
            () if digits.contains(['.', 'e', 'E']) || length > LONGEST => Self::Float,
            () if digits.parse::<i64>().is_ok() => Self::Int,
            () => Self::LongInt,
        }
    }

    fn list(json: &str, depth: usize) -> Self {
        let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(json) else { return Self::Text };
        let mut kind = Self::Null;
        elements.into_iter().for_each(|element| kind.join(Self::of(element, depth + 1)));
        Self::List(Box::new(kind))
    }

    /// Makes it the kind of a column that has values of two kinds.
    fn join(&mut self, other: Self) {
        use Kind::{Float, FloatName, Int, List, LongInt, Null, Text};
        *self = match (std::mem::replace(self, Null), other) {
            (one, other) if one == other => one,
            (Null, kind) | (kind, Null) => kind,
            (Int, LongInt) | (LongInt, Int) => LongInt,
            (Int | LongInt | Float | FloatName, Int | LongInt | Float | FloatName) => Float,
            (List(mut one), List(other)) => {
                one.join(*other);
                List(one)
            }
            _ => Text,
        };
    }

    fn arrow(&self) -> ArrowType {
        match self {
            Self::Null => ArrowType::Null,
            Self::Bool => ArrowType::Boolean,
            Self::Int => ArrowType::Int64,
            Self::LongInt => ArrowType::Decimal128(38, 0),
            Self::Float => ArrowType::Float64,
            Self::FloatName | Self::Text => ArrowType::Utf8,
            Self::List(element) => ArrowType::List(Arc::new(Field::new_list_field(element.arrow(), true))),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn look(text: &str) -> Result<Observed, RowProblem> {
        observe(&mut super::super::open(Box::new(Cursor::new(text.to_owned())), 16)?)
    }

    fn kinds(text: &str) -> Vec<(String, ArrowType)> {
        look(text).unwrap().columns
    }

    fn list_of(element: ArrowType) -> ArrowType {
        ArrowType::List(Arc::new(Field::new_list_field(element, true)))
    }

    #[test]
    fn columns_have_a_type_for_all_their_values() {
        let shown = kinds(
            "\n{\"b\":1,\"l\":[1,null],\"n\":null,\"m\":1}\n{\"a\":true,\"b\":1.5,\"l\":[2.5],\"m\":\"x\",\"o\":{}}\n",
        );
        let expected = [
            ("b", ArrowType::Float64),
            ("l", list_of(ArrowType::Float64)),
            ("n", ArrowType::Null),
            ("m", ArrowType::Utf8),
            ("a", ArrowType::Boolean),
            ("o", ArrowType::Utf8),
        ];
        assert_eq!(shown, expected.map(|(name, arrow)| (name.to_owned(), arrow)));
        assert!(look("").unwrap().is_empty);
        assert!(!look("{}").unwrap().is_empty);
        let problem = look("{}\n[1]\n").unwrap_err();
        assert_eq!(problem.line, Some(2));
        assert!(problem.message.starts_with("is not a JSON object"), "{problem}");
    }

    #[test]
    fn kinds_of_several_values() {
        for (values, arrow) in [
            (&["1", "-2"][..], ArrowType::Int64),
            (&["1", "1e3"], ArrowType::Float64),
            (&["18446744073709551615", "1"], ArrowType::Decimal128(38, 0)),
            (&["18446744073709551615", "1.5"], ArrowType::Float64),
            (&["1000000000000000000000000000000000000000"], ArrowType::Float64),
            (&["\"NaN\"", "1"], ArrowType::Float64),
            (&["1.5", "\"-Infinity\"", "\"inf\""], ArrowType::Float64),
            (&["\"NaN\"", "null"], ArrowType::Utf8),
            (&["\"NaN\"", "\"x\"", "1"], ArrowType::Utf8),
            (&["true", "1"], ArrowType::Utf8),
            (&["[1]", "[\"NaN\"]"], list_of(ArrowType::Float64)),
            (&["[]", "[[1]]"], list_of(list_of(ArrowType::Int64))),
            (&["[1]", "1"], ArrowType::Utf8),
        ] {
            let rows: String = values.iter().map(|value| format!("{{\"a\": {value}}}\r\n")).collect();
            assert_eq!(kinds(&rows), [("a".to_owned(), arrow)], "{rows}");
        }
    }

    #[test]
    fn deep_lists_end_as_texts() {
        let deep = format!("{{\"a\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        let mut arrow = kinds(&deep).remove(0).1;
        let mut depth = 0;
        while let ArrowType::List(element) = arrow {
            arrow = element.data_type().clone();
            depth += 1;
        }
        assert_eq!((depth, arrow), (DEEPEST, ArrowType::Utf8));
    }

    #[test]
    fn the_first_thousand_rows_are_looked_at() {
        let rows = format!("{}{{\"b\": 1}}\n[", "{\"a\": 1}\n".repeat(ROWS - 1));
        assert_eq!(kinds(&rows).len(), 2);
        let rows = format!("{}{{\"b\": 1}}\n[", "{\"a\": 1}\n".repeat(ROWS));
        assert_eq!(kinds(&rows).len(), 1);
    }
}
