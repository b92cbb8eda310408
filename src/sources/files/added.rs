//! Where rows that come later are added to a source: as new files, which reading finds. No file is ever changed.

use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

use super::{
    Format, SourceFiles, literal_part,
    location::Location,
    pattern::{self, Component, Pattern, Wild},
};
use crate::{
    model::{DataSource, FileFormat, FileSource},
    problem::{Kind, Problem},
};

/// New files of a source, whose names nobody has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFiles {
    /// The folder below which they are; it need not be there.
    pub folder: PathBuf,
    /// Columns whose values are in the names of folders below it (`day=2026-01-31`), from the outermost.
    pub partitions: Vec<String>,
    /// What names of files begin with.
    pub beginning: String,
    /// What names of files end with.
    pub ending: String,
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
    let local = match Location::of(&file.path)? {
        Location::Here(local) => local,
        Location::Bucket(url) => {
            return unsupported(format!(
                "data source `{name}` is in {}, and rows are not added to those yet",
                url.store
            ));
        }
    };
    let full = repo.join(local.as_ref());
    let (beginning, ending) = (String::new(), ".parquet".to_owned());
    if full.is_file() {
        return Ok(NewFiles { folder: folder_beside(&full), partitions: Vec::new(), beginning, ending });
    }
    let partitions: Vec<String> = found.partition_names().into_iter().map(str::to_owned).collect();
    if full.is_dir() {
        return Ok(NewFiles { folder: full, partitions, beginning, ending });
    }
    let (base, rest) = literal_part(&local, repo)?;
    let patterns = pattern::parse(&rest).unwrap_or_default();
    match patterns.iter().find_map(|pattern| matching(&base, pattern, &partitions)) {
        Some(new) => Ok(new),
        None => unsupported(format!(
            "no new file is sure to match `{}`, the path of data source `{name}`, whatever the values of its rows are",
            file.path
        )),
    }
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
    all.then(|| NewFiles { folder, partitions: partitions.to_vec(), beginning, ending })
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
