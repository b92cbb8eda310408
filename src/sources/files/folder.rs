//! Collecting the files of a source, each once.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    fs::File,
    io::{self, Read},
    path::{Path, PathBuf},
};

use super::{
    DataFile, SourceFiles,
    content::{self, Content, first_bytes},
    damage::not_parquet,
    days::Days,
    expand::Expansion,
    format::{Ending, Format},
    left_out::{LeftOut, Reason},
    partitions,
    place::Place,
    tree::{DELTA_LOG, EntryKind, FollowedPath, is_hidden},
    unreadable,
};

use crate::problem::Problem;

/// The files found so far.
pub(super) struct Gathering<'a> {
    format: Format,
    base: &'a Path,
    days: Option<&'a Days>,
    /// How many files are of other days.
    other_days: u64,
    /// One of them, and whether a pattern names its ending.
    spare: Option<(FollowedPath, bool)>,
    found: Vec<DataFile>,
    left_out: Vec<LeftOut>,
    beside_delta_log: bool,
    /// Real paths of what was visited, and the paths it was visited under.
    folders: HashMap<PathBuf, PathBuf>,
    files: HashMap<PathBuf, PathBuf>,
    /// What links lead to comes last: where it also is itself, its folders may say more about it
    /// (`latest` beside `day=2026-01-01`).
    links: BTreeMap<PathBuf, (FollowedPath, EntryKind, bool)>,
}

impl<'a> Gathering<'a> {
    /// Partitions are the folders below `base`; files of other days than `days` are not opened.
    pub(super) fn new(format: Format, base: &'a Path, days: Option<&'a Days>) -> Self {
        Self {
            format,
            base,
            days,
            other_days: 0,
            spare: None,
            found: Vec::new(),
            left_out: Vec::new(),
            beside_delta_log: false,
            folders: HashMap::new(),
            files: HashMap::new(),
            links: BTreeMap::new(),
        }
    }

    /// Adds every file of the format below a folder.
    pub(super) fn folder(&mut self, folder: FollowedPath) -> Result<(), Problem> {
        let mut waiting = vec![folder];
        while let Some(folder) = waiting.pop() {
            if let Some(first) = self.folders.get(&folder.real) {
                // Below itself it is a loop, which says nothing new.
                if !folder.path.starts_with(first) {
                    let first = first.clone();
                    self.leave_out(folder.path, Reason::ReadAs(first));
                }
                continue;
            }
            self.folders.insert(folder.real.clone(), folder.path.clone());
            for (name, file_type) in folder.entries()? {
                let (place, kind) = folder.child(&name, file_type)?;
                if is_hidden(&name, kind) {
                    self.beside_delta_log |= name == DELTA_LOG && kind == EntryKind::Folder;
                    self.leave_out(place.path, Reason::Hidden);
                } else if file_type.is_symlink() {
                    self.links.insert(place.path.clone(), (place, kind, false));
                } else if kind == EntryKind::Folder {
                    waiting.push(place);
                } else {
                    self.add(place, kind, false)?;
                }
            }
        }
        Ok(())
    }

    /// Adds what a pattern matched and ends the search.
    pub(super) fn finish_with(mut self, expansion: Expansion) -> Result<SourceFiles, Problem> {
        self.left_out = expansion.left_out;
        self.beside_delta_log = expansion.beside_delta_log;
        // Files first: the pattern may name an ending that means nothing when a folder is read.
        let (folders, files): (Vec<_>, Vec<_>) =
            expansion.matches.into_iter().partition(|(_, kind, _)| *kind == EntryKind::Folder);
        for (place, kind, ending_named) in files.into_iter().chain(folders) {
            if place.linked {
                self.links.insert(place.path.clone(), (place, kind, ending_named));
            } else {
                self.add(place, kind, ending_named)?;
            }
        }
        self.finish()
    }

    /// Follows the links and sorts what was found, which may be nothing.
    pub(super) fn finish(mut self) -> Result<SourceFiles, Problem> {
        while let Some((_, (place, kind, ending_named))) = self.links.pop_first() {
            self.add(place, kind, ending_named)?;
        }
        // One file tells the columns.
        if let Some((place, ending_named)) = self.spare.take().filter(|_| self.found.is_empty()) {
            self.days = None;
            self.other_days -= 1;
            self.file(place, ending_named)?;
        }
        self.found.sort_by(|one, other| one.place.name().cmp(other.place.name()));
        // Several alternatives of a pattern may disagree about a file; then it is read.
        let read: HashSet<&PathBuf> = self.files.values().collect();
        self.left_out.retain(|each| !read.contains(&each.path));
        self.left_out.sort();
        self.left_out.dedup();
        Ok(SourceFiles {
            files: self.found,
            left_out: self.left_out,
            format: self.format,
            partitioned_below: Some(self.base.to_owned()),
            other_days: self.other_days,
            beside_delta_log: self.beside_delta_log,
            table: None,
        })
    }

    /// Adds one thing that was found, and what is below it.
    pub(super) fn add(&mut self, place: FollowedPath, kind: EntryKind, ending_named: bool) -> Result<(), Problem> {
        match kind {
            EntryKind::Folder => self.folder(place)?,
            EntryKind::File => self.file(place, ending_named)?,
            EntryKind::Special => self.leave_out(place.path, Reason::NoFile),
            EntryKind::Nowhere => self.leave_out(place.path, Reason::LeadsNowhere),
        }
        Ok(())
    }

    fn file(&mut self, place: FollowedPath, ending_named: bool) -> Result<(), Problem> {
        if let Some(first) = self.files.get(&place.real) {
            if *first != place.path {
                let first = first.clone();
                self.leave_out(place.path, Reason::ReadAs(first));
            }
            return Ok(());
        }
        let partitions = partitions::of(&place.path, self.base);
        if self.days.is_some_and(|days| !days.may_be_in(&partitions)) {
            self.other_days += 1;
            self.spare = Some((place, ending_named));
            return Ok(());
        }
        let other_format = Reason::OtherFormat(self.format);
        let wanted = is_text_by_name(self.format, &place.path, ending_named);
        if wanted == Some(false) {
            self.leave_out(place.path, other_format);
            return Ok(());
        }
        // Opened in any case, so that a file without permission is found here and not halfway.
        let problem = |error: io::Error| unreadable(&place.path, &error);
        let file = File::open(&place.path).map_err(problem)?;
        let bytes = file.metadata().map_err(problem)?.len();
        let wanted = match wanted {
            Some(wanted) => wanted,
            None if self.format == Format::Parquet => is_parquet(file, &Place::Local(place.path.clone()))?,
            None => is_text_of(self.format, content::look(file).map_err(problem)?, ending_named),
        };
        if !wanted {
            self.leave_out(place.path, other_format);
            return Ok(());
        }
        self.found.push(DataFile { place: Place::Local(place.path.clone()), bytes, partitions, deleted: Vec::new() });
        self.files.insert(place.real, place.path);
        Ok(())
    }

    fn leave_out(&mut self, path: PathBuf, reason: Reason) {
        self.left_out.push(LeftOut { path, reason });
    }
}

/// A file that says it is parquet and is not may hold rows that somebody misses.
pub(super) fn is_parquet(mut file: impl Read, place: &Place) -> Result<bool, Problem> {
    let start = first_bytes(&mut file).map_err(|error| place.unreadable(&error))?;
    if start == b"PAR1" {
        return Ok(true);
    }
    let claims = Ending::of(place.name()) == Ending::Of(Format::Parquet) || start == b"PARE";
    if claims { Err(not_parquet(place)) } else { Ok(false) }
}

/// Whether a file is one of a format of texts, as far as its name says. Those of parquet are told by their bytes.
pub(super) fn is_text_by_name(format: Format, name: &Path, ending_named: bool) -> Option<bool> {
    match (format, Ending::of(name)) {
        (Format::Parquet, _) => None,
        (format, Ending::Of(other)) => Some(format == other),
        (_, Ending::Unknown) if !ending_named => Some(false),
        (_, Ending::Unknown | Ending::Missing) => None,
    }
}

/// An ending that a pattern names is taken at its word, unless the bytes cannot be text.
pub(super) fn is_text_of(format: Format, content: Content, ending_named: bool) -> bool {
    match content {
        Content::Parquet | Content::Binary => false,
        Content::Json => ending_named || format == Format::Json,
        Content::Text => ending_named || format == Format::Csv,
        Content::Empty => ending_named,
    }
}
