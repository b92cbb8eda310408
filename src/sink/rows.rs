//! Batches of rows into the format that is asked for, as they come.

use std::{io, ops::ControlFlow, sync::Arc};

use arrow::{
    array::RecordBatch,
    csv,
    datatypes::SchemaRef,
    error::ArrowError,
    ipc::writer::StreamWriter,
    json,
    util::display::{ArrayFormatter, FormatOptions},
};
use parquet::{arrow::ArrowWriter, basic::Compression, errors::ParquetError, file::properties::WriterProperties};

use super::{OutputFormat, Target, json_floats::FloatsAsTexts, target::LastFailure};
use crate::{offline::BatchSink, ui::Table};

/// Rows that a table on the screen shows at most.
const TABLE_ROWS: usize = 100;

/// Writes a streamed result in one of the formats.
pub struct RowSink {
    format: OutputFormat,
    /// Taken by the writer when the columns are known.
    target: Option<Target>,
    writer: Option<Writer>,
    rows: usize,
    failure: Option<SinkError>,
    target_failure: LastFailure,
}

/// Why rows cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A column has values that the format has no form for.
    #[error("column `{0}` holds lists or structs, which CSV cannot")]
    Nested(String),
    /// The target cannot be written.
    #[error("cannot write the output: {0}")]
    Io(#[from] io::Error),
    /// The rows cannot be encoded.
    #[error("cannot write the output: {0}")]
    Arrow(ArrowError),
    /// The rows cannot be encoded as parquet.
    #[error("cannot write the output: {0}")]
    Parquet(ParquetError),
}

impl From<ArrowError> for SinkError {
    fn from(error: ArrowError) -> Self {
        match error {
            ArrowError::IoError(_, io) => Self::Io(io),
            other => Self::Arrow(other),
        }
    }
}

impl From<ParquetError> for SinkError {
    fn from(error: ParquetError) -> Self {
        match error {
            ParquetError::External(inner) => match inner.downcast::<io::Error>() {
                Ok(io) => Self::Io(*io),
                Err(inner) => Self::Parquet(ParquetError::External(inner)),
            },
            other => Self::Parquet(other),
        }
    }
}

#[expect(clippy::large_enum_variant, reason = "there is one writer per output")]
enum Writer {
    Parquet(Box<ArrowWriter<Target>>),
    Csv(csv::Writer<Target>),
    Jsonl(json::LineDelimitedWriter<Target>),
    Arrow(StreamWriter<Target>),
    Table { table: Table, target: Target },
}

impl RowSink {
    /// Rows in this format, to this target.
    pub fn new(format: OutputFormat, target: Target) -> Self {
        let target_failure = target.failure();
        Self { format, target: Some(target), writer: None, rows: 0, failure: None, target_failure }
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

    /// How many rows a table on the screen left out.
    pub fn not_shown(&self) -> usize {
        if self.format == OutputFormat::Table { self.rows.saturating_sub(TABLE_ROWS) } else { 0 }
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
        let Some(target) = self.target.take() else { return ControlFlow::Continue(()) };
        let opened = Writer::open(self.format, target, schema).map(|writer| self.writer = Some(writer));
        self.settle(opened)
    }

    fn batch(&mut self, batch: &RecordBatch) -> ControlFlow<()> {
        let Some(writer) = &mut self.writer else { return ControlFlow::Continue(()) };
        let written = writer.write(batch, self.rows);
        self.rows += batch.num_rows();
        self.settle(written)
    }
}

impl Writer {
    fn open(format: OutputFormat, target: Target, schema: &SchemaRef) -> Result<Self, SinkError> {
        Ok(match format {
            OutputFormat::Parquet => {
                let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
                Self::Parquet(Box::new(ArrowWriter::try_new(target, schema.clone(), Some(properties))?))
            }
            OutputFormat::Csv => {
                if let Some(nested) = schema.fields().iter().find(|field| field.data_type().is_nested()) {
                    return Err(SinkError::Nested(nested.name().clone()));
                }
                let mut writer = csv::WriterBuilder::new().with_header(true).build(target);
                // The heading is there even when no row is.
                writer.write(&RecordBatch::new_empty(schema.clone()))?;
                Self::Csv(writer)
            }
            OutputFormat::Jsonl => {
                let builder = json::WriterBuilder::new().with_explicit_nulls(true);
                let builder = builder.with_encoder_factory(Arc::new(FloatsAsTexts));
                Self::Jsonl(builder.build::<_, json::writer::LineDelimited>(target))
            }
            OutputFormat::Arrow => Self::Arrow(StreamWriter::try_new(target, schema)?),
            OutputFormat::Table => {
                Self::Table { table: Table::new(schema.fields().iter().map(|field| field.name().as_str())), target }
            }
        })
    }

    fn write(&mut self, batch: &RecordBatch, rows_before: usize) -> Result<(), SinkError> {
        match self {
            Self::Parquet(writer) => writer.write(batch)?,
            Self::Csv(writer) => writer.write(batch)?,
            Self::Jsonl(writer) => writer.write(batch)?,
            Self::Arrow(writer) => writer.write(batch)?,
            Self::Table { table, .. } => {
                let wanted = TABLE_ROWS.saturating_sub(rows_before).min(batch.num_rows());
                add_rows(table, &batch.slice(0, wanted))?;
            }
        }
        Ok(())
    }

    fn finish(self) -> Result<Target, SinkError> {
        Ok(match self {
            Self::Parquet(writer) => writer.into_inner()?,
            Self::Csv(writer) => writer.into_inner(),
            Self::Jsonl(mut writer) => {
                writer.finish()?;
                writer.into_inner()
            }
            Self::Arrow(mut writer) => {
                writer.finish()?;
                writer.into_inner()?
            }
            Self::Table { table, mut target } => {
                io::Write::write_fmt(&mut target, format_args!("{table}"))?;
                target
            }
        })
    }
}

fn add_rows(table: &mut Table, batch: &RecordBatch) -> Result<(), ArrowError> {
    let options = FormatOptions::default().with_null("-");
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column, &options))
        .collect::<Result<Vec<_>, _>>()?;
    for row in 0..batch.num_rows() {
        table.row(columns.iter().map(|column| column.value(row).to_string()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{Array as _, ArrayRef, Float32Array, Float64Array, ListArray, StructArray},
        datatypes::{Field, Float64Type},
    };

    use super::*;

    fn lines(columns: Vec<(&str, ArrayRef)>) -> Vec<String> {
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.jsonl");
        let mut sink = RowSink::new(OutputFormat::Jsonl, Target::file(&path).unwrap());
        assert!(sink.start(&batch.schema()).is_continue() && sink.batch(&batch).is_continue());
        sink.finish().unwrap();
        std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect()
    }

    #[test]
    fn json_has_words_for_floats_that_are_no_numbers() {
        let doubles = Float64Array::from(vec![Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(f64::NAN), None]);
        let floats = Float32Array::from(vec![Some(f32::NAN), Some(0.1), None, Some(f32::INFINITY)]);
        let list = [Some(vec![Some(1.5), Some(f64::NEG_INFINITY), None]), None, Some(vec![]), Some(vec![Some(2.0)])];
        let list = ListArray::from_iter_primitive::<Float64Type, _, _>(list);
        let member: (_, ArrayRef) =
            (Arc::new(Field::new("m", floats.data_type().clone(), true)), Arc::new(floats.clone()));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("d", Arc::new(doubles)),
            ("f", Arc::new(floats)),
            ("l", Arc::new(list)),
            ("s", Arc::new(StructArray::from(vec![member]))),
        ];
        assert_eq!(
            lines(columns),
            [
                r#"{"d":"Infinity","f":"NaN","l":[1.5,"-Infinity",null],"s":{"m":"NaN"}}"#,
                r#"{"d":"-Infinity","f":0.1,"l":null,"s":{"m":0.1}}"#,
                r#"{"d":"NaN","f":null,"l":[],"s":{"m":null}}"#,
                r#"{"d":null,"f":"Infinity","l":[2.0],"s":{"m":"Infinity"}}"#,
            ]
        );
    }
}
