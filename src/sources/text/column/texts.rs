//! Texts and bytes on their way to an Arrow array.

use std::{mem, sync::Arc};

use arrow::{
    array::{ArrayRef, BinaryArray, StringArray},
    buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer},
};

/// What the texts of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextKind {
    /// Anything, as it is written.
    AsIs,
    String,
    Decimal,
    Uuid,
    Json,
    /// An object in JSON.
    Map,
}

/// Byte strings one behind the other. Unlike Arrow's builders they can be shortened again.
pub(super) struct Texts {
    bytes: Vec<u8>,
    /// Where each one ends, after a zero.
    ends: Vec<i32>,
}

impl Texts {
    pub(super) fn new() -> Self {
        Self { bytes: Vec::new(), ends: vec![0] }
    }

    /// `None` if the column would have more than 2 GiB.
    #[inline]
    pub(super) fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = i32::try_from(self.bytes.len() + bytes.len()).ok()?;
        self.bytes.extend_from_slice(bytes);
        self.ends.push(end);
        Some(())
    }

    /// The value of a null: no bytes.
    pub(super) fn push_empty(&mut self) {
        self.ends.push(self.ends.last().copied().unwrap_or(0));
    }

    pub(super) fn truncate(&mut self, length: usize) {
        self.ends.truncate(length + 1);
        self.bytes.truncate(self.ends.last().map_or(0, |end| *end as usize));
    }

    pub(super) fn finish_text(&mut self, nulls: Option<NullBuffer>) -> ArrayRef {
        let (ends, bytes) = self.take();
        Arc::new(StringArray::new(ends, bytes, nulls))
    }

    pub(super) fn finish_binary(&mut self, nulls: Option<NullBuffer>) -> ArrayRef {
        let (ends, bytes) = self.take();
        Arc::new(BinaryArray::new(ends, bytes, nulls))
    }

    /// The next batch is probably as large as this one.
    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let mut next_ends = Vec::with_capacity(self.ends.len());
        next_ends.push(0);
        let ends = mem::replace(&mut self.ends, next_ends);
        let next_bytes = Vec::with_capacity(self.bytes.len());
        let bytes = mem::replace(&mut self.bytes, next_bytes);
        (OffsetBuffer::new(ScalarBuffer::from(ends)), Buffer::from_vec(bytes))
    }
}
