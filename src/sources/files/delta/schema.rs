//! The types of a table as those of Arrow.

use std::sync::Arc;

use arrow::datatypes::{DataType as ArrowType, Field, Fields, TimeUnit};
use delta_kernel::schema::{DataType, PrimitiveType, StructType};

/// The columns of a table that can be read.
pub(super) fn fields(table: &StructType) -> Fields {
    let fields = table.fields().filter_map(|field| Some(Field::new(field.name(), arrow(field.data_type())?, true)));
    fields.collect()
}

/// `None` for types that are not read.
fn arrow(kind: &DataType) -> Option<ArrowType> {
    use PrimitiveType::{
        Binary, Boolean, Byte, Date, Decimal, Double, Float, Integer, Long, Short, String, Timestamp, TimestampNtz,
        Void,
    };
    Some(match kind {
        DataType::Primitive(kind) => match kind {
            String => ArrowType::Utf8,
            Long => ArrowType::Int64,
            Integer => ArrowType::Int32,
            Short => ArrowType::Int16,
            Byte => ArrowType::Int8,
            Float => ArrowType::Float32,
            Double => ArrowType::Float64,
            Boolean => ArrowType::Boolean,
            Binary => ArrowType::Binary,
            Date => ArrowType::Date32,
            Timestamp => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
            TimestampNtz => ArrowType::Timestamp(TimeUnit::Microsecond, None),
            Void => ArrowType::Null,
            Decimal(decimal) => ArrowType::Decimal128(decimal.precision(), i8::try_from(decimal.scale()).ok()?),
            _ => return None,
        },
        DataType::Array(array) => {
            ArrowType::List(Arc::new(Field::new_list_field(arrow(array.element_type())?, array.contains_null())))
        }
        DataType::Map(map) => {
            let key = Field::new("key", arrow(map.key_type())?, false);
            let value = Field::new("value", arrow(map.value_type())?, map.value_contains_null());
            let entries = ArrowType::Struct(Fields::from(vec![key, value]));
            ArrowType::Map(Arc::new(Field::new("key_value", entries, false)), false)
        }
        DataType::Struct(members) => ArrowType::Struct(fields(members)),
        _ => return None,
    })
}
