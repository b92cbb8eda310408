//! One file of a source, for those who are told of it or keep track of all of them.

use std::{fs, path::Path, time::UNIX_EPOCH};

use super::{
    DataFile, Format, Place, Search, SourceFiles, added, bucket, existing, folder::Gathering, literal_part,
    location::Location, pattern, tree::FollowedPath, unreadable,
};
use crate::{config::BucketUrl, problem::Problem};

/// The file at `file` if it is one of those that [`find`](super::find) finds: with what the folders on the way to it say.
/// Nothing is listed.
///
/// # Errors
/// As for [`find`](super::find), but for what is not there.
pub(crate) fn find_one(
    path: &str,
    file: &str,
    format: Format,
    search: Search<'_>,
) -> Result<Option<SourceFiles>, Problem> {
    match (Location::of(path)?, BucketUrl::parse(file)) {
        (Location::Bucket(url), Some(object)) => bucket::find_one(&url, (search.bucket)(&url)?, &object?.key, format),
        (Location::Here(local), None) => find_here(&local, Path::new(file), format, search.repo),
        _ => Ok(None),
    }
}

fn find_here(local: &str, file: &Path, format: Format, repo: &Path) -> Result<Option<SourceFiles>, Problem> {
    let full = repo.join(local);
    let Some(found) = existing(file)?.filter(fs::Metadata::is_file) else { return Ok(None) };
    let (base, ending_named) = match existing(&full)? {
        Some(itself) if itself.is_file() && file == full => {
            return Ok(Some(SourceFiles::of_one(file, found.len(), format)));
        }
        Some(other) if other.is_file() => (added::folder_beside(&full), false),
        Some(_) => (full, false),
        None if pattern::is_wild(local) => {
            let (base, rest) = literal_part(local, repo)?;
            (base, pattern::parse(&rest).is_ok_and(|patterns| patterns.iter().any(|pattern| pattern.ending_named)))
        }
        None => (added::folder_beside(&full), false),
    };
    let (Some(folder), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let Some((place, kind)) = FollowedPath::start(folder)?.named(name)? else { return Ok(None) };
    let mut gathering = Gathering::new(format, &base, None);
    gathering.add(place, kind, ending_named)?;
    let found = gathering.finish()?;
    Ok((!found.files.is_empty()).then_some(found))
}

/// What tells a file from another one at its place: what the store says of an object, else its size and when it was
/// written.
///
/// # Errors
/// When it cannot be looked at.
pub(crate) fn version(file: &DataFile) -> Result<String, Problem> {
    match &file.place {
        Place::Stored(stored) => {
            let object = stored.object();
            Ok(match object.version.is_known() {
                true => object.version.tag().to_owned(),
                false => format!("{}-{}", object.bytes, object.modified.micros()),
            })
        }
        Place::Local(path) => {
            let found = fs::metadata(path).map_err(|error| unreadable(path, &error))?;
            let modified = found.modified().map_err(|error| unreadable(path, &error))?;
            let nanos = modified.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
            Ok(format!("{}-{nanos}", found.len()))
        }
    }
}
