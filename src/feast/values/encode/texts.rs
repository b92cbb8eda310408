//! Columns read as texts and bytes.

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BinaryViewArray, FixedSizeBinaryArray, LargeBinaryArray,
        LargeStringArray, StringArray, StringViewArray,
    },
    datatypes::DataType as ArrowType,
};
use serde::de::IgnoredAny;

use super::EncodeError;

/// Texts in any of Arrow's layouts.
pub enum Texts {
    /// Offsets of 32 bits.
    Small(StringArray),
    /// Offsets of 64 bits.
    Large(LargeStringArray),
    /// Short texts in place.
    View(StringViewArray),
}

impl Texts {
    /// The texts of a column, if it holds some.
    pub fn bind(array: &ArrayRef) -> Option<Self> {
        match array.data_type() {
            ArrowType::Utf8 => Some(Self::Small(array.as_string().clone())),
            ArrowType::LargeUtf8 => Some(Self::Large(array.as_string().clone())),
            ArrowType::Utf8View => Some(Self::View(array.as_string_view().clone())),
            _ => None,
        }
    }

    /// The text of a row, unless it is null.
    pub fn get(&self, row: usize) -> Option<&str> {
        match self {
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// Byte strings in any of Arrow's layouts.
pub(super) enum Blobs {
    Small(BinaryArray),
    Large(LargeBinaryArray),
    View(BinaryViewArray),
    Fixed(FixedSizeBinaryArray),
}

impl Blobs {
    pub(super) fn bind(array: &ArrayRef) -> Option<Self> {
        match array.data_type() {
            ArrowType::Binary => Some(Self::Small(array.as_binary().clone())),
            ArrowType::LargeBinary => Some(Self::Large(array.as_binary().clone())),
            ArrowType::BinaryView => Some(Self::View(array.as_binary_view().clone())),
            ArrowType::FixedSizeBinary(_) => Some(Self::Fixed(array.as_fixed_size_binary().clone())),
            _ => None,
        }
    }

    pub(super) fn get(&self, row: usize) -> Option<&[u8]> {
        match self {
            Self::Small(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Large(array) => array.is_valid(row).then(|| array.value(row)),
            Self::View(array) => array.is_valid(row).then(|| array.value(row)),
            Self::Fixed(array) => array.is_valid(row).then(|| array.value(row)),
        }
    }
}

/// UUIDs as texts or as sixteen bytes.
pub(super) enum Uuids {
    Text(Texts),
    Raw(FixedSizeBinaryArray),
}

impl Uuids {
    pub(super) fn bind(array: &ArrayRef) -> Option<Self> {
        match array.data_type() {
            ArrowType::FixedSizeBinary(16) => Some(Self::Raw(array.as_fixed_size_binary().clone())),
            _ => Texts::bind(array).map(Self::Text),
        }
    }

    /// Hands the text of a row to `write`: as it stands in the column, or hyphenated from bytes.
    pub(super) fn with<T>(&self, row: usize, write: impl FnOnce(&str) -> T) -> Result<Option<T>, EncodeError> {
        match self {
            Self::Text(texts) => match texts.get(row) {
                Some(text) if uuid::Uuid::try_parse(text).is_err() => Err(EncodeError::malformed(text, "a UUID")),
                text => Ok(text.map(write)),
            },
            Self::Raw(array) => Ok(array.is_valid(row).then(|| {
                // Sixteen bytes are always a UUID.
                let uuid = uuid::Uuid::from_slice(array.value(row)).unwrap_or_default();
                write(uuid.hyphenated().encode_lower(&mut uuid::Uuid::encode_buffer()))
            })),
        }
    }
}

/// Checks that a text is JSON.
pub(super) fn check_json(text: &str) -> Result<&str, EncodeError> {
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => Ok(text),
        Err(error) => Err(EncodeError::json(text, &error)),
    }
}
