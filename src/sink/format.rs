use std::sync::Arc;

use arrow::{array::RecordBatch, csv, datatypes::SchemaRef, ipc::writer::StreamWriter, json};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};

use super::{
    Target,
    json_floats::FloatsAsTexts,
    writer::{RowWriter, SinkError},
};

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet, compressed with Snappy.
    Parquet,
    /// With a heading; without lists and structs.
    Csv,
    /// One JSON object per line; floats that are not numbers are texts.
    Jsonl,
    /// An Arrow IPC stream.
    Arrow,
}

impl Format {
    /// Begins to write rows with these columns.
    ///
    /// # Errors
    /// When the format has no form for a column, or the target cannot be written.
    pub fn writer(self, target: Target, schema: &SchemaRef) -> Result<Box<dyn RowWriter>, SinkError> {
        Ok(match self {
            Self::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                Box::new(ArrowWriter::try_new(target, schema.clone(), Some(properties))?)
            }
            Self::Csv => {
                if let Some(nested) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
                    return Err(SinkError::Nested(nested.name().clone()));
                }
                let mut writer = csv::WriterBuilder::new().with_header(true).build(target);
                // The heading is there even when no row is.
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                Box::new(writer)
            }
            Self::Jsonl => {
                let builder = json::WriterBuilder::new().with_explicit_nulls(true);
                let builder = builder.with_encoder_factory(Arc::new(FloatsAsTexts));
                Box::new(builder.build::<_, json::writer::LineDelimited>(target))
            }
            Self::Arrow => Box::new(StreamWriter::try_new(target, schema)?),
        })
    }
}

impl RowWriter for ArrowWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<Target, SinkError> {
        Ok(self.into_inner()?)
    }
}

impl RowWriter for csv::Writer<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<Target, SinkError> {
        Ok(self.into_inner())
    }
}

impl RowWriter for json::LineDelimitedWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Target, SinkError> {
        (*self).finish()?;
        Ok(self.into_inner())
    }
}

impl RowWriter for StreamWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Target, SinkError> {
        (*self).finish()?;
        Ok(self.into_inner()?)
    }
}
