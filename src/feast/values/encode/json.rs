//! JSON text from nested columns, as Python's `json.dumps` writes it.

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array},
    buffer::NullBuffer,
    datatypes::DataType as ArrowType,
};

use super::{
    EncodeError,
    lists::Lists,
    numbers::{Numerals, convert, double, doubles},
    texts::Texts,
};
use crate::feast::values::python_text;

/// A column whose values can be written as JSON.
pub(super) enum JsonColumn {
    Null,
    Bool(BooleanArray),
    Int(Numerals),
    Float(Float64Array),
    Text(Texts),
    List(Lists, Box<JsonColumn>),
    Struct(Option<NullBuffer>, Vec<(String, JsonColumn)>),
    Map(Lists, Texts, Box<JsonColumn>),
}

impl JsonColumn {
    /// `None` when the column holds something that JSON has no form for, such as bytes or timestamps.
    pub(super) fn bind(array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        if let Some(texts) = Texts::bind(array) {
            return Ok(Some(Self::Text(texts)));
        }
        if let Some((lists, elements)) = Lists::bind(array) {
            return Ok(Self::bind(elements)?.map(|elements| Self::List(lists, Box::new(elements))));
        }
        match array.data_type() {
            ArrowType::Null => Ok(Some(Self::Null)),
            ArrowType::Boolean => Ok(Some(Self::Bool(array.as_boolean().clone()))),
            column if column.is_integer() => Ok(Numerals::bind(array)?.map(Self::Int)),
            column if column.is_floating() => Ok(Some(Self::Float(doubles(array)?))),
            ArrowType::Dictionary(_, values) => Self::bind(&convert(array, values)?),
            ArrowType::Struct(fields) => {
                let mut members = Vec::with_capacity(fields.len());
                for (field, column) in fields.iter().zip(array.as_struct().columns()) {
                    match Self::bind(column)? {
                        Some(column) => members.push((field.name().clone(), column)),
                        None => return Ok(None),
                    }
                }
                Ok(Some(Self::Struct(array.nulls().cloned(), members)))
            }
            ArrowType::Map(..) => {
                let maps = array.as_map();
                match (Lists::of_maps(array), Texts::bind(maps.keys()), Self::bind(maps.values())?) {
                    (Some(lists), Some(keys), Some(values)) => Ok(Some(Self::Map(lists, keys, Box::new(values)))),
                    _ => Ok(None),
                }
            }
            _ => Ok(None),
        }
    }

    /// The JSON text of a row, unless the row is null.
    pub(super) fn get(&self, row: usize) -> Option<String> {
        let mut text = String::new();
        self.write(row, &mut text).then_some(text)
    }

    /// Appends a row; a null row appends nothing and answers false.
    fn write(&self, row: usize, out: &mut String) -> bool {
        match self {
            Self::Null => return false,
            Self::Bool(bools) if bools.is_valid(row) => out.push_str(if bools.value(row) { "true" } else { "false" }),
            Self::Bool(_) => return false,
            // Integers always have digits.
            Self::Int(numbers) => match numbers.get(row).ok().flatten() {
                Some(digits) => out.push_str(&digits),
                None => return false,
            },
            // JSON has no form for what is not finite.
            Self::Float(array) => match double(array, row).filter(|number| number.is_finite()) {
                Some(number) => out.push_str(&python_text::float(number)),
                None => return false,
            },
            Self::Text(texts) => match texts.get(row) {
                Some(text) => python_text::json_string(text, out),
                None => return false,
            },
            Self::List(lists, elements) => match lists.get(row) {
                Some(range) => enclose(out, ['[', ']'], range, |element, out| elements.write_or_null(element, out)),
                None => return false,
            },
            Self::Struct(nulls, members) => {
                if nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
                    return false;
                }
                enclose(out, ['{', '}'], members, |(name, column), out| {
                    write_member(name, out);
                    column.write_or_null(row, out);
                });
            }
            Self::Map(lists, keys, values) => match lists.get(row) {
                Some(range) => enclose(out, ['{', '}'], range, |entry, out| {
                    write_member(keys.get(entry).unwrap_or_default(), out);
                    values.write_or_null(entry, out);
                }),
                None => return false,
            },
        }
        true
    }

    fn write_or_null(&self, row: usize, out: &mut String) {
        if !self.write(row, out) {
            out.push_str("null");
        }
    }
}

fn enclose<T>(
    out: &mut String,
    [open, close]: [char; 2],
    items: impl IntoIterator<Item = T>,
    write: impl Fn(T, &mut String),
) {
    out.push(open);
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push_str(", ");
        }
        write(item, out);
    }
    out.push(close);
}

fn write_member(name: &str, out: &mut String) {
    python_text::json_string(name, out);
    out.push_str(": ");
}
