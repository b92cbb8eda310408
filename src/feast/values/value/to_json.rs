//! Values as JSON, as Feast's server of features writes them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, FixedOffset, SecondsFormat};
use serde_json::{Map as JsonObject, Value as Json};

use super::{Kind, Map, NULL_TIMESTAMP, Value, ZonedTimestamp};

impl Value {
    /// The value as Feast's HTTP servers answer it.
    ///
    /// Bytes are base64, timestamps whole seconds, numbers that JSON cannot express `"NaN"`,
    /// `"Infinity"` and `"-Infinity"`, JSON values their text; a map with keys other than texts is
    /// null.
    pub fn to_json(&self) -> Json {
        self.kind.as_ref().map_or(Json::Null, kind_to_json)
    }

    /// The value as Feast's clients send it to servers, in columns of rows: maps are texts of JSON, because the server
    /// would make them columns of one struct, and whatever is null is null. Bytes, which Feast's has no way for, are texts
    /// that feastr reads.
    pub fn to_sent_json(&self) -> Json {
        let text = |map: &Map| object(map).to_string().into();
        match &self.kind {
            _ if self.is_null() => Json::Null,
            Some(Kind::Map(map) | Kind::Struct(map)) => text(map),
            Some(Kind::MapList(list) | Kind::StructList(list)) => array(&list.val, text),
            Some(Kind::Bytes(bytes)) => sent_bytes(bytes),
            Some(Kind::BytesList(list) | Kind::BytesSet(list)) => array(&list.val, |bytes| sent_bytes(bytes)),
            _ => self.to_json(),
        }
    }
}

fn kind_to_json(kind: &Kind) -> Json {
    match kind {
        Kind::Null(_) | Kind::ScalarMap(_) => Json::Null,
        Kind::Bytes(bytes) => STANDARD.encode(bytes).into(),
        Kind::String(text) | Kind::Json(text) | Kind::Uuid(text) | Kind::TimeUuid(text) | Kind::Decimal(text) => {
            text.as_str().into()
        }
        Kind::Int32(number) => (*number).into(),
        Kind::Int64(number) | Kind::UnixTimestamp(number) => (*number).into(),
        Kind::Double(number) => float(*number),
        Kind::Float(number) => float(f64::from(*number)),
        Kind::Bool(value) => (*value).into(),
        Kind::BytesList(list) | Kind::BytesSet(list) => array(&list.val, |bytes| STANDARD.encode(bytes).into()),
        Kind::StringList(list)
        | Kind::StringSet(list)
        | Kind::JsonList(list)
        | Kind::UuidList(list)
        | Kind::UuidSet(list)
        | Kind::TimeUuidList(list)
        | Kind::TimeUuidSet(list)
        | Kind::DecimalList(list)
        | Kind::DecimalSet(list) => array(&list.val, |text| text.as_str().into()),
        Kind::Int32List(list) | Kind::Int32Set(list) => array(&list.val, |number| (*number).into()),
        Kind::Int64List(list) | Kind::Int64Set(list) | Kind::UnixTimestampList(list) | Kind::UnixTimestampSet(list) => {
            array(&list.val, |number| (*number).into())
        }
        Kind::DoubleList(list) | Kind::DoubleSet(list) => array(&list.val, |number| float(*number)),
        Kind::FloatList(list) | Kind::FloatSet(list) => array(&list.val, |number| float(f64::from(*number))),
        Kind::BoolList(list) | Kind::BoolSet(list) => array(&list.val, |value| (*value).into()),
        Kind::Map(map) | Kind::Struct(map) => object(map),
        Kind::MapList(list) | Kind::StructList(list) => array(&list.val, object),
        Kind::List(list) | Kind::Set(list) => array(&list.val, Value::to_json),
        Kind::ZonedTimestamp(moment) => zoned(moment).into(),
    }
}

/// Bytes as a text of rows that is read as bytes.
fn sent_bytes(bytes: &[u8]) -> Json {
    format!("base64:{}", STANDARD.encode(bytes)).into()
}

fn array<T>(items: &[T], convert: impl Fn(&T) -> Json) -> Json {
    Json::Array(items.iter().map(convert).collect())
}

fn object(map: &Map) -> Json {
    Json::Object(map.val.iter().map(|entry| (entry.key.clone(), entry.value.to_json())).collect::<JsonObject<_, _>>())
}

fn float(number: f64) -> Json {
    if number.is_nan() {
        "NaN".into()
    } else if number.is_infinite() {
        if number > 0.0 { "Infinity" } else { "-Infinity" }.into()
    } else {
        number.into()
    }
}

/// ISO 8601 in the zone of the value; `None` for the null timestamp and beyond the calendar.
///
/// Named zones other than UTC are shown in UTC: no zone database is at hand.
pub(super) fn zoned(moment: &ZonedTimestamp) -> Option<String> {
    if moment.unix_timestamp == NULL_TIMESTAMP {
        return None;
    }
    let offset = fixed_offset(&moment.zone).or_else(|| FixedOffset::east_opt(0))?;
    let time = DateTime::from_timestamp(moment.unix_timestamp, 0)?.with_timezone(&offset);
    Some(time.to_rfc3339_opts(SecondsFormat::Secs, false))
}

/// Reads `+05:30`, `UTC-07:00`, `GMT+0100` and the like.
fn fixed_offset(zone: &str) -> Option<FixedOffset> {
    let offset = zone.trim();
    let offset = offset.strip_prefix("UTC").or_else(|| offset.strip_prefix("GMT")).unwrap_or(offset);
    let (sign, clock) = match offset.split_at_checked(1)? {
        ("+", clock) => (1, clock),
        ("-", clock) => (-1, clock),
        _ => return None,
    };
    let (hours, minutes) = clock.split_at_checked(2)?;
    let minutes = minutes.strip_prefix(':').unwrap_or(minutes);
    let two_digits = |text: &str| (text.len() == 2).then(|| text.parse::<u8>().ok()).flatten();
    let minutes = i32::from(two_digits(hours)?) * 60 + i32::from(two_digits(minutes)?);
    FixedOffset::east_opt(sign * minutes * 60)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::feast::values::value::{FloatList, MapEntry, MapList, RepeatedValue};

    #[test]
    fn scalars() {
        for (kind, expected) in [
            (Kind::Null(0), json!(null)),
            (Kind::Bytes(vec![0, 1, 255]), json!("AAH/")),
            (Kind::Int64(i64::MAX), json!(i64::MAX)),
            (Kind::Float(0.3), json!(0.30000001192092896)),
            (Kind::Double(f64::NAN), json!("NaN")),
            (Kind::Double(f64::NEG_INFINITY), json!("-Infinity")),
            (Kind::Float(f32::INFINITY), json!("Infinity")),
            (Kind::UnixTimestamp(NULL_TIMESTAMP), json!(i64::MIN)),
            (Kind::Json("{\"a\": 1}".to_owned()), json!("{\"a\": 1}")),
        ] {
            assert_eq!(Value::from(kind.clone()).to_json(), expected, "{kind:?}");
        }
        assert_eq!(Value::NULL.to_json(), Json::Null);
    }

    #[test]
    fn nested_values() {
        let inner = Value::from(Kind::FloatList(FloatList { val: vec![1.5, f32::NAN] }));
        let entry = MapEntry { key: "k".to_owned(), value: inner };
        let map = Kind::Map(Map { val: vec![entry, MapEntry::default()] });
        let list = Kind::List(RepeatedValue { val: vec![map.into(), Value::NULL] });
        assert_eq!(Value::from(list).to_json(), json!([{"k": [1.5, "NaN"], "": null}, null]));
    }

    #[test]
    fn bytes_are_sent_as_texts_that_are_read_again() {
        for (bytes, text) in [(&b""[..], "base64:"), (b"ab", "base64:YWI="), (b"\xff", "base64:/w==")] {
            assert_eq!(Value::from(Kind::Bytes(bytes.to_vec())).to_sent_json(), json!(text));
            assert_eq!(crate::feast::values::value::bytes_from_text(text).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn maps_are_sent_as_texts() {
        let entry = |key: &str| MapEntry { key: key.to_owned(), value: Kind::Int64(1).into() };
        let map = Map { val: vec![entry("b"), entry("a")] };
        assert_eq!(Value::from(Kind::Struct(map.clone())).to_sent_json(), json!("{\"b\":1,\"a\":1}"));
        let list = Kind::MapList(MapList { val: vec![map, Map::default()] });
        assert_eq!(Value::from(list).to_sent_json(), json!(["{\"b\":1,\"a\":1}", "{}"]));
        for null in [Kind::Null(0), Kind::UnixTimestamp(NULL_TIMESTAMP)] {
            assert_eq!(Value::from(null).to_sent_json(), Json::Null);
        }
        assert_eq!(Value::from(Kind::UnixTimestamp(5)).to_sent_json(), json!(5));
    }

    #[test]
    fn zoned_timestamps_keep_fixed_offsets() {
        for (zone, expected) in [
            ("", "2021-04-12T00:00:00+00:00"),
            ("UTC", "2021-04-12T00:00:00+00:00"),
            ("UTC-07:00", "2021-04-11T17:00:00-07:00"),
            ("+0530", "2021-04-12T05:30:00+05:30"),
            ("Europe/Paris", "2021-04-12T00:00:00+00:00"),
            ("+é", "2021-04-12T00:00:00+00:00"),
            ("+99:00", "2021-04-12T00:00:00+00:00"),
        ] {
            let moment = ZonedTimestamp { unix_timestamp: 1_618_185_600, zone: zone.to_owned() };
            assert_eq!(Value::from(Kind::ZonedTimestamp(moment)).to_json(), json!(expected), "{zone}");
        }
        for unix_timestamp in [NULL_TIMESTAMP, i64::MAX] {
            let moment = ZonedTimestamp { unix_timestamp, zone: String::new() };
            assert_eq!(Value::from(Kind::ZonedTimestamp(moment)).to_json(), Json::Null);
        }
    }
}
