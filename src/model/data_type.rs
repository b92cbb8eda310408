//! The declared types of columns, and how they are spelled.

use std::{fmt, str::FromStr};

use serde::{Serialize, Serializer};

/// The type of a column's values, spelled in definitions as in Feast's Python (`Float32`,
/// `Array(Int64)`, `Struct(a: Int64, b: String)`).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Any bytes.
    Bytes,
    /// UTF-8.
    String,
    /// A signed integer of 32 bits.
    Int32,
    /// A signed integer of 64 bits.
    Int64,
    /// A float of 32 bits.
    Float32,
    /// A float of 64 bits.
    Float64,
    /// True or false.
    Bool,
    /// Seconds since 1970 on the wire.
    UnixTimestamp,
    /// Names to values of any type.
    Map,
    /// A JSON document as a text.
    Json,
    /// A UUID as a text.
    Uuid,
    /// A UUID with a time in it, as a text.
    TimeUuid,
    /// A decimal number as a text.
    Decimal,
    /// Single values of any type to values.
    ScalarMap,
    /// A moment with its time zone.
    ZonedTimestamp,
    /// A PDF document.
    PdfBytes,
    /// An image.
    ImageBytes,
    /// A list of values of one type.
    Array(Box<DataType>),
    /// Different values of one type.
    Set(Box<DataType>),
    /// Named members in declared order.
    Struct(Vec<(String, DataType)>),
    /// A type number of the registry that feastr does not know; it is shown and kept.
    Unknown(i32),
}

impl DataType {
    /// The types without parameters, each with its name in definitions.
    const SIMPLE: [(&'static str, Self); 17] = [
        ("Bytes", Self::Bytes),
        ("String", Self::String),
        ("Int32", Self::Int32),
        ("Int64", Self::Int64),
        ("Float32", Self::Float32),
        ("Float64", Self::Float64),
        ("Bool", Self::Bool),
        ("UnixTimestamp", Self::UnixTimestamp),
        ("Map", Self::Map),
        ("Json", Self::Json),
        ("Uuid", Self::Uuid),
        ("TimeUuid", Self::TimeUuid),
        ("Decimal", Self::Decimal),
        ("ScalarMap", Self::ScalarMap),
        ("ZonedTimestamp", Self::ZonedTimestamp),
        ("PdfBytes", Self::PdfBytes),
        ("ImageBytes", Self::ImageBytes),
    ];

    /// What a definition may write, for suggestions.
    pub fn names() -> impl Iterator<Item = &'static str> {
        Self::SIMPLE.iter().map(|(name, _)| *name).chain(["Array(…)", "Set(…)", "Struct(…)"])
    }

    /// Whether an entity can be identified by values of this type.
    pub fn is_join_key(&self) -> bool {
        matches!(self, Self::Bytes | Self::String | Self::Int32 | Self::Int64 | Self::UnixTimestamp)
    }
}

impl fmt::Display for DataType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Array(element) => write!(f, "Array({element})"),
            Self::Set(element) => write!(f, "Set({element})"),
            Self::Struct(members) => {
                f.write_str("Struct(")?;
                for (index, (name, dtype)) in members.iter().enumerate() {
                    let separator = if index == 0 { "" } else { ", " };
                    write!(f, "{separator}{name}: {dtype}")?;
                }
                f.write_str(")")
            }
            Self::Unknown(number) => write!(f, "Unknown({number})"),
            simple => {
                let name = Self::SIMPLE.iter().find(|(_, dtype)| dtype == simple).map_or("Unknown", |(name, _)| *name);
                f.write_str(name)
            }
        }
    }
}

impl Serialize for DataType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A text that names no type.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a type")]
pub struct ParseDataTypeError(pub String);

/// Deepest nesting accepted, so that hostile input cannot exhaust the stack.
const MAX_DEPTH: usize = 16;

impl FromStr for DataType {
    type Err = ParseDataTypeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse(text.trim(), 0).ok_or_else(|| ParseDataTypeError(text.to_owned()))
    }
}

fn parse(text: &str, depth: usize) -> Option<DataType> {
    if depth > MAX_DEPTH {
        return None;
    }
    if let Some((_, dtype)) = DataType::SIMPLE.iter().find(|(name, _)| *name == text) {
        return Some(dtype.clone());
    }
    let (constructor, rest) = text.split_once('(')?;
    let inner = rest.strip_suffix(')')?.trim();
    match constructor.trim() {
        "Array" => parse(inner, depth + 1).map(|element| DataType::Array(Box::new(element))),
        "Set" => match parse(inner, depth + 1)? {
            DataType::Map | DataType::ScalarMap | DataType::ZonedTimestamp => None,
            element => Some(DataType::Set(Box::new(element))),
        },
        "Struct" => parse_members(inner, depth),
        _ => None,
    }
}

/// `a: Int64, b: String`, with Python's braces and quotes tolerated.
fn parse_members(text: &str, depth: usize) -> Option<DataType> {
    let text = text.strip_prefix('{').map_or(Some(text), |rest| rest.trim_end().strip_suffix('}'))?;
    let mut members: Vec<(String, DataType)> = Vec::new();
    for member in split_top_level(text) {
        let (name, dtype) = member.split_once(':')?;
        let name = name.trim().trim_matches(['"', '\'']);
        if name.is_empty() || members.iter().any(|(other, _)| other == name) {
            return None;
        }
        members.push((name.to_owned(), parse(dtype.trim(), depth + 1)?));
    }
    (!members.is_empty()).then_some(DataType::Struct(members))
}

fn split_top_level(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0usize, 0);
    for (index, c) in text.char_indices() {
        match c {
            '(' | '{' => depth += 1,
            ')' | '}' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(&text[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_reads_back() {
        for text in [
            "Float32",
            "ImageBytes",
            "Array(Int64)",
            "Set(String)",
            "Array(Array(Float64))",
            "Struct(a: Int64, b: Array(String), c: Struct(d: Bool))",
            "Array(Struct(a: Int64))",
        ] {
            assert_eq!(text.parse::<DataType>().unwrap().to_string(), text);
        }
        let python = r#"Struct({"a": Int64, "b": String})"#.parse::<DataType>().unwrap();
        assert_eq!(python.to_string(), "Struct(a: Int64, b: String)");
    }

    #[test]
    fn other_texts_are_refused() {
        let deep = format!("{}Int64{}", "Array(".repeat(1000), ")".repeat(1000));
        for text in
            ["", "int64", "Array", "Array()", "Array(Int64", "Struct()", "Struct(a)", "Set(Map)", "List(Int64)", &deep]
        {
            assert!(text.parse::<DataType>().is_err(), "{text}");
        }
    }
}
