//! Values in PostgreSQL's binary form as Arrow arrays.

use std::sync::Arc;

use arrow::{
    array::{
        ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanBuilder, Decimal128Builder, ListArray, NullBufferBuilder,
        PrimitiveBuilder, StringBuilder,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{
        Date32Type, Field, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, TimestampMicrosecondType,
    },
    error::ArrowError,
};

use super::{column::Wire, numeric::decimal};
use crate::clients::postgres::ORIGIN;

/// From 1970 to 2000, where PostgreSQL begins to count days.
const DAYS_TO_2000: i32 = 10_957;

/// What a value is that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Unreadable(pub(super) String);

impl From<&str> for Unreadable {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// Values of one column on their way into an array.
pub(super) enum Values {
    Bool(BooleanBuilder),
    Int16(PrimitiveBuilder<Int16Type>),
    Int32(PrimitiveBuilder<Int32Type>),
    Int64(PrimitiveBuilder<Int64Type>),
    Float32(PrimitiveBuilder<Float32Type>),
    Float64(PrimitiveBuilder<Float64Type>),
    Text(StringBuilder),
    Jsonb(StringBuilder),
    Uuid(StringBuilder),
    Bytes(BinaryBuilder),
    Date(PrimitiveBuilder<Date32Type>),
    Time(PrimitiveBuilder<TimestampMicrosecondType>),
    Decimal(Decimal128Builder, i8),
    List(Box<Lists>),
}

/// Lists on their way into an array.
pub(super) struct Lists {
    elements: Values,
    /// Where each list ends among the elements, behind a zero.
    ends: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Values {
    /// None yet.
    pub(super) fn new(wire: &Wire) -> Self {
        match wire {
            Wire::Bool => Self::Bool(BooleanBuilder::new()),
            Wire::Int16 => Self::Int16(PrimitiveBuilder::new()),
            Wire::Int32 => Self::Int32(PrimitiveBuilder::new()),
            Wire::Int64 => Self::Int64(PrimitiveBuilder::new()),
            Wire::Float32 => Self::Float32(PrimitiveBuilder::new()),
            Wire::Float64 => Self::Float64(PrimitiveBuilder::new()),
            Wire::Text => Self::Text(StringBuilder::new()),
            Wire::Jsonb => Self::Jsonb(StringBuilder::new()),
            Wire::Uuid => Self::Uuid(StringBuilder::new()),
            Wire::Bytes => Self::Bytes(BinaryBuilder::new()),
            Wire::Date => Self::Date(PrimitiveBuilder::new()),
            Wire::Timestamp | Wire::Timestamptz => Self::Time(PrimitiveBuilder::new().with_data_type(wire.arrow())),
            Wire::Decimal(_, scale) => Self::Decimal(Decimal128Builder::new().with_data_type(wire.arrow()), *scale),
            Wire::List(element) => Self::List(Box::new(Lists {
                elements: Self::new(element),
                ends: vec![0],
                nulls: NullBufferBuilder::new(0),
            })),
        }
    }

    /// Adds the next value.
    pub(super) fn push(&mut self, value: Option<&[u8]>) -> Result<(), Unreadable> {
        let Some(bytes) = value else {
            self.push_null();
            return Ok(());
        };
        match self {
            Self::Bool(values) => values.append_value(fixed::<1>(bytes)? != [0]),
            Self::Int16(values) => values.append_value(i16::from_be_bytes(fixed(bytes)?)),
            Self::Int32(values) => values.append_value(i32::from_be_bytes(fixed(bytes)?)),
            Self::Int64(values) => values.append_value(i64::from_be_bytes(fixed(bytes)?)),
            Self::Float32(values) => values.append_value(f32::from_be_bytes(fixed(bytes)?)),
            Self::Float64(values) => values.append_value(f64::from_be_bytes(fixed(bytes)?)),
            Self::Text(values) => values.append_value(text(bytes)?),
            Self::Jsonb(values) => match bytes.split_first() {
                Some((1, json)) => values.append_value(text(json)?),
                _ => return Err("JSON of an unknown version".into()),
            },
            Self::Uuid(values) => values.append_value(uuid::Uuid::from_bytes(fixed(bytes)?).to_string()),
            Self::Bytes(values) => values.append_value(bytes),
            Self::Date(values) => values.append_value(date(i32::from_be_bytes(fixed(bytes)?))?),
            Self::Time(values) => values.append_value(moment(i64::from_be_bytes(fixed(bytes)?))?),
            Self::Decimal(values, scale) => values.append_value(decimal(bytes, *scale)?),
            Self::List(lists) => lists.push(bytes)?,
        }
        Ok(())
    }

    fn push_null(&mut self) {
        fn null<T: ArrowPrimitiveType>(values: &mut PrimitiveBuilder<T>) {
            values.append_null();
        }
        match self {
            Self::Bool(values) => values.append_null(),
            Self::Int16(values) => null(values),
            Self::Int32(values) => null(values),
            Self::Int64(values) => null(values),
            Self::Float32(values) => null(values),
            Self::Float64(values) => null(values),
            Self::Text(values) | Self::Jsonb(values) | Self::Uuid(values) => values.append_null(),
            Self::Bytes(values) => values.append_null(),
            Self::Date(values) => null(values),
            Self::Time(values) => null(values),
            Self::Decimal(values, _) => null(values),
            Self::List(lists) => lists.end(false),
        }
    }

    /// The values so far; it starts afresh.
    pub(super) fn finish(&mut self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Self::Bool(values) => Arc::new(values.finish()),
            Self::Int16(values) => Arc::new(values.finish()),
            Self::Int32(values) => Arc::new(values.finish()),
            Self::Int64(values) => Arc::new(values.finish()),
            Self::Float32(values) => Arc::new(values.finish()),
            Self::Float64(values) => Arc::new(values.finish()),
            Self::Text(values) | Self::Jsonb(values) | Self::Uuid(values) => Arc::new(values.finish()),
            Self::Bytes(values) => Arc::new(values.finish()),
            Self::Date(values) => Arc::new(values.finish()),
            Self::Time(values) => Arc::new(values.finish()),
            Self::Decimal(values, _) => Arc::new(values.finish()),
            Self::List(lists) => Arc::new(lists.finish()?),
        })
    }

    fn len(&self) -> usize {
        use arrow::array::ArrayBuilder as _;
        match self {
            Self::Bool(values) => values.len(),
            Self::Int16(values) => values.len(),
            Self::Int32(values) => values.len(),
            Self::Int64(values) => values.len(),
            Self::Float32(values) => values.len(),
            Self::Float64(values) => values.len(),
            Self::Text(values) | Self::Jsonb(values) | Self::Uuid(values) => values.len(),
            Self::Bytes(values) => values.len(),
            Self::Date(values) => values.len(),
            Self::Time(values) => values.len(),
            Self::Decimal(values, _) => values.len(),
            Self::List(lists) => lists.ends.len() - 1,
        }
    }
}

impl Lists {
    /// Adds a list: number of dimensions, flags, type of the elements, length and first index of each dimension, then
    /// the elements, each behind its length.
    fn push(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let mut rest = bytes;
        let dimensions = next_i32(&mut rest)?;
        take(&mut rest, 8)?;
        let length = match dimensions {
            0 => 0,
            1 => {
                let length = next_i32(&mut rest)?;
                take(&mut rest, 4)?;
                length
            }
            _ => return Err("an array of more than one dimension".into()),
        };
        for _ in 0..length {
            self.elements.push(next_value(&mut rest)?)?;
        }
        self.end(true);
        Ok(())
    }

    /// Ends a list with the elements since the last one.
    fn end(&mut self, is_there: bool) {
        self.ends.push(i32::try_from(self.elements.len()).unwrap_or(i32::MAX));
        self.nulls.append(is_there);
    }

    fn finish(&mut self) -> Result<ListArray, ArrowError> {
        let elements = self.elements.finish()?;
        let ends = std::mem::replace(&mut self.ends, vec![0]);
        let field = Arc::new(Field::new_list_field(elements.data_type().clone(), true));
        ListArray::try_new(field, OffsetBuffer::new(ScalarBuffer::from(ends)), elements, self.nulls.finish())
    }
}

fn date(days: i32) -> Result<i32, Unreadable> {
    match days {
        i32::MAX | i32::MIN => Err(infinity(days < 0)),
        days => days.checked_add(DAYS_TO_2000).ok_or_else(|| "a date too far away".into()),
    }
}

fn moment(micros: i64) -> Result<i64, Unreadable> {
    match micros {
        i64::MAX | i64::MIN => Err(infinity(micros < 0)),
        micros => micros.checked_add(ORIGIN).ok_or_else(|| "a time too far away".into()),
    }
}

fn infinity(is_negative: bool) -> Unreadable {
    Unreadable(format!("`{}infinity`, which is no moment", if is_negative { "-" } else { "" }))
}

fn text(bytes: &[u8]) -> Result<&str, Unreadable> {
    std::str::from_utf8(bytes).map_err(|_| "a text that is not UTF-8".into())
}

fn fixed<const N: usize>(bytes: &[u8]) -> Result<[u8; N], Unreadable> {
    bytes.try_into().map_err(|_| Unreadable(format!("a value of {} bytes where {N} belong", bytes.len())))
}

/// Takes bytes off the front.
pub(super) fn take<'a>(rest: &mut &'a [u8], count: usize) -> Result<&'a [u8], Unreadable> {
    let (taken, left) = rest.split_at_checked(count).ok_or("a value that ends early")?;
    *rest = left;
    Ok(taken)
}

fn next_i32(rest: &mut &[u8]) -> Result<i32, Unreadable> {
    Ok(i32::from_be_bytes(fixed(take(rest, 4)?)?))
}

/// A value behind its length, which is -1 for null.
fn next_value<'a>(rest: &mut &'a [u8]) -> Result<Option<&'a [u8]>, Unreadable> {
    match usize::try_from(next_i32(rest)?) {
        Ok(length) => take(rest, length).map(Some),
        Err(_) => Ok(None),
    }
}
