//! The columns of a source, as an offline server knows them.

use std::sync::Arc;

use arrow::{
    array::{Array as _, AsArray as _, RecordBatch},
    compute::cast,
    datatypes::{DataType as ArrowType, Field, Schema, TimeUnit},
};

use super::server::OfflineServer;
use crate::{
    feast::flight::Read,
    model::{DataSource, printable},
    offline::Cancel,
    problem::{Kind, Problem},
    sources::{Columns, OpenSource},
};

/// Asks for the columns of a source, which then is known and has no rows.
///
/// # Errors
/// When the server cannot read the source, or says of a column what nobody understands.
pub(super) fn of(server: &OfflineServer, source: &DataSource, cancel: &Cancel) -> Result<OpenSource, Problem> {
    let mut answer = server.read(Read::Columns(Box::new(source.clone())), None, cancel)?;
    let mut fields = Vec::new();
    while let Some(batch) = answer.next(cancel)? {
        fields.extend(fields_of(&batch).map_err(|reason| {
            let message = format!("{}: {reason} (of data source `{}`)", server.name(), source.name);
            Problem::new(Kind::Unavailable, message, None)
        })?);
    }
    let columns = OpenSource::batches(&Schema::new(fields), Vec::new(), &source.name);
    // How many rows there are nobody has said.
    OpenSource::known(source, Columns { rows: None, ..columns.columns().clone() })
}

/// Names and types, a row for each.
fn fields_of(batch: &RecordBatch) -> Result<Vec<Field>, String> {
    let column = |name: &str| {
        let column = batch.column_by_name(name).ok_or_else(|| format!("its answer has no column `{name}`"))?;
        cast(column, &ArrowType::Utf8).map_err(|error| format!("its column `{name}` has no texts: {error}"))
    };
    let (names, types) = (column("name")?, column("type")?);
    let (names, types) = (names.as_string::<i32>(), types.as_string::<i32>());
    let field = |row: usize| {
        let (name, kind) = (names.value(row), types.value(row));
        let arrow = arrow_type(kind);
        arrow.map(|arrow| Field::new(name, arrow, true)).ok_or_else(|| {
            format!("column `{}` is of type `{}`, which feastr does not know", printable(name), printable(kind))
        })
    };
    (0..names.len()).map(field).collect()
}

/// The type that pyarrow calls so, or one of PostgreSQL, as Feast's sources tell them.
fn arrow_type(name: &str) -> Option<ArrowType> {
    let timestamp = |unit: &str| {
        let (unit, zone) = match unit.split_once(',') {
            Some((unit, zone)) => (unit, Some(zone.trim().strip_prefix("tz=")?)),
            None => (unit, None),
        };
        let unit = match unit.trim() {
            "s" => TimeUnit::Second,
            "ms" => TimeUnit::Millisecond,
            "us" => TimeUnit::Microsecond,
            "ns" => TimeUnit::Nanosecond,
            _ => return None,
        };
        Some(ArrowType::Timestamp(unit, zone.map(Into::into)))
    };
    let inside = |beginning: &str, end: char| name.strip_prefix(beginning).and_then(|rest| rest.strip_suffix(end));
    if let Some(unit) = inside("timestamp[", ']') {
        return timestamp(unit);
    }
    if let Some(element) = inside("list<", '>').or_else(|| inside("large_list<", '>')) {
        let (_, element) = element.split_once(':')?;
        let element = element.trim().trim_end_matches("not null").trim();
        return Some(ArrowType::List(Arc::new(Field::new("item", arrow_type(element)?, true))));
    }
    if let Some(size) = inside("decimal128(", ')') {
        let (precision, scale) = size.split_once(',')?;
        return Some(ArrowType::Decimal128(precision.trim().parse().ok()?, scale.trim().parse().ok()?));
    }
    if let Some(element) = name.strip_suffix("[]") {
        return Some(ArrowType::List(Arc::new(Field::new("item", arrow_type(element)?, true))));
    }
    Some(match name {
        "bool" | "boolean" => ArrowType::Boolean,
        "int8" => ArrowType::Int8,
        "int16" | "smallint" => ArrowType::Int16,
        "int32" | "integer" | "int4" => ArrowType::Int32,
        "int64" | "bigint" => ArrowType::Int64,
        "uint8" => ArrowType::UInt8,
        "uint16" => ArrowType::UInt16,
        "uint32" => ArrowType::UInt32,
        "uint64" => ArrowType::UInt64,
        "halffloat" => ArrowType::Float16,
        "float" | "real" | "float4" => ArrowType::Float32,
        "double" | "double precision" | "float8" | "numeric" => ArrowType::Float64,
        "string" | "large_string" | "text" | "character varying" | "varchar" | "uuid" => ArrowType::Utf8,
        "binary" | "large_binary" | "bytea" => ArrowType::Binary,
        "date32[day]" | "date" => ArrowType::Date32,
        "date64[ms]" => ArrowType::Date64,
        "timestamp without time zone" => ArrowType::Timestamp(TimeUnit::Microsecond, None),
        "timestamp with time zone" | "timestamptz" => ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "null" => ArrowType::Null,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_those_of_pyarrow_and_of_postgresql() {
        let list = |element| ArrowType::List(Arc::new(Field::new("item", element, true)));
        for (name, expected) in [
            ("int64", ArrowType::Int64),
            ("double", ArrowType::Float64),
            ("timestamp[ns]", ArrowType::Timestamp(TimeUnit::Nanosecond, None)),
            ("timestamp[us, tz=UTC]", ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
            ("list<item: string>", list(ArrowType::Utf8)),
            ("list<element: list<item: int32 not null>>", list(list(ArrowType::Int32))),
            ("decimal128(18, 3)", ArrowType::Decimal128(18, 3)),
            ("bigint[]", list(ArrowType::Int64)),
            ("timestamp with time zone", ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))),
        ] {
            assert_eq!(arrow_type(name), Some(expected), "{name}");
        }
        for unknown in ["", "struct<a: int64>", "timestamp[h]", "list<int64>", "geometry"] {
            assert_eq!(arrow_type(unknown), None, "{unknown}");
        }
    }
}
