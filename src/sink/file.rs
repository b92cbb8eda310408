//! Rows in one file.

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Target,
    target::{LastFailure, Waiting},
    writer::{Complete, FormatWriter, OpenFormat, RowWriter, SinkError},
};

/// Writes rows in a format to a target, and knows what the target said where the format does not pass it on.
pub(super) struct FileRows {
    writer: Box<dyn FormatWriter>,
    failure: LastFailure,
    in_target: Waiting,
}

impl FileRows {
    pub(super) fn open(open: OpenFormat, target: Target, schema: &SchemaRef) -> Result<Self, SinkError> {
        let (failure, in_target) = (target.failure(), target.waiting());
        let writer = open(target, schema).map_err(|error| failure.get().map_or(error, SinkError::from))?;
        Ok(Self { writer, failure, in_target })
    }

    /// About how many bytes of memory rows take that are not written yet.
    pub(super) fn waiting(&self) -> usize {
        self.writer.waiting() + self.in_target.bytes()
    }

    /// Writes rows that wait for more of them.
    pub(super) fn flush(&mut self) -> Result<(), SinkError> {
        let flushed = self.writer.flush();
        self.explained(flushed)
    }

    fn explained<T>(&self, result: Result<T, SinkError>) -> Result<T, SinkError> {
        result.map_err(|error| self.failure.get().map_or(error, SinkError::from))
    }
}

impl RowWriter for FileRows {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        let written = self.writer.write(batch);
        self.explained(written)
    }

    fn complete(self: Box<Self>) -> Result<Box<dyn Complete>, SinkError> {
        let Self { writer, failure, .. } = *self;
        Ok(Box::new(writer.finish().map_err(|error| failure.get().map_or(error, SinkError::from))?))
    }
}

impl Complete for Target {
    fn appear(self: Box<Self>) -> Result<(), SinkError> {
        Ok(self.finish()?)
    }
}
