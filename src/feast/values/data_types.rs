//! Declared types as the registry spells them (a number of `feast.types.ValueType`, and tags for
//! what a number cannot say).

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize,
    de::{self, Deserializer, MapAccess, Visitor},
};

use super::python_text;
use crate::model::DataType;

/// Tag with the members of a struct.
const STRUCT_SCHEMA: &str = "feast:struct_schema";
/// Tag with the whole type of lists and sets in lists and sets.
const NESTED_TYPE: &str = "feast:nested_inner_type";

const STRUCT: i32 = 34;
const STRUCT_LIST: i32 = 35;
const VALUE_LIST: i32 = 42;
const VALUE_SET: i32 = 43;

/// Deepest nesting read from tags; deeper ones are not a type.
const MAX_DEPTH: usize = 16;

/// How one type without parameters is written.
struct Simple {
    dtype: DataType,
    /// Number in `feast.types.ValueType`.
    number: i32,
    /// Numbers of the list and the set of this type, where Feast has them.
    list: Option<i32>,
    set: Option<i32>,
    /// Name in `feast.types.ValueType`.
    value_type: &'static str,
    /// Name inside the tags.
    tag_name: &'static str,
}

const fn simple(
    dtype: DataType,
    (number, list, set): (i32, Option<i32>, Option<i32>),
    value_type: &'static str,
    tag_name: &'static str,
) -> Simple {
    Simple { dtype, number, list, set, value_type, tag_name }
}

static SIMPLE: [Simple; 17] = [
    simple(DataType::Bytes, (1, Some(11), Some(22)), "BYTES", "BYTES"),
    simple(DataType::String, (2, Some(12), Some(23)), "STRING", "STRING"),
    simple(DataType::Int32, (3, Some(13), Some(24)), "INT32", "INT32"),
    simple(DataType::Int64, (4, Some(14), Some(25)), "INT64", "INT64"),
    simple(DataType::Float64, (5, Some(15), Some(26)), "DOUBLE", "FLOAT64"),
    simple(DataType::Float32, (6, Some(16), Some(27)), "FLOAT", "FLOAT32"),
    simple(DataType::Bool, (7, Some(17), Some(28)), "BOOL", "BOOL"),
    simple(DataType::UnixTimestamp, (8, Some(18), Some(29)), "UNIX_TIMESTAMP", "UNIX_TIMESTAMP"),
    simple(DataType::Map, (20, Some(21), None), "MAP", "MAP"),
    simple(DataType::PdfBytes, (30, None, None), "PDF_BYTES", "PDF_BYTES"),
    simple(DataType::ImageBytes, (31, None, None), "IMAGE_BYTES", "IMAGE_BYTES"),
    simple(DataType::Json, (32, Some(33), None), "JSON", "JSON"),
    simple(DataType::Uuid, (36, Some(38), Some(40)), "UUID", "UUID"),
    simple(DataType::TimeUuid, (37, Some(39), Some(41)), "TIME_UUID", "TIME_UUID"),
    simple(DataType::Decimal, (44, Some(45), Some(46)), "DECIMAL", "DECIMAL"),
    simple(DataType::ScalarMap, (47, None, None), "SCALAR_MAP", "SCALAR_MAP"),
    simple(DataType::ZonedTimestamp, (48, None, None), "ZONED_TIMESTAMP", "ZONED_TIMESTAMP"),
];

fn find(dtype: &DataType) -> Option<&'static Simple> {
    SIMPLE.iter().find(|simple| simple.dtype == *dtype)
}

/// A type as a field of the registry holds it (`feast.core.FeatureSpecV2`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireType {
    /// Number in `feast.types.ValueType`; 0 for lists and sets that Feast has no number for.
    pub number: i32,
    /// Reserved tags to be written with the field's own.
    pub tags: Vec<(String, String)>,
}

/// How the registry spells a type.
pub fn to_wire(dtype: &DataType) -> WireType {
    let number = number(dtype);
    let tags = match (number, dtype) {
        (STRUCT, DataType::Struct(members)) => vec![(STRUCT_SCHEMA.to_owned(), members_text(members))],
        (STRUCT_LIST, DataType::Array(element)) => match element.as_ref() {
            DataType::Struct(members) => vec![(STRUCT_SCHEMA.to_owned(), members_text(members))],
            _ => Vec::new(),
        },
        (VALUE_LIST | VALUE_SET, DataType::Array(_) | DataType::Set(_)) => {
            vec![(NESTED_TYPE.to_owned(), type_text(dtype))]
        }
        _ => Vec::new(),
    };
    WireType { number, tags }
}

/// The type of a field and the tags that are the field's own.
///
/// Struct and nested types whose tag is missing or unreadable are unknown types, with all tags kept.
pub fn from_wire(number: i32, tags: &BTreeMap<String, String>) -> (DataType, BTreeMap<String, String>) {
    let dtype = match number {
        STRUCT => tags.get(STRUCT_SCHEMA).and_then(|text| parse_members(text, 0)),
        STRUCT_LIST => tags.get(STRUCT_SCHEMA).and_then(|text| parse_members(text, 0)).map(list_of),
        VALUE_LIST | VALUE_SET => tags.get(NESTED_TYPE).and_then(|text| parse_type(text, 0)),
        _ => simple_from_number(number),
    };
    match dtype.filter(|dtype| self::number(dtype) == number) {
        Some(dtype) => {
            let own = tags.iter().filter(|(name, _)| ![STRUCT_SCHEMA, NESTED_TYPE].contains(&name.as_str()));
            (dtype, own.map(|(name, value)| (name.clone(), value.clone())).collect())
        }
        None => (DataType::Unknown(number), tags.clone()),
    }
}

/// The name of a type in `feast.types.ValueType`, as entities show it; unknown numbers are digits.
pub fn value_type_name(dtype: &DataType) -> String {
    let number = number(dtype);
    let named = SIMPLE.iter().find_map(|simple| match number {
        _ if simple.number == number => Some(simple.value_type.to_owned()),
        _ if simple.list == Some(number) => Some(format!("{}_LIST", simple.value_type)),
        _ if simple.set == Some(number) => Some(format!("{}_SET", simple.value_type)),
        _ => None,
    });
    named.unwrap_or_else(|| match number {
        0 => "INVALID".to_owned(),
        19 => "NULL".to_owned(),
        STRUCT => "STRUCT".to_owned(),
        STRUCT_LIST => "STRUCT_LIST".to_owned(),
        VALUE_LIST => "VALUE_LIST".to_owned(),
        VALUE_SET => "VALUE_SET".to_owned(),
        unknown => unknown.to_string(),
    })
}

/// The type with this name in `feast.types.ValueType`, unless the name alone does not make a type.
pub fn parse_value_type(name: &str) -> Option<DataType> {
    SIMPLE.iter().find_map(|simple| match name.strip_prefix(simple.value_type)? {
        "" => Some(simple.dtype.clone()),
        "_LIST" => simple.list.map(|_| list_of(simple.dtype.clone())),
        "_SET" => simple.set.map(|_| set_of(simple.dtype.clone())),
        _ => None,
    })
}

/// The number of a type in `feast.types.ValueType`, 0 when it has none.
fn number(dtype: &DataType) -> i32 {
    let number = match dtype {
        DataType::Unknown(number) => Some(*number),
        DataType::Struct(_) => Some(STRUCT),
        DataType::Array(element) => match element.as_ref() {
            DataType::Array(_) | DataType::Set(_) => Some(VALUE_LIST),
            DataType::Struct(_) => Some(STRUCT_LIST),
            element => find(element).and_then(|simple| simple.list),
        },
        DataType::Set(element) => match element.as_ref() {
            DataType::Array(_) | DataType::Set(_) => Some(VALUE_SET),
            element => find(element).and_then(|simple| simple.set),
        },
        dtype => find(dtype).map(|simple| simple.number),
    };
    number.unwrap_or(0)
}

/// The field of `feast.types.Value` that holds values of a type; `None` when there is none.
pub(in crate::feast) fn value_field(dtype: &DataType) -> Option<u32> {
    match dtype {
        DataType::PdfBytes | DataType::ImageBytes => value_field(&DataType::Bytes),
        DataType::Unknown(_) => None,
        dtype => u32::try_from(number(dtype)).ok().filter(|number| *number > 0),
    }
}

fn simple_from_number(number: i32) -> Option<DataType> {
    SIMPLE.iter().find_map(|simple| match number {
        _ if simple.number == number => Some(simple.dtype.clone()),
        _ if simple.list == Some(number) => Some(list_of(simple.dtype.clone())),
        _ if simple.set == Some(number) => Some(set_of(simple.dtype.clone())),
        _ => None,
    })
}

fn list_of(element: DataType) -> DataType {
    DataType::Array(Box::new(element))
}

fn set_of(element: DataType) -> DataType {
    DataType::Set(Box::new(element))
}

/// A type inside a tag, such as `Array(Array(INT64))`.
fn type_text(dtype: &DataType) -> String {
    match dtype {
        DataType::Array(element) => format!("Array({})", type_text(element)),
        DataType::Set(element) => format!("Set({})", type_text(element)),
        DataType::Struct(members) => format!("{{\"__struct__\": {}}}", members_text(members)),
        dtype => find(dtype).map_or("INVALID", |simple| simple.tag_name).to_owned(),
    }
}

/// A JSON object from member to type, in declared order.
fn members_text(members: &[(String, DataType)]) -> String {
    let mut text = String::from("{");
    for (index, (name, dtype)) in members.iter().enumerate() {
        if index > 0 {
            text.push_str(", ");
        }
        python_text::json_string(name, &mut text);
        text.push_str(": ");
        python_text::json_string(&type_text(dtype), &mut text);
    }
    text.push('}');
    text
}

fn parse_type(text: &str, depth: usize) -> Option<DataType> {
    if depth > MAX_DEPTH {
        return None;
    }
    let parameter = |name: &str| text.strip_prefix(name)?.strip_prefix('(')?.strip_suffix(')');
    if let Some(element) = parameter("Array") {
        return parse_type(element, depth + 1).map(list_of);
    }
    if let Some(element) = parameter("Set") {
        return parse_type(element, depth + 1).map(set_of);
    }
    if text.starts_with('{') {
        let nested: NestedStruct = serde_json::from_str(text).ok()?;
        return nested.members.parse(depth + 1);
    }
    SIMPLE.iter().find(|simple| simple.tag_name == text).map(|simple| simple.dtype.clone())
}

fn parse_members(text: &str, depth: usize) -> Option<DataType> {
    serde_json::from_str::<MemberTexts>(text).ok()?.parse(depth)
}

/// A struct inside a struct.
#[derive(Deserialize)]
struct NestedStruct {
    #[serde(rename = "__struct__")]
    members: MemberTexts,
}

/// A JSON object of texts in its written order.
struct MemberTexts(Vec<(String, String)>);

impl MemberTexts {
    fn parse(self, depth: usize) -> Option<DataType> {
        let members: Option<Vec<_>> =
            self.0.into_iter().map(|(name, text)| Some((name, parse_type(&text, depth + 1)?))).collect();
        members.filter(|members| !members.is_empty()).map(DataType::Struct)
    }
}

impl<'de> Deserialize<'de> for MemberTexts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = MemberTexts;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of texts")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<MemberTexts, A::Error> {
                let mut members: Vec<(String, String)> = Vec::new();
                while let Some((name, text)) = access.next_entry()? {
                    if members.iter().any(|(other, _)| *other == name) {
                        return Err(de::Error::custom("a member is named twice"));
                    }
                    members.push((name, text));
                }
                Ok(MemberTexts(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dtype(text: &str) -> DataType {
        text.parse().unwrap()
    }

    fn own_tags() -> BTreeMap<String, String> {
        BTreeMap::from([("team".to_owned(), "growth".to_owned())])
    }

    #[test]
    fn every_type_reads_back() {
        for (text, number, tag) in [
            ("Bytes", 1, None),
            ("Float32", 6, None),
            ("Float64", 5, None),
            ("PdfBytes", 30, None),
            ("ImageBytes", 31, None),
            ("Array(UnixTimestamp)", 18, None),
            ("Set(Bytes)", 22, None),
            ("Array(Map)", 21, None),
            ("Array(Json)", 33, None),
            ("Set(TimeUuid)", 41, None),
            ("Set(Decimal)", 46, None),
            ("ZonedTimestamp", 48, None),
            ("Array(Array(Int64))", 42, Some((NESTED_TYPE, "Array(Array(INT64))"))),
            ("Set(Array(Float64))", 43, Some((NESTED_TYPE, "Set(Array(FLOAT64))"))),
            ("Struct(a: Int64, b: String)", 34, Some((STRUCT_SCHEMA, r#"{"a": "INT64", "b": "STRING"}"#))),
            ("Array(Struct(z: Float32, a: Bool))", 35, Some((STRUCT_SCHEMA, r#"{"z": "FLOAT32", "a": "BOOL"}"#))),
            (
                "Struct(é: Struct(x: Array(Int32)))",
                34,
                Some((STRUCT_SCHEMA, r#"{"\u00e9": "{\"__struct__\": {\"x\": \"Array(INT32)\"}}"}"#)),
            ),
            (
                "Array(Array(Struct(a: Int64)))",
                42,
                Some((NESTED_TYPE, r#"Array(Array({"__struct__": {"a": "INT64"}}))"#)),
            ),
        ] {
            let wire = to_wire(&dtype(text));
            let expected: Vec<_> = tag.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
            assert_eq!(wire, WireType { number, tags: expected }, "{text}");
            let mut tags = own_tags();
            tags.extend(wire.tags);
            assert_eq!(from_wire(number, &tags), (dtype(text), own_tags()), "{text}");
        }
    }

    #[test]
    fn what_is_not_understood_is_kept() {
        let with = |name: &str, value: &str| BTreeMap::from([(name.to_owned(), value.to_owned())]);
        let deep = format!("{}INT64{}", "Array(".repeat(1000), ")".repeat(1000));
        for (number, tags) in [
            (0, own_tags()),
            (19, own_tags()),
            (77, own_tags()),
            (-1, own_tags()),
            (STRUCT, own_tags()),
            (STRUCT, with(STRUCT_SCHEMA, "{}")),
            (STRUCT, with(STRUCT_SCHEMA, r#"{"a": "INT65"}"#)),
            (STRUCT, with(STRUCT_SCHEMA, r#"{"a": "INT64", "a": "INT32"}"#)),
            (STRUCT_LIST, with(STRUCT_SCHEMA, "not JSON")),
            (VALUE_LIST, with(NESTED_TYPE, "INT64")),
            (VALUE_LIST, with(NESTED_TYPE, "Set(Array(INT64))")),
            (VALUE_LIST, with(NESTED_TYPE, &deep)),
        ] {
            let (dtype, kept) = from_wire(number, &tags);
            assert_eq!((&dtype, &kept), (&DataType::Unknown(number), &tags));
            assert_eq!(to_wire(&dtype), WireType { number, tags: Vec::new() });
        }
    }

    #[test]
    fn types_without_a_number_are_invalid() {
        for text in ["Array(PdfBytes)", "Array(ZonedTimestamp)", "Set(Json)"] {
            assert_eq!(to_wire(&dtype(text)).number, 0, "{text}");
            assert_eq!(value_field(&dtype(text)), None, "{text}");
        }
    }

    #[test]
    fn value_types_have_names() {
        for (text, name) in [
            ("Int64", "INT64"),
            ("Float64", "DOUBLE"),
            ("Float32", "FLOAT"),
            ("String", "STRING"),
            ("UnixTimestamp", "UNIX_TIMESTAMP"),
            ("TimeUuid", "TIME_UUID"),
            ("Array(Float32)", "FLOAT_LIST"),
            ("Set(Uuid)", "UUID_SET"),
        ] {
            assert_eq!(value_type_name(&dtype(text)), name);
            assert_eq!(parse_value_type(name), Some(dtype(text)));
        }
        assert_eq!(value_type_name(&dtype("Struct(a: Int64)")), "STRUCT");
        assert_eq!(value_type_name(&DataType::Unknown(0)), "INVALID");
        assert_eq!(value_type_name(&DataType::Unknown(99)), "99");
        for name in ["", "int64", "INT64_", "UNKNOWN", "STRUCT", "VALUE_LIST", "JSON_SET", "PDF_BYTES_LIST"] {
            assert_eq!(parse_value_type(name), None, "{name}");
        }
    }
}
