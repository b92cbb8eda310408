//! From columns of Arrow to serialized [`Value`](super::value::Value)s, without an object per value.
//!
//! A column is bound to a declared type once per batch; then every row appends its bytes to a
//! buffer of the caller. The bytes are those Feast writes when it materializes the same column,
//! but for three things: integers beside nulls stay exact, sets keep the order of the source, and
//! members of structs have their declared types.

mod conform;
mod json;
mod key_column;
mod lists;
mod node;
mod numbers;
mod object;
mod scalar;
mod texts;

use arrow::{
    array::{ArrayRef, new_empty_array},
    datatypes::DataType as ArrowType,
    error::ArrowError,
};

pub use conform::{Conformed, carrier, conform, micros_in_utc, widen};
pub use key_column::KeyColumn;
pub use texts::Texts;

use crate::model::{DataType, printable};
use node::Node;

/// Why a column or a value has no bytes.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// No value of the column has the declared type.
    #[error("a column of type {column} cannot hold values of type {declared}")]
    Incompatible {
        /// The type of the feature or join key.
        declared: DataType,
        /// The type of the column.
        column: ArrowType,
    },
    /// A number that its declared type cannot hold exactly.
    #[error("{value} does not fit {declared}")]
    OutOfRange {
        /// The number as text.
        value: String,
        /// The declared type.
        declared: &'static str,
    },
    /// A text that does not read as what its declared type wants.
    #[error("`{text}` is not {expected}")]
    Malformed {
        /// The text, shortened.
        text: String,
        /// What it should be, with its article.
        expected: &'static str,
    },
    /// A text that is not JSON.
    #[error("`{text}` is not JSON: {reason}")]
    Json {
        /// The text, shortened.
        text: String,
        /// What the parser says.
        reason: String,
    },
    /// Arrow cannot convert the column.
    #[error(transparent)]
    Arrow(#[from] ArrowError),
}

impl EncodeError {
    fn incompatible(declared: &DataType, array: &ArrayRef) -> Self {
        Self::Incompatible { declared: declared.clone(), column: array.data_type().clone() }
    }

    /// Whether a value does not fit; otherwise it is the column.
    pub const fn is_about_a_value(&self) -> bool {
        matches!(self, Self::OutOfRange { .. } | Self::Malformed { .. } | Self::Json { .. })
    }

    fn malformed(text: &str, expected: &'static str) -> Self {
        Self::Malformed { text: excerpt(text), expected }
    }

    fn json(text: &str, error: &serde_json::Error) -> Self {
        Self::Json { text: excerpt(text), reason: error.to_string() }
    }
}

/// Enough of a value to recognise it by.
fn excerpt(text: &str) -> String {
    const LENGTH: usize = 60;
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", printable(&text[..end])),
        None => printable(text).into_owned(),
    }
}

/// Whether values of a source column can become the declared type: numbers any number (booleans
/// only booleans and integers), timestamps, dates and integers timestamps, texts what is written
/// as text, bytes bytes; lists and sets element by element, structs member by member.
pub fn accepts(declared: &DataType, column: &ArrowType) -> bool {
    carrier(declared).is_some_and(|carrier| carrier == *column) || ColumnEncoder::new(declared, column).is_ok()
}

/// Encodes the columns of one feature.
#[derive(Debug, Clone)]
pub struct ColumnEncoder {
    declared: DataType,
}

impl ColumnEncoder {
    /// An encoder of columns of one Arrow type as values of a declared type.
    ///
    /// # Errors
    /// When such a column cannot hold values of that type.
    pub fn new(declared: &DataType, column: &ArrowType) -> Result<Self, EncodeError> {
        let encoder = Self { declared: declared.clone() };
        encoder.bind(&new_empty_array(column))?;
        Ok(encoder)
    }

    /// Prepares one batch of the column.
    ///
    /// # Errors
    /// When the column cannot hold values of the declared type, or an unsigned integer exceeds 63 bits.
    pub fn bind(&self, array: &ArrayRef) -> Result<BoundColumn, EncodeError> {
        Node::bind_column(&self.declared, array).map(BoundColumn)
    }
}

/// One batch of a column, ready to be encoded row by row.
pub struct BoundColumn(Node);

impl BoundColumn {
    /// Appends the serialized value of a row; null appends nothing.
    ///
    /// # Errors
    /// When the value does not fit the declared type, naming both; `out` is then as before.
    ///
    /// # Panics
    /// When the batch has no such row.
    pub fn encode(&self, row: usize, out: &mut Vec<u8>) -> Result<(), EncodeError> {
        let start = out.len();
        self.0.write(row, out).inspect_err(|_| out.truncate(start)).map(drop)
    }
}

#[cfg(test)]
mod tests;
