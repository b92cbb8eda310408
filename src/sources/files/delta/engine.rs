//! What the reader of logs needs of the outside: files, read only.

use std::sync::Arc;

use arrow::{
    array::RecordBatch,
    datatypes::{DataType as ArrowType, Fields},
    json::{WriterBuilder, writer::LineDelimited},
};
use bytes::Bytes;
use delta_kernel::{
    Engine, EngineData, EvaluationHandler, ExpressionEvaluator, ExpressionRef, FileDataReadResultIterator, FileMeta,
    FileSlice, FilteredEngineData, JsonHandler, KernelError, KernelResult, ParquetFooter, ParquetHandler,
    PredicateEvaluator, PredicateRef, StorageHandler,
    error::{KernelResultIterator, KernelResultIteratorStatic},
    expressions::Scalar,
    schema::{DataType, MetadataColumnSpec, SchemaRef, StructField, StructType},
};
use parquet::{
    arrow::{ProjectionMask, arrow_reader::ParquetRecordBatchReaderBuilder},
    schema::types::SchemaDescriptor,
};
use serde_json::Value;
use url::Url;

use super::{expressions::Projection, rows::Rows, table_files::TableFiles};
use crate::side_by_side::waiting_side_by_side;

/// Reads logs and their checkpoints.
#[derive(Debug, Clone)]
pub(super) struct TableEngine(pub(super) TableFiles);

impl Engine for TableEngine {
    fn evaluation_handler(&self) -> Arc<dyn EvaluationHandler> {
        Arc::new(self.clone())
    }

    fn storage_handler(&self) -> Arc<dyn StorageHandler> {
        Arc::new(self.clone())
    }

    fn json_handler(&self) -> Arc<dyn JsonHandler> {
        Arc::new(self.clone())
    }

    fn parquet_handler(&self) -> Arc<dyn ParquetHandler> {
        Arc::new(self.clone())
    }
}

impl StorageHandler for TableEngine {
    fn list_from(&self, path: &Url) -> KernelResult<KernelResultIteratorStatic<FileMeta>> {
        let folder = if path.path().ends_with('/') { path.clone() } else { path.join(".")? };
        Ok(Box::new(self.0.list(&folder, path)?.into_iter().map(Ok)))
    }

    fn read_files(&self, slices: Vec<FileSlice>) -> KernelResult<KernelResultIteratorStatic<Bytes>> {
        let files = self.0.clone();
        Ok(Box::new(slices.into_iter().map(move |(url, range)| files.read(&url, range))))
    }

    fn copy_atomic(&self, _: &Url, _: &Url) -> KernelResult<()> {
        Err(read_only())
    }

    fn put(&self, _: &Url, _: Bytes, _: bool) -> KernelResult<()> {
        Err(read_only())
    }

    fn head(&self, path: &Url) -> KernelResult<FileMeta> {
        self.0.head(path)
    }

    fn delete(&self, _: &Url) -> KernelResult<()> {
        Err(read_only())
    }
}

impl JsonHandler for TableEngine {
    fn parse_json(&self, _: Box<dyn EngineData>, _: SchemaRef) -> KernelResult<Box<dyn EngineData>> {
        Err(KernelError::unsupported("statistics as JSON"))
    }

    fn read_json_files(
        &self,
        files: &[FileMeta],
        schema: SchemaRef,
        _: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        /// Commits that are read side by side.
        const AT_ONCE: usize = 16;
        let chunks: Vec<Vec<Url>> =
            files.chunks(AT_ONCE).map(|files| files.iter().map(|file| file.location.clone()).collect()).collect();
        let files = self.0.clone();
        Ok(Box::new(chunks.into_iter().flat_map(move |chunk| {
            let texts = waiting_side_by_side(&chunk, |url| files.read(url, None));
            let rows = chunk.iter().zip(texts).map(|(url, text)| rows(&text?, &schema, url));
            rows.collect::<Vec<_>>()
        })))
    }

    fn write_json_file(&self, _: &Url, _: KernelResultIterator<'_, FilteredEngineData>, _: bool) -> KernelResult<u64> {
        Err(read_only())
    }
}

impl ParquetHandler for TableEngine {
    fn read_parquet_files(
        &self,
        files: &[FileMeta],
        schema: SchemaRef,
        _: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        let urls: Vec<Url> = files.iter().map(|file| file.location.clone()).collect();
        let files = self.0.clone();
        let batches = move |url: Url| {
            let batches = files.read(&url, None).and_then(|file| batches(file, url, Arc::clone(&schema)));
            batches.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
        };
        Ok(Box::new(urls.into_iter().flat_map(batches)))
    }

    fn write_parquet_file(&self, _: Url, _: KernelResultIteratorStatic<Box<dyn EngineData>>) -> KernelResult<u64> {
        Err(read_only())
    }

    fn read_parquet_footer(&self, file: &FileMeta) -> KernelResult<ParquetFooter> {
        let url = &file.location;
        let reader = ParquetRecordBatchReaderBuilder::try_new(self.0.read(url, None)?);
        let reader = reader.map_err(|error| unread(url, &error))?;
        Ok(ParquetFooter { schema: Arc::new(names(reader.schema().fields())?) })
    }
}

impl EvaluationHandler for TableEngine {
    fn new_expression_evaluator(
        &self,
        _: SchemaRef,
        expression: ExpressionRef,
        output: DataType,
    ) -> KernelResult<Arc<dyn ExpressionEvaluator>> {
        Ok(Arc::new(Projection::new(expression, output)?))
    }

    fn new_predicate_evaluator(&self, _: SchemaRef, _: PredicateRef) -> KernelResult<Arc<dyn PredicateEvaluator>> {
        Err(KernelError::unsupported("conditions on files"))
    }

    fn create_many(&self, _: SchemaRef, _: Vec<Vec<Scalar>>) -> KernelResult<Box<dyn EngineData>> {
        Err(read_only())
    }
}

/// Lines of JSON as rows of a file. Where a schema asks for the file itself, it is in each row.
fn rows(text: &[u8], schema: &SchemaRef, file: &Url) -> KernelResult<Box<dyn EngineData>> {
    let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty());
    let rows = lines.map(serde_json::from_slice).collect::<Result<Vec<Value>, _>>();
    let mut rows = rows.map_err(|error| unread(file, &error))?;
    let is_file = |field: &&StructField| field.get_metadata_column_spec() == Some(MetadataColumnSpec::FilePath);
    if let Some(column) = schema.fields().find(is_file) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.insert(column.name().clone(), file.as_str().into());
        }
    }
    Ok(Box::new(Rows::new(Arc::clone(schema), rows)))
}

/// The rows of a checkpoint in the columns of a schema, as far as it has them.
fn batches(file: Bytes, url: Url, schema: SchemaRef) -> KernelResult<FileDataReadResultIterator> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unread(&url, &error))?;
    let mask = leaves(reader.parquet_schema(), &schema);
    let reader = reader.with_projection(mask).build().map_err(|error| unread(&url, &error))?;
    Ok(Box::new(reader.map(move |batch| {
        let text = batch.and_then(|batch| as_json(&batch)).map_err(|error| unread(&url, &error))?;
        rows(&text, &schema, &url)
    })))
}

fn as_json(batch: &RecordBatch) -> Result<Vec<u8>, arrow::error::ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
    writer.write(batch)?;
    writer.finish()?;
    Ok(writer.into_inner())
}

/// The leaves of a file that a schema asks for.
fn leaves(file: &SchemaDescriptor, schema: &StructType) -> ProjectionMask {
    let wanted = |parts: &[String]| {
        let mut fields = Some(schema);
        for part in parts {
            // Within lists and maps all is wanted.
            let Some(known) = fields else { return true };
            let Some(field) = known.field(part) else { return false };
            fields = match field.data_type() {
                DataType::Struct(members) => Some(members),
                _ => None,
            };
        }
        true
    };
    let columns = file.columns().iter().enumerate().filter(|(_, column)| wanted(column.path().parts()));
    ProjectionMask::leaves(file, columns.map(|(index, _)| index))
}

/// The columns of a checkpoint. Only their names are asked for: types stand for themselves in structs, and for nothing
/// elsewhere.
fn names(fields: &Fields) -> KernelResult<StructType> {
    let members = fields.iter().map(|field| {
        let kind = match field.data_type() {
            ArrowType::Struct(members) => DataType::from(names(members)?),
            _ => DataType::STRING,
        };
        Ok(StructField::nullable(field.name(), kind))
    });
    StructType::try_new(members.collect::<KernelResult<Vec<_>>>()?)
}

fn unread(file: &Url, error: &dyn std::fmt::Display) -> KernelError {
    KernelError::generic(format!("{file}: {error}"))
}

fn read_only() -> KernelError {
    KernelError::unsupported("tables are only read")
}
