//! What the reader of logs needs of the outside: files of this machine, read only.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom},
    path::{Path, PathBuf},
    sync::Arc,
};

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

use super::{expressions::Projection, rows::Rows};

/// Reads logs and their checkpoints from local files.
pub(super) struct LocalEngine;

impl Engine for LocalEngine {
    fn evaluation_handler(&self) -> Arc<dyn EvaluationHandler> {
        Arc::new(Self)
    }

    fn storage_handler(&self) -> Arc<dyn StorageHandler> {
        Arc::new(Self)
    }

    fn json_handler(&self) -> Arc<dyn JsonHandler> {
        Arc::new(Self)
    }

    fn parquet_handler(&self) -> Arc<dyn ParquetHandler> {
        Arc::new(Self)
    }
}

impl StorageHandler for LocalEngine {
    fn list_from(&self, path: &Url) -> KernelResult<KernelResultIteratorStatic<FileMeta>> {
        let folder = if path.path().ends_with('/') { path.clone() } else { path.join(".")? };
        let mut found = Vec::new();
        let mut waiting = vec![local(&folder)?];
        while let Some(folder) = waiting.pop() {
            let entries = fs::read_dir(&folder).map_err(|error| unopened(&folder, &error))?;
            for entry in entries {
                let entry = entry.map_err(|error| unopened(&folder, &error))?;
                if entry.path().is_dir() {
                    waiting.push(entry.path());
                    continue;
                }
                match FileMeta::try_from(entry) {
                    Ok(file) if file.location.path() > path.path() => found.push(file),
                    // Others may write and clean up the log meanwhile.
                    Ok(_) | Err(_) => {}
                }
            }
        }
        found.sort_by(|one, other| one.location.path().cmp(other.location.path()));
        Ok(Box::new(found.into_iter().map(Ok)))
    }

    fn read_files(&self, files: Vec<FileSlice>) -> KernelResult<KernelResultIteratorStatic<Bytes>> {
        Ok(Box::new(files.into_iter().map(|(url, range)| {
            let path = local(&url)?;
            let read = || {
                let mut file = File::open(&path)?;
                let mut bytes = Vec::new();
                match range {
                    Some(range) => {
                        file.seek(SeekFrom::Start(range.start))?;
                        file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
                    }
                    None => drop(file.read_to_end(&mut bytes)?),
                }
                Ok::<_, io::Error>(Bytes::from(bytes))
            };
            read().map_err(|error| unopened(&path, &error))
        })))
    }

    fn copy_atomic(&self, _: &Url, _: &Url) -> KernelResult<()> {
        Err(read_only())
    }

    fn put(&self, _: &Url, _: Bytes, _: bool) -> KernelResult<()> {
        Err(read_only())
    }

    fn head(&self, path: &Url) -> KernelResult<FileMeta> {
        let place = local(path)?;
        let found = fs::metadata(&place).map_err(|error| unopened(&place, &error))?;
        let modified = found.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        let millis = modified.and_then(|since| i64::try_from(since.as_millis()).ok()).unwrap_or(0);
        Ok(FileMeta::new(path.clone(), millis, found.len()))
    }

    fn delete(&self, _: &Url) -> KernelResult<()> {
        Err(read_only())
    }
}

impl JsonHandler for LocalEngine {
    fn parse_json(&self, _: Box<dyn EngineData>, _: SchemaRef) -> KernelResult<Box<dyn EngineData>> {
        Err(KernelError::unsupported("statistics as JSON"))
    }

    fn read_json_files(
        &self,
        files: &[FileMeta],
        schema: SchemaRef,
        _: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        let files: Vec<Url> = files.iter().map(|file| file.location.clone()).collect();
        Ok(Box::new(files.into_iter().map(move |url| {
            let path = local(&url)?;
            let text = fs::read(&path).map_err(|error| unopened(&path, &error))?;
            rows(&text, &schema, &url)
        })))
    }

    fn write_json_file(&self, _: &Url, _: KernelResultIterator<'_, FilteredEngineData>, _: bool) -> KernelResult<u64> {
        Err(read_only())
    }
}

impl ParquetHandler for LocalEngine {
    fn read_parquet_files(
        &self,
        files: &[FileMeta],
        schema: SchemaRef,
        _: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        let files: Vec<Url> = files.iter().map(|file| file.location.clone()).collect();
        Ok(Box::new(files.into_iter().flat_map(move |url| match batches(url, Arc::clone(&schema)) {
            Ok(batches) => batches,
            Err(error) => Box::new(std::iter::once(Err(error))),
        })))
    }

    fn write_parquet_file(&self, _: Url, _: KernelResultIteratorStatic<Box<dyn EngineData>>) -> KernelResult<u64> {
        Err(read_only())
    }

    fn read_parquet_footer(&self, file: &FileMeta) -> KernelResult<ParquetFooter> {
        let path = local(&file.location)?;
        let file = File::open(&path).map_err(|error| unopened(&path, &error))?;
        let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unread(&path, &error))?;
        Ok(ParquetFooter { schema: Arc::new(names(reader.schema().fields())?) })
    }
}

impl EvaluationHandler for LocalEngine {
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
    let mut rows = rows.map_err(|error| unread(&local(file).unwrap_or_default(), &error))?;
    let is_file = |field: &&StructField| field.get_metadata_column_spec() == Some(MetadataColumnSpec::FilePath);
    if let Some(column) = schema.fields().find(is_file) {
        for row in rows.iter_mut().filter_map(Value::as_object_mut) {
            row.insert(column.name().clone(), file.as_str().into());
        }
    }
    Ok(Box::new(Rows::new(Arc::clone(schema), rows)))
}

/// The rows of a checkpoint in the columns of a schema, as far as it has them.
fn batches(url: Url, schema: SchemaRef) -> KernelResult<FileDataReadResultIterator> {
    let path = local(&url)?;
    let file = File::open(&path).map_err(|error| unopened(&path, &error))?;
    let reader = ParquetRecordBatchReaderBuilder::try_new(file).map_err(|error| unread(&path, &error))?;
    let mask = leaves(reader.parquet_schema(), &schema);
    let reader = reader.with_projection(mask).build().map_err(|error| unread(&path, &error))?;
    Ok(Box::new(reader.map(move |batch| {
        let text = batch.and_then(|batch| as_json(&batch)).map_err(|error| unread(&path, &error))?;
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

fn local(url: &Url) -> KernelResult<PathBuf> {
    url.to_file_path().map_err(|()| KernelError::unsupported(format!("{url} is not on this machine")))
}

fn unopened(path: &Path, error: &io::Error) -> KernelError {
    match error.kind() {
        io::ErrorKind::NotFound => KernelError::file_not_found(path.display()),
        _ => unread(path, error),
    }
}

fn unread(path: &Path, error: &dyn std::fmt::Display) -> KernelError {
    KernelError::generic(format!("{}: {error}", path.display()))
}

fn read_only() -> KernelError {
    KernelError::unsupported("tables are only read")
}
