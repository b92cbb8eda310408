//! Files of sources in buckets, told by the keys that a store lists.

mod gathered;
mod matched;

#[cfg(test)]
mod tests;

use std::{path::PathBuf, sync::Arc};

use futures_util::{TryStreamExt as _, future};

use self::{
    gathered::Gathered,
    matched::{Matched, Matching},
};
use super::{
    DataFile, Search, SourceFiles,
    days::Days,
    format::Format,
    left_out,
    pattern::{self, Pattern},
    place::Place,
    stored::Stored,
};
use crate::{
    clients::{
        buckets::{Bucket, INCOMPLETE, Object},
        runtime,
    },
    config::BucketUrl,
    problem::{Kind, Problem},
};

/// Finds the files of a source at a URL, which messages call `path`: an object, a folder, or what matches a pattern.
///
/// # Errors
/// When there are none, or the store does not give them.
pub(super) fn find(path: &str, url: &BucketUrl, format: Format, search: Search<'_>) -> Result<SourceFiles, Problem> {
    let (bucket, days) = (Arc::new((search.bucket)(url)?), search.days);
    let is_pattern = pattern::is_wild(&url.key);
    if !is_pattern && search.to_read {
        if let (Some(object), added) = object_with_added(&bucket, url)? {
            return with_added(one(object, format), &bucket, &url.key, added);
        }
    } else if !is_pattern && let Some(object) = object(&bucket, url)? {
        return Ok(one(object, format));
    }
    let listed = listed(&bucket, if is_pattern { literal_beginning(&url.key) } else { &url.key })?;
    if is_pattern {
        return matching(path, url, &bucket, listed, (format, days));
    }
    in_folder(path, url.key.trim_end_matches('/'), &bucket, listed, (format, days))
}

/// The object with the key of a URL; `None` where there is none, or it is a folder's.
pub(super) fn object(bucket: &Arc<Bucket>, url: &BucketUrl) -> Result<Option<Stored>, Problem> {
    if url.key.is_empty() || url.key.ends_with('/') {
        return Ok(None);
    }
    Ok(runtime::wait(bucket.head(&url.key))?.map(|object| Stored::new(bucket, object)))
}

/// The same, and what was added to it, which is asked for at the same time.
fn object_with_added(bucket: &Arc<Bucket>, url: &BucketUrl) -> Result<(Option<Stored>, Vec<Object>), Problem> {
    if url.key.is_empty() || url.key.ends_with('/') {
        return Ok((None, Vec::new()));
    }
    let folder = folder_beside(&url.key);
    runtime::wait(async {
        let (object, added) = future::join(bucket.head(&url.key), bucket.list_if_allowed(&folder)).await;
        match object? {
            Some(object) => Ok((Some(Stored::new(bucket, object)), added?.unwrap_or_default())),
            // Where there is nothing, nothing was added.
            None => Ok((None, Vec::new())),
        }
    })
}

/// The key of the folder with what was added to a source that is one object.
pub(super) fn folder_beside(key: &str) -> String {
    format!("{key}.d")
}

/// A source that is one object, with what was added to it.
fn with_added(
    mut found: SourceFiles,
    bucket: &Arc<Bucket>,
    key: &str,
    added: Vec<Object>,
) -> Result<SourceFiles, Problem> {
    if added.is_empty() {
        return Ok(found);
    }
    let folder = folder_beside(key);
    let mut gathered = Gathered::new(bucket, found.format, &folder, None);
    for object in without_marks(bucket, added)? {
        gathered.below(&folder, object);
    }
    let added = gathered.finish()?;
    found.files.extend(added.files);
    found.left_out = added.left_out;
    Ok(found)
}

/// The object with this key if it is one of the files that [`find`] finds. Nothing is listed.
///
/// # Errors
/// As for [`find`], but for what is not there.
pub(super) fn find_one(
    url: &BucketUrl,
    bucket: Bucket,
    key: &str,
    format: Format,
) -> Result<Option<SourceFiles>, Problem> {
    let bucket = Arc::new(bucket);
    let Some(object) = runtime::wait(bucket.head(key))? else { return Ok(None) };
    if key == url.key {
        return Ok(Some(one(Stored::new(&bucket, object).kept(), format)));
    }
    let is_pattern = pattern::is_wild(&url.key);
    let beside = folder_beside(&url.key);
    let base = match is_pattern {
        true => literal_beginning(&url.key),
        false if key.strip_prefix(&beside).is_some_and(|behind| behind.starts_with('/')) => &beside,
        false => &url.key,
    }
    .trim_end_matches('/');
    let behind = if base.is_empty() { Some(key) } else { key.strip_prefix(base).and_then(|key| key.strip_prefix('/')) };
    let Some(name) = behind else { return Ok(None) };
    let mut gathered = Gathered::of_one(&bucket, format, base);
    if is_pattern {
        let patterns = pattern::parse(url.key[base.len()..].trim_start_matches('/'));
        let patterns = patterns.map_err(|error| Problem::new(Kind::Invalid, error, None))?;
        match Matched::of(&patterns, name).matching {
            Matching::File { ending_named } => gathered.file(object, ending_named),
            Matching::Folder(end) => {
                let folder = key[..key.len() - name.len() + end].trim_end_matches('/').to_owned();
                gathered.below(&folder, object);
            }
            Matching::Hidden(_) | Matching::Nothing => {}
        }
    } else {
        gathered.below(base, object);
    }
    let found = gathered.finish()?;
    Ok((!found.files.is_empty()).then_some(found))
}

fn one(object: Stored, format: Format) -> SourceFiles {
    let bytes = object.object().bytes;
    let file = DataFile { place: Place::Stored(object), bytes, ..DataFile::default() };
    SourceFiles { format, ..SourceFiles::of(vec![file]) }
}

/// The key of the folder whose sub-folders are partitions of what [`find`] found; `None` where that is one object.
pub(super) fn base(url: &BucketUrl, found: &SourceFiles) -> Option<String> {
    let base = found.partitioned_below.as_ref()?.to_string_lossy();
    let base = BucketUrl::parse(&base)?.ok()?;
    (base.root() == url.root()).then(|| base.key.trim_end_matches('/').to_owned())
}

/// All objects in a folder, sorted by key, without the marks that some tools leave for folders.
fn listed(bucket: &Arc<Bucket>, folder: &str) -> Result<Vec<Object>, Problem> {
    without_marks(bucket, runtime::wait(bucket.list(folder).try_collect())?)
}

/// Objects, sorted by key, without those that some tools leave for folders.
///
/// # Errors
/// When a folder of them says that it is not whole.
fn without_marks(bucket: &Bucket, mut objects: Vec<Object>) -> Result<Vec<Object>, Problem> {
    objects.sort_by(|one, other| one.key.cmp(&other.key));
    let is_incomplete = |key: &&str| key.rsplit('/').next() == Some(INCOMPLETE);
    if let Some(mark) = objects.iter().map(|object| object.key.as_str()).find(is_incomplete) {
        let folder = bucket.url(mark.trim_end_matches(INCOMPLETE).trim_end_matches('/'));
        return Err(Problem::new(
            Kind::Unavailable,
            format!("the folder {folder} is not whole: somebody is filling it, or began to and was stopped"),
            format!(
                "wait for whoever writes it; if that is nobody any more, remove the folder, with {INCOMPLETE} in it"
            ),
        ));
    }
    let is_mark = |index: usize, object: &Object| {
        let folder = format!("{}/", object.key);
        // What sorts before a slash may stand between.
        let next = index + objects[index..].partition_point(|other| other.key < folder);
        object.bytes == 0 && objects.get(next).is_some_and(|next| next.key.starts_with(&folder))
    };
    let kept: Vec<bool> = objects.iter().enumerate().map(|(index, object)| !is_mark(index, object)).collect();
    let mut kept = kept.into_iter();
    objects.retain(|_| kept.next().unwrap_or(true));
    Ok(objects)
}

/// The folder before the first component with a wildcard.
fn literal_beginning(key: &str) -> &str {
    let wild = key.split_inclusive('/').take_while(|part| !pattern::is_wild(part)).map(str::len).sum();
    &key[..wild]
}

pub(super) fn nothing_at(path: &str) -> Problem {
    let help = "correct the path, or write the file; names in buckets have capital and small letters".to_owned();
    Problem::new(Kind::NotFound, format!("there is no file `{path}`"), help)
}

fn in_folder(
    path: &str,
    folder: &str,
    bucket: &Arc<Bucket>,
    listed: Vec<Object>,
    (format, days): (Format, Option<&Days>),
) -> Result<SourceFiles, Problem> {
    if listed.is_empty() {
        return Err(nothing_at(path));
    }
    let mut gathered = Gathered::new(bucket, format, folder, days);
    for object in listed {
        gathered.below(folder, object);
    }
    let found = gathered.finish()?;
    if found.files.is_empty() {
        let message = format!("the folder `{path}` has no {format} files");
        return Err(Problem::new(Kind::NotFound, message, help(&found, bucket, folder)));
    }
    Ok(found)
}

fn matching(
    path: &str,
    url: &BucketUrl,
    bucket: &Arc<Bucket>,
    mut listed: Vec<Object>,
    (format, days): (Format, Option<&Days>),
) -> Result<SourceFiles, Problem> {
    // What is called as the pattern is written comes first.
    if let Ok(index) = listed.binary_search_by(|object| object.key.as_str().cmp(&url.key)) {
        return Ok(one(Stored::new(bucket, listed.swap_remove(index)), format));
    }
    let (base, rest) = literal_part(&url.key, &listed);
    if rest.is_empty() {
        listed.retain(|object| object.key.starts_with(&format!("{base}/")));
        return in_folder(path, &base, bucket, listed, (format, days));
    }
    let patterns: Vec<Pattern> = pattern::parse(&rest)
        .map_err(|error| Problem::new(Kind::Invalid, format!("`{path}` is not a pattern: {error}"), None))?;
    let mut gathered = Gathered::new(bucket, format, &base, days);
    let mut matched = false;
    for object in listed {
        let name = object.key.strip_prefix(&base).unwrap_or(&object.key).trim_start_matches('/');
        let Matched { matching, beside_delta_log } = Matched::of(&patterns, name);
        gathered.note_delta_log(beside_delta_log);
        match matching {
            Matching::File { ending_named } => {
                matched = true;
                gathered.file(object, ending_named);
            }
            Matching::Folder(end) => {
                matched = true;
                let folder = object.key.len() - name.len() + end;
                let folder = object.key[..folder].trim_end_matches('/').to_owned();
                gathered.below(&folder, object);
            }
            Matching::Hidden(end) => {
                let hidden = object.key.len() - name.len() + end;
                gathered.hidden(&object.key[..hidden]);
            }
            Matching::Nothing => {}
        }
    }
    let found = gathered.finish()?;
    if !found.files.is_empty() {
        return Ok(found);
    }
    let message = match matched {
        true => format!("what matches `{path}` has no {format} files"),
        false => format!("no file matches `{path}`"),
    };
    Err(Problem::new(Kind::NotFound, message, help(&found, bucket, &base)))
}

/// The longest beginning of a pattern that is there as it is written, and what is behind it.
fn literal_part(pattern: &str, listed: &[Object]) -> (String, String) {
    let (mut base, mut rest) = (String::new(), pattern);
    while let Some((part, behind)) = rest.split_once('/').or((!rest.is_empty()).then_some((rest, ""))) {
        let next = if base.is_empty() { part.to_owned() } else { format!("{base}/{part}") };
        let folder = format!("{next}/");
        let at = listed.partition_point(|object| object.key < folder);
        if !listed.get(at).is_some_and(|object| object.key.starts_with(&folder)) {
            break;
        }
        (base, rest) = (next, behind);
    }
    (base, rest.to_owned())
}

/// What to do when everything was left out.
fn help(found: &SourceFiles, bucket: &Bucket, folder: &str) -> Option<String> {
    left_out::help(&found.left_out, &shown(bucket, folder), found.format)
}

/// A key as a path, with the bucket's URL before it.
fn shown(bucket: &Bucket, key: &str) -> PathBuf {
    PathBuf::from(bucket.url(key).to_string())
}
