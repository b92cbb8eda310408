use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::DataType as ArrowType,
};

use super::{
    EncodeError,
    numbers::{Rounding, Seconds, convert, integer, integers, narrow},
    texts::{Blobs, Texts},
};
use crate::{feast::values::entity_key::KeyPart, model::DataType};

/// One batch of a join key's column.
pub struct KeyColumn(Keys);

enum Keys {
    Null,
    Text(Texts),
    Bytes(Blobs),
    Int32(Int64Array),
    Int64(Int64Array),
    Seconds(Seconds),
}

impl KeyColumn {
    /// Prepares a column whose join key has a declared type: texts, bytes, integers of any width,
    /// or moments for timestamps.
    ///
    /// # Errors
    /// When the column cannot hold such join keys, or an unsigned integer exceeds 63 bits.
    pub fn bind(declared: &DataType, array: &ArrayRef) -> Result<Self, EncodeError> {
        let keys = match (declared, array.data_type()) {
            (declared, ArrowType::Dictionary(_, values)) => return Self::bind(declared, &convert(array, values)?),
            (declared, ArrowType::Null) if declared.is_join_key() => Some(Keys::Null),
            (DataType::String, _) => Texts::bind(array).map(Keys::Text),
            (DataType::Bytes, _) => Blobs::bind(array).map(Keys::Bytes),
            (DataType::Int32, column) if column.is_integer() => Some(Keys::Int32(integers(array)?)),
            (DataType::Int64, column) if column.is_integer() => Some(Keys::Int64(integers(array)?)),
            (DataType::UnixTimestamp, _) => Seconds::bind(array, Rounding::Floor)?.map(Keys::Seconds),
            _ => None,
        };
        keys.map(Self).ok_or_else(|| EncodeError::incompatible(declared, array))
    }

    /// The join key value of a row, `None` when it is null.
    ///
    /// # Errors
    /// When an integer does not fit the declared width.
    ///
    /// # Panics
    /// When the batch has no such row.
    pub fn part(&self, row: usize) -> Result<Option<KeyPart<'_>>, EncodeError> {
        Ok(match &self.0 {
            Keys::Null => None,
            Keys::Text(texts) => texts.get(row).map(KeyPart::String),
            Keys::Bytes(blobs) => blobs.get(row).map(KeyPart::Bytes),
            Keys::Int32(array) => match integer(array, row) {
                Some(number) => Some(KeyPart::Int32(narrow(number)?)),
                None => None,
            },
            Keys::Int64(array) => integer(array, row).map(KeyPart::Int64),
            Keys::Seconds(seconds) => seconds.get(row).map(KeyPart::UnixTimestamp),
        })
    }
}
