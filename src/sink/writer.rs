use std::io;

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};
use parquet::errors::ParquetError;

use super::Target;
use crate::problem::Problem;

/// Takes the rows of a result to where they belong, which has them when it is finished and not before.
pub trait RowWriter: Send {
    /// Takes the next rows.
    ///
    /// # Errors
    /// When they cannot be encoded or not be written.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError>;

    /// Writes what is left. Nobody sees the result yet.
    ///
    /// # Errors
    /// When it cannot be written.
    fn complete(self: Box<Self>) -> Result<Box<dyn Complete>, SinkError>;
}

/// A result that is written, and vanishes unless it appears.
pub trait Complete: Send {
    /// Lets the result appear.
    ///
    /// # Errors
    /// When it cannot be where it belongs.
    fn appear(self: Box<Self>) -> Result<(), SinkError>;
}

/// Begins to write rows with these columns.
pub type OpenRows = Box<dyn FnOnce(&SchemaRef) -> Result<Box<dyn RowWriter>, SinkError> + Send>;

/// Writes rows in a format.
pub trait FormatWriter: Send {
    /// Writes the next rows.
    ///
    /// # Errors
    /// When they cannot be encoded or the target cannot be written.
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError>;

    /// About how many bytes of memory rows take that are not written yet.
    fn waiting(&self) -> usize {
        0
    }

    /// Writes rows that wait for more of them.
    ///
    /// # Errors
    /// As [`write`](Self::write).
    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(())
    }

    /// Writes what is left, and gives the target back.
    ///
    /// # Errors
    /// When the target cannot be written.
    fn finish(self: Box<Self>) -> Result<Target, SinkError>;
}

/// Begins to write to a target rows with these columns.
pub type OpenFormat = Box<dyn FnOnce(Target, &SchemaRef) -> Result<Box<dyn FormatWriter>, SinkError> + Send>;

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A column has values that the format has no form for.
    #[error("column `{0}` holds lists or structs, which CSV cannot")]
    Nested(String),
    /// The target cannot be written.
    #[error("cannot write the output: {0}")]
    Io(io::Error),
    /// The rows cannot be encoded.
    #[error("cannot write the output: {0}")]
    Arrow(ArrowError),
    /// The rows cannot be encoded as parquet.
    #[error("cannot write the output: {0}")]
    Parquet(ParquetError),
    /// What is wrong is said already.
    #[error(transparent)]
    Problem(#[from] Problem),
}

/// What stores of buckets say is within errors of writing.
impl From<io::Error> for SinkError {
    fn from(error: io::Error) -> Self {
        match Problem::within(&error) {
            Some(problem) => Self::Problem(problem.clone()),
            None => Self::Io(error),
        }
    }
}

impl From<ArrowError> for SinkError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, io) => io.into(),
            other => Self::Arrow(other),
        }
    }
}

impl From<ParquetError> for SinkError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(io) => (*io).into(),
                Err(inner) => Self::Parquet(ParquetError::External(inner)),
            },
            other => Self::Parquet(other),
        }
    }
}
