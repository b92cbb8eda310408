//! Python literals of the recordings, as Arrow columns.

use std::sync::Arc;

use arrow::{
    array::*,
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{DataType, Field, Fields, TimeUnit},
};

/// A Python value, as far as the recordings have it.
#[derive(Debug, Clone, PartialEq)]
pub enum Python {
    None,
    NaT,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    Bytes(Vec<u8>),
    /// Microseconds since 1970 and whether it has a zone, which is always UTC.
    DateTime(i64, bool),
    Uuid(String),
    Decimal(String),
    List(Vec<Python>),
    Dict(Vec<(String, Python)>),
}

/// Reads a literal as `repr` prints it.
pub fn parse(text: &str) -> Python {
    let mut parser = Parser { rest: text };
    let value = parser.value();
    assert_eq!(parser.rest, "", "{text}");
    value
}

struct Parser<'a> {
    rest: &'a str,
}

impl<'a> Parser<'a> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        self.rest = rest.strip_prefix(token).unwrap_or(rest);
        rest.len() != self.rest.len()
    }

    fn until(&mut self, end: &str) -> &'a str {
        let (inside, rest) = self.rest.split_once(end).unwrap();
        self.rest = rest;
        inside
    }

    fn items<T>(&mut self, close: &str, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(item(self));
            self.take(",");
        }
        items
    }

    /// A text in quotes of either kind.
    fn quoted(&mut self) -> String {
        let quote = if self.take("'") { '\'' } else { '"' };
        assert!(quote == '\'' || self.take("\""), "{}", self.rest);
        let mut text = String::new();
        let mut characters = self.rest.chars();
        loop {
            match characters.next().unwrap() {
                '\\' => text.push(escaped(&mut characters)),
                character if character == quote => break,
                character => text.push(character),
            }
        }
        self.rest = characters.as_str();
        text
    }

    fn value(&mut self) -> Python {
        for (name, value) in [
            ("None", Python::None),
            ("NaT", Python::NaT),
            ("nan", Python::Float(f64::NAN)),
            ("True", Python::Bool(true)),
            ("False", Python::Bool(false)),
        ] {
            if self.take(name) {
                return value;
            }
        }
        if self.take("Timestamp('") {
            let moment = chrono::DateTime::parse_from_str(self.until("'"), "%Y-%m-%d %H:%M:%S%.f%z").unwrap();
            assert_eq!(self.until(")"), ", tz='UTC'");
            return Python::DateTime(moment.timestamp_micros(), true);
        }
        if self.take("datetime.datetime(") {
            return self.date_time();
        }
        if self.take("UUID(") {
            let uuid = self.quoted();
            assert!(self.take(")"));
            return Python::Uuid(uuid);
        }
        if self.take("Decimal(") {
            let decimal = self.quoted();
            assert!(self.take(")"));
            return Python::Decimal(decimal);
        }
        if self.rest.starts_with("b'") || self.rest.starts_with("b\"") {
            self.rest = &self.rest[1..];
            return Python::Bytes(self.quoted().chars().map(|byte| u8::try_from(byte).unwrap()).collect());
        }
        if self.rest.starts_with(['\'', '"']) {
            return Python::Text(self.quoted());
        }
        if self.take("[") {
            return Python::List(self.items("]", Self::value));
        }
        if self.take("{") {
            return self.set_or_dict();
        }
        let end = self.rest.find([',', ']', '}', ')']).unwrap_or(self.rest.len());
        let (number, rest) = self.rest.split_at(end);
        self.rest = rest;
        number.parse().map_or_else(|_| Python::Float(number.parse().unwrap()), Python::Int)
    }

    /// Sets are lists in Arrow.
    fn set_or_dict(&mut self) -> Python {
        let items = self.items("}", |parser| {
            let key = parser.value();
            (key, parser.take(":").then(|| parser.value()))
        });
        if items.first().is_some_and(|(_, value)| value.is_none()) {
            return Python::List(items.into_iter().map(|(item, _)| item).collect());
        }
        let entry = |(key, value): (Python, Option<Python>)| match key {
            Python::Text(key) => (key, value.unwrap()),
            other => panic!("{other:?}"),
        };
        Python::Dict(items.into_iter().map(entry).collect())
    }

    fn date_time(&mut self) -> Python {
        const ZONE: &str = "tzinfo=datetime.timezone.utc";
        let (mut parts, mut aware) = (Vec::new(), false);
        for part in self.items(")", |parser| if parser.take(ZONE) { None } else { Some(parser.value()) }) {
            match part {
                None => aware = true,
                Some(Python::Int(number)) => parts.push(u32::try_from(number).unwrap()),
                Some(other) => panic!("{other:?}"),
            }
        }
        parts.resize(7, 0);
        let day = chrono::NaiveDate::from_ymd_opt(parts[0].try_into().unwrap(), parts[1], parts[2]).unwrap();
        let moment = day.and_hms_micro_opt(parts[3], parts[4], parts[5], parts[6]).unwrap();
        Python::DateTime(moment.and_utc().timestamp_micros(), aware)
    }
}

/// The character that an escape stands for; its backslash is read.
fn escaped(characters: &mut std::str::Chars<'_>) -> char {
    let digits = match characters.next().unwrap() {
        'n' => return '\n',
        'r' => return '\r',
        't' => return '\t',
        'x' => 2,
        'u' => 4,
        'U' => 8,
        other => return other,
    };
    let code: String = characters.take(digits).collect();
    char::from_u32(u32::from_str_radix(&code, 16).unwrap()).unwrap()
}

/// The type of a column of these values, `None` when one column cannot hold them all.
///
/// A column of nulls, and what is inside empty lists and maps, has the type `Null`.
fn column_type(values: &[Python]) -> Option<DataType> {
    let mut column = DataType::Null;
    for value in values {
        column = common(column, value_type(value)?)?;
    }
    Some(column)
}

fn value_type(value: &Python) -> Option<DataType> {
    Some(match value {
        Python::None => DataType::Null,
        Python::NaT => DataType::Timestamp(TimeUnit::Microsecond, None),
        Python::Bool(_) => DataType::Boolean,
        Python::Int(_) => DataType::Int64,
        Python::Float(_) => DataType::Float64,
        Python::Text(_) => DataType::Utf8,
        Python::Bytes(_) => DataType::Binary,
        Python::DateTime(_, aware) => DataType::Timestamp(TimeUnit::Microsecond, aware.then(|| "UTC".into())),
        Python::Uuid(_) => DataType::FixedSizeBinary(16),
        Python::Decimal(text) => {
            DataType::Decimal128(20, text.split_once('.').map_or(0, |(_, places)| places.len() as i8))
        }
        Python::List(items) => DataType::List(Arc::new(Field::new("item", column_type(items)?, true))),
        Python::Dict(entries) => {
            let values: Vec<Python> = entries.iter().map(|(_, value)| value.clone()).collect();
            let entries = [Field::new("key", DataType::Utf8, false), Field::new("value", column_type(&values)?, true)];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(Fields::from_iter(entries)), false)), false)
        }
    })
}

fn common(left: DataType, right: DataType) -> Option<DataType> {
    match (left, right) {
        (left, right) if left == right => Some(left),
        (DataType::Null, other) | (other, DataType::Null) => Some(other),
        (DataType::Int64, DataType::Float64) | (DataType::Float64, DataType::Int64) => Some(DataType::Float64),
        (DataType::List(left), DataType::List(right)) => {
            let element = common(left.data_type().clone(), right.data_type().clone())?;
            Some(DataType::List(Arc::new(Field::new("item", element, true))))
        }
        (map @ DataType::Map(..), empty @ DataType::Map(..)) => {
            Some(if format!("{empty:?}").contains("Null") { map } else { empty })
        }
        _ => None,
    }
}

/// The values as one column; dictionaries are maps, or structs when `structs` is set.
pub fn column(values: &[Python], structs: bool) -> Option<ArrayRef> {
    let dtype = column_type(values)?;
    if !structs || !matches!(dtype, DataType::Map(..)) {
        return Some(build(values, &dtype));
    }
    let [Python::Dict(entries)] = values else { return None };
    let members = entries.iter().map(|(name, value)| {
        let member = column(std::slice::from_ref(value), true)?;
        Some((Arc::new(Field::new(name, member.data_type().clone(), true)), member))
    });
    Some(Arc::new(StructArray::from(members.collect::<Option<Vec<_>>>()?)))
}

/// One array from one field of each value.
macro_rules! collect {
    ($array:ty, $values:expr, $($pattern:pat => $item:expr),+) => {
        <$array>::from_iter($values.iter().map(|value| match value {
            $($pattern => Some($item),)+
            Python::None | Python::NaT => None,
            other => panic!("{other:?}"),
        }))
    };
}

fn build(values: &[Python], dtype: &DataType) -> ArrayRef {
    match dtype {
        DataType::Null => Arc::new(NullArray::new(values.len())),
        DataType::Boolean => Arc::new(collect!(BooleanArray, values, Python::Bool(value) => *value)),
        DataType::Int64 => Arc::new(collect!(Int64Array, values, Python::Int(value) => *value)),
        DataType::Float64 => Arc::new(
            collect!(Float64Array, values, Python::Float(value) => *value, Python::Int(value) => *value as f64),
        ),
        DataType::Utf8 => Arc::new(collect!(StringArray, values, Python::Text(text) => text)),
        DataType::Binary => Arc::new(collect!(BinaryArray, values, Python::Bytes(bytes) => bytes)),
        DataType::Timestamp(_, zone) => Arc::new(
            collect!(TimestampMicrosecondArray, values, Python::DateTime(micros, _) => *micros)
                .with_timezone_opt(zone.clone()),
        ),
        DataType::FixedSizeBinary(16) => {
            let uuid = |value: &Python| match value {
                Python::Uuid(text) => uuid::Uuid::parse_str(text).unwrap().into_bytes(),
                other => panic!("{other:?}"),
            };
            Arc::new(FixedSizeBinaryArray::try_from_iter(values.iter().map(uuid)).unwrap())
        }
        DataType::Decimal128(precision, scale) => {
            let digits = |text: &str| text.replace('.', "").parse::<i128>().unwrap();
            let array = collect!(Decimal128Array, values, Python::Decimal(text) => digits(text));
            Arc::new(array.with_precision_and_scale(*precision, *scale).unwrap())
        }
        DataType::List(field) => {
            let items = |value: &Python| match value {
                Python::List(items) => items.clone(),
                _ => Vec::new(),
            };
            let elements: Vec<Python> = values.iter().flat_map(items).collect();
            let offsets = OffsetBuffer::from_lengths(values.iter().map(|value| items(value).len()));
            Arc::new(ListArray::new(field.clone(), offsets, build(&elements, field.data_type()), nulls(values)))
        }
        DataType::Map(field, sorted) => {
            let DataType::Struct(fields) = field.data_type() else { panic!("{field}") };
            let entries = |value: &Python| match value {
                Python::Dict(entries) => entries.clone(),
                _ => Vec::new(),
            };
            let (keys, items): (Vec<String>, Vec<Python>) = values.iter().flat_map(entries).unzip();
            let offsets = OffsetBuffer::from_lengths(values.iter().map(|value| entries(value).len()));
            let columns = vec![Arc::new(StringArray::from(keys)) as ArrayRef, build(&items, fields[1].data_type())];
            let entries = StructArray::new(fields.clone(), columns, None);
            Arc::new(MapArray::new(field.clone(), offsets, entries, nulls(values), *sorted))
        }
        other => panic!("{other}"),
    }
}

fn nulls(values: &[Python]) -> Option<NullBuffer> {
    Some(values.iter().map(|value| *value != Python::None).collect())
}

#[test]
fn literals_are_read_as_python_prints_them() {
    let text = |text: &str| Python::Text(text.to_owned());
    assert_eq!(parse(r"'a\\b\'c\n\x07'"), text("a\\b'c\n\u{7}"));
    assert_eq!(parse("\"it's\""), text("it's"));
    let bytes = Python::List(vec![Python::Bytes(vec![0, 255]), Python::Bytes(b"'".to_vec())]);
    assert_eq!(parse(r#"[b'\x00\xff', b"'"]"#), bytes);
}
