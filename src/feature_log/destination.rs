//! Where a log goes: a folder of parquet files.

use std::path::{Path, PathBuf};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{
    model::LogDestination,
    problem::{Kind, Problem},
    sink::{Folder, Format, ParquetOptions, Partitions, SinkError},
};

/// A folder that takes rows.
pub(super) struct Destination {
    /// As it is declared.
    shown: String,
    folder: PathBuf,
    /// The columns whose values are names of folders.
    by: Vec<String>,
}

/// What was added to a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Appended {
    /// How many rows.
    pub rows: usize,
    /// The destination as it is declared.
    pub destination: String,
    /// The new files.
    pub files: Vec<PathBuf>,
}

impl Destination {
    /// The destination of a service's log; paths start at the repo.
    ///
    /// # Errors
    /// When it is none that feastr writes.
    pub(super) fn of(destination: &LogDestination, service: &str, repo: &Path) -> Result<Self, Problem> {
        let unsupported = |what: &str| {
            let message = format!("the log of feature service `{service}` goes to {what}, which is not supported yet");
            Err(Problem::new(Kind::Unsupported, message, "name a folder of this machine".to_owned()))
        };
        match destination {
            LogDestination::File { path, .. } if path.contains("://") => unsupported(path),
            LogDestination::File { path, partition_by, .. } => {
                Ok(Self { shown: path.clone(), folder: repo.join(path), by: partition_by.clone() })
            }
            LogDestination::Foreign(kind) => unsupported(kind),
        }
    }

    /// Adds rows, in files with names of their own.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn append(&self, schema: &SchemaRef, rows: &[RecordBatch]) -> Result<Appended, Problem> {
        let unwritable = |error: SinkError| match error {
            SinkError::Problem(problem) => problem,
            error => {
                let message = format!("cannot write the feature log in `{}`: {error}", self.shown);
                Problem::new(Kind::Unavailable, message, None)
            }
        };
        let (folder, added) =
            Folder::adding_to(&self.folder, ("", "-0.parquet")).map_err(|error| unwritable(error.into()))?;
        let format = Format::Parquet(ParquetOptions::default());
        let mut writer = (Partitions { folder, format, by: self.by.clone() }.opening())(schema).map_err(unwritable)?;
        for batch in rows {
            writer.write(batch).map_err(unwritable)?;
        }
        writer.complete().and_then(|complete| complete.appear()).map_err(unwritable)?;
        let rows = rows.iter().map(RecordBatch::num_rows).sum();
        Ok(Appended { rows, destination: self.shown.clone(), files: added.paths() })
    }
}
