//! Rows in memory, read as if they were those of a file.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch},
    datatypes::{DataType as ArrowType, Fields, Schema},
};

/// Rows in memory.
#[derive(Debug, Clone)]
pub(crate) struct Batches {
    /// The columns; how values are repeated is of no concern.
    pub fields: Fields,
    batches: Arc<[RecordBatch]>,
}

impl Batches {
    /// Rows whose columns are those of the schema.
    pub(crate) fn new(schema: &Schema, batches: Vec<RecordBatch>) -> Self {
        let fields = schema.fields().iter().map(|field| match field.data_type() {
            ArrowType::Dictionary(_, values) => {
                Arc::new(field.as_ref().clone().with_data_type(values.as_ref().clone()))
            }
            _ => Arc::clone(field),
        });
        Self { fields: fields.collect(), batches: batches.into() }
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> u64 {
        self.batches.iter().map(|batch| batch.num_rows() as u64).sum()
    }

    /// The columns at these places in one of the batches, its number of rows, and how many are before
    /// it; `None` when there are no more.
    pub(crate) fn part(&self, index: usize, roots: &[usize]) -> Option<(Vec<ArrayRef>, usize, u64)> {
        let batch = self.batches.get(index)?;
        let before = self.batches[..index].iter().map(|batch| batch.num_rows() as u64).sum();
        Some((roots.iter().map(|root| Arc::clone(batch.column(*root))).collect(), batch.num_rows(), before))
    }
}
