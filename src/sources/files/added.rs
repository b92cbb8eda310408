//! Where rows that come later are added to a source: as new files, which reading finds. No file is ever changed.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::{
    Format, SourceFiles, bucket, literal_part,
    location::Location,
    pattern::{self, Component, Pattern, Wild},
};
use crate::{
    config::BucketUrl,
    model::{DataSource, FileFormat, FileSource},
    problem::{Kind, Problem},
};

/// New files of a source, whose names nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFiles {
    /// The folder below which they are; it need not be there.
    pub folder: NewFolder,
    /// Columns whose values are in the names of folders below it (`day=2026-01-31`), from the outermost.
    pub partitions: Vec<String>,
    /// What names of files begin with.
    pub beginning: String,
    /// What names of files end with.
    pub ending: String,
}

/// Where new files of a source go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewFolder {
    /// A folder of this machine.
    Local(PathBuf),
    /// A folder in a bucket.
    InBucket(BucketUrl),
}

/// The folder with what was added to a source that is this one file.
pub(super) fn folder_beside(file: &Path) -> PathBuf {
    let mut folder = OsString::from(file);
    folder.push(".d");
    folder.into()
}

/// Where new files of a source go, given those that it has.
///
/// # Errors
/// When its files are no parquet files, or its path is a pattern that new files would perhaps not match.
pub(crate) fn new_files(
    source: &DataSource,
    file: &FileSource,
    found: &SourceFiles,
    repo: &Path,
) -> Result<NewFiles, Problem> {
    let unsupported = |message: String| Err(Problem::new(Kind::Unsupported, message, ONLINE_ONLY.to_owned()));
    let name = &source.name;
    if file.format == Some(FileFormat::Delta) {
        return unsupported(format!("data source `{name}` is a Delta table, and rows are not added to those"));
    }
    if found.format != Format::Parquet {
        let format = found.format;
        return unsupported(format!(
            "data source `{name}` has {format} files, and rows are added to parquet files only"
        ));
    }
    let partitions: Vec<String> = found.partition_names().into_iter().map(str::to_owned).collect();
    let new = match Location::of(&file.path)? {
        Location::Here(local) => {
            let full = repo.join(local.as_ref());
            if full.is_file() {
                Some(NewFiles::below(folder_beside(&full), &[]))
            } else if full.is_dir() {
                Some(NewFiles::below(full, &partitions))
            } else {
                let (base, rest) = literal_part(&local, repo)?;
                behind(&base, &rest, &partitions)
            }
        }
        Location::Bucket(url) => match bucket::base(&url, found) {
            None => Some(NewFiles::below(PathBuf::from(bucket::folder_beside(&url.key)), &[])),
            Some(base) => {
                match url.key.trim_end_matches('/').strip_prefix(&base).map(|rest| rest.trim_start_matches('/')) {
                    Some("") => Some(NewFiles::below(PathBuf::from(base), &partitions)),
                    rest => behind(Path::new(&base), rest.unwrap_or_default(), &partitions),
                }
            }
        }
        .map(|new| new.in_bucket(&url)),
    };
    match new {
        Some(new) => Ok(new),
        None => unsupported(format!(
            "no new file is sure to match `{}`, the path of data source `{name}`, whatever the values of its rows are",
            file.path
        )),
    }
}

impl NewFiles {
    /// Parquet files of any name.
    fn below(folder: PathBuf, partitions: &[String]) -> Self {
        let (beginning, ending) = (String::new(), ".parquet".to_owned());
        Self { folder: NewFolder::Local(folder), partitions: partitions.to_vec(), beginning, ending }
    }

    /// The same, where the path of the folder is a key in a bucket.
    fn in_bucket(self, url: &BucketUrl) -> Self {
        let folder = match self.folder {
            NewFolder::Local(key) => NewFolder::InBucket(url.with_key(key.to_string_lossy())),
            folder @ NewFolder::InBucket(_) => folder,
        };
        Self { folder, ..self }
    }
}

/// New files that are sure to match what is behind a folder.
fn behind(base: &Path, rest: &str, partitions: &[String]) -> Option<NewFiles> {
    let patterns = pattern::parse(rest).unwrap_or_default();
    patterns.iter().find_map(|pattern| matching(base, pattern, partitions))
}

const ONLINE_ONLY: &str = "push to the online store only, and let the program that writes the source add the rows to it; or let \
                           the source's path be a folder of parquet files, or a pattern that ends like `*.parquet`";

/// New files that a pattern matches, whatever values of the partitions are in the names of their folders.
fn matching(base: &Path, pattern: &Pattern, partitions: &[String]) -> Option<NewFiles> {
    if pattern.only_folders {
        return None;
    }
    let (last, folders) = pattern.parts.split_last()?;
    let (mut folder, mut open) = (base.to_owned(), partitions.iter());
    let mut in_partitions = false;
    for part in folders {
        match part {
            Component::Literal(name) if !in_partitions => folder.push(name),
            Component::Wild(wild) if open.next().is_some_and(|key| takes_any(wild, key)) => in_partitions = true,
            Component::Deep => {
                in_partitions = true;
                open.by_ref().for_each(drop);
            }
            _ => return None,
        }
    }
    let (beginning, ending) = match last {
        Component::Deep => {
            open.by_ref().for_each(drop);
            (String::new(), ".parquet".to_owned())
        }
        Component::Wild(wild) => ends_of_names(wild)?,
        Component::Literal(_) => return None,
    };
    let all = open.next().is_none();
    all.then(|| NewFiles { beginning, ending, ..NewFiles::below(folder, partitions) })
}

/// Whether every folder of a partition matches.
fn takes_any(wild: &Wild, key: &str) -> bool {
    wild.text == "*" || wild.text.strip_suffix("=*").is_some_and(|name| name == key)
}

/// What stands around the `*` for which names of files may have anything.
fn ends_of_names(wild: &Wild) -> Option<(String, String)> {
    let (beginning, ending) = wild.text.split_once('*')?;
    let ending = match ending.replace('*', "") {
        nothing if nothing.is_empty() => ".parquet".to_owned(),
        ending => ending,
    };
    let is_visible = !beginning.starts_with(['.', '_']);
    let matches = wild.matches(OsStr::new(&format!("{beginning}new-1{ending}")));
    (is_visible && matches).then(|| (beginning.to_owned(), ending))
}
