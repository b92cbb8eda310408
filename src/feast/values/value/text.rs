//! Values as text: that of the column `value_text`, and that for people.

use std::fmt;

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Kind, Map, NULL_TIMESTAMP, Value};
use crate::{feast::values::python_text, model::Timestamp};

impl Value {
    /// The text that the SQL online stores keep beside a value (column `value_text`): texts as they
    /// are, numbers and booleans as Python prints them, `None` for the rest.
    pub fn to_text(&self) -> Option<String> {
        match self.kind.as_ref()? {
            Kind::String(text) => Some(text.clone()),
            Kind::Int32(number) => Some(number.to_string()),
            Kind::Int64(number) => Some(number.to_string()),
            Kind::Double(number) => Some(python_text::float(*number)),
            Kind::Float(number) => Some(python_text::float(f64::from(*number))),
            Kind::Bool(value) => Some(if *value { "True" } else { "False" }.to_owned()),
            _ => None,
        }
    }

    /// The number that the SQL online stores keep beside a value where Feast's filters need one
    /// (column `value_num`): numbers, and booleans as 0 and 1.
    pub fn to_number(&self) -> Option<f64> {
        match self.kind.as_ref()? {
            Kind::Int32(number) => Some(f64::from(*number)),
            #[expect(clippy::cast_precision_loss, reason = "as Python's float()")]
            Kind::Int64(number) => Some(*number as f64),
            Kind::Double(number) => Some(*number),
            Kind::Float(number) => Some(f64::from(*number)),
            Kind::Bool(value) => Some(f64::from(*value)),
            _ => None,
        }
    }
}

impl fmt::Display for Value {
    /// For people: texts without quotes, timestamps as dates, floats with the digits they need.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            None | Some(Kind::Null(_)) => f.write_str("null"),
            Some(kind) => write_kind(kind, f),
        }
    }
}

fn write_kind(kind: &Kind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match kind {
        Kind::Null(_) => f.write_str("null"),
        Kind::Bytes(bytes) => write_bytes(bytes, f),
        Kind::String(text) | Kind::Json(text) | Kind::Uuid(text) | Kind::TimeUuid(text) | Kind::Decimal(text) => {
            f.write_str(text)
        }
        Kind::Int32(number) => write!(f, "{number}"),
        Kind::Int64(number) => write!(f, "{number}"),
        Kind::Double(number) => write!(f, "{number:?}"),
        Kind::Float(number) => write!(f, "{number:?}"),
        Kind::Bool(value) => write!(f, "{value}"),
        Kind::UnixTimestamp(seconds) => write_moment(*seconds, f),
        Kind::BytesList(list) | Kind::BytesSet(list) => write_list(&list.val, f, |bytes, f| write_bytes(bytes, f)),
        Kind::StringList(list)
        | Kind::StringSet(list)
        | Kind::JsonList(list)
        | Kind::UuidList(list)
        | Kind::UuidSet(list)
        | Kind::TimeUuidList(list)
        | Kind::TimeUuidSet(list)
        | Kind::DecimalList(list)
        | Kind::DecimalSet(list) => write_list(&list.val, f, |text, f| f.write_str(text)),
        Kind::Int32List(list) | Kind::Int32Set(list) => write_list(&list.val, f, |number, f| write!(f, "{number}")),
        Kind::Int64List(list) | Kind::Int64Set(list) => write_list(&list.val, f, |number, f| write!(f, "{number}")),
        Kind::UnixTimestampList(list) | Kind::UnixTimestampSet(list) => {
            write_list(&list.val, f, |seconds, f| write_moment(*seconds, f))
        }
        Kind::DoubleList(list) | Kind::DoubleSet(list) => write_list(&list.val, f, |number, f| write!(f, "{number:?}")),
        Kind::FloatList(list) | Kind::FloatSet(list) => write_list(&list.val, f, |number, f| write!(f, "{number:?}")),
        Kind::BoolList(list) | Kind::BoolSet(list) => write_list(&list.val, f, |value, f| write!(f, "{value}")),
        Kind::Map(map) | Kind::Struct(map) => write_map(map, f),
        Kind::MapList(list) | Kind::StructList(list) => write_list(&list.val, f, write_map),
        Kind::List(list) | Kind::Set(list) => write_list(&list.val, f, |value, f| write!(f, "{value}")),
        Kind::ScalarMap(map) => write!(f, "map of {}", map.val.len()),
        Kind::ZonedTimestamp(moment) => f.write_str(super::to_json::zoned(moment).as_deref().unwrap_or("null")),
    }
}

fn write_list<T>(
    items: &[T],
    f: &mut fmt::Formatter<'_>,
    write_item: impl Fn(&T, &mut fmt::Formatter<'_>) -> fmt::Result,
) -> fmt::Result {
    f.write_str("[")?;
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        write_item(item, f)?;
    }
    f.write_str("]")
}

fn write_map(map: &Map, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    f.write_str("{")?;
    for (index, entry) in map.val.iter().enumerate() {
        let separator = if index == 0 { "" } else { ", " };
        write!(f, "{separator}{}: {}", entry.key, entry.value)?;
    }
    f.write_str("}")
}

/// How bytes begin that are written as a text.
const BASE64: &str = "base64:";

fn write_bytes(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "{BASE64}{}", STANDARD.encode(bytes))
}

/// Bytes that a person wrote: `base64:` and their base64, as they are shown, or a text that stands
/// for its own bytes. `None` if it is not base64.
pub fn bytes_from_text(text: &str) -> Option<Vec<u8>> {
    match text.strip_prefix(BASE64) {
        Some(encoded) => STANDARD.decode(encoded).ok(),
        None => Some(text.as_bytes().to_vec()),
    }
}

/// The text from which [`bytes_from_text`] reads these bytes: as they are, if they are a text.
pub fn text_from_bytes(bytes: &[u8]) -> String {
    match str::from_utf8(bytes) {
        Ok(text) if !text.starts_with(BASE64) => text.to_owned(),
        _ => format!("{BASE64}{}", STANDARD.encode(bytes)),
    }
}

fn write_moment(seconds: i64, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match seconds.checked_mul(1_000_000) {
        _ if seconds == NULL_TIMESTAMP => f.write_str("null"),
        Some(micros) => write!(f, "{}", Timestamp::from_micros(micros)),
        None => write!(f, "{seconds} s since 1970"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feast::values::value::{Int64List, MapEntry};

    #[test]
    fn texts_are_python_texts() {
        for (kind, expected) in [
            (Kind::String("a\tb".to_owned()), Some("a\tb")),
            (Kind::Int32(-1), Some("-1")),
            (Kind::Float(0.1), Some("0.10000000149011612")),
            (Kind::Double(0.00001), Some("1e-05")),
            (Kind::Bool(true), Some("True")),
            (Kind::Bool(false), Some("False")),
            (Kind::UnixTimestamp(1), None),
            (Kind::Json("1".to_owned()), None),
        ] {
            assert_eq!(Value::from(kind.clone()).to_text().as_deref(), expected, "{kind:?}");
        }
        assert_eq!(Value::NULL.to_text(), None);
    }

    #[test]
    fn bytes_are_read_as_they_are_written() {
        for (bytes, text) in
            [(&b"ab"[..], "ab"), (b"", ""), (b"\xff", "base64:/w=="), (b"base64:", "base64:YmFzZTY0Og==")]
        {
            assert_eq!(text_from_bytes(bytes), text);
            assert_eq!(bytes_from_text(text).as_deref(), Some(bytes));
        }
        assert_eq!(bytes_from_text("base64:YWI=").as_deref(), Some(&b"ab"[..]));
        assert_eq!(bytes_from_text("base64:/w"), None);
    }

    #[test]
    fn people_see_dates_and_short_floats() {
        let entry = |key: &str, kind| MapEntry { key: key.to_owned(), value: Value { kind } };
        let map = Map { val: vec![entry("f", Some(Kind::Float(0.1))), entry("n", None)] };
        for (kind, expected) in [
            (Kind::Map(map), "{f: 0.1, n: null}"),
            (Kind::UnixTimestampList(Int64List { val: vec![0, NULL_TIMESTAMP] }), "[1970-01-01T00:00:00Z, null]"),
            (Kind::UnixTimestamp(i64::MAX), "9223372036854775807 s since 1970"),
            (Kind::Bytes(vec![255]), "base64:/w=="),
            (Kind::Double(1.0), "1.0"),
        ] {
            assert_eq!(Value::from(kind).to_string(), expected);
        }
        assert_eq!(Value::NULL.to_string(), "null");
    }
}
