//! Single files of a source, for those who are told of one, or keep track of all of them.

use super::{
    OpenSource, Whereabouts,
    files::{self, DataFile, Format, Search, SourceFiles},
};
use crate::{
    config::BucketUrl,
    model::{DataSource, FileSource, SourceKind},
    problem::{Kind, Problem},
};

/// A file of a source, as it was when somebody looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileOfSource {
    /// What tells its content from another one.
    pub version: String,
    found: SourceFiles,
}

/// A file that a source has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedFile {
    /// Where it is: absolute, or the URL of an object.
    pub path: String,
    /// What tells its content from another one.
    pub version: String,
}

impl FileOfSource {
    /// The file at a path, if it is there and one of those that a source has.
    ///
    /// # Errors
    /// When the source has no files, or one cannot be looked at.
    pub fn look_for(source: &DataSource, path: &str, whereabouts: &Whereabouts) -> Result<Option<Self>, Problem> {
        let (file, format) = of(source)?;
        let bucket = |url: &BucketUrl| whereabouts.bucket(source, url, &file.s3_endpoint_override);
        let search = Search { repo: &whereabouts.repo, bucket: &bucket, days: None, to_read: true };
        let found = files::find_one(&file.path, path, format, search)?;
        let Some(found) = found else { return Ok(None) };
        let version = found.files.first().map(files::version).transpose()?;
        Ok(Some(Self { version: version.unwrap_or_default(), found }))
    }

    /// How many bytes it has.
    pub fn bytes(&self) -> u64 {
        self.found.files.iter().map(|file| file.bytes).sum()
    }

    /// All files of a source.
    ///
    /// # Errors
    /// When there are none, or one cannot be looked at.
    pub fn list(source: &DataSource, whereabouts: &Whereabouts) -> Result<Vec<ListedFile>, Problem> {
        let (file, format) = of(source)?;
        let bucket = |url: &BucketUrl| whereabouts.bucket(source, url, &file.s3_endpoint_override);
        let search = Search { repo: &whereabouts.repo, bucket: &bucket, days: None, to_read: true };
        let found = files::find(&file.path, format, search)?;
        let listed = |file: &DataFile| Ok(ListedFile { path: file.place.to_string(), version: files::version(file)? });
        found.files.iter().map(listed).collect()
    }

    /// The file with its header, to read rows.
    ///
    /// # Errors
    /// When it is not what its format says.
    pub fn open(self, source: &DataSource, whereabouts: &Whereabouts) -> Result<OpenSource, Problem> {
        OpenSource::of_found(self.found, source, whereabouts)
    }
}

fn of(source: &DataSource) -> Result<(&FileSource, Format), Problem> {
    match &source.kind {
        SourceKind::File(file) => Ok((file, Format::declared(file.format))),
        kind => {
            let message = format!("data source `{}` is of type {kind}, and has no files", source.name);
            Err(Problem::new(Kind::Unsupported, message, None))
        }
    }
}
