//! Columns of single values as values on the wire, each with the Arrow types it takes.

use arrow::{array::ArrayRef, datatypes::DataType as ArrowType};

use super::{
    EncodeError,
    json::JsonColumn,
    numbers::{Bools, Floats, Ints, Numerals, Rounding, Seconds, narrow},
    object::Objects,
    texts::{Blobs, Texts, Uuids, check_json},
};
use crate::{
    feast::{values::value::NULL_TIMESTAMP, wire},
    model::DataType,
};

/// Where a scalar stands, which decides about timestamps and NaN.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// A column: fractions of seconds are floored, and null is written as [`NULL_TIMESTAMP`].
    Column,
    /// An element of a list: NaN is kept, which is null elsewhere. Fractions are cut off, as
    /// everywhere inside a column but in sets.
    Element,
    /// An element of a set: as one of a list, with fractions floored.
    SetElement,
    /// A member of a struct or a value of a map.
    Member,
}

/// A column of values that are not lists.
pub(super) enum Scalar {
    Bool(Bools),
    Int32(Ints),
    Int64(Ints),
    Float(Floats),
    Double(Floats),
    Seconds { seconds: Seconds, null: Option<i64> },
    Zoned { seconds: Seconds, zone: String },
    Text(Texts),
    Bytes(Blobs),
    JsonText(Texts),
    JsonDump(JsonColumn),
    Uuid(Uuids),
    Decimal(Numerals),
    Object(Objects),
}

impl Scalar {
    /// `None` when the column cannot hold values of the declared type.
    pub(super) fn bind(declared: &DataType, array: &ArrayRef, position: Position) -> Result<Option<Self>, EncodeError> {
        let keep_nan = matches!(position, Position::Element | Position::SetElement);
        Ok(match declared {
            DataType::Bool => Bools::bind(array)?.map(Self::Bool),
            DataType::Int32 => Ints::bind(array)?.map(Self::Int32),
            DataType::Int64 => Ints::bind(array)?.map(Self::Int64),
            DataType::Float32 => Floats::bind(array, keep_nan)?.map(Self::Float),
            DataType::Float64 => Floats::bind(array, keep_nan)?.map(Self::Double),
            DataType::String => Texts::bind(array).map(Self::Text),
            DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => Blobs::bind(array).map(Self::Bytes),
            DataType::Uuid | DataType::TimeUuid => Uuids::bind(array).map(Self::Uuid),
            DataType::Decimal => Numerals::bind(array)?.map(Self::Decimal),
            DataType::UnixTimestamp => {
                let rounding = match position {
                    Position::Column | Position::SetElement => Rounding::Floor,
                    Position::Element | Position::Member => Rounding::TowardZero,
                };
                let null = (position == Position::Column).then_some(NULL_TIMESTAMP);
                Seconds::bind(array, rounding)?.map(|seconds| Self::Seconds { seconds, null })
            }
            DataType::ZonedTimestamp => match array.data_type() {
                ArrowType::Timestamp(_, zone) => {
                    let zone = zone.as_deref().unwrap_or_default().to_owned();
                    Seconds::bind(array, Rounding::TowardZero)?.map(|seconds| Self::Zoned { seconds, zone })
                }
                _ => None,
            },
            DataType::Json if array.data_type().is_nested() => JsonColumn::bind(array)?.map(Self::JsonDump),
            DataType::Json => Texts::bind(array).map(Self::JsonText),
            DataType::Map => Objects::bind(None, array)?.map(Self::Object),
            DataType::Struct(members) => Objects::bind(Some(members), array)?.map(Self::Object),
            DataType::ScalarMap | DataType::Array(_) | DataType::Set(_) | DataType::Unknown(_) => None,
        })
    }

    pub(super) fn wire_type(&self) -> u8 {
        match self {
            Self::Bool(_) | Self::Int32(_) | Self::Int64(_) | Self::Seconds { .. } => wire::VARINT,
            Self::Float(_) => wire::FIXED32,
            Self::Double(_) => wire::FIXED64,
            Self::Zoned { .. }
            | Self::Text(_)
            | Self::Bytes(_)
            | Self::JsonText(_)
            | Self::JsonDump(_)
            | Self::Uuid(_)
            | Self::Decimal(_)
            | Self::Object(_) => wire::DELIMITED,
        }
    }

    /// Appends a row without its key; a null row appends nothing and answers false.
    pub(super) fn write(&self, row: usize, out: &mut Vec<u8>) -> Result<bool, EncodeError> {
        match self {
            Self::Bool(bools) => {
                let Some(value) = bools.get(row)? else { return Ok(false) };
                out.push(u8::from(value));
            }
            Self::Int32(ints) => {
                let Some(number) = ints.get(row, "Int32")? else { return Ok(false) };
                wire::signed(i64::from(narrow(number)?), out);
            }
            Self::Int64(ints) => {
                let Some(number) = ints.get(row, "Int64")? else { return Ok(false) };
                wire::signed(number, out);
            }
            Self::Float(floats) => {
                let Some(number) = floats.single(row)? else { return Ok(false) };
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Double(floats) => {
                let Some(number) = floats.get(row)? else { return Ok(false) };
                out.extend_from_slice(&number.to_le_bytes());
            }
            Self::Seconds { seconds, null } => {
                let Some(seconds) = seconds.get(row).or(*null) else { return Ok(false) };
                wire::signed(seconds, out);
            }
            Self::Zoned { seconds, zone } => {
                let Some(seconds) = seconds.get(row) else { return Ok(false) };
                write_zoned(seconds, zone, out)?;
            }
            Self::Text(texts) => {
                let Some(text) = texts.get(row) else { return Ok(false) };
                wire::bytes(text.as_bytes(), out);
            }
            Self::Bytes(blobs) => {
                let Some(bytes) = blobs.get(row) else { return Ok(false) };
                wire::bytes(bytes, out);
            }
            Self::JsonText(texts) => {
                let Some(text) = texts.get(row) else { return Ok(false) };
                wire::bytes(check_json(text)?.as_bytes(), out);
            }
            Self::JsonDump(column) => {
                let Some(text) = column.get(row) else { return Ok(false) };
                wire::bytes(text.as_bytes(), out);
            }
            Self::Uuid(uuids) => return Ok(uuids.with(row, |text| wire::bytes(text.as_bytes(), out))?.is_some()),
            Self::Decimal(numerals) => {
                let Some(text) = numerals.get(row)? else { return Ok(false) };
                wire::bytes(text.as_bytes(), out);
            }
            Self::Object(objects) => return objects.write(row, out),
        }
        Ok(true)
    }

    /// What an element of a set is known by, as Python compares it: both zeros are one, and a NaN is
    /// like no other, so it has none. `bytes` are those of the element.
    pub(super) fn identity(&self, bytes: &[u8]) -> Option<Vec<u8>> {
        // A sum with zero has no negative zero.
        match self {
            Self::Float(_) => {
                let number = f32::from_le_bytes(bytes.try_into().ok()?) + 0.0;
                (!number.is_nan()).then(|| number.to_le_bytes().to_vec())
            }
            Self::Double(_) => {
                let number = f64::from_le_bytes(bytes.try_into().ok()?) + 0.0;
                (!number.is_nan()).then(|| number.to_le_bytes().to_vec())
            }
            _ => Some(bytes.to_vec()),
        }
    }

    /// Appends what stands for null in a list, which cannot hold nulls: zero, NaN, false, an empty
    /// text, the null timestamp, JSON `null` or an empty map.
    pub(super) fn write_null_element(&self, out: &mut Vec<u8>) {
        match self {
            Self::Seconds { .. } => wire::signed(NULL_TIMESTAMP, out),
            Self::Float(_) => out.extend_from_slice(&f32::NAN.to_le_bytes()),
            Self::Double(_) => out.extend_from_slice(&f64::NAN.to_le_bytes()),
            Self::JsonText(_) | Self::JsonDump(_) => wire::bytes(b"null", out),
            // The integer zero, false, or the length of nothing.
            _ => out.push(0),
        }
    }
}

/// `feast.types.ZonedTimestamp` with its length.
fn write_zoned(seconds: i64, zone: &str, out: &mut Vec<u8>) -> Result<(), EncodeError> {
    wire::delimited(out, |out| {
        if seconds != 0 {
            wire::key(1, wire::VARINT, out);
            wire::signed(seconds, out);
        }
        if !zone.is_empty() {
            wire::key(2, wire::DELIMITED, out);
            wire::bytes(zone.as_bytes(), out);
        }
        Ok(())
    })
}
