//! A value on the wire: what online stores hold per feature, and what serving requests carry.

mod from_json;
mod of_json;
mod text;
mod to_json;

pub use of_json::UnfitJson;
pub use text::{bytes_from_text, text_from_bytes};

/// The instant that stands for "no value" inside timestamps, in seconds since 1970.
///
/// Python has no null among its column timestamps; Feast writes this number and reads it as none.
pub const NULL_TIMESTAMP: i64 = i64::MIN;

/// One value, or null when it has no kind (`feast.types.Value`).
///
/// Null serializes to no bytes at all, and no bytes decode to null. Nesting deeper than prost's
/// recursion limit is a decoding error.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Value {
    #[prost(
        oneof = "Kind",
        tags = "1, 2, 3, 4, 5, 6, 7, 8, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, \
                32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48"
    )]
    /// `None` is null.
    pub kind: Option<Kind>,
}

/// What a value is (the oneof `val` of `feast.types.Value`).
///
/// Except for PDF and image bytes, which are plain bytes here, the field number is the number of
/// the declared type in `feast.types.ValueType`.
#[derive(Clone, PartialEq, prost::Oneof)]
#[expect(missing_docs, reason = "variants carry the names of Feast's fields")]
pub enum Kind {
    #[prost(bytes = "vec", tag = "1")]
    Bytes(Vec<u8>),
    #[prost(string, tag = "2")]
    String(String),
    #[prost(int32, tag = "3")]
    Int32(i32),
    #[prost(int64, tag = "4")]
    Int64(i64),
    #[prost(double, tag = "5")]
    Double(f64),
    #[prost(float, tag = "6")]
    Float(f32),
    #[prost(bool, tag = "7")]
    Bool(bool),
    /// Seconds since 1970, or [`NULL_TIMESTAMP`].
    #[prost(int64, tag = "8")]
    UnixTimestamp(i64),
    #[prost(message, tag = "11")]
    BytesList(BytesList),
    #[prost(message, tag = "12")]
    StringList(StringList),
    #[prost(message, tag = "13")]
    Int32List(Int32List),
    #[prost(message, tag = "14")]
    Int64List(Int64List),
    #[prost(message, tag = "15")]
    DoubleList(DoubleList),
    #[prost(message, tag = "16")]
    FloatList(FloatList),
    #[prost(message, tag = "17")]
    BoolList(BoolList),
    #[prost(message, tag = "18")]
    UnixTimestampList(Int64List),
    /// Null said aloud: the only member of `feast.types.Null` is 0.
    #[prost(int32, tag = "19")]
    Null(i32),
    #[prost(message, tag = "20")]
    Map(Map),
    #[prost(message, tag = "21")]
    MapList(MapList),
    #[prost(message, tag = "22")]
    BytesSet(BytesList),
    #[prost(message, tag = "23")]
    StringSet(StringList),
    #[prost(message, tag = "24")]
    Int32Set(Int32List),
    #[prost(message, tag = "25")]
    Int64Set(Int64List),
    #[prost(message, tag = "26")]
    DoubleSet(DoubleList),
    #[prost(message, tag = "27")]
    FloatSet(FloatList),
    #[prost(message, tag = "28")]
    BoolSet(BoolList),
    #[prost(message, tag = "29")]
    UnixTimestampSet(Int64List),
    /// JSON as text.
    #[prost(string, tag = "32")]
    Json(String),
    #[prost(message, tag = "33")]
    JsonList(StringList),
    #[prost(message, tag = "34")]
    Struct(Map),
    #[prost(message, tag = "35")]
    StructList(MapList),
    #[prost(string, tag = "36")]
    Uuid(String),
    #[prost(string, tag = "37")]
    TimeUuid(String),
    #[prost(message, tag = "38")]
    UuidList(StringList),
    #[prost(message, tag = "39")]
    TimeUuidList(StringList),
    #[prost(message, tag = "40")]
    UuidSet(StringList),
    #[prost(message, tag = "41")]
    TimeUuidSet(StringList),
    /// A list of lists or sets.
    #[prost(message, tag = "42")]
    List(RepeatedValue),
    /// A set of lists or sets.
    #[prost(message, tag = "43")]
    Set(RepeatedValue),
    /// A decimal number as text.
    #[prost(string, tag = "44")]
    Decimal(String),
    #[prost(message, tag = "45")]
    DecimalList(StringList),
    #[prost(message, tag = "46")]
    DecimalSet(StringList),
    #[prost(message, tag = "47")]
    ScalarMap(ScalarMap),
    #[prost(message, tag = "48")]
    ZonedTimestamp(ZonedTimestamp),
}

impl Value {
    /// Reads a stored value.
    ///
    /// # Errors
    /// When the bytes are not a value.
    pub fn read(bytes: &[u8]) -> Result<Self, prost::DecodeError> {
        prost::Message::decode(bytes)
    }

    /// The value as it is stored.
    pub fn bytes(&self) -> Vec<u8> {
        prost::Message::encode_to_vec(self)
    }

    /// The value that has no kind.
    pub const NULL: Self = Self { kind: None };

    /// Whether a reader sees no value: no kind, an explicit null or the null timestamp.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, None | Some(Kind::Null(_) | Kind::UnixTimestamp(NULL_TIMESTAMP)))
    }
}

impl From<Kind> for Value {
    fn from(kind: Kind) -> Self {
        Self { kind: Some(kind) }
    }
}

/// Byte strings (`feast.types.BytesList`, `BytesSet`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct BytesList {
    /// The members.
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub val: Vec<Vec<u8>>,
}

/// Texts (`feast.types.StringList`, `StringSet`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct StringList {
    /// The members.
    #[prost(string, repeated, tag = "1")]
    pub val: Vec<String>,
}

/// Integers of 32 bits (`feast.types.Int32List`, `Int32Set`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct Int32List {
    /// The members.
    #[prost(int32, repeated, tag = "1")]
    pub val: Vec<i32>,
}

/// Integers of 64 bits or seconds since 1970 (`feast.types.Int64List`, `Int64Set`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct Int64List {
    /// The members; moments are in seconds since 1970.
    #[prost(int64, repeated, tag = "1")]
    pub val: Vec<i64>,
}

/// Doubles (`feast.types.DoubleList`, `DoubleSet`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct DoubleList {
    /// The members.
    #[prost(double, repeated, tag = "1")]
    pub val: Vec<f64>,
}

/// Floats (`feast.types.FloatList`, `FloatSet`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct FloatList {
    /// The members.
    #[prost(float, repeated, tag = "1")]
    pub val: Vec<f32>,
}

/// Booleans (`feast.types.BoolList`, `BoolSet`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct BoolList {
    /// The members.
    #[prost(bool, repeated, tag = "1")]
    pub val: Vec<bool>,
}

/// Values by name (`feast.types.Map`), in the order they were written.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Map {
    /// The entries.
    #[prost(message, repeated, tag = "1")]
    pub val: Vec<MapEntry>,
}

/// One entry of the protobuf map inside `feast.types.Map`.
///
/// It is a message of its own because Feast writes both fields even when they are empty.
#[derive(Clone, PartialEq, prost::Message)]
pub struct MapEntry {
    /// The name.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// What stands under the name.
    #[prost(message, required, tag = "2")]
    pub value: Value,
}

/// Maps (`feast.types.MapList`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct MapList {
    /// The members.
    #[prost(message, repeated, tag = "1")]
    pub val: Vec<Map>,
}

/// Values in a row (`feast.types.RepeatedValue`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct RepeatedValue {
    /// The members, each a list or a set.
    #[prost(message, repeated, tag = "1")]
    pub val: Vec<Value>,
}

/// A map whose keys are not texts (`feast.types.ScalarMap`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScalarMap {
    /// The entries, in the order they were written.
    #[prost(message, repeated, tag = "1")]
    pub val: Vec<ScalarMapEntry>,
}

/// One entry of a [`ScalarMap`] (`feast.types.ScalarMapEntry`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct ScalarMapEntry {
    /// `None` where the bytes have no key.
    #[prost(message, optional, tag = "1")]
    pub key: Option<MapKey>,
    /// `None` is null.
    #[prost(message, optional, tag = "2")]
    pub value: Option<Value>,
}

/// The key of a [`ScalarMapEntry`] (`feast.types.MapKey`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct MapKey {
    /// `None` where the bytes have no kind that is known.
    #[prost(oneof = "MapKeyKind", tags = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10")]
    pub kind: Option<MapKeyKind>,
}

/// What a [`MapKey`] is (the oneof `key` of `feast.types.MapKey`).
#[derive(Clone, PartialEq, prost::Oneof)]
#[expect(missing_docs, reason = "variants carry the names of Feast's fields")]
pub enum MapKeyKind {
    #[prost(int32, tag = "1")]
    Int32(i32),
    #[prost(int64, tag = "2")]
    Int64(i64),
    #[prost(float, tag = "3")]
    Float(f32),
    #[prost(double, tag = "4")]
    Double(f64),
    #[prost(bool, tag = "5")]
    Bool(bool),
    /// Seconds since 1970.
    #[prost(int64, tag = "6")]
    UnixTimestamp(i64),
    #[prost(bytes = "vec", tag = "7")]
    Bytes(Vec<u8>),
    #[prost(string, tag = "8")]
    Uuid(String),
    #[prost(string, tag = "9")]
    TimeUuid(String),
    #[prost(string, tag = "10")]
    Decimal(String),
}

/// A moment with the zone it was written in (`feast.types.ZonedTimestamp`).
#[derive(Clone, PartialEq, prost::Message)]
pub struct ZonedTimestamp {
    /// Seconds since 1970, or [`NULL_TIMESTAMP`].
    #[prost(int64, tag = "1")]
    pub unix_timestamp: i64,
    /// A zone name such as `Europe/Paris` or an offset such as `UTC-07:00`; empty means UTC.
    #[prost(string, tag = "2")]
    pub zone: String,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use prost::Message;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_value_or_an_error(bytes: Vec<u8>) {
            if let Ok(value) = Value::decode(&bytes[..]) {
                let again = value.encode_to_vec();
                prop_assert_eq!(Value::decode(&again[..]).unwrap().encode_to_vec(), again);
                value.to_json();
                value.to_text();
                let _ = value.to_string();
            }
        }
    }

    #[test]
    fn null_is_no_bytes() {
        assert_eq!(Value::decode(&[][..]).unwrap(), Value::NULL);
        assert!(Value::NULL.encode_to_vec().is_empty());
        assert!(Value::from(Kind::UnixTimestamp(NULL_TIMESTAMP)).is_null());
        assert!(!Value::from(Kind::String(String::new())).is_null());
    }

    #[test]
    fn map_entries_keep_empty_parts_and_order() {
        let entry = |key: &str| MapEntry { key: key.to_owned(), value: Value::NULL };
        let value = Value::from(Kind::Map(Map { val: vec![entry("b"), entry(""), entry("a")] }));
        let bytes = value.encode_to_vec();
        assert_eq!(bytes, [0xa2, 1, 20, 10, 5, 10, 1, b'b', 18, 0, 10, 4, 10, 0, 18, 0, 10, 5, 10, 1, b'a', 18, 0]);
        assert_eq!(Value::decode(&bytes[..]).unwrap(), value);
    }

    #[test]
    fn nesting_is_limited_when_decoding() {
        let mut deep = Value::NULL;
        for _ in 0..200 {
            deep = Value::from(Kind::List(RepeatedValue { val: vec![deep] }));
        }
        assert!(Value::decode(&deep.encode_to_vec()[..]).is_err());
    }

    #[test]
    fn hostile_bytes_are_errors() {
        for bytes in
            [&[0x12, 0xff][..], &[0x12, 1, 0xff], &[0x29, 0], &[0xff; 12], &[0x72, 0x80, 0x80, 0x80, 0x80, 0x10]]
        {
            assert!(Value::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
