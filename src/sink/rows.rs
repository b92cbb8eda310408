//! Batches of rows to where they belong, as they come.

use std::ops::ControlFlow;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use super::{
    Format, Target,
    file::FileRows,
    writer::{OpenFormat, OpenRows, RowWriter, SinkError},
};
use crate::offline::BatchSink;

/// Writes a streamed result.
pub struct RowSink {
    /// Taken when the columns are known.
    opening: Option<OpenRows>,
    writer: Option<Box<dyn RowWriter>>,
    rows: usize,
    /// So many rows are taken; then the query is broken off.
    limit: usize,
    failure: Option<SinkError>,
}

impl RowSink {
    /// Rows to wherever `open` takes them.
    pub fn new(open: OpenRows) -> Self {
        Self { opening: Some(open), writer: None, rows: 0, limit: usize::MAX, failure: None }
    }

    /// Rows in this format, to this target.
    pub fn file(format: Format, target: Target) -> Self {
        Self::written_by(Box::new(move |target, schema| format.writer(target, schema)), target)
    }

    /// Rows as somebody else writes them, to this target.
    pub fn written_by(open: OpenFormat, target: Target) -> Self {
        Self::new(Box::new(move |schema| Ok(Box::new(FileRows::open(open, target, schema)?))))
    }

    /// The same, of which no more than the first `limit` rows are written.
    #[must_use]
    pub fn limited_to(self, limit: usize) -> Self {
        Self { limit, ..self }
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
            writer.complete()?.appear()?;
        }
        Ok(self.rows)
    }

    /// Whether writing failed, which is why a query was broken off.
    pub fn failed(&self) -> bool {
        self.failure.is_some()
    }

    fn settle(&mut self, result: Result<(), SinkError>) -> ControlFlow<()> {
        match result {
            Ok(()) if self.rows < self.limit => ControlFlow::Continue(()),
            Ok(()) => ControlFlow::Break(()),
            Err(failure) => {
                self.failure = Some(failure);
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for RowSink {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        let Some(open) = self.opening.take() else { return ControlFlow::Continue(()) };
        let opened = open(schema).map(|writer| self.writer = Some(writer));
        self.settle(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let Some(writer) = &mut self.writer else { return ControlFlow::Continue(()) };
        let taken = batch.num_rows().min(self.limit - self.rows);
        let written = writer.write(&batch.slice(0, taken));
        self.rows += taken;
        self.settle(written)
    }
}
