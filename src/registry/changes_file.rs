//! The log of changes in a file beside a registry file, a line of JSON for each.

use std::{
    fs::OpenOptions,
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use super::{change_log::WantedChanges, lock_file::beside};
use crate::{
    model::ChangeRecord,
    problem::{Kind, Problem},
};

/// The log beside a registry file.
pub(super) struct ChangesFile {
    path: PathBuf,
}

/// A line of the log, or an object of it in a bucket.
#[derive(Serialize, Deserialize)]
pub(super) struct Entry {
    project: String,
    #[serde(flatten)]
    record: ChangeRecord,
}

impl Entry {
    /// A change of a project.
    pub(super) fn new(project: &str, record: ChangeRecord) -> Self {
        Self { project: project.to_owned(), record }
    }

    /// As JSON, in one line.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub(super) fn text(&self) -> std::io::Result<String> {
        serde_json::to_string(self).map_err(std::io::Error::other)
    }

    /// The changes of a project among lines. Those that were cut off are left out.
    pub(super) fn of_project(bytes: &[u8], project: &str) -> Vec<ChangeRecord> {
        let entries = bytes.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Self>(line).ok());
        entries.filter(|entry| entry.project == project).map(|entry| entry.record).collect()
    }
}

impl ChangesFile {
    /// The log beside the registry in the file `registry`.
    pub(super) fn of(registry: &Path) -> Self {
        Self { path: beside(registry, ".changes.jsonl") }
    }

    /// Adds changes, under the lock of the registry.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn add(&self, project: &str, records: Vec<ChangeRecord>) -> Result<(), Problem> {
        if records.is_empty() {
            return Ok(());
        }
        let append = || {
            let mut text = String::new();
            for record in records {
                // What a crash left of a line must not spoil this one; empty lines are nothing.
                text = format!("{text}\n{}\n", Entry::new(project, record).text()?);
            }
            OpenOptions::new().create(true).append(true).open(&self.path)?.write_all(text.as_bytes())
        };
        append().map_err(|error| {
            self.cannot("written", &error, "the registry itself is changed; check permissions and space")
        })
    }

    /// The changes of a project that are wanted, the newest first.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(wanted.among(Entry::of_project(&bytes, project))),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(self.cannot("read", &error, "check the permissions of the file")),
        }
    }

    fn cannot(&self, what: &str, error: &std::io::Error, advice: &str) -> Problem {
        Problem::new(
            Kind::Unavailable,
            format!("the log of changes {} cannot be {what}: {error}", self.path.display()),
            advice.to_owned(),
        )
    }
}
