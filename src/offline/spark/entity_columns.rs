//! Columns of results that the cluster writes: those of entity rows as they are sent, and features as they are declared.

use std::sync::Arc;

use arrow::{
    array::{Array as _, ArrayRef},
    compute::{CastOptions, cast_with_options},
    datatypes::{DataType as ArrowType, TimeUnit},
};

use crate::{
    problem::{Kind, Problem},
    sources::{Column, type_name},
};

/// A column of entity rows as Spark knows such: whole numbers have signs, and times microseconds.
///
/// # Errors
/// When Spark has no such values.
pub(super) fn as_sent(column: &ArrayRef, name: &str) -> Result<ArrayRef, Problem> {
    let refused = |why: &str| {
        let message = format!("column `{name}` of the entity rows {why}, which Spark does not write");
        Problem::new(Kind::Unsupported, message, "leave it out, or have the result written to one file".to_owned())
    };
    let Some(kind) = sent_type(column.data_type()) else {
        return Err(refused(&format!("holds {} values", type_name(column.data_type()))));
    };
    if kind == *column.data_type() {
        return Ok(Arc::clone(column));
    }
    let exactly = CastOptions { safe: false, ..CastOptions::default() };
    let cast = |column: &ArrayRef, kind: &ArrowType| cast_with_options(column, kind, &exactly);
    let sent = cast(column, &kind).map_err(|_| refused("has values beyond 64 bits with a sign"))?;
    // Of times, what is shorter than a microsecond would be lost.
    match cast(&sent, column.data_type()) {
        Ok(back) if back.to_data() == column.to_data() || back.as_ref() == column.as_ref() => Ok(sent),
        _ => Err(refused("has times with nanoseconds")),
    }
}

/// The type as which values are sent.
pub(super) fn sent_type(kind: &ArrowType) -> Option<ArrowType> {
    Some(match kind {
        ArrowType::UInt8 => ArrowType::Int16,
        ArrowType::UInt16 => ArrowType::Int32,
        ArrowType::UInt32 | ArrowType::UInt64 | ArrowType::Null => ArrowType::Int64,
        ArrowType::Float16 => ArrowType::Float32,
        ArrowType::LargeUtf8 | ArrowType::Utf8View => ArrowType::Utf8,
        ArrowType::LargeBinary | ArrowType::BinaryView => ArrowType::Binary,
        ArrowType::Date64 => ArrowType::Date32,
        ArrowType::Timestamp(_, zone) => {
            ArrowType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| Arc::from("UTC")))
        }
        ArrowType::Dictionary(_, value) => sent_type(value)?,
        ArrowType::List(element) if sent_type(element.data_type()).as_ref() == Some(element.data_type()) => {
            kind.clone()
        }
        ArrowType::Boolean
        | ArrowType::Int8
        | ArrowType::Int16
        | ArrowType::Int32
        | ArrowType::Int64
        | ArrowType::Float32
        | ArrowType::Float64
        | ArrowType::Utf8
        | ArrowType::Binary
        | ArrowType::Date32
        | ArrowType::Decimal128(..) => kind.clone(),
        _ => return None,
    })
}

/// As what the cluster has to write a column so that it is what is declared; `None` if it is.
///
/// # Errors
/// When values could be others then, or would have to be looked at.
pub(super) fn as_written(column: &Column, declared: &ArrowType, name: &str) -> Result<Option<String>, Problem> {
    let found = match column.kinds.as_slice() {
        [only] => only.holds.arrow(),
        _ => &ArrowType::Null,
    };
    if is_same(found, declared) {
        return Ok(None);
    }
    let is_wider = match (found, declared) {
        (from, to) if from.is_signed_integer() && to.is_signed_integer() => {
            from.primitive_width() < to.primitive_width()
        }
        (ArrowType::Int8 | ArrowType::Int16, ArrowType::Float32) => true,
        (ArrowType::Int8 | ArrowType::Int16 | ArrowType::Int32 | ArrowType::Float32, ArrowType::Float64) => true,
        _ => false,
    };
    let kind = match declared {
        ArrowType::Int16 => "SMALLINT",
        ArrowType::Int32 => "INT",
        ArrowType::Int64 => "BIGINT",
        ArrowType::Float32 => "FLOAT",
        _ => "DOUBLE",
    };
    if is_wider {
        return Ok(Some(kind.to_owned()));
    }
    let message = format!(
        "feature `{name}` holds {} values on Spark and is declared as {}, which would have to be looked at one by one",
        column.describe(),
        type_name(declared)
    );
    let help =
        "have the result written to one file, or declare the source as `type: spark` with a `query` that casts it";
    Err(Problem::new(Kind::Unsupported, message, help.to_owned()))
}

/// Whether values of two types are the same in files.
fn is_same(found: &ArrowType, declared: &ArrowType) -> bool {
    use ArrowType as T;
    match (found, declared) {
        (T::Utf8 | T::LargeUtf8 | T::Utf8View, T::Utf8) | (T::Binary | T::LargeBinary | T::BinaryView, T::Binary) => {
            true
        }
        (T::Timestamp(_, from), T::Timestamp(_, to)) => from.is_some() == to.is_some(),
        (T::List(from) | T::LargeList(from), T::List(to)) => is_same(from.data_type(), to.data_type()),
        (from, to) => from == to,
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{DictionaryArray, Int64Array, TimestampNanosecondArray, UInt64Array, types::Int32Type};

    use super::*;

    #[test]
    fn columns_are_sent_as_they_are_or_not_at_all() {
        let sent = |column: ArrayRef| as_sent(&column, "c").map(|sent| sent.data_type().clone());
        assert_eq!(sent(Arc::new(UInt64Array::from(vec![Some(7), None]))).unwrap(), ArrowType::Int64);
        assert!(sent(Arc::new(UInt64Array::from(vec![u64::MAX]))).unwrap_err().message.contains("`c`"));
        let times =
            |nanos: i64| -> ArrayRef { Arc::new(TimestampNanosecondArray::from(vec![nanos]).with_timezone("UTC")) };
        assert_eq!(sent(times(5_000)).unwrap(), ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())));
        assert!(sent(times(5_001)).unwrap_err().message.contains("nanoseconds"));
        let words: DictionaryArray<Int32Type> = ["a", "b", "a"].into_iter().collect();
        assert_eq!(sent(Arc::new(words)).unwrap(), ArrowType::Utf8);
        let odd = arrow::array::IntervalDayTimeArray::from(vec![None]);
        assert_eq!(sent(Arc::new(odd)).unwrap_err().kind, Kind::Unsupported);
        assert_eq!(sent(Arc::new(Int64Array::from(vec![1]))).unwrap(), ArrowType::Int64);
    }
}
