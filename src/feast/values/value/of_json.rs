//! Values of declared types from JSON as Feast's servers of features write them: the way back of `to_json`.
//!
//! What JSON cannot tell apart, such as integers of 32 and 64 bits, or bytes and texts, the declared type does. A value is
//! read exactly or refused.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::{DateTime, Offset as _};
use serde_json::Value as Json;

use super::{
    BoolList, BytesList, DoubleList, FloatList, Int32List, Int64List, Kind, Map, MapEntry, MapList, RepeatedValue,
    StringList, Value, ZonedTimestamp,
};
use crate::model::{DataType, printable};

/// JSON that is no value of a declared type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{json} is no value of type {declared}")]
pub struct UnfitJson {
    /// The JSON, shortened.
    pub json: String,
    /// The declared type.
    pub declared: DataType,
}

impl UnfitJson {
    fn new(declared: &DataType, json: &Json) -> Self {
        const LENGTH: usize = 60;
        let text = json.to_string();
        let json = match text.char_indices().nth(LENGTH) {
            Some((end, _)) => format!("{}…", printable(&text[..end])),
            None => printable(&text).into_owned(),
        };
        Self { json, declared: declared.clone() }
    }
}

impl Value {
    /// The value of a declared type that a server wrote as JSON.
    ///
    /// # Errors
    /// When it is none.
    pub fn of_json(declared: &DataType, json: &Json) -> Result<Self, UnfitJson> {
        if json.is_null() {
            return Ok(Self::NULL);
        }
        kind(declared, json).map(Self::from).ok_or_else(|| UnfitJson::new(declared, json))
    }
}

fn kind(declared: &DataType, json: &Json) -> Option<Kind> {
    match declared {
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => bytes(json).map(Kind::Bytes),
        DataType::String => text(json).map(Kind::String),
        DataType::Int32 => int32(json).map(Kind::Int32),
        DataType::Int64 => json.as_i64().map(Kind::Int64),
        DataType::Float32 => float(json).map(Kind::Float),
        DataType::Float64 => double(json).map(Kind::Double),
        DataType::Bool => json.as_bool().map(Kind::Bool),
        DataType::UnixTimestamp => json.as_i64().map(Kind::UnixTimestamp),
        DataType::Json => text(json).map(Kind::Json),
        DataType::Uuid => text(json).map(Kind::Uuid),
        DataType::TimeUuid => text(json).map(Kind::TimeUuid),
        DataType::Decimal => text(json).map(Kind::Decimal),
        DataType::ZonedTimestamp => zoned(json).map(Kind::ZonedTimestamp),
        DataType::Map => map(&[], json).map(Kind::Map),
        DataType::Struct(members) => map(members, json).map(Kind::Struct),
        DataType::Array(element) => list(element, json, false),
        DataType::Set(element) => list(element, json, true),
        // Servers answer null for the one, and nobody knows what the other is.
        DataType::ScalarMap | DataType::Unknown(_) => None,
    }
}

fn list(element: &DataType, json: &Json, is_set: bool) -> Option<Kind> {
    let items = json.as_array()?;
    macro_rules! typed {
        ($read:expr, $message:ident, $list:ident, $set:ident) => {{
            let list = $message { val: items.iter().map($read).collect::<Option<_>>()? };
            Some(if is_set { Kind::$set(list) } else { Kind::$list(list) })
        }};
    }
    match element {
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => typed!(bytes, BytesList, BytesList, BytesSet),
        DataType::String => typed!(text, StringList, StringList, StringSet),
        DataType::Int32 => typed!(int32, Int32List, Int32List, Int32Set),
        DataType::Int64 => typed!(Json::as_i64, Int64List, Int64List, Int64Set),
        DataType::Float32 => typed!(float, FloatList, FloatList, FloatSet),
        DataType::Float64 => typed!(double, DoubleList, DoubleList, DoubleSet),
        DataType::Bool => typed!(Json::as_bool, BoolList, BoolList, BoolSet),
        DataType::UnixTimestamp => typed!(Json::as_i64, Int64List, UnixTimestampList, UnixTimestampSet),
        DataType::Uuid => typed!(text, StringList, UuidList, UuidSet),
        DataType::TimeUuid => typed!(text, StringList, TimeUuidList, TimeUuidSet),
        DataType::Decimal => typed!(text, StringList, DecimalList, DecimalSet),
        DataType::Array(_) | DataType::Set(_) => {
            typed!(|item| Value::of_json(element, item).ok(), RepeatedValue, List, Set)
        }
        // There are no sets of these.
        _ if is_set => None,
        DataType::Json => typed!(text, StringList, JsonList, JsonList),
        DataType::Map => typed!(|item| map(&[], item), MapList, MapList, MapList),
        DataType::Struct(members) => typed!(|item| map(members, item), MapList, StructList, StructList),
        _ => None,
    }
}

fn text(json: &Json) -> Option<String> {
    json.as_str().map(str::to_owned)
}

fn bytes(json: &Json) -> Option<Vec<u8>> {
    STANDARD.decode(json.as_str()?).ok()
}

fn int32(json: &Json) -> Option<i32> {
    json.as_i64().and_then(|number| number.try_into().ok())
}

/// Numbers, and the texts that stand for those that JSON does not have.
fn double(json: &Json) -> Option<f64> {
    match json {
        Json::String(word) => match word.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        Json::Number(number) => {
            let double = number.as_f64()?;
            // A whole number may be written without a point, but not rounded.
            #[expect(clippy::cast_possible_truncation, reason = "compared with the whole")]
            let is_exact = |whole: i128| double as i128 == whole;
            let whole = number.as_i64().map(i128::from).or_else(|| number.as_u64().map(i128::from));
            whole.is_none_or(is_exact).then_some(double)
        }
        _ => None,
    }
}

/// Floats of 32 bits are written with the digits that they have as floats of 64, or as few as tell them apart.
fn float(json: &Json) -> Option<f32> {
    let double = double(json)?;
    #[expect(clippy::cast_possible_truncation, reason = "compared with what it was")]
    let float = double as f32;
    let is_same = |other: f64| other.to_bits() == double.to_bits();
    let is_it = double.is_nan() || is_same(f64::from(float)) || float.to_string().parse().is_ok_and(is_same);
    is_it.then_some(float)
}

/// A moment with its offset: which zone that is in, no answer says.
fn zoned(json: &Json) -> Option<ZonedTimestamp> {
    let moment = DateTime::parse_from_rfc3339(json.as_str()?).ok()?;
    let zone = match moment.offset().fix().local_minus_utc() {
        0 => "UTC".to_owned(),
        _ => format!("UTC{}", moment.offset()),
    };
    (moment.timestamp_subsec_nanos() == 0).then(|| ZonedTimestamp { unix_timestamp: moment.timestamp(), zone })
}

/// Members have their declared types, or the type that JSON shows: what Feast stores in maps has types of its own.
fn map(members: &[(String, DataType)], json: &Json) -> Option<Map> {
    let entry = |(key, json): (&String, &Json)| {
        let declared = members.iter().find(|(name, _)| name == key).map(|(_, declared)| declared);
        let value = declared.and_then(|declared| Value::of_json(declared, json).ok());
        Some(MapEntry { key: key.clone(), value: value.or_else(|| Value::of_untyped_json(json).ok())? })
    };
    Some(Map { val: json.as_object()?.iter().map(entry).collect::<Option<_>>()? })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Values of types, as servers may have them.
    fn typed() -> impl Strategy<Value = (&'static str, Value)> {
        macro_rules! any_of {
            ($($declared:literal => $strategy:expr, $kind:expr;)+) => {
                prop_oneof![$($strategy.prop_map(|value| ($declared, Value::from($kind(value))))),+]
            };
        }
        let floats = || prop_oneof![any::<f32>(), Just(f32::NAN), Just(f32::INFINITY), Just(-0.0_f32)];
        let doubles = || prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::NEG_INFINITY), Just(-0.0_f64)];
        let many = proptest::collection::vec::<BoxedStrategy<i64>>;
        any_of! {
            "Bool" => any::<bool>(), Kind::Bool;
            "Int32" => any::<i32>(), Kind::Int32;
            "Int64" => any::<i64>(), Kind::Int64;
            "Float32" => floats(), Kind::Float;
            "Float64" => doubles(), Kind::Double;
            "String" => any::<String>(), Kind::String;
            "Bytes" => any::<Vec<u8>>(), Kind::Bytes;
            "ImageBytes" => any::<Vec<u8>>(), Kind::Bytes;
            "UnixTimestamp" => any::<i64>(), Kind::UnixTimestamp;
            "Json" => any::<String>(), Kind::Json;
            "Uuid" => any::<String>(), Kind::Uuid;
            "Decimal" => any::<String>(), Kind::Decimal;
            "Array(Int64)" => many(any::<i64>().boxed(), 0..4), |val| Kind::Int64List(Int64List { val });
            "Set(UnixTimestamp)" => many(any::<i64>().boxed(), 0..4), |val| Kind::UnixTimestampSet(Int64List { val });
            "Array(Float32)" => proptest::collection::vec(floats(), 0..4), |val| Kind::FloatList(FloatList { val });
            "Set(Float64)" => proptest::collection::vec(doubles(), 0..4), |val| Kind::DoubleSet(DoubleList { val });
            "Array(Bytes)" => any::<Vec<Vec<u8>>>(), |val| Kind::BytesList(BytesList { val });
            "Array(Json)" => any::<Vec<String>>(), |val| Kind::JsonList(StringList { val });
            "Set(TimeUuid)" => any::<Vec<String>>(), |val| Kind::TimeUuidSet(StringList { val });
            "Array(Array(Bool))" => any::<Vec<Option<Vec<bool>>>>(), |lists: Vec<Option<Vec<bool>>>| {
                let list = |val| Value::from(Kind::BoolList(BoolList { val }));
                Kind::List(RepeatedValue { val: lists.into_iter().map(|val| val.map_or(Value::NULL, list)).collect() })
            };
            "Struct(a: Int32, b: Float32, c: Bytes)" => any::<(i32, f32, Vec<u8>)>(), |(a, b, c)| {
                let member = |key: &str, kind| MapEntry { key: key.to_owned(), value: Value::from(kind) };
                let val = vec![member("a", Kind::Int32(a)), member("b", Kind::Float(b)), member("c", Kind::Bytes(c))];
                Kind::Struct(Map { val })
            };
        }
    }

    proptest! {
        #[test]
        fn what_is_written_comes_back((declared, value) in typed()) {
            let text = value.to_json().to_string();
            let read = Value::of_json(&declared.parse().unwrap(), &serde_json::from_str(&text).unwrap()).unwrap();
            prop_assert_eq!(read.bytes(), value.bytes(), "{} {}", declared, text);
        }

        #[test]
        fn any_json_is_a_value_or_refused(text in "[\\[{\"0-9a-z:,.}\\]-]{0,12}", (declared, _) in typed()) {
            if let Ok(json) = serde_json::from_str(&text) {
                let _ = Value::of_json(&declared.parse().unwrap(), &json);
            }
        }
    }

    fn read(declared: &str, json: &Json) -> Result<Value, UnfitJson> {
        Value::of_json(&declared.parse().unwrap(), json)
    }

    #[test]
    fn what_loses_something_is_refused() {
        for (declared, json) in [
            ("Int32", json!(1_u64 << 31)),
            ("Int64", json!(1_u64 << 63)),
            ("Int64", json!(1.0)),
            ("Int64", json!("1")),
            ("Float64", json!((1_i64 << 53) + 1)),
            ("Float64", json!(u64::MAX)),
            ("Float32", json!(0.1 + 1e-12)),
            ("Float32", json!(1e300)),
            ("Float64", json!("1.5")),
            ("Bool", json!(1)),
            ("String", json!(1)),
            ("Bytes", json!("a b")),
            ("Bytes", json!([1])),
            ("UnixTimestamp", json!("2026-01-01T00:00:00Z")),
            ("ZonedTimestamp", json!("2026-01-01")),
            ("ZonedTimestamp", json!("2026-01-01T00:00:00.5Z")),
            ("Array(Int64)", json!([1, null])),
            ("Array(Int64)", json!(1)),
            ("Set(String)", json!(["a", 1])),
            ("Map", json!([])),
            ("Struct(a: Int64)", json!("{}")),
            ("ScalarMap", json!({"1": 2})),
        ] {
            let refused = read(declared, &json).unwrap_err();
            assert_eq!(refused.to_string(), format!("{json} is no value of type {declared}"));
            assert_eq!(read(declared, &Json::Null), Ok(Value::NULL));
        }
        assert!(Value::of_json(&DataType::Unknown(99), &json!(1)).is_err());
        let long = read("Int64", &json!("x".repeat(500))).unwrap_err();
        assert!(long.json.chars().count() == 61 && long.json.ends_with('…'), "{long}");
    }

    #[test]
    fn numbers_of_other_servers_are_read() {
        // Feast's server in Go writes floats of 32 bits with as few digits as they need.
        assert_eq!(read("Float32", &json!(0.3)).unwrap(), Kind::Float(0.3).into());
        assert_eq!(read("Float32", &json!(0.30000001192092896)).unwrap(), Kind::Float(0.3).into());
        assert_eq!(read("Float64", &json!(5)).unwrap(), Kind::Double(5.0).into());
        assert_eq!(read("Float64", &json!(i64::MIN)).unwrap(), Kind::Double(-9_223_372_036_854_775_808.0).into());
    }

    #[test]
    fn members_without_a_declared_type_have_the_one_they_show() {
        let members = |declared: &str, json: &Json| match read(declared, json).unwrap().kind {
            Some(Kind::Map(map) | Kind::Struct(map)) => {
                map.val.into_iter().map(|entry| entry.value.kind).collect::<Vec<_>>()
            }
            other => panic!("{other:?}"),
        };
        let json = json!({"a": 1.0, "b": "x", "c": [1, 2]});
        let shown = vec![
            Some(Kind::Double(1.0)),
            Some(Kind::String("x".to_owned())),
            Some(Kind::Int64List(Int64List { val: vec![1, 2] })),
        ];
        assert_eq!(members("Map", &json), shown);
        // Feast stores whole numbers beside nulls as doubles.
        assert_eq!(members("Struct(a: Int64, b: String)", &json), shown);
    }

    #[test]
    fn moments_keep_their_offset() {
        for (text, zone) in [("2026-01-31T12:00:00+00:00", "UTC"), ("2026-01-31T17:30:00+05:30", "UTC+05:30")] {
            let value = read("ZonedTimestamp", &json!(text)).unwrap();
            let moment = ZonedTimestamp { unix_timestamp: 1_769_860_800, zone: zone.to_owned() };
            assert_eq!(value, Kind::ZonedTimestamp(moment).into());
            assert_eq!(value.to_json(), json!(text));
        }
    }
}
