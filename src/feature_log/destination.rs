//! Where a log goes: a folder of parquet files, of this machine or in a bucket.

use std::path::{Path, PathBuf};

use arrow::{array::RecordBatch, datatypes::SchemaRef};

use crate::{
    clients::buckets::{Bucket, Buckets},
    config::BucketUrl,
    model::LogDestination,
    problem::{Kind, Problem},
    sink::{AddedFiles, Folder, Format, ParquetOptions, Partitions, RowWriter, SinkError},
};

/// A folder that takes rows.
#[derive(Debug)]
pub(super) struct Destination {
    /// As it is declared.
    shown: String,
    place: Place,
    /// The columns whose values are names of folders.
    by: Vec<String>,
}

#[derive(Debug)]
enum Place {
    Here(PathBuf),
    InBucket(Box<InBucket>),
}

#[derive(Debug)]
struct InBucket {
    bucket: Bucket,
    url: BucketUrl,
    /// Of S3, if the destination names one.
    endpoint: String,
}

/// Where destinations are looked for.
#[derive(Debug, Clone, Copy)]
pub struct Places<'a> {
    /// Paths start here.
    pub repo: &'a Path,
    /// The buckets that logs go to.
    pub buckets: &'a Buckets,
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
    /// The destination of a service's log.
    ///
    /// # Errors
    /// When it is none that feastr writes.
    pub(super) fn of(destination: &LogDestination, service: &str, places: Places<'_>) -> Result<Self, Problem> {
        let unsupported = |what: &str| {
            let message = format!("the log of feature service `{service}` goes to {what}, which is not supported yet");
            Err(Problem::new(Kind::Unsupported, message, "name a folder of this machine or of a bucket".to_owned()))
        };
        let (path, s3_endpoint_override, partition_by) = match destination {
            LogDestination::File { path, s3_endpoint_override, partition_by } => {
                (path, s3_endpoint_override, partition_by)
            }
            LogDestination::Foreign(kind) => return unsupported(kind),
        };
        let place = match BucketUrl::parse(path) {
            Some(url) => {
                let (url, endpoint) = (url?, s3_endpoint_override.clone());
                let bucket = places.buckets.open(&url, Some(&endpoint))?;
                Place::InBucket(Box::new(InBucket { bucket, url, endpoint }))
            }
            None if path.contains("://") => return unsupported(path),
            None => Place::Here(places.repo.join(path)),
        };
        Ok(Self { shown: path.clone(), place, by: partition_by.clone() })
    }

    /// Whether rows for the other one belong here.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        fn parts(destination: &Destination) -> (&str, Option<&str>, &[String]) {
            let endpoint = match &destination.place {
                Place::Here(_) => None,
                Place::InBucket(place) => Some(place.endpoint.as_str()),
            };
            (&destination.shown, endpoint, &destination.by)
        }
        parts(self) == parts(other)
    }

    /// Begins files with names of their own.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(super) fn begin(&self, schema: &SchemaRef) -> Result<OpenLog, Problem> {
        const NAMES: (&str, &str) = ("", "-0.parquet");
        let begun = || {
            let (folder, added) = match &self.place {
                Place::Here(folder) => Folder::adding_to(folder, NAMES)?,
                Place::InBucket(place) => Folder::adding_in(&place.bucket, &place.url, NAMES),
            };
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
