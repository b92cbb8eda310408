//! The result of a query in a parquet file.

use std::{fs::File, ops::ControlFlow, path::Path, sync::Arc};

use arrow::{array::RecordBatch, datatypes::SchemaRef};
use parquet::{arrow::ArrowWriter, basic::Compression, errors::ParquetError, file::properties::WriterProperties};

use super::query::BatchSink;
use crate::problem::{Kind, Problem};

/// Writes the rows that are streamed to a parquet file, which messages call `shown`.
///
/// # Errors
/// When they cannot be streamed, or the file cannot be written.
pub(super) fn write(
    (path, shown): (&Path, &str),
    stream: impl FnOnce(&mut dyn BatchSink) -> Result<(), Problem>,
) -> Result<(), Problem> {
    let mut rows = ResultFile { path, writer: None, failure: None };
    stream(&mut rows)?;
    let closed = rows.writer.take().map(ArrowWriter::close).transpose().map(drop);
    rows.failure.map_or(closed, Err).map_err(|error| {
        let message = format!("cannot keep {shown} in a temporary file: {error}");
        Problem::new(Kind::Unavailable, message, "make room for temporary files".to_owned())
    })
}

/// Takes the rows.
struct ResultFile<'a> {
    path: &'a Path,
    writer: Option<ArrowWriter<File>>,
    failure: Option<ParquetError>,
}

impl ResultFile<'_> {
    fn note(&mut self, result: Result<(), ParquetError>) -> ControlFlow<()> {
        match result {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                self.failure = Some(error);
                ControlFlow::Break(())
            }
        }
    }
}

impl BatchSink for ResultFile<'_> {
    fn start(&mut self, schema: &SchemaRef) -> ControlFlow<()> {
        /// Rows that are kept in memory before they are written.
        const AT_ONCE: usize = 64 << 10;
        // It is read once or twice and gone.
        let properties = WriterProperties::builder()
            .set_compression(Compression::LZ4_RAW)
            .set_max_row_group_row_count(Some(AT_ONCE))
            .build();
        let opened = File::create(self.path).map_err(ParquetError::from);
        let opened = opened.and_then(|file| ArrowWriter::try_new(file, Arc::clone(schema), Some(properties)));
        let opened = opened.map(|writer| self.writer = Some(writer));
        self.note(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let written = self.writer.as_mut().map_or(Ok(()), |writer| writer.write(batch));
        self.note(written)
    }
}
