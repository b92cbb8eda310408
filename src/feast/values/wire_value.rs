//! Values as they are stored, written as JSON without being decoded: what a server answers thousands of at a time.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use prost::{
    DecodeError,
    encoding::{WireType, decode_key, decode_varint},
};

use super::value::{NULL_TIMESTAMP, Value};

/// Deeper values are decoded, which knows the limit.
const MAX_DEPTH: usize = 30;

/// The field of moments.
const UNIX_TIMESTAMP: u32 = 8;

/// So many names of an object are compared with each other; larger objects are decoded.
const FEW_NAMES: usize = 32;

/// A value as it is stored (`feast.types.Value`), into which nobody has looked yet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WireValue(Vec<u8>);

impl WireValue {
    /// The value that has no kind.
    pub const NULL: Self = Self(Vec::new());

    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The value.
    ///
    /// # Errors
    /// When the bytes are no value.
    pub fn read(&self) -> Result<Value, DecodeError> {
        Value::read(&self.0)
    }

    /// Whether a reader sees no value, as [`Value::is_null`].
    ///
    /// # Errors
    /// When the bytes are no value; of some that are damaged only reading and writing tells.
    pub fn is_null(&self) -> Result<bool, DecodeError> {
        match only_field(&self.0) {
            _ if self.0.is_empty() || self.is_null_timestamp() => Ok(true),
            Some((1..=8 | 11..=18 | 20..=29 | 32..=48, _)) => Ok(false),
            _ => Ok(self.read()?.is_null()),
        }
    }

    /// Writes what [`Value::to_json`] says of the value, and null if it [`is_null`](Self::is_null).
    ///
    /// # Errors
    /// When the bytes are no value; `out` is as it was then.
    pub fn write_json(&self, out: &mut Vec<u8>) -> Result<(), DecodeError> {
        let start = out.len();
        if self.is_null_timestamp() {
            out.extend_from_slice(b"null");
        } else if value(&self.0, 0, out).is_none() {
            out.truncate(start);
            let value = self.read()?;
            if value.is_null() {
                out.extend_from_slice(b"null");
            } else {
                json(&value.to_json(), out);
            }
        }
        Ok(())
    }

    fn is_null_timestamp(&self) -> bool {
        let null = NULL_TIMESTAMP.cast_unsigned();
        matches!(only_field(&self.0), Some((UNIX_TIMESTAMP, Content::Varint(seconds))) if seconds == null)
    }
}

impl From<Vec<u8>> for WireValue {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<&Value> for WireValue {
    fn from(value: &Value) -> Self {
        Self(value.bytes())
    }
}

/// What stands in a field.
#[derive(Debug, Clone, Copy)]
enum Content<'a> {
    Varint(u64),
    Fixed64([u8; 8]),
    Fixed32([u8; 4]),
    /// A text, bytes, a message or packed numbers.
    Delimited(&'a [u8]),
}

/// Takes the next field; `None` where there is none, or one that no value has.
fn next_field<'a>(rest: &mut &'a [u8]) -> Option<(u32, Content<'a>)> {
    let (number, kind) = decode_key(rest).ok()?;
    let content = match kind {
        WireType::Varint => Content::Varint(decode_varint(rest).ok()?),
        WireType::SixtyFourBit => Content::Fixed64(take(rest)?),
        WireType::ThirtyTwoBit => Content::Fixed32(take(rest)?),
        WireType::LengthDelimited => {
            let length = usize::try_from(decode_varint(rest).ok()?).ok()?;
            let (content, left) = rest.split_at_checked(length)?;
            *rest = left;
            Content::Delimited(content)
        }
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    Some((number, content))
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, left) = rest.split_first_chunk::<N>()?;
    *rest = left;
    Some(*taken)
}

/// The field of a message that has just one.
fn only_field(bytes: &[u8]) -> Option<(u32, Content<'_>)> {
    let mut rest = bytes;
    next_field(&mut rest).filter(|_| rest.is_empty())
}

/// The contents of a message that has nothing but its field 1, each length-delimited.
fn members(bytes: &[u8]) -> impl Iterator<Item = Option<&[u8]>> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let member = match next_field(&mut rest) {
            Some((1, Content::Delimited(member))) => Some(member),
            _ => None,
        };
        if member.is_none() {
            rest = &[];
        }
        Some(member)
    })
}

/// Writes a value as writers of today store it; `None` for all others, which are to be decoded, and may be damaged.
/// What was written by then is to be thrown away.
fn value(bytes: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
    use Content::{Delimited, Fixed32, Fixed64, Varint};
    if depth > MAX_DEPTH {
        return None;
    }
    if bytes.is_empty() {
        out.extend_from_slice(b"null");
        return Some(());
    }
    match only_field(bytes)? {
        (1, Delimited(content)) => base64(content, out),
        (2 | 32 | 36 | 37 | 44, Delimited(content)) => text(content, out)?,
        (3, Varint(number)) => int32(number, out),
        (4 | UNIX_TIMESTAMP, Varint(number)) => int64(number, out),
        (5, Fixed64(number)) => float(f64::from_le_bytes(number), out),
        (6, Fixed32(number)) => float(f64::from(f32::from_le_bytes(number)), out),
        (7, Varint(number)) => boolean(number, out),
        (19, Varint(_)) => out.extend_from_slice(b"null"),
        (11 | 22, Delimited(list)) => {
            return array(members(list), out, |member, out| {
                base64(member?, out);
                Some(())
            });
        }
        (12 | 23 | 33 | 38..=41 | 45 | 46, Delimited(list)) => {
            return array(members(list), out, |member, out| text(member?, out));
        }
        (13 | 24, Delimited(list)) => return packed(list, out, varint, int32),
        (14 | 18 | 25 | 29, Delimited(list)) => return packed(list, out, varint, int64),
        (15 | 26, Delimited(list)) => {
            return packed(list, out, |rest| take(rest).map(f64::from_le_bytes), float);
        }
        (16 | 27, Delimited(list)) => {
            return packed(list, out, |rest| take(rest).map(|bytes| f64::from(f32::from_le_bytes(bytes))), float);
        }
        (17 | 28, Delimited(list)) => return packed(list, out, varint, boolean),
        (20 | 34, Delimited(map)) => return object(map, depth, out),
        (21 | 35, Delimited(list)) => {
            return array(members(list), out, |member, out| object(member?, depth, out));
        }
        (42 | 43, Delimited(list)) => {
            return array(members(list), out, |member, out| value(member?, depth + 1, out));
        }
        _ => return None,
    }
    Some(())
}

/// Entries with both parts, whose names differ: of equal ones the last counts, where the first one stands.
fn object(map: &[u8], depth: usize, out: &mut Vec<u8>) -> Option<()> {
    let mut names: Vec<&[u8]> = Vec::new();
    out.push(b'{');
    for entry in members(map) {
        let mut rest = entry?;
        let (1, Content::Delimited(name)) = next_field(&mut rest)? else { return None };
        let (2, Content::Delimited(content)) = next_field(&mut rest)? else { return None };
        if !rest.is_empty() || names.len() >= FEW_NAMES || names.contains(&name) {
            return None;
        }
        if !names.is_empty() {
            out.push(b',');
        }
        names.push(name);
        text(name, out)?;
        out.push(b':');
        value(content, depth + 1, out)?;
    }
    out.push(b'}');
    Some(())
}

fn array<T>(
    items: impl Iterator<Item = T>,
    out: &mut Vec<u8>,
    mut write: impl FnMut(T, &mut Vec<u8>) -> Option<()>,
) -> Option<()> {
    out.push(b'[');
    for (index, item) in items.enumerate() {
        if index > 0 {
            out.push(b',');
        }
        write(item, out)?;
    }
    out.push(b']');
    Some(())
}

/// Numbers in one field, as everybody writes them.
fn packed<T>(
    list: &[u8],
    out: &mut Vec<u8>,
    mut read: impl FnMut(&mut &[u8]) -> Option<T>,
    write: impl Fn(T, &mut Vec<u8>),
) -> Option<()> {
    let mut rest = match list {
        [] => list,
        _ => match only_field(list)? {
            (1, Content::Delimited(numbers)) => numbers,
            _ => return None,
        },
    };
    out.push(b'[');
    let mut is_first = true;
    while !rest.is_empty() {
        if !is_first {
            out.push(b',');
        }
        is_first = false;
        write(read(&mut rest)?, out);
    }
    out.push(b']');
    Some(())
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    decode_varint(rest).ok()
}

fn int32(number: u64, out: &mut Vec<u8>) {
    // As protobuf has it: the upper half only repeats the sign.
    json(&(number as i32), out);
}

fn int64(number: u64, out: &mut Vec<u8>) {
    json(&number.cast_signed(), out);
}

fn boolean(number: u64, out: &mut Vec<u8>) {
    json(&(number != 0), out);
}

fn float(number: f64, out: &mut Vec<u8>) {
    if number.is_finite() {
        json(&number, out);
    } else if number.is_nan() {
        out.extend_from_slice(br#""NaN""#);
    } else {
        out.extend_from_slice(if number > 0.0 { br#""Infinity""# } else { br#""-Infinity""# });
    }
}

fn text(bytes: &[u8], out: &mut Vec<u8>) -> Option<()> {
    json(std::str::from_utf8(bytes).ok()?, out);
    Some(())
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let start = out.len();
    // Three bytes become four letters.
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]).unwrap_or_default();
    out.truncate(start + written);
    out.push(b'"');
}

/// Nothing that is written here can fail.
fn json(value: &(impl serde::Serialize + ?Sized), out: &mut Vec<u8>) {
    let _ = serde_json::to_writer(out, value);
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;
    use crate::feast::values::value::{
        BoolList, BytesList, DoubleList, FloatList, Int32List, Int64List, Kind, Map, MapEntry, MapKey, MapKeyKind,
        MapList, RepeatedValue, ScalarMap, ScalarMapEntry, StringList, ZonedTimestamp,
    };

    /// What is written of bytes, and what decoding says of them.
    fn both(bytes: &[u8]) -> (Option<serde_json::Value>, Option<serde_json::Value>) {
        let value = WireValue::from(bytes.to_vec());
        let mut written = b"kept".to_vec();
        let ours = value.write_json(&mut written).ok().map(|()| serde_json::from_slice(&written[4..]).unwrap());
        assert!(written.starts_with(b"kept") && (ours.is_some() || written.len() == 4));
        let decoded = value.read().ok();
        if let Some(decoded) = &decoded {
            assert_eq!(value.is_null().ok(), Some(decoded.is_null()));
        }
        let json = |value: Value| if value.is_null() { serde_json::Value::Null } else { value.to_json() };
        (ours, decoded.map(json))
    }

    fn floats() -> impl Strategy<Value = f64> {
        prop_oneof![any::<f64>(), Just(f64::NAN), Just(f64::INFINITY), Just(f64::NEG_INFINITY), Just(-0.0)]
    }

    fn moments() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), Just(NULL_TIMESTAMP), -100_000_i64..100_000]
    }

    /// Values of all kinds but those that hold values.
    fn flat() -> impl Strategy<Value = Kind> {
        fn strings(make: fn(StringList) -> Kind) -> impl Strategy<Value = Kind> {
            vec(any::<String>(), 0..4).prop_map(move |val| make(StringList { val }))
        }
        let texts = (0..9_usize, vec(any::<String>(), 0..4)).prop_map(|(kind, val)| {
            let list = StringList { val };
            match kind {
                0 => Kind::StringSet(list),
                1 => Kind::JsonList(list),
                2 => Kind::UuidList(list),
                3 => Kind::TimeUuidList(list),
                4 => Kind::UuidSet(list),
                5 => Kind::TimeUuidSet(list),
                6 => Kind::DecimalList(list),
                7 => Kind::DecimalSet(list),
                _ => Kind::StringList(list),
            }
        });
        let text = (0..5_usize, any::<String>()).prop_map(|(kind, text)| match kind {
            0 => Kind::Json(text),
            1 => Kind::Uuid(text),
            2 => Kind::TimeUuid(text),
            3 => Kind::Decimal(text),
            _ => Kind::String(text),
        });
        let lists = prop_oneof![
            vec(any::<i32>(), 0..4).prop_map(|val| Kind::Int32List(Int32List { val })),
            vec(any::<i32>(), 0..4).prop_map(|val| Kind::Int32Set(Int32List { val })),
            vec(any::<i64>(), 0..4).prop_map(|val| Kind::Int64List(Int64List { val })),
            vec(any::<i64>(), 0..4).prop_map(|val| Kind::Int64Set(Int64List { val })),
            vec(moments(), 0..4).prop_map(|val| Kind::UnixTimestampList(Int64List { val })),
            vec(moments(), 0..4).prop_map(|val| Kind::UnixTimestampSet(Int64List { val })),
            vec(floats(), 0..4).prop_map(|val| Kind::DoubleList(DoubleList { val })),
            vec(floats(), 0..4).prop_map(|val| Kind::DoubleSet(DoubleList { val })),
            vec(any::<f32>(), 0..4).prop_map(|val| Kind::FloatList(FloatList { val })),
            vec(any::<f32>(), 0..4).prop_map(|val| Kind::FloatSet(FloatList { val })),
            vec(any::<bool>(), 0..4).prop_map(|val| Kind::BoolList(BoolList { val })),
            vec(any::<bool>(), 0..4).prop_map(|val| Kind::BoolSet(BoolList { val })),
            vec(any::<Vec<u8>>(), 0..4).prop_map(|val| Kind::BytesList(BytesList { val })),
            vec(any::<Vec<u8>>(), 0..4).prop_map(|val| Kind::BytesSet(BytesList { val })),
            strings(Kind::StringList),
            texts,
        ];
        let key = any::<i64>().prop_map(|key| MapKey { kind: Some(MapKeyKind::Int64(key)) });
        let scalars = prop_oneof![
            any::<Vec<u8>>().prop_map(Kind::Bytes),
            any::<i32>().prop_map(Kind::Int32),
            any::<i64>().prop_map(Kind::Int64),
            floats().prop_map(Kind::Double),
            any::<f32>().prop_map(Kind::Float),
            any::<bool>().prop_map(Kind::Bool),
            moments().prop_map(Kind::UnixTimestamp),
            Just(Kind::Null(0)),
            text,
            (moments(), prop_oneof![Just(""), Just("UTC-07:00"), Just("Europe/Paris")]).prop_map(|(seconds, zone)| {
                Kind::ZonedTimestamp(ZonedTimestamp { unix_timestamp: seconds, zone: zone.to_owned() })
            }),
            vec(key, 0..3).prop_map(|keys| {
                let entry = |key| ScalarMapEntry { key: Some(key), value: None };
                Kind::ScalarMap(ScalarMap { val: keys.into_iter().map(entry).collect() })
            }),
        ];
        prop_oneof![scalars, lists]
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![flat().prop_map(Value::from), Just(Value::NULL)];
        leaf.prop_recursive(4, 24, 4, |inner| {
            let entry = ("[ab\"é]{0,2}", inner.clone()).prop_map(|(key, value)| MapEntry { key, value });
            let map = vec(entry, 0..4).prop_map(|val| Map { val });
            prop_oneof![
                map.clone().prop_map(Kind::Map),
                map.clone().prop_map(Kind::Struct),
                vec(map.clone(), 0..3).prop_map(|val| Kind::MapList(MapList { val })),
                vec(map, 0..3).prop_map(|val| Kind::StructList(MapList { val })),
                vec(inner.clone(), 0..4).prop_map(|val| Kind::List(RepeatedValue { val })),
                vec(inner, 0..4).prop_map(|val| Kind::Set(RepeatedValue { val })),
            ]
            .prop_map(Value::from)
        })
    }

    proptest! {
        #[test]
        fn every_value_is_written_as_it_is_decoded(value in values()) {
            let (ours, theirs) = both(&value.bytes());
            prop_assert!(theirs.is_some());
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn damaged_values_are_refused_as_they_are_when_decoded(
            value in values(), at: prop::sample::Index, byte: u8, cut: prop::sample::Index
        ) {
            let mut bytes = value.bytes();
            if !bytes.is_empty() {
                let at = at.index(bytes.len());
                bytes[at] = byte;
                let (ours, theirs) = both(&bytes);
                prop_assert_eq!(ours, theirs);
                bytes.truncate(cut.index(bytes.len()));
            }
            let (ours, theirs) = both(&bytes);
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn any_bytes_are_written_as_they_are_decoded(bytes in vec(any::<u8>(), 0..40)) {
            let (ours, theirs) = both(&bytes);
            prop_assert_eq!(ours, theirs);
        }
    }

    #[test]
    fn what_other_writers_may_store_is_decoded() {
        // A number that is written twice, numbers that are not packed, and one that is known to nobody.
        for bytes in [&[0x20, 1, 0x20, 2][..], &[0x72, 4, 0x08, 1, 0x08, 2], &[0xf2, 0x03, 0], &[0x98, 0x01, 0]] {
            let (ours, theirs) = both(bytes);
            assert!(theirs.is_some() && ours == theirs, "{bytes:?}: {ours:?}");
        }
    }

    #[test]
    fn deep_values_have_the_limit_of_decoding() {
        let mut deep = Value::NULL;
        for _ in 0..200 {
            let (ours, theirs) = both(&deep.bytes());
            assert_eq!(ours, theirs);
            deep = Value::from(Kind::List(RepeatedValue { val: vec![deep] }));
        }
        assert!(both(&deep.bytes()).0.is_none());
    }

    #[test]
    fn large_objects_are_written_too() {
        let entry = |number: usize| MapEntry { key: number.to_string(), value: Kind::Int64(1).into() };
        let map = Map { val: (0..FEW_NAMES * 2).map(entry).collect() };
        let (ours, theirs) = both(&Value::from(Kind::Map(map)).bytes());
        assert_eq!(ours, theirs);
    }
}
