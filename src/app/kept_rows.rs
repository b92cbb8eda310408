//! Places of results that are kept: files of the repo.

use std::{fs, io, path::Path};

use super::FeatureStore;
use crate::{
    problem::{Advice, Kind, Problem},
    sink::{Folder, Format, ParquetOptions, Partitions, RowSink, Target},
};

/// Begins to write rows to where they will be, from the folder of the repo: a file if it ends in `.parquet`, else a folder
/// of files.
///
/// # Errors
/// When something is there that may not be replaced, or nothing can be.
pub(super) fn open(
    store: &FeatureStore,
    shown: &str,
    parquet: ParquetOptions,
    allow_overwrite: bool,
) -> Result<RowSink, Problem> {
    if shown.contains("://") {
        let help = "name a file or a folder of this machine".to_owned();
        return Err(Problem::new(Kind::Unsupported, format!("rows cannot be saved to {shown} yet"), help));
    }
    let path = store.config().repo.join(shown);
    let is_file = shown.ends_with(".parquet");
    if !allow_overwrite && is_taken(&path, is_file) {
        let message = format!("there is something at {shown} already");
        return Err(Problem::new(Kind::Conflict, message, None).advise(Advice::Overwrite));
    }
    let format = Format::Parquet(parquet);
    let sink = match is_file {
        true => Target::file(&path).map(|target| RowSink::file(format, target)),
        false => Folder::create(&path, allow_overwrite)
            .map(|folder| RowSink::new(Partitions { folder, format, by: Vec::new() }.opening())),
    };
    sink.map_err(|error| unwritable(shown, &error))
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
