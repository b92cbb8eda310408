use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    csv,
    datatypes::{Schema, SchemaRef},
    error::ArrowError,
    ipc::writer::StreamWriter,
    json,
};
use parquet::{
    arrow::ArrowWriter,
    basic::{self, BrotliLevel, GzipLevel, ZstdLevel},
    file::properties::WriterProperties,
    schema::types::ColumnPath,
};
use serde_json::{Map, Value as Json};

use super::{
    Target,
    json_floats::FloatsAsTexts,
    writer::{FormatWriter, SinkError},
};

/// The formats of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Apache Parquet.
    Parquet(ParquetOptions),
    /// With a heading; without lists and structs.
    Csv,
    /// One JSON object per line; floats that are not numbers are texts.
    Jsonl,
    /// An Arrow IPC stream.
    Arrow,
}

/// How parquet files are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ParquetOptions {
    /// How columns are compressed.
    pub compression: Compression,
    /// How many rows a group has at most; parquet's own number if it is not given.
    pub row_group_size: Option<usize>,
}

/// How columns of parquet files are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Compression {
    /// Zstandard.
    Zstd,
    /// Snappy.
    #[default]
    Snappy,
    /// Gzip.
    Gzip,
    /// LZ4 without frames.
    Lz4,
    /// Brotli.
    Brotli,
    /// Not at all.
    None,
}

/// So many bytes of rows make a group, unless a number of rows is given: they are kept in memory until the group is whole.
const GROUP: usize = 32 << 20;

/// So many bytes may the different values of a column of floats have until they are no longer numbered: most such columns
/// hardly repeat themselves, and with parquet's own limit of a mebibyte that is found out late in each row group.
const FLOATS_NUMBERED: usize = 64 << 10;

impl ParquetOptions {
    fn properties(self, schema: &Schema) -> WriterProperties {
        let compression = match self.compression {
            Compression::Zstd => basic::Compression::ZSTD(ZstdLevel::default()),
            Compression::Snappy => basic::Compression::SNAPPY,
            Compression::Gzip => basic::Compression::GZIP(GzipLevel::default()),
            Compression::Lz4 => basic::Compression::LZ4_RAW,
            Compression::Brotli => basic::Compression::BROTLI(BrotliLevel::default()),
            Compression::None => basic::Compression::UNCOMPRESSED,
        };
        let mut builder = WriterProperties::builder().set_compression(compression);
        for field in schema.fields().iter().filter(|field| field.data_type().is_floating()) {
            let column = ColumnPath::new(vec![field.name().clone()]);
            builder = builder.set_column_dictionary_page_size_limit(column, FLOATS_NUMBERED);
        }
        match self.row_group_size {
            Some(rows) => builder.set_max_row_group_row_count(Some(rows)).build(),
            None => builder.set_max_row_group_bytes(Some(GROUP)).build(),
        }
    }
}

impl Format {
    /// How names of its files end.
    pub const fn ending(self) -> &'static str {
        match self {
            Self::Parquet(_) => "parquet",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
            Self::Arrow => "arrow",
        }
    }

    /// Begins to write rows with these columns.
    ///
    /// # Errors
    /// When the format has no form for a column, or the target cannot be written.
    pub fn writer(self, target: Target, schema: &SchemaRef) -> Result<Box<dyn FormatWriter>, SinkError> {
        Ok(match self {
            Self::Parquet(options) => {
                Box::new(ArrowWriter::try_new(target, schema.clone(), Some(options.properties(schema)))?)
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
            Self::Jsonl => Box::new(json_writer().build::<_, json::writer::LineDelimited>(target)),
            Self::Arrow => Box::new(StreamWriter::try_new(target, schema)?),
        })
    }
}

/// How rows are JSON.
fn json_writer() -> json::WriterBuilder {
    json::WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(FloatsAsTexts))
}

/// Rows as JSON objects, with the values that [`Format::Jsonl`] writes.
///
/// # Errors
/// When a column has values that JSON has no form for.
pub fn json_objects(batch: &RecordBatch) -> Result<Vec<Map<String, Json>>, SinkError> {
    let mut writer = json_writer().build::<_, json::writer::JsonArray>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    let unread = |error: serde_json::Error| SinkError::Arrow(ArrowError::JsonError(error.to_string()));
    serde_json::from_slice(&writer.into_inner()).map_err(unread)
}

impl FormatWriter for ArrowWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn waiting(&self) -> usize {
        self.memory_size()
    }

    fn flush(&mut self) -> Result<(), SinkError> {
        Ok(self.flush()?)
    }

    fn finish(self: Box<Self>) -> Result<Target, SinkError> {
        Ok(self.into_inner()?)
    }
}

impl FormatWriter for csv::Writer<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<Target, SinkError> {
        Ok(self.into_inner())
    }
}

impl FormatWriter for json::LineDelimitedWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Target, SinkError> {
        (*self).finish()?;
        Ok(self.into_inner())
    }
}

impl FormatWriter for StreamWriter<Target> {
    fn write(&mut self, batch: &RecordBatch) -> Result<(), SinkError> {
        Ok(self.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<Target, SinkError> {
        (*self).finish()?;
        Ok(self.into_inner()?)
    }
}
