//! Where a log goes: a folder of parquet files.

use std::path::{Path, PathBuf};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{
    model::LogDestination,
    problem::{Kind, Problem},
    sink::{AddedFiles, Folder, Format, ParquetOptions, Partitions, RowWriter, SinkError},
};

/// A folder that takes rows.
#[derive(Debug, PartialEq, Eq)]
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

    /// Begins files with names of their own.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn begin(&self, schema: &SchemaRef) -> Result<OpenLog, Problem> {
        let begun = || {
            let (folder, added) = Folder::adding_to(&self.folder, ("", "-0.parquet"))?;
            let format = Format::Parquet(ParquetOptions::default());
            Ok::<_, SinkError>(((Partitions { folder, format, by: self.by.clone() }.opening())(schema)?, added))
        };
        let (writer, added) = begun().map_err(|error| unwritable(&self.shown, error))?;
        Ok(OpenLog { shown: self.shown.clone(), writer, added, rows: 0 })
    }
}

/// Files of a log that take rows. They appear when they are complete, and vanish otherwise.
pub struct OpenLog {
    shown: String,
    writer: Box<dyn RowWriter>,
    added: AddedFiles,
    rows: usize,
}

impl OpenLog {
    /// Takes rows.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), Problem> {
        self.rows += rows.num_rows();
        self.writer.write(rows).map_err(|error| unwritable(&self.shown, error))
    }

    /// How many rows it has taken.
    pub const fn rows(&self) -> usize {
        self.rows
    }

    /// Lets the files appear.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn complete(self) -> Result<Appended, Problem> {
        let Self { shown, writer, added, rows } = self;
        let appeared = writer.complete().and_then(|complete| complete.appear());
        appeared.map_err(|error| unwritable(&shown, error))?;
        Ok(Appended { rows, destination: shown, files: added.paths() })
    }
}

fn unwritable(shown: &str, error: SinkError) -> Problem {
    match error {
        SinkError::Problem(problem) => problem,
        error => Problem::new(Kind::Unavailable, format!("cannot write the feature log in `{shown}`: {error}"), None),
    }
}
