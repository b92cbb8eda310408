//! Rows that are written to where a source has them.

use super::{AskedRows, Caller, Failure, FeatureStore, kept_rows, registered_source::registered_source};
use crate::{
    config::BucketUrl,
    model::{FileFormat, PermissionAction, SourceKind},
    offline::Cancel,
    problem::{Kind, Problem},
    sink::{ParquetOptions, SinkError},
};

/// Writes rows to the place of a data source: to a file if it ends in `.parquet`, else to a folder of files. How many.
///
/// # Errors
/// When the caller may not, there is no such source, it is not in files, something is there that may not be replaced, or the rows cannot be
/// had: then nothing is written.
pub fn persist(
    store: &FeatureStore,
    caller: &Caller,
    rows: &AskedRows,
    (source, allow_overwrite): (&str, bool),
    cancel: &Cancel,
) -> Result<usize, Failure> {
    let source = registered_source((store, caller), &store.registered_now()?, source, PermissionAction::WriteOffline)?;
    let unsupported = |what: &str| {
        let message = format!("rows cannot be written to data source `{}`, which is {what}", source.name);
        Problem::new(Kind::Unsupported, message, "name one of parquet files".to_owned())
    };
    let file = match &source.kind {
        SourceKind::File(file) if matches!(file.format, None | Some(FileFormat::Parquet)) => file,
        SourceKind::File(_) => return Err(unsupported("not of parquet files").into()),
        kind => return Err(unsupported(&format!("of type {kind}")).into()),
    };
    let path = &file.path;
    let open_bucket = |url: &BucketUrl| store.whereabouts().bucket(&source, url, &file.s3_endpoint_override);
    let mut sink = kept_rows::open((store, &open_bucket), path, ParquetOptions::default(), allow_overwrite)?;
    let asked = rows.stream(store, caller, cancel, &mut sink);
    // A query that was broken off because the files failed is no failure of its own.
    if !sink.failed() {
        asked?;
    }
    Ok(sink.finish().map_err(|error| match error {
        SinkError::Io(error) => kept_rows::unwritable(path, &error),
        SinkError::Problem(problem) => problem,
        other => Problem::new(Kind::Unsupported, other.to_string(), None),
    })?)
}
