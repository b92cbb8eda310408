//! Values of fields of CSV.

use super::{
    json::{is_json, is_object},
    node::{Node, Values},
    texts::{TextKind, Texts},
};
use crate::{
    feast::values::value::bytes_from_text,
    sources::text::{
        Unfit,
        numbers::{double, integer, is_decimal, single},
        times::{Moment, Times},
    },
};

impl Node {
    /// Appends the value that a text means; a text that does not fit is an error and appends nothing.
    pub(super) fn push_text(&mut self, text: &str, times: &Times) -> Result<(), Unfit> {
        // What fits a type is looked at first, because most values do.
        let pushed = match &mut self.values {
            Values::Bool(values) => boolean(text).map(|value| values.append(value)),
            Values::Int32(values) => put(values, integer(text).and_then(|number| i32::try_from(number).ok())),
            Values::Int64(values) => put(values, integer(text)),
            Values::Float32(values) => put(values, double(text.trim_ascii()).and_then(single)),
            Values::Float64(values) => put(values, double(text.trim_ascii())),
            Values::Micros(values) => put(values, times.moment(text).and_then(Moment::micros)),
            Values::Nanos(values) => put(values, times.moment(text).and_then(Moment::nanos)),
            Values::Text(kind, texts) => put_text(*kind, texts, text),
            Values::Bytes(_) if text.is_empty() => None,
            Values::Bytes(texts) => bytes_from_text(text).and_then(|bytes| texts.push(&bytes)),
            Values::List(..) | Values::Struct(..) if is_null(text.trim_ascii(), true) => None,
            Values::List(..) | Values::Struct(..) => return self.push_nested(text, times),
        };
        match pushed {
            Some(()) => {
                self.nulls.append_non_null();
                Ok(())
            }
            None => self.push_null_text(text),
        }
    }

    /// Appends null if the text, which is not a value, means it.
    #[cold]
    fn push_null_text(&mut self, text: &str) -> Result<(), Unfit> {
        let null = match &self.values {
            Values::Text(TextKind::AsIs | TextKind::String, _) => false,
            Values::Bytes(_) => text.is_empty(),
            Values::Float32(_) | Values::Float64(_) => is_null(text.trim_ascii(), false),
            _ => is_null(text.trim_ascii(), true),
        };
        if !null {
            return Err(Unfit::new(text, &self.expected));
        }
        self.push_null();
        Ok(())
    }
}

fn put<T>(values: &mut Vec<T>, value: Option<T>) -> Option<()> {
    values.push(value?);
    Some(())
}

fn put_text(kind: TextKind, texts: &mut Texts, text: &str) -> Option<()> {
    let value = match kind {
        TextKind::AsIs | TextKind::String => text,
        TextKind::Decimal => {
            // NaN is a decimal for Python, but null for who wrote the file.
            Some(text.trim_ascii()).filter(|number| is_decimal(number) && !is_null(number, true))?
        }
        TextKind::Uuid => Some(text.trim_ascii()).filter(|id| uuid::Uuid::try_parse(id).is_ok())?,
        TextKind::Json => Some(text).filter(|json| is_json(json))?,
        TextKind::Map => Some(text).filter(|json| is_object(json))?,
    };
    texts.push(value.as_bytes())
}

fn boolean(text: &str) -> Option<bool> {
    let text = text.trim_ascii();
    let is_any = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    if is_any(["true", "t", "1"]) { Some(true) } else { is_any(["false", "f", "0"]).then_some(false) }
}

/// What programs write for null; `NaN` is one of them unless it is a number.
fn is_null(text: &str, nan: bool) -> bool {
    match text {
        "" | "null" | "NULL" | "Null" | "None" | "NA" | "N/A" | "<NA>" | "NaT" | "\\N" => true,
        "NaN" | "nan" => nan,
        _ => false,
    }
}
