//! Values of a declared type as an Arrow column: the way back from what is stored.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
        StringArray, StructArray, TimestampMicrosecondArray,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{Field, Fields},
    error::ArrowError,
};

use super::value::{Kind, Map, Value};
use crate::model::DataType;

/// Why values are no column of a declared type.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// A value of another type, which an earlier definition may have written.
    #[error("a value is no {0}")]
    OfAnotherType(DataType),
    /// No column holds values of this type.
    #[error("there is no column of {0}")]
    NoColumn(DataType),
    /// Arrow cannot make the column.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

/// The column of values, in its [`carrier`](super::encode::carrier); `None` and null values are null.
///
/// # Errors
/// When a value is not of the declared type, or no column holds such values.
pub fn decode(declared: &DataType, values: &[Option<&Value>]) -> Result<ArrayRef, DecodeError> {
    let kinds: Vec<Option<&Kind>> = values
        .iter()
        .map(|value| value.filter(|value| !value.is_null()).and_then(|value| value.kind.as_ref()))
        .collect();
    let unfit = || DecodeError::OfAnotherType(declared.clone());
    macro_rules! column {
        ($array:ty, $($pattern:pat => $value:expr),+) => {{
            let each = kinds.iter().map(|kind| match kind {
                None => Ok(None),
                $(Some($pattern) => Ok(Some($value)),)+
                Some(_) => Err(unfit()),
            });
            Arc::new(each.collect::<Result<$array, _>>()?) as ArrayRef
        }};
    }
    Ok(match declared {
        DataType::Bool => column!(BooleanArray, Kind::Bool(value) => *value),
        DataType::Int32 => column!(Int32Array, Kind::Int32(value) => *value),
        DataType::Int64 => {
            column!(Int64Array, Kind::Int64(value) => *value, Kind::Int32(value) => i64::from(*value))
        }
        DataType::Float32 => column!(Float32Array, Kind::Float(value) => *value),
        DataType::Float64 => {
            column!(Float64Array, Kind::Double(value) => *value, Kind::Float(value) => f64::from(*value))
        }
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => {
            column!(BinaryArray, Kind::Bytes(value) => value.as_slice())
        }
        DataType::String | DataType::Json | DataType::Uuid | DataType::TimeUuid | DataType::Decimal => column!(
            StringArray,
            Kind::String(text) | Kind::Json(text) | Kind::Uuid(text) | Kind::TimeUuid(text) | Kind::Decimal(text)
                => text.as_str()
        ),
        DataType::UnixTimestamp => {
            let micros = |kind: &Option<&Kind>| match kind {
                None => Ok(None),
                Some(Kind::UnixTimestamp(seconds)) => Ok(seconds.checked_mul(1_000_000)),
                Some(_) => Err(unfit()),
            };
            let times: TimestampMicrosecondArray = kinds.iter().map(micros).collect::<Result<_, _>>()?;
            Arc::new(times.with_timezone("UTC"))
        }
        DataType::Array(element) | DataType::Set(element) => {
            let lists: Vec<Option<Vec<Value>>> = kinds
                .iter()
                .map(|kind| kind.map(|kind| members(kind).ok_or_else(unfit)).transpose())
                .collect::<Result<_, _>>()?;
            list(element, &lists)?
        }
        DataType::Struct(fields) => {
            let map = |kind: &Option<&Kind>| match kind {
                None => Ok(None),
                Some(Kind::Struct(map) | Kind::Map(map)) => Ok(Some(map.clone())),
                Some(_) => Err(unfit()),
            };
            structs(fields, &kinds.iter().map(map).collect::<Result<Vec<Option<Map>>, _>>()?)?
        }
        DataType::Map | DataType::ScalarMap | DataType::ZonedTimestamp | DataType::Unknown(_) => {
            return Err(DecodeError::NoColumn(declared.clone()));
        }
    })
}

/// The members of a list or set as values of their own.
fn members(kind: &Kind) -> Option<Vec<Value>> {
    macro_rules! each {
        ($list:expr, $kind:path) => {
            $list.val.iter().cloned().map(|member| Value::from($kind(member))).collect()
        };
    }
    Some(match kind {
        Kind::BytesList(list) | Kind::BytesSet(list) => each!(list, Kind::Bytes),
        Kind::StringList(list) | Kind::StringSet(list) => each!(list, Kind::String),
        Kind::JsonList(list) => each!(list, Kind::Json),
        Kind::UuidList(list) | Kind::UuidSet(list) | Kind::TimeUuidList(list) | Kind::TimeUuidSet(list) => {
            each!(list, Kind::Uuid)
        }
        Kind::DecimalList(list) | Kind::DecimalSet(list) => each!(list, Kind::Decimal),
        Kind::Int32List(list) | Kind::Int32Set(list) => each!(list, Kind::Int32),
        Kind::Int64List(list) | Kind::Int64Set(list) => each!(list, Kind::Int64),
        Kind::UnixTimestampList(list) | Kind::UnixTimestampSet(list) => each!(list, Kind::UnixTimestamp),
        Kind::DoubleList(list) | Kind::DoubleSet(list) => each!(list, Kind::Double),
        Kind::FloatList(list) | Kind::FloatSet(list) => each!(list, Kind::Float),
        Kind::BoolList(list) | Kind::BoolSet(list) => each!(list, Kind::Bool),
        Kind::MapList(list) | Kind::StructList(list) => each!(list, Kind::Struct),
        Kind::List(list) | Kind::Set(list) => list.val.clone(),
        _ => return None,
    })
}

fn list(element: &DataType, lists: &[Option<Vec<Value>>]) -> Result<ArrayRef, DecodeError> {
    let all: Vec<Option<&Value>> = lists.iter().flatten().flatten().map(Some).collect();
    let members = decode(element, &all)?;
    let field = Field::new_list_field(members.data_type().clone(), true);
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.as_ref().map_or(0, Vec::len)));
    let nulls = NullBuffer::from_iter(lists.iter().map(Option::is_some));
    Ok(Arc::new(ListArray::try_new(Arc::new(field), offsets, members, Some(nulls))?))
}

fn structs(declared: &[(String, DataType)], maps: &[Option<Map>]) -> Result<ArrayRef, DecodeError> {
    let mut columns = Vec::with_capacity(declared.len());
    let mut fields = Vec::with_capacity(declared.len());
    for (name, dtype) in declared {
        let member = |map: &Option<Map>| {
            let entry = map.as_ref()?.val.iter().find(|entry| entry.key == *name)?;
            Some(entry.value.clone())
        };
        let values: Vec<Option<Value>> = maps.iter().map(member).collect();
        let column = decode(dtype, &values.iter().map(Option::as_ref).collect::<Vec<_>>())?;
        fields.push(Field::new(name, column.data_type().clone(), true));
        columns.push(column);
    }
    let nulls = NullBuffer::from_iter(maps.iter().map(Option::is_some));
    Ok(Arc::new(StructArray::try_new_with_length(Fields::from(fields), columns, Some(nulls), maps.len())?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Array, new_null_array};

    use super::*;
    use crate::feast::values::{
        encode::{ColumnEncoder, carrier},
        value::NULL_TIMESTAMP,
    };

    /// Values of a type that has a column, and as many nulls.
    fn column(text: &str, array: ArrayRef) -> (DataType, ArrayRef) {
        (text.parse().unwrap(), array)
    }

    #[test]
    fn what_is_encoded_comes_back() {
        let texts: ArrayRef = Arc::new(StringArray::from(vec![Some("a"), None, Some("")]));
        let times: ArrayRef = Arc::new(
            TimestampMicrosecondArray::from(vec![Some(-5_000_000), None, Some(7_000_000)]).with_timezone("UTC"),
        );
        let lists = |members: ArrayRef| -> ArrayRef {
            let field = Arc::new(Field::new_list_field(members.data_type().clone(), true));
            let nulls = NullBuffer::from(vec![true, false, true]);
            Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([2, 0, 0]), members.slice(0, 2), Some(nulls)))
        };
        let numbers: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), Some(i64::MIN), None]));
        let inner = lists(Arc::clone(&numbers));
        let members = StructArray::try_new(
            vec![Field::new("a", numbers.data_type().clone(), true), Field::new("b", texts.data_type().clone(), true)]
                .into(),
            vec![Arc::clone(&numbers), Arc::clone(&texts)],
            Some(NullBuffer::from(vec![true, false, true])),
        );
        for (dtype, array) in [
            column("Bool", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
            column("Int32", Arc::new(Int32Array::from(vec![Some(i32::MIN), None]))),
            column("Int64", Arc::clone(&numbers)),
            column("Float32", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(f32::INFINITY)]))),
            column("Float64", Arc::new(Float64Array::from(vec![Some(-0.0), None]))),
            column("Bytes", Arc::new(BinaryArray::from(vec![Some(b"\0x".as_slice()), None]))),
            column("String", Arc::clone(&texts)),
            column("UnixTimestamp", times),
            column("Array(Int64)", Arc::clone(&inner)),
            column("Array(String)", lists(Arc::new(StringArray::from(vec!["x", "y", "z"])))),
            column("Array(Array(Int64))", {
                let field = Arc::new(Field::new_list_field(inner.data_type().clone(), true));
                let whole = inner.slice(0, 1);
                Arc::new(ListArray::new(field, OffsetBuffer::from_lengths([1, 0]), whole, None))
            }),
            column("Struct(a: Int64, b: String)", Arc::new(members.unwrap())),
        ] {
            let encoder = ColumnEncoder::new(&dtype, array.data_type()).unwrap();
            let bound = encoder.bind(&array).unwrap();
            let value = |row: usize| {
                let mut bytes = Vec::new();
                bound.encode(row, &mut bytes).unwrap();
                Value::read(&bytes).unwrap()
            };
            let values: Vec<Value> = (0..array.len()).map(value).collect();
            let decoded = decode(&dtype, &values.iter().map(Some).collect::<Vec<_>>()).unwrap();
            assert_eq!(&decoded, &array, "{dtype}");
            assert_eq!(*decoded.data_type(), carrier(&dtype).unwrap());
            let nothing = decode(&dtype, &[None, Some(&Value::NULL)]).unwrap();
            assert_eq!(&nothing, &new_null_array(decoded.data_type(), 2), "{dtype}");
        }
    }

    #[test]
    fn values_of_another_type_are_refused() {
        let text = Value::from(Kind::String("x".to_owned()));
        let time = Value::from(Kind::UnixTimestamp(NULL_TIMESTAMP));
        assert!(matches!(decode(&DataType::Int64, &[Some(&text)]), Err(DecodeError::OfAnotherType(_))));
        assert!(matches!(decode(&DataType::Map, &[]), Err(DecodeError::NoColumn(_))));
        assert_eq!(decode(&DataType::UnixTimestamp, &[Some(&time)]).unwrap().null_count(), 1);
    }
}
