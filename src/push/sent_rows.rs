//! Rows for the history of a source that an offline server has: they are sent when all of them are right.

use std::sync::Arc;

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{
    offline::SourceWriter,
    sink::{Complete, OpenRows, RowWriter, SinkError},
};

/// Rows that wait to be sent.
struct SentRows {
    writer: Arc<dyn SourceWriter>,
    /// The view whose source takes them.
    view: String,
    schema: SchemaRef,
    batches: Vec<RecordBatch>,
}

/// Takes rows for the source of a view to the server that has it.
pub(super) fn opening(writer: Arc<dyn SourceWriter>, view: String) -> OpenRows {
    Box::new(move |schema| Ok(Box::new(SentRows { writer, view, schema: Arc::clone(schema), batches: Vec::new() })))
}

impl RowWriter for SentRows {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        self.batches.push(batch.clone());
        Ok(())
    }

    fn complete(self: Box<Self>) -> Result<Box<dyn Complete>, SinkError> {
        Ok(self)
    }
}

impl Complete for SentRows {
    fn appear(self: Box<Self>) -> Result<(), SinkError> {
        Ok(self.writer.add(&self.view, &self.schema, &self.batches)?)
    }
}
