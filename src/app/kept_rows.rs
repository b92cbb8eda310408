//! Places of results that are kept: files of the repo, and objects of buckets.

use std::{fs, io, path::Path};

use super::FeatureStore;
use crate::{
    clients::{buckets::Bucket, runtime::wait},
    config::BucketUrl,
    problem::{Advice, Kind, Problem},
    sink::{Folder, Format, ParquetOptions, Partitions, RowSink, Target},
};

/// Opens the bucket of an URL.
pub(super) type OpenBucket<'a> = &'a dyn Fn(&BucketUrl) -> Result<Bucket, Problem>;

/// Begins to write rows to where they will be, from the folder of the repo: a file if it ends in `.parquet`, else a folder
/// of files; or the same in a bucket, which `open_bucket` opens.
///
/// # Errors
/// When something is there that may not be replaced, or nothing can be.
pub(super) fn open(
    (store, open_bucket): (&FeatureStore, OpenBucket<'_>),
    shown: &str,
    parquet: ParquetOptions,
    allow_overwrite: bool,
) -> Result<RowSink, Problem> {
    if let Some(url) = BucketUrl::parse(shown) {
        let url = url?;
        return in_bucket(&open_bucket(&url)?, &url, parquet, allow_overwrite);
    }
    if shown.contains("://") {
        let help = "name a file or a folder of this machine, or s3://BUCKET/KEY".to_owned();
        return Err(Problem::new(Kind::Unsupported, format!("rows cannot be saved to {shown} yet"), help));
    }
    let path = store.config().repo.join(shown);
    let is_file = shown.ends_with(".parquet");
    if !allow_overwrite && is_taken(&path, is_file) {
        return Err(taken(shown));
    }
    let format = Format::Parquet(parquet);
    let sink = match is_file {
        true => Target::file(&path).map(|target| RowSink::file(format, target)),
        false => Folder::create(&path, allow_overwrite)
            .map(|folder| RowSink::new(Partitions { folder, format, by: Vec::new() }.opening())),
    };
    sink.map_err(|error| unwritable(shown, &error))
}

fn in_bucket(
    bucket: &Bucket,
    url: &BucketUrl,
    parquet: ParquetOptions,
    allow_overwrite: bool,
) -> Result<RowSink, Problem> {
    let format = Format::Parquet(parquet);
    if !url.key.ends_with(".parquet") {
        let folder = Folder::create_in(bucket, url, allow_overwrite).map_err(|problem| match problem.kind {
            Kind::Conflict => problem.advise(Advice::Overwrite),
            _ => problem,
        })?;
        return Ok(RowSink::new(Partitions { folder, format, by: Vec::new() }.opening()));
    }
    if !allow_overwrite && wait(bucket.head(&url.key))?.is_some() {
        return Err(taken(&url.to_string()));
    }
    Ok(RowSink::file(format, Target::object(bucket, &url.key)?))
}

fn taken(shown: &str) -> Problem {
    Problem::new(Kind::Conflict, format!("there is something at {shown} already"), None).advise(Advice::Overwrite)
}

/// Whether something is where rows will be; an empty folder is no harm to others.
fn is_taken(path: &Path, is_file: bool) -> bool {
    match fs::read_dir(path) {
        Ok(mut entries) => is_file || entries.next().is_some(),
        Err(_) => fs::symlink_metadata(path).is_ok(),
    }
}

/// Nothing could be written there.
pub(super) fn unwritable(shown: &str, error: &io::Error) -> Problem {
    let message = match error.kind() {
        io::ErrorKind::StorageFull => format!("no space left for {shown}; no file was left behind"),
        _ => format!("cannot write {shown}: {error}"),
    };
    Problem::new(Kind::Unavailable, message, None)
}
