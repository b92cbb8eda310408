//! Types of columns as pyarrow writes them, which is what Feast infers the types of features from.

use arrow::datatypes::{DataType as ArrowType, Field, TimeUnit};

/// A type as pyarrow writes it.
pub fn type_text(kind: &ArrowType) -> String {
    let elements = |kind: &str, field: &Field| format!("{kind}<{}>", element(field));
    match kind {
        ArrowType::Boolean => "bool".to_owned(),
        ArrowType::Float16 => "halffloat".to_owned(),
        ArrowType::Float32 => "float".to_owned(),
        ArrowType::Float64 => "double".to_owned(),
        ArrowType::Utf8 => "string".to_owned(),
        ArrowType::LargeUtf8 => "large_string".to_owned(),
        ArrowType::Utf8View => "string_view".to_owned(),
        ArrowType::LargeBinary => "large_binary".to_owned(),
        ArrowType::BinaryView => "binary_view".to_owned(),
        ArrowType::FixedSizeBinary(size) => format!("fixed_size_binary[{size}]"),
        ArrowType::Date32 => "date32[day]".to_owned(),
        ArrowType::Date64 => "date64[ms]".to_owned(),
        ArrowType::Timestamp(unit, None) => format!("timestamp[{}]", unit_text(*unit)),
        ArrowType::Timestamp(unit, Some(zone)) => format!("timestamp[{}, tz={zone}]", unit_text(*unit)),
        ArrowType::Time32(unit) => format!("time32[{}]", unit_text(*unit)),
        ArrowType::Time64(unit) => format!("time64[{}]", unit_text(*unit)),
        ArrowType::Duration(unit) => format!("duration[{}]", unit_text(*unit)),
        ArrowType::Decimal128(precision, scale) => format!("decimal128({precision}, {scale})"),
        ArrowType::Decimal256(precision, scale) => format!("decimal256({precision}, {scale})"),
        ArrowType::List(field) => elements("list", field),
        ArrowType::LargeList(field) => elements("large_list", field),
        ArrowType::FixedSizeList(field, size) => format!("{}[{size}]", elements("fixed_size_list", field)),
        ArrowType::Struct(fields) => {
            let fields: Vec<String> = fields.iter().map(|field| element(field)).collect();
            format!("struct<{}>", fields.join(", "))
        }
        ArrowType::Map(entries, _) => match entries.data_type() {
            ArrowType::Struct(fields) if fields.len() == 2 => {
                let [key, value] = [0, 1].map(|index| type_text(fields[index].data_type()));
                format!("map<{key}, {value}>")
            }
            other => format!("map<{}>", type_text(other)),
        },
        // How values are repeated is of no concern.
        ArrowType::Dictionary(_, values) => type_text(values),
        // Integers, binary and null are called so by both.
        other => other.to_string().to_lowercase(),
    }
}

fn element(field: &Field) -> String {
    format!("{}: {}", field.name(), type_text(field.data_type()))
}

const fn unit_text(unit: TimeUnit) -> &'static str {
    match unit {
        TimeUnit::Second => "s",
        TimeUnit::Millisecond => "ms",
        TimeUnit::Microsecond => "us",
        TimeUnit::Nanosecond => "ns",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[test]
    fn types_are_called_as_pyarrow_calls_them() {
        let item = |kind| Arc::new(Field::new("item", kind, true));
        let nested = ArrowType::List(item(ArrowType::Struct(vec![Field::new("a", ArrowType::Utf8, true)].into())));
        let expected = [
            (ArrowType::Int8, "int8"),
            (ArrowType::UInt64, "uint64"),
            (ArrowType::Null, "null"),
            (ArrowType::Binary, "binary"),
            (ArrowType::Float32, "float"),
            (ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())), "timestamp[us, tz=UTC]"),
            (ArrowType::Timestamp(TimeUnit::Nanosecond, None), "timestamp[ns]"),
            (ArrowType::Decimal128(38, 9), "decimal128(38, 9)"),
            (ArrowType::FixedSizeList(item(ArrowType::Float64), 3), "fixed_size_list<item: double>[3]"),
            (nested, "list<item: struct<a: string>>"),
        ];
        for (kind, text) in expected {
            assert_eq!(type_text(&kind), text);
        }
    }
}
