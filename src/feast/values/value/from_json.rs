//! Maps and their values from JSON: which kind each JSON value becomes.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::{BoolList, DoubleList, Int64List, Kind, Map, MapEntry, MapList, RepeatedValue, StringList, Value};

/// Deepest nesting of objects and lists that is read.
///
/// A level of objects takes three levels of messages, and readers stop at a hundred of those.
const MAX_DEPTH: usize = 32;

impl Map {
    /// Reads the text of a JSON object; members keep their order and repetitions,
    /// of which readers take the last.
    ///
    /// Whole numbers become 64-bit integers, others doubles; lists of one kind become the list of
    /// that kind, other lists a list of values.
    ///
    /// # Errors
    /// When the text is not a JSON object, an integer exceeds 64 bits or the nesting 32 levels.
    pub fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        let mut deserializer = serde_json::Deserializer::from_str(text);
        let map = deserializer.deserialize_map(ObjectVisitor { depth: 1 })?;
        deserializer.end()?;
        Ok(map)
    }
}

impl Value {
    /// Any JSON, which becomes what members of a [`Map`] become.
    pub(super) fn of_untyped_json(json: &Json) -> Result<Self, serde_json::Error> {
        ValueSeed { depth: 1 }.deserialize(json)
    }
}

struct ObjectVisitor {
    depth: usize,
}

impl<'de> Visitor<'de> for ObjectVisitor {
    type Value = Map;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Map, A::Error> {
        let mut map = Map::default();
        while let Some(key) = access.next_key::<String>()? {
            let value = access.next_value_seed(ValueSeed { depth: self.depth })?;
            map.val.push(MapEntry { key, value });
        }
        Ok(map)
    }
}

/// Reads any JSON value that is nested in `depth` objects or lists.
#[derive(Clone, Copy)]
struct ValueSeed {
    depth: usize,
}

impl ValueSeed {
    fn deeper<E: de::Error>(self) -> Result<usize, E> {
        if self.depth >= MAX_DEPTH {
            return Err(E::custom(format_args!("nested deeper than {MAX_DEPTH} levels")));
        }
        Ok(self.depth + 1)
    }
}

impl<'de> DeserializeSeed<'de> for ValueSeed {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueSeed {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::NULL)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Kind::Bool(value).into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Kind::Int64(value).into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        let value = i64::try_from(value).map_err(|_| E::custom(format_args!("{value} does not fit Int64")))?;
        Ok(Kind::Int64(value).into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Kind::Double(value).into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Kind::String(value.to_owned()).into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let seed = Self { depth: self.deeper()? };
        let mut values = Vec::new();
        while let Some(value) = access.next_element_seed(seed)? {
            values.push(value);
        }
        Ok(list(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<Value, A::Error> {
        let depth = self.deeper()?;
        ObjectVisitor { depth }.visit_map(access).map(|map| Kind::Map(map).into())
    }
}

/// The list of one kind when all values are of it, else the list of values.
fn list(values: Vec<Value>) -> Value {
    macro_rules! typed {
        ($kind:ident, $list:ident, $message:ident) => {
            if values.iter().all(|value| matches!(value.kind, Some(Kind::$kind(_)))) {
                let val = values.into_iter().filter_map(|value| match value.kind {
                    Some(Kind::$kind(item)) => Some(item),
                    _ => None,
                });
                return Kind::$list($message { val: val.collect() }).into();
            }
        };
    }
    if !values.is_empty() {
        typed!(Int64, Int64List, Int64List);
        typed!(Double, DoubleList, DoubleList);
        typed!(String, StringList, StringList);
        typed!(Bool, BoolList, BoolList);
        typed!(Map, MapList, MapList);
    }
    Kind::List(RepeatedValue { val: values }).into()
}

#[cfg(test)]
mod tests {
    use prost::Message;

    use super::*;

    fn read(text: &str) -> Vec<(String, Option<Kind>)> {
        Map::from_json(text).unwrap().val.into_iter().map(|entry| (entry.key, entry.value.kind)).collect()
    }

    #[test]
    fn members_keep_order_and_kind() {
        let members = read(r#"{"z": 1, "a": 1.5, "m": "x", "t": true, "n": null, "o": {"k": -1}}"#);
        let inner = Map { val: vec![MapEntry { key: "k".to_owned(), value: Kind::Int64(-1).into() }] };
        assert_eq!(
            members,
            [
                ("z".to_owned(), Some(Kind::Int64(1))),
                ("a".to_owned(), Some(Kind::Double(1.5))),
                ("m".to_owned(), Some(Kind::String("x".to_owned()))),
                ("t".to_owned(), Some(Kind::Bool(true))),
                ("n".to_owned(), None),
                ("o".to_owned(), Some(Kind::Map(inner))),
            ]
        );
    }

    #[test]
    fn lists_take_the_kind_of_their_elements() {
        let lists = read(r#"{"i": [1, 2], "f": [1.5], "s": ["a"], "b": [true], "m": [{}], "x": [1, "a"], "e": []}"#);
        let kinds: Vec<_> = lists.into_iter().filter_map(|(_, kind)| kind).collect();
        assert_eq!(kinds[0], Kind::Int64List(Int64List { val: vec![1, 2] }));
        assert_eq!(kinds[1], Kind::DoubleList(DoubleList { val: vec![1.5] }));
        assert_eq!(kinds[2], Kind::StringList(StringList { val: vec!["a".to_owned()] }));
        assert_eq!(kinds[3], Kind::BoolList(BoolList { val: vec![true] }));
        assert_eq!(kinds[4], Kind::MapList(MapList { val: vec![Map::default()] }));
        assert!(matches!(&kinds[5], Kind::List(mixed) if mixed.val.len() == 2));
        assert_eq!(kinds[6], Kind::List(RepeatedValue::default()));
    }

    #[test]
    fn what_is_read_can_be_decoded() {
        let nested = |levels: usize| format!("{}[1]{}", r#"{"a":"#.repeat(levels), "}".repeat(levels));
        let map = Map::from_json(&nested(MAX_DEPTH - 1)).unwrap();
        let value = Value::from(Kind::Struct(map));
        assert_eq!(Value::decode(&value.encode_to_vec()[..]).unwrap(), value);
        assert!(Map::from_json(&nested(MAX_DEPTH)).is_err());
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", "[]", "1", "null", "{", "{} x", r#"{"a": 9223372036854775808}"#] {
            assert!(Map::from_json(text).is_err(), "{text}");
        }
    }
}
