//! Batches of rows into the format that is asked for, as they come.

use std::ops::ControlFlow;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Format, Target,
    target::LastFailure,
    writer::{OpenWriter, RowWriter, SinkError},
};
use crate::offline::BatchSink;

/// Writes a streamed result.
pub struct RowSink {
    /// Taken when the columns are known.
    opening: Option<(OpenWriter, Target)>,
    writer: Option<Box<dyn RowWriter>>,
    rows: usize,
    failure: Option<SinkError>,
    target_failure: LastFailure,
}

impl RowSink {
    /// Rows in this format, to this target.
    pub fn new(format: Format, target: Target) -> Self {
        Self::written_by(Box::new(move |target, schema| format.writer(target, schema)), target)
    }

    /// Rows as somebody else writes them, to this target.
    pub fn written_by(open: OpenWriter, target: Target) -> Self {
        let target_failure = target.failure();
        Self { opening: Some((open, target)), writer: None, rows: 0, failure: None, target_failure }
    }

    /// Completes the output and tells how many rows went through.
    ///
    /// # Errors
    /// When anything could not be written, now or before.
    pub fn finish(self) -> Result<usize, SinkError> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        if let Some(writer) = self.writer {
            let target = writer.finish().map_err(|error| self.target_failure.get().map_or(error, SinkError::Io))?;
            target.finish()?;
        }
        Ok(self.rows)
    }

    /// Whether writing failed, which is why a query was broken off.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    fn settle(&mut self, result: Result<(), SinkError>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(failure) => {
                self.failure = Some(self.target_failure.get().map_or(failure, SinkError::Io));
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for RowSink {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let Some((open, target)) = self.opening.take() else { return ControlFlow::Continue(()) };
        let opened = open(target, schema).map(|writer| self.writer = Some(writer));
        self.settle(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let Some(writer) = &mut self.writer else { return ControlFlow::Continue(()) };
        let written = writer.write(batch);
        self.rows += batch.num_rows();
        self.settle(written)
    }
}
