//! Collecting the files of a source among the objects of a bucket.

use std::{ffi::OsStr, path::Path, sync::Arc};

use super::shown;
use crate::{
    clients::buckets::{Bucket, Object},
    problem::Problem,
    side_by_side::waiting_side_by_side,
    sources::files::{
        DataFile, SourceFiles,
        content::{self, Content},
        days::Days,
        folder::{is_parquet, is_text_by_name, is_text_of},
        format::{Ending, Format},
        left_out::{LeftOut, Reason},
        partitions,
        place::Place,
        stored::Stored,
        tree::{DELTA_LOG, EntryKind, is_hidden},
    },
};

/// The files found so far. They are looked at when all are known, side by side.
pub(super) struct Gathered<'a> {
    bucket: &'a Arc<Bucket>,
    format: Format,
    /// Partitions are folders below it.
    base: &'a str,
    days: Option<&'a Days>,
    found: Vec<Candidate>,
    other_days: Vec<Candidate>,
    left_out: Vec<LeftOut>,
    beside_delta_log: bool,
    /// Whether nobody reads more than one of them at a time.
    is_one: bool,
}

/// An object that may be a file of the source.
struct Candidate {
    place: Place,
    bytes: u64,
    partitions: Vec<(String, Option<String>)>,
    /// Whether a pattern names its ending.
    ending_named: bool,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(bucket: &'a Arc<Bucket>, format: Format, base: &'a str, days: Option<&'a Days>) -> Self {
        let (found, other_days, left_out) = (Vec::new(), Vec::new(), Vec::new());
        Self { bucket, format, base, days, found, other_days, left_out, beside_delta_log: false, is_one: false }
    }

    /// The same for those who look for one.
    pub(super) fn of_one(bucket: &'a Arc<Bucket>, format: Format, base: &'a str) -> Self {
        Self { is_one: true, ..Self::new(bucket, format, base, None) }
    }

    /// Adds an object in a folder, unless a name behind that is hidden.
    pub(super) fn below(&mut self, folder: &str, object: Object) {
        let mut end = if folder.is_empty() { 0 } else { folder.len() + 1 };
        for name in object.key[end.min(object.key.len())..].split('/') {
            end += name.len();
            let kind = if end < object.key.len() { EntryKind::Folder } else { EntryKind::File };
            if is_hidden(OsStr::new(name), kind) {
                self.note_delta_log(name == DELTA_LOG && kind == EntryKind::Folder);
                self.hidden(&object.key[..end]);
                return;
            }
            end += 1;
        }
        self.file(object, false);
    }

    /// Notes that there is the log of a Delta table, if there is one.
    pub(super) const fn note_delta_log(&mut self, is_there: bool) {
        self.beside_delta_log |= is_there;
    }

    /// Leaves out what has a hidden name.
    pub(super) fn hidden(&mut self, key: &str) {
        let path = shown(self.bucket, key);
        // Keys are sorted, so a folder comes as often as it has files, one behind the other.
        if self.left_out.last().is_none_or(|last| last.path != path) {
            self.left_out.push(LeftOut { path, reason: Reason::Hidden });
        }
    }

    /// Adds an object.
    pub(super) fn file(&mut self, object: Object, ending_named: bool) {
        let partitions = partitions::of(Path::new(&object.key), Path::new(self.base));
        let is_of_days = self.days.is_none_or(|days| days.may_be_in(&partitions));
        let bytes = object.bytes;
        let stored = Stored::new(self.bucket, object);
        let place = Place::Stored(if self.is_one { stored.kept() } else { stored });
        let candidate = Candidate { place, bytes, partitions, ending_named };
        if is_of_days { self.found.push(candidate) } else { self.other_days.push(candidate) }
    }

    /// Looks at those whose names do not tell their format.
    pub(super) fn finish(mut self) -> Result<SourceFiles, Problem> {
        let format = self.format;
        let mut other_days = self.other_days.len() as u64;
        let mut candidates = self.found;
        // One file tells the columns.
        if candidates.is_empty() {
            candidates.extend(self.other_days.pop());
            other_days = self.other_days.len() as u64;
        }
        let wanted = waiting_side_by_side(&candidates, |candidate| candidate.is_wanted(format));
        let mut files = Vec::with_capacity(candidates.len());
        for (candidate, wanted) in candidates.into_iter().zip(wanted) {
            let Candidate { place, bytes, partitions, .. } = candidate;
            if wanted? {
                files.push(DataFile { place, bytes, partitions, deleted: Vec::new() });
            } else {
                let path = shown(self.bucket, &place.name().to_string_lossy());
                self.left_out.push(LeftOut { path, reason: Reason::OtherFormat(format) });
            }
        }
        self.left_out.sort();
        self.left_out.dedup();
        Ok(SourceFiles {
            left_out: self.left_out,
            format,
            partitioned_below: Some(shown(self.bucket, self.base)),
            other_days,
            beside_delta_log: self.beside_delta_log,
            ..SourceFiles::of(files)
        })
    }
}

impl Candidate {
    /// Whether it is of the format. What is called parquet is taken at its word until its footer is read, which saves
    /// asking for it.
    fn is_wanted(&self, format: Format) -> Result<bool, Problem> {
        let name = self.place.name();
        if format == Format::Parquet {
            return match (Ending::of(name), self.bytes) {
                (Ending::Of(Format::Parquet), _) => Ok(true),
                (_, 0) => Ok(false),
                _ => is_parquet(self.beginning()?, &self.place),
            };
        }
        if let Some(wanted) = is_text_by_name(format, name, self.ending_named) {
            return Ok(wanted);
        }
        let content = match self.bytes {
            0 => Content::Empty,
            _ => content::look(self.beginning()?).map_err(|error| self.place.unreadable(&error))?,
        };
        Ok(is_text_of(format, content, self.ending_named))
    }

    fn beginning(&self) -> Result<Box<dyn std::io::Read + Send>, Problem> {
        self.place.beginning().map_err(|error| self.place.unreadable(&error))
    }
}
