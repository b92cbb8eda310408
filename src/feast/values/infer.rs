//! Which type a column has that nobody declared.

use arrow::datatypes::DataType as ArrowType;

use crate::model::DataType;

/// Deepest nesting of columns; deeper ones have no type.
const MAX_DEPTH: usize = 16;

/// The type that a source column of this type declares when nobody does; `None` if there is no such type.
pub fn infer(column: &ArrowType) -> Option<DataType> {
    infer_nested(column, 0)
}

fn infer_nested(column: &ArrowType, depth: usize) -> Option<DataType> {
    if depth > MAX_DEPTH {
        return None;
    }
    match column {
        ArrowType::Boolean => Some(DataType::Bool),
        ArrowType::Int8 | ArrowType::Int16 | ArrowType::Int32 | ArrowType::UInt8 | ArrowType::UInt16 => {
            Some(DataType::Int32)
        }
        ArrowType::Int64 | ArrowType::UInt32 | ArrowType::UInt64 => Some(DataType::Int64),
        ArrowType::Float16 | ArrowType::Float32 => Some(DataType::Float32),
        ArrowType::Float64 => Some(DataType::Float64),
        ArrowType::Decimal32(..) | ArrowType::Decimal64(..) | ArrowType::Decimal128(..) | ArrowType::Decimal256(..) => {
            Some(DataType::Decimal)
        }
        ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64 => Some(DataType::UnixTimestamp),
        ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View => Some(DataType::String),
        ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView | ArrowType::FixedSizeBinary(_) => {
            Some(DataType::Bytes)
        }
        ArrowType::List(element) | ArrowType::LargeList(element) | ArrowType::FixedSizeList(element, _) => {
            infer_nested(element.data_type(), depth + 1).map(|element| DataType::Array(Box::new(element)))
        }
        ArrowType::Struct(members) => {
            let member = |name: &String, column| Some((name.clone(), infer_nested(column, depth + 1)?));
            let members: Option<Vec<_>> = members.iter().map(|field| member(field.name(), field.data_type())).collect();
            members.filter(|members| !members.is_empty()).map(DataType::Struct)
        }
        // Members have names; other keys have no counterpart.
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(fields) if fields.first().is_some_and(|key| is_text(key.data_type())) => {
                Some(DataType::Map)
            }
            _ => None,
        },
        ArrowType::Dictionary(_, values) => infer_nested(values, depth + 1),
        _ => None,
    }
}

fn is_text(column: &ArrowType) -> bool {
    matches!(column, ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::datatypes::{Field as ArrowField, TimeUnit};

    use super::*;

    fn dtype(text: &str) -> DataType {
        text.parse().unwrap()
    }

    #[test]
    fn columns_declare_types() {
        let field = |dtype| Arc::new(ArrowField::new("anything", dtype, true));
        let struct_of = |dtype| ArrowType::Struct(vec![ArrowField::new("a", dtype, true)].into());
        let dictionary = ArrowType::Dictionary(Box::new(ArrowType::Int8), Box::new(ArrowType::Utf8));
        for (column, expected) in [
            (ArrowType::UInt16, Some("Int32")),
            (ArrowType::UInt32, Some("Int64")),
            (ArrowType::UInt64, Some("Int64")),
            (ArrowType::LargeUtf8, Some("String")),
            (dictionary, Some("String")),
            (ArrowType::Date32, Some("UnixTimestamp")),
            (ArrowType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into())), Some("UnixTimestamp")),
            (ArrowType::Decimal128(10, 2), Some("Decimal")),
            (ArrowType::List(field(ArrowType::Utf8View)), Some("Array(String)")),
            (ArrowType::FixedSizeList(field(ArrowType::Float32), 3), Some("Array(Float32)")),
            (ArrowType::LargeList(field(ArrowType::List(field(ArrowType::Int8)))), Some("Array(Array(Int32))")),
            (struct_of(ArrowType::Boolean), Some("Struct(a: Bool)")),
            (struct_of(ArrowType::Null), None),
            (ArrowType::Map(field(struct_of(ArrowType::Utf8)), false), Some("Map")),
            (ArrowType::Null, None),
            (ArrowType::Time64(TimeUnit::Microsecond), None),
        ] {
            assert_eq!(infer(&column), expected.map(dtype), "{column}");
        }
    }
}
