//! Values of a column as PostgreSQL's binary format has them.

use std::sync::LazyLock;

use arrow::{
    array::{
        Array, ArrayRef, ArrowPrimitiveType, AsArray as _, BinaryArray, BooleanArray, ListArray, PrimitiveArray,
        StringArray,
    },
    datatypes::{
        Date32Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type, Time64MicrosecondType,
        TimestampMicrosecondType,
    },
    error::ArrowError,
    json::writer::{EncoderOptions, NullableEncoder, make_encoder},
};
use uuid::Uuid;

use super::{
    column::{ColumnKind, Scalar, TableColumn},
    numeric::put_numeric,
};
use crate::{clients::postgres::ORIGIN, sink::json_floats::FloatsAsTexts};

/// Midnight before 2000-01-01, where PostgreSQL counts from, in days since 1970.
const ORIGIN_DAYS: i32 = 10_957;

/// The first and the last moment that PostgreSQL has, counted from its origin; greater numbers mean infinity.
const MOMENTS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// What stands for the length of null.
const NULL: [u8; 4] = (-1_i32).to_be_bytes();

/// What is in front of the text of a `jsonb`.
const JSONB_VERSION: u8 = 1;

/// Why a value cannot be sent.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfit {
    #[error("the text holds a zero byte, which PostgreSQL cannot")]
    ZeroByte,
    #[error("the time is out of the range of PostgreSQL")]
    Time,
    #[error("`{0}` is not a number")]
    Number(String),
    #[error("`{0}` is not a UUID")]
    Uuid(String),
    #[error("the value is too large for PostgreSQL")]
    TooLarge,
}

/// The values of one column of a batch.
pub(super) enum Values<'a> {
    Scalar(ScalarValues<'a>),
    Array { lists: &'a ListArray, elements: ScalarValues<'a>, element: Scalar },
    Json(NullableEncoder<'a>),
}

/// Single values.
pub(super) enum ScalarValues<'a> {
    Bool(&'a BooleanArray),
    Int2(&'a PrimitiveArray<Int16Type>),
    Int4(&'a PrimitiveArray<Int32Type>),
    Int8(&'a PrimitiveArray<Int64Type>),
    Float4(&'a PrimitiveArray<Float32Type>),
    Float8(&'a PrimitiveArray<Float64Type>),
    Numeric(&'a StringArray),
    Text(&'a StringArray),
    Uuid(&'a StringArray),
    Jsonb(&'a StringArray),
    Bytea(&'a BinaryArray),
    Date(&'a PrimitiveArray<Date32Type>),
    Time(&'a PrimitiveArray<Time64MicrosecondType>),
    Moment(&'a PrimitiveArray<TimestampMicrosecondType>),
}

impl<'a> Values<'a> {
    /// The values of an array of the column's carrier.
    pub(super) fn of(column: &'a TableColumn, array: &'a ArrayRef) -> Result<Self, ArrowError> {
        static JSON: LazyLock<EncoderOptions> = LazyLock::new(|| {
            EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(std::sync::Arc::new(FloatsAsTexts))
        });
        Ok(match column.kind {
            ColumnKind::Scalar(scalar) => Self::Scalar(ScalarValues::of(scalar, array)),
            ColumnKind::Array(element) => {
                let lists = array.as_list::<i32>();
                Self::Array { lists, elements: ScalarValues::of(element, lists.values()), element }
            }
            ColumnKind::Json => Self::Json(make_encoder(&column.carrier, array.as_ref(), &JSON)?),
        })
    }

    /// Appends the value of a row, its length in front.
    ///
    /// # Errors
    /// When PostgreSQL has no such value.
    pub(super) fn put(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
        match self {
            Self::Scalar(values) => values.put(row, out),
            Self::Array { lists, .. } if lists.is_null(row) => {
                out.extend(NULL);
                Ok(())
            }
            Self::Array { lists, elements, element } => {
                let (start, end) = (lists.value_offsets()[row] as usize, lists.value_offsets()[row + 1] as usize);
                with_length(out, |out| put_array(elements, *element, start..end, out))
            }
            Self::Json(encoder) if encoder.is_null(row) => {
                out.extend(NULL);
                Ok(())
            }
            Self::Json(encoder) => with_length(out, |out| {
                out.push(JSONB_VERSION);
                encoder.encode(row, out);
                Ok(())
            }),
        }
    }
}

fn put_array(
    elements: &ScalarValues<'_>,
    element: Scalar,
    range: std::ops::Range<usize>,
    out: &mut Vec<u8>,
) -> Result<(), Unfit> {
    let has_nulls = range.clone().any(|row| elements.is_null(row));
    let dimensions = i32::from(!range.is_empty());
    out.extend(dimensions.to_be_bytes());
    out.extend(i32::from(has_nulls).to_be_bytes());
    out.extend(element.types().0.oid().to_be_bytes());
    if !range.is_empty() {
        out.extend(i32::try_from(range.len()).map_err(|_| Unfit::TooLarge)?.to_be_bytes());
        // Places are counted from one.
        out.extend(1_i32.to_be_bytes());
    }
    range.into_iter().try_for_each(|row| elements.put(row, out))
}

/// Appends what `put` does, with its length in front.
fn with_length(out: &mut Vec<u8>, put: impl FnOnce(&mut Vec<u8>) -> Result<(), Unfit>) -> Result<(), Unfit> {
    let start = out.len();
    out.extend(NULL);
    put(out)?;
    let length = i32::try_from(out.len() - start - NULL.len()).map_err(|_| Unfit::TooLarge)?;
    out[start..start + NULL.len()].copy_from_slice(&length.to_be_bytes());
    Ok(())
}

impl<'a> ScalarValues<'a> {
    fn of(scalar: Scalar, array: &'a ArrayRef) -> Self {
        match scalar {
            Scalar::Bool => Self::Bool(array.as_boolean()),
            Scalar::Int2 => Self::Int2(array.as_primitive()),
            Scalar::Int4 => Self::Int4(array.as_primitive()),
            Scalar::Int8 => Self::Int8(array.as_primitive()),
            Scalar::Float4 => Self::Float4(array.as_primitive()),
            Scalar::Float8 => Self::Float8(array.as_primitive()),
            Scalar::Numeric => Self::Numeric(array.as_string()),
            Scalar::Text => Self::Text(array.as_string()),
            Scalar::Uuid => Self::Uuid(array.as_string()),
            Scalar::Jsonb => Self::Jsonb(array.as_string()),
            Scalar::Bytea => Self::Bytea(array.as_binary()),
            Scalar::Date => Self::Date(array.as_primitive()),
            Scalar::Time => Self::Time(array.as_primitive()),
            Scalar::Timestamp | Scalar::TimestampTz => Self::Moment(array.as_primitive()),
        }
    }

    fn array(&self) -> &dyn Array {
        match self {
            Self::Bool(array) => array,
            Self::Int2(array) => array,
            Self::Int4(array) => array,
            Self::Int8(array) => array,
            Self::Float4(array) => array,
            Self::Float8(array) => array,
            Self::Numeric(array) | Self::Text(array) | Self::Uuid(array) | Self::Jsonb(array) => array,
            Self::Bytea(array) => array,
            Self::Date(array) => array,
            Self::Time(array) => array,
            Self::Moment(array) => array,
        }
    }

    fn is_null(&self, row: usize) -> bool {
        self.array().is_null(row)
    }

    fn put(&self, row: usize, out: &mut Vec<u8>) -> Result<(), Unfit> {
        if self.is_null(row) {
            out.extend(NULL);
            return Ok(());
        }
        match self {
            Self::Bool(array) => put_bytes(&[u8::from(array.value(row))], out),
            Self::Int2(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Int4(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Int8(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Float4(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Float8(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Numeric(array) => {
                let text = array.value(row);
                with_length(out, |out| put_numeric(text, out).ok_or_else(|| Unfit::Number(text.to_owned())))
            }
            Self::Text(array) if array.value(row).contains('\0') => Err(Unfit::ZeroByte),
            Self::Text(array) => put_bytes(array.value(row).as_bytes(), out),
            Self::Uuid(array) => {
                let text = array.value(row);
                put_bytes(Uuid::try_parse(text).map_err(|_| Unfit::Uuid(text.to_owned()))?.as_bytes(), out)
            }
            Self::Jsonb(array) => with_length(out, |out| {
                out.push(JSONB_VERSION);
                out.extend_from_slice(array.value(row).as_bytes());
                Ok(())
            }),
            Self::Bytea(array) => put_bytes(array.value(row), out),
            Self::Date(array) => {
                let days = value(array, row).checked_sub(ORIGIN_DAYS).ok_or(Unfit::Time)?;
                put_bytes(&days.to_be_bytes(), out)
            }
            Self::Time(array) => put_bytes(&value(array, row).to_be_bytes(), out),
            Self::Moment(array) => {
                let micros = value(array, row).checked_sub(ORIGIN).filter(|micros| MOMENTS.contains(micros));
                put_bytes(&micros.ok_or(Unfit::Time)?.to_be_bytes(), out)
            }
        }
    }
}

fn value<T: ArrowPrimitiveType>(array: &PrimitiveArray<T>, row: usize) -> T::Native {
    array.value(row)
}

fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Unfit> {
    let length = i32::try_from(bytes.len()).map_err(|_| Unfit::TooLarge)?;
    out.extend(length.to_be_bytes());
    out.extend_from_slice(bytes);
    Ok(())
}
