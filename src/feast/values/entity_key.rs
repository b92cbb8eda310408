//! The bytes under which online stores keep an entity (serialization version 3).
//!
//! All numbers are little endian. A key is the number of join keys as `u32`, then per join key,
//! sorted by name, `u32` 2, `u32` length and the name, then per value in the same order `u32` kind,
//! `u32` length and the value.

use std::fmt;

use super::value::{Kind, Value};
use crate::model::printable;

/// Why an entity has no key, or bytes are not a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntityKeyError {
    /// One join key has two values.
    #[error("join key `{0}` is given twice")]
    DuplicateJoinKey(String),
    /// There are more or fewer values than join keys.
    #[error("{expected} join keys need as many values, not {given}")]
    WrongCount {
        /// The number of join keys.
        expected: usize,
        /// The number of values.
        given: usize,
    },
    /// A value of a type that Feast has no key bytes for.
    #[error("`{0}` cannot identify an entity: a join key is a text, bytes, an integer or a timestamp")]
    UnsupportedValue(String),
    /// The length does not fit the 32 bits it is written in.
    #[error("a value of a join key is longer than 4 GiB")]
    TooLong,
    /// Bytes that are not a key, and why.
    #[error("not an entity key: {0}")]
    Malformed(&'static str),
}

/// The value of one join key, borrowed from where it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyPart<'a> {
    /// Kind 1.
    Bytes(&'a [u8]),
    /// Kind 2.
    String(&'a str),
    /// Kind 3.
    Int32(i32),
    /// Kind 4.
    Int64(i64),
    /// Seconds since 1970.
    UnixTimestamp(i64),
}

impl<'a> KeyPart<'a> {
    /// The join key value that a value stands for.
    ///
    /// # Errors
    /// When the value is null or of a kind that cannot identify an entity.
    pub fn from_value(value: &'a Value) -> Result<Self, EntityKeyError> {
        match &value.kind {
            Some(Kind::Bytes(bytes)) => Ok(Self::Bytes(bytes)),
            Some(Kind::String(text)) => Ok(Self::String(text)),
            Some(Kind::Int32(number)) => Ok(Self::Int32(*number)),
            Some(Kind::Int64(number)) => Ok(Self::Int64(*number)),
            Some(Kind::UnixTimestamp(seconds)) => Ok(Self::UnixTimestamp(*seconds)),
            _ => Err(EntityKeyError::UnsupportedValue(value.to_string())),
        }
    }

    fn write(self, out: &mut Vec<u8>) -> Result<(), EntityKeyError> {
        match self {
            Self::Bytes(bytes) => write_block(BYTES, bytes, out),
            Self::String(text) => write_block(STRING, text.as_bytes(), out),
            Self::Int32(number) => write_block(INT32, &number.to_le_bytes(), out),
            Self::Int64(number) => write_block(INT64, &number.to_le_bytes(), out),
            Self::UnixTimestamp(seconds) => write_block(UNIX_TIMESTAMP, &seconds.to_le_bytes(), out),
        }
    }

    fn read(kind: u32, bytes: &'a [u8]) -> Result<Self, EntityKeyError> {
        let wrong_width = |_| EntityKeyError::Malformed("a number has the wrong width");
        match kind {
            BYTES => Ok(Self::Bytes(bytes)),
            STRING => read_text(bytes).map(Self::String),
            INT32 => bytes.try_into().map(i32::from_le_bytes).map(Self::Int32).map_err(wrong_width),
            INT64 => bytes.try_into().map(i64::from_le_bytes).map(Self::Int64).map_err(wrong_width),
            UNIX_TIMESTAMP => bytes.try_into().map(i64::from_le_bytes).map(Self::UnixTimestamp).map_err(wrong_width),
            _ => Err(EntityKeyError::Malformed("a value has a kind that no join key has")),
        }
    }
}

/// The value in words, for messages.
impl fmt::Display for KeyPart<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "\"{}\"", bytes.escape_ascii()),
            Self::String(text) => printable(text).fmt(f),
            Self::Int32(number) => number.fmt(f),
            Self::Int64(number) | Self::UnixTimestamp(number) => number.fmt(f),
        }
    }
}

// The numbers of `feast.types.ValueType`.
const BYTES: u32 = 1;
const STRING: u32 = 2;
const INT32: u32 = 3;
const INT64: u32 = 4;
const UNIX_TIMESTAMP: u32 = 8;

/// Writes the keys of one view's entities: what all of them share is prepared once.
#[derive(Debug, Clone)]
pub struct EntityKeyEncoder {
    prefix: Vec<u8>,
    /// Positions of the caller's join keys in the order of the bytes.
    order: Vec<usize>,
}

impl EntityKeyEncoder {
    /// Prepares keys over these join keys; values are later given in the same order as the names.
    ///
    /// # Errors
    /// When a name occurs twice or exceeds 4 GiB.
    pub fn new<S: AsRef<str>>(join_keys: &[S]) -> Result<Self, EntityKeyError> {
        let name = |index: usize| join_keys[index].as_ref();
        let mut order: Vec<usize> = (0..join_keys.len()).collect();
        order.sort_by_key(|index| name(*index));
        if let Some(pair) = order.windows(2).find(|pair| name(pair[0]) == name(pair[1])) {
            return Err(EntityKeyError::DuplicateJoinKey(name(pair[0]).to_owned()));
        }
        let mut prefix = length(order.len())?.to_vec();
        for index in &order {
            write_block(STRING, name(*index).as_bytes(), &mut prefix)?;
        }
        Ok(Self { prefix, order })
    }

    /// What every key over these join keys starts with.
    pub fn prefix(&self) -> &[u8] {
        &self.prefix
    }

    /// Appends the key of the entity with these values.
    ///
    /// # Errors
    /// When there are more or fewer values than join keys, or one exceeds 4 GiB; `out` is then of no use.
    pub fn encode(&self, parts: &[KeyPart<'_>], out: &mut Vec<u8>) -> Result<(), EntityKeyError> {
        if parts.len() != self.order.len() {
            return Err(EntityKeyError::WrongCount { expected: self.order.len(), given: parts.len() });
        }
        out.extend_from_slice(&self.prefix);
        self.order.iter().try_for_each(|index| parts[*index].write(out))
    }
}

/// Reads a key back: join keys with their values, in the order of the bytes.
///
/// Trailing NUL characters of names are dropped, as in Feast.
///
/// # Errors
/// When the bytes are not exactly one key; a Redis key must be given without its project.
pub fn decode(bytes: &[u8]) -> Result<Vec<(String, KeyPart<'_>)>, EntityKeyError> {
    let mut rest = bytes;
    let count = read_u32(&mut rest)?;
    let mut names = Vec::new();
    for _ in 0..count {
        match read_block(&mut rest)? {
            (STRING, name) => names.push(read_text(name)?.trim_end_matches('\0').to_owned()),
            _ => return Err(EntityKeyError::Malformed("the name of a join key is not a text")),
        }
    }
    let mut pairs = Vec::with_capacity(names.len());
    for name in names {
        let (kind, value) = read_block(&mut rest)?;
        pairs.push((name, KeyPart::read(kind, value)?));
    }
    if rest.is_empty() { Ok(pairs) } else { Err(EntityKeyError::Malformed("more bytes follow")) }
}

/// An entity in a message (`feast.types.EntityKey`): the values stand at the places of their join keys.
#[derive(Clone, PartialEq, prost::Message)]
pub struct EntityKey {
    /// The names of the join keys.
    #[prost(string, repeated, tag = "1")]
    pub join_keys: Vec<String>,
    /// The values, in the order of `join_keys`.
    #[prost(message, repeated, tag = "2")]
    pub entity_values: Vec<Value>,
}

fn length(length: usize) -> Result<[u8; 4], EntityKeyError> {
    u32::try_from(length).map(u32::to_le_bytes).map_err(|_| EntityKeyError::TooLong)
}

fn write_block(kind: u32, bytes: &[u8], out: &mut Vec<u8>) -> Result<(), EntityKeyError> {
    out.extend_from_slice(&kind.to_le_bytes());
    out.extend_from_slice(&length(bytes.len())?);
    out.extend_from_slice(bytes);
    Ok(())
}

fn read_u32(rest: &mut &[u8]) -> Result<u32, EntityKeyError> {
    let (number, tail) = rest.split_first_chunk().ok_or(EntityKeyError::Malformed("it ends too early"))?;
    *rest = tail;
    Ok(u32::from_le_bytes(*number))
}

fn read_block<'a>(rest: &mut &'a [u8]) -> Result<(u32, &'a [u8]), EntityKeyError> {
    let kind = read_u32(rest)?;
    let length = read_u32(rest)? as usize;
    let (block, tail) = rest.split_at_checked(length).ok_or(EntityKeyError::Malformed("it ends too early"))?;
    *rest = tail;
    Ok((kind, block))
}

fn read_text(bytes: &[u8]) -> Result<&str, EntityKeyError> {
    std::str::from_utf8(bytes).map_err(|_| EntityKeyError::Malformed("a text is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_bytes_are_a_key_or_an_error(bytes: Vec<u8>) {
            let _ = decode(&bytes);
        }

        #[test]
        fn what_was_encoded_is_decoded(
            parts in proptest::collection::btree_map("[a-zé_{}*]{1,5}", part(), 1..4),
        ) {
            let (names, values): (Vec<&str>, Vec<&Part>) = parts.iter().map(|(name, part)| (name.as_str(), part)).unzip();
            let values: Vec<KeyPart<'_>> = values.into_iter().map(Part::borrowed).collect();
            let bytes = key(&names, &values);
            let decoded = decode(&bytes).unwrap();
            prop_assert_eq!(decoded.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), names);
            prop_assert_eq!(decoded.into_iter().map(|(_, part)| part).collect::<Vec<_>>(), values);
        }
    }

    /// A key part that owns its value.
    #[derive(Debug, Clone)]
    enum Part {
        Bytes(Vec<u8>),
        Text(String),
        Int32(i32),
        Int64(i64),
        Time(i64),
    }

    impl Part {
        fn borrowed(&self) -> KeyPart<'_> {
            match self {
                Self::Bytes(bytes) => KeyPart::Bytes(bytes),
                Self::Text(text) => KeyPart::String(text),
                Self::Int32(number) => KeyPart::Int32(*number),
                Self::Int64(number) => KeyPart::Int64(*number),
                Self::Time(seconds) => KeyPart::UnixTimestamp(*seconds),
            }
        }
    }

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![
            any::<Vec<u8>>().prop_map(Part::Bytes),
            any::<String>().prop_map(Part::Text),
            any::<i32>().prop_map(Part::Int32),
            any::<i64>().prop_map(Part::Int64),
            any::<i64>().prop_map(Part::Time),
        ]
    }

    fn key(join_keys: &[&str], parts: &[KeyPart<'_>]) -> Vec<u8> {
        let mut out = Vec::new();
        EntityKeyEncoder::new(join_keys).unwrap().encode(parts, &mut out).unwrap();
        out
    }

    #[test]
    fn keys_are_sorted_by_name() {
        let given = key(&["b", "a"], &[KeyPart::Int64(-1), KeyPart::String("é")]);
        assert_eq!(given, key(&["a", "b"], &[KeyPart::String("é"), KeyPart::Int64(-1)]));
        assert_eq!(
            decode(&given).unwrap(),
            [("a".to_owned(), KeyPart::String("é")), ("b".to_owned(), KeyPart::Int64(-1))]
        );
    }

    #[test]
    fn misuse_is_refused() {
        assert_eq!(
            EntityKeyEncoder::new(&["a", "b", "a"]).unwrap_err(),
            EntityKeyError::DuplicateJoinKey("a".to_owned())
        );
        let encoder = EntityKeyEncoder::new(&["a"]).unwrap();
        assert_eq!(
            encoder.encode(&[], &mut Vec::new()).unwrap_err(),
            EntityKeyError::WrongCount { expected: 1, given: 0 }
        );
        assert!(KeyPart::from_value(&Value::NULL).is_err());
        assert!(KeyPart::from_value(&Kind::Double(1.0).into()).is_err());
    }

    #[test]
    fn every_cut_and_every_flipped_byte_is_survived() {
        let whole = key(&["a", "b\0"], &[KeyPart::String("x"), KeyPart::UnixTimestamp(5)]);
        assert_eq!(decode(&whole).unwrap()[1].0, "b");
        for end in 0..whole.len() {
            assert!(decode(&whole[..end]).is_err(), "{end}");
        }
        for index in 0..whole.len() {
            let mut changed = whole.clone();
            changed[index] ^= 0xff;
            let _ = decode(&changed);
        }
        assert!(decode(&[&whole[..], b"demo"].concat()).is_err());
    }
}
