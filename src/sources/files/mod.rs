//! Which files a source consists of, which lie beside them and are left out, and what the names of
//! their folders say.

mod added;
mod braces;
mod bucket;
mod content;
mod damage;
mod days;
mod delta;
mod expand;
mod folder;
mod format;
mod left_out;
mod location;
mod object_text;
mod partitions;
mod pattern;
mod place;
mod stored;
mod told;
mod tree;

#[cfg(test)]
mod tests;

use std::{
    fs::{self, Metadata},
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use arrow::datatypes::Fields;

pub(crate) use added::new_files;
pub use added::{NewFiles, NewFolder};
pub(crate) use content::{open_text, unpacked};
pub(crate) use damage::not_parquet;
pub(crate) use days::Days;
pub use days::{day_of, start_of_day};
pub use format::Format;
pub use left_out::LeftOut;
pub(crate) use object_text::ObjectText;
pub(crate) use place::End;
pub use place::Place;
pub use stored::Stored;
pub(crate) use told::{find_one, version};

use folder::Gathering;
use location::Location;
use tree::FollowedPath;

use crate::{
    clients::buckets::Bucket,
    config::BucketUrl,
    model::TableVersion,
    problem::{Kind, Problem},
};

/// The files behind a source, sorted by path; there is at least one, but for tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceFiles {
    /// What is read, sorted by path.
    pub files: Vec<DataFile>,
    /// What lies among the files and is not read, sorted by path.
    pub left_out: Vec<LeftOut>,
    /// How all of the files are read.
    pub format: Format,
    /// The folder whose sub-folders named `key=value` are partitions; `None` for a single file.
    pub partitioned_below: Option<PathBuf>,
    /// Files in folders of days that nobody asks about; they are not even opened.
    pub other_days: u64,
    /// Whether there is a `_delta_log` folder: files that the table no longer has are read, too.
    pub beside_delta_log: bool,
    /// The columns that the files have together, where a table says so; some may be in none of them.
    pub table: Option<Fields>,
}

impl SourceFiles {
    /// One file that somebody names, whatever it is called.
    ///
    /// # Errors
    /// When it is not there.
    pub fn single(path: &Path, format: Format) -> io::Result<Self> {
        Ok(Self::of_one(path, fs::metadata(path)?.len(), format))
    }

    fn of_one(path: &Path, bytes: u64, format: Format) -> Self {
        let file = DataFile { place: path.into(), bytes, ..DataFile::default() };
        Self { format, ..Self::of(vec![file]) }
    }

    /// Files of which nothing else is known.
    pub(crate) fn of(files: Vec<DataFile>) -> Self {
        let (left_out, partitioned_below) = (Vec::new(), None);
        Self {
            files,
            left_out,
            format: Format::Parquet,
            partitioned_below,
            other_days: 0,
            beside_delta_log: false,
            table: None,
        }
    }

    /// The keys of all partition folders, in the order of their first mention.
    pub fn partition_names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = Vec::new();
        for (name, _) in self.files.iter().flat_map(|file| &file.partitions) {
            if !names.contains(&name.as_str()) {
                names.push(name);
            }
        }
        names
    }
}

/// A file of a source.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DataFile {
    /// Where it is.
    pub place: Place,
    /// Its size.
    pub bytes: u64,
    /// What its folders named `key=value` say, from the outermost, or the table says of it; `None` is null.
    pub partitions: Vec<(String, Option<String>)>,
    /// Rows that the table no longer has: their numbers in the file from 0, ascending.
    pub deleted: Vec<u64>,
}

/// Where and for what files are looked for.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    /// Relative paths start here.
    pub repo: &'a Path,
    /// Opens buckets.
    pub bucket: &'a dyn Fn(&BucketUrl) -> Result<Bucket, Problem>,
    /// Folders of other days than these are left out.
    pub days: Option<&'a Days>,
    /// Whether rows are read: who only looks at columns is not given what was added to an object, which a bucket is asked for
    /// apart.
    pub to_read: bool,
}

/// Finds the files of the source with this path: a file, a folder, a pattern, or one of them as a URL of this machine or
/// of a bucket.
///
/// # Errors
/// When there are none, they are elsewhere, one of them cannot be read, or one in a folder claims to be parquet and is
/// not.
pub(crate) fn find(path: &str, format: Format, search: Search<'_>) -> Result<SourceFiles, Problem> {
    let Search { repo, days, .. } = search;
    let local = match Location::of(path)? {
        Location::Here(local) => local,
        Location::Bucket(url) => return bucket::find(path, &url, format, search),
    };
    let full = repo.join(local.as_ref());
    if let Some(found) = existing(&full)? {
        if found.is_file() {
            return with_added(SourceFiles::of_one(&full, found.len(), format));
        }
        if found.is_dir() {
            return in_folder(path, format, &full, days);
        }
        let message = format!("`{path}` is neither a file nor a folder");
        return Err(Problem::new(
            Kind::Invalid,
            message,
            "a source is read more than once; write it to a file".to_owned(),
        ));
    }
    if pattern::is_wild(&local) {
        return matching(path, &local, format, (repo, days));
    }
    Err(nothing_at(path, &local, repo))
}

/// The bytes of an object in a bucket from the first on, which are asked for as they are read.
///
/// # Errors
/// When there is none, or the store does not let us look.
pub fn read_object(bucket: Bucket, url: &BucketUrl) -> Result<impl io::Read + Send + use<>, Problem> {
    bucket::object(&Arc::new(bucket), url)?.map(ObjectText::new).ok_or_else(|| bucket::nothing_at(&url.to_string()))
}

/// Finds the files of a Delta table in a folder, at a path as [`find`] takes it but for patterns: those of its latest
/// version, or of another one; of days that nobody asks about, none.
///
/// # Errors
/// When there is no table, no such version, or one that is not understood.
pub(crate) fn find_delta(
    path: &str,
    version: Option<TableVersion>,
    search: Search<'_>,
) -> Result<SourceFiles, Problem> {
    let Search { repo, days, .. } = search;
    let mut found = match Location::of(path)? {
        Location::Bucket(url) => delta::find_in_bucket(path, ((search.bucket)(&url)?, &url), version)?,
        Location::Here(local) => {
            let full = repo.join(local.as_ref());
            if existing(&full)?.is_none() {
                return Err(nothing_at(path, &local, repo));
            }
            delta::find(path, &full, version)?
        }
    };
    if let Some(days) = days {
        let all = found.files.len();
        found.files.retain(|file| days.may_be_in(&file.partitions));
        found.other_days = (all - found.files.len()) as u64;
    }
    Ok(found)
}

fn nothing_at(path: &str, local: &str, repo: &Path) -> Problem {
    let help = match fs::read_link(repo.join(local)) {
        Ok(target) => Some(format!("it is a link to {}, which is not there", target.display())),
        Err(_) => relative_help(local, repo),
    };
    Problem::new(Kind::NotFound, format!("there is no file `{path}`"), help)
}

/// The same with what was added to a source that is one file.
fn with_added(mut found: SourceFiles) -> Result<SourceFiles, Problem> {
    let Some(DataFile { place: Place::Local(path), .. }) = found.files.first() else { return Ok(found) };
    let folder = added::folder_beside(path);
    if folder.is_dir() {
        let mut gathering = Gathering::new(found.format, &folder, None);
        gathering.folder(FollowedPath::start(&folder)?)?;
        let added = gathering.finish()?;
        found.files.extend(added.files);
        found.left_out = added.left_out;
    }
    Ok(found)
}

fn in_folder(path: &str, format: Format, folder: &Path, days: Option<&Days>) -> Result<SourceFiles, Problem> {
    let mut gathering = Gathering::new(format, folder, days);
    gathering.folder(FollowedPath::start(folder)?)?;
    let found = gathering.finish()?;
    if found.files.is_empty() {
        let message = format!("the folder `{path}` has no {format} files");
        return Err(Problem::new(Kind::NotFound, message, left_out::help(&found.left_out, folder, format)));
    }
    Ok(found)
}

fn matching(
    path: &str,
    local: &str,
    format: Format,
    (repo, days): (&Path, Option<&Days>),
) -> Result<SourceFiles, Problem> {
    let nothing = || Problem::new(Kind::NotFound, format!("no file matches `{path}`"), relative_help(local, repo));
    let (base, rest) = literal_part(local, repo)?;
    if !base.is_dir() {
        return Err(nothing());
    }
    let patterns = pattern::parse(&rest)
        .map_err(|error| Problem::new(Kind::Invalid, format!("`{path}` is not a pattern: {error}"), None))?;
    let expansion = expand::expand(&base, &patterns)?;
    let matched = !expansion.matches.is_empty();
    let found = Gathering::new(format, &base, days).finish_with(expansion)?;
    if !found.files.is_empty() {
        return Ok(found);
    }
    match left_out::help(&found.left_out, &base, format) {
        help if matched => {
            Err(Problem::new(Kind::NotFound, format!("what matches `{path}` has no {format} files"), help))
        }
        Some(help) => Err(Problem::new(Kind::NotFound, format!("no file matches `{path}`"), help)),
        None => Err(nothing()),
    }
}

/// The longest beginning of the path that exists as it is written, and the pattern behind it.
fn literal_part(local: &str, repo: &Path) -> Result<(PathBuf, String), Problem> {
    let mut base = repo.to_owned();
    let mut parts = Path::new(local).components();
    loop {
        let rest = parts.as_path();
        let Some(part) = parts.next() else { return Ok((base, String::new())) };
        let next = base.join(part);
        if existing(&next)?.is_none() {
            // A slash at the end asks for folders; the components do not show it.
            let slash = if local.ends_with(std::path::is_separator) { "/" } else { "" };
            return Ok((base, format!("{}{slash}", rest.display())));
        }
        base = next;
    }
}

/// What is at a path, links followed; `None` when there is nothing.
fn existing(path: &Path) -> Result<Option<Metadata>, Problem> {
    use io::ErrorKind::{InvalidFilename, InvalidInput, NotADirectory, NotFound};
    match fs::metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory | InvalidFilename | InvalidInput) => Ok(None),
        Err(error) => Err(unreadable(path, &error)),
    }
}

/// The problem of a file that cannot be read.
pub(crate) fn unreadable(path: &Path, error: &io::Error) -> Problem {
    Problem::new(Kind::Unavailable, format!("cannot read {}: {error}", path.display()), None)
}

fn relative_help(path: &str, repo: &Path) -> Option<String> {
    (!Path::new(path).is_absolute()).then(|| format!("relative paths start at the repo, {}", repo.display()))
}
