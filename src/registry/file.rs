//! The registry in Feast's protobuf file: locked by a file beside it, and replaced by a complete one.

use std::{
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use uuid::Uuid;

use super::{
    change_log::{ChangeLog, WantedChanges, records},
    changes_file::ChangesFile,
    lock_file::LockFile,
    locks::{Holder, LockName, Locking, Locks, ViewLock},
    message,
    objects::{Mark, Objects, Snapshot, VersionRow, Write},
    run_log::RunLog,
    runs_file::RunsFile,
    traits::Registry,
};
use crate::{
    feast::registry::file::RegistryFile,
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, Timestamp, ViewId},
    problem::{Kind, Problem},
};

/// How often an update is tried when Python Feast, which takes no lock, writes the file meanwhile.
const ATTEMPTS: u32 = 6;

/// Feast's registry in one protobuf file.
pub(crate) struct FileRegistry {
    path: PathBuf,
    locking: Locking,
}

impl FileRegistry {
    /// The registry in the file at `path`, which need not exist yet.
    pub(crate) fn new(path: PathBuf, locking: Locking) -> Self {
        Self { path, locking }
    }

    /// The bytes of the file; `None` when there is none.
    fn bytes(&self) -> Result<Option<Vec<u8>>, Problem> {
        match std::fs::read(&self.path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    fn unreadable(&self, error: &std::io::Error) -> Problem {
        Problem::new(
            Kind::Unavailable,
            format!("the registry {} cannot be read: {error}", self.location()),
            "check that it is a file and that you may read it".to_owned(),
        )
    }

    fn parse(&self, bytes: Option<&[u8]>) -> Result<RegistryFile, Problem> {
        message::parse(bytes, &self.location(), || {
            format!("write `registry_type: sql` and `path: sqlite:///{}`", self.path.display())
        })
    }

    /// Puts a whole file in place of the old one, or fails and leaves that one.
    fn replace(&self, bytes: &[u8]) -> Result<(), Problem> {
        // A link stays one: what it points to is replaced.
        let target = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let folder = target.parent().unwrap_or_else(|| Path::new("."));
        let write = || {
            let mut part = tempfile::Builder::new().prefix(".registry.").suffix(".part").tempfile_in(folder)?;
            part.write_all(bytes)?;
            match std::fs::metadata(&target) {
                Ok(old) => part.as_file().set_permissions(old.permissions())?,
                Err(_) => part.as_file().set_permissions(usual_permissions(folder)?)?,
            }
            part.as_file().sync_all()?;
            part.persist(&target).map_err(|error| error.error)?;
            sync_folder(folder)
        };
        write().map_err(|error: std::io::Error| match error.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => Problem::new(
                Kind::Unavailable,
                format!("no space left for the registry {}", self.location()),
                FREE.to_owned(),
            ),
            _ => Problem::new(
                Kind::Unavailable,
                format!("the registry {} cannot be written: {error}", self.location()),
                "check the permissions of the file and of its folder".to_owned(),
            ),
        })
    }
}

const FREE: &str = "nothing was changed; free space and run again";

/// What a file gets that is made without a word about permissions.
fn usual_permissions(folder: &Path) -> std::io::Result<std::fs::Permissions> {
    let probe = tempfile::Builder::new()
        .prefix(".registry.")
        .suffix(".probe")
        .make_in(folder, |path| std::fs::OpenOptions::new().write(true).create_new(true).open(path))?;
    probe.as_file().metadata().map(|file| file.permissions())
}

#[cfg(unix)]
fn sync_folder(folder: &Path) -> std::io::Result<()> {
    std::fs::File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> std::io::Result<()> {
    Ok(())
}

impl Objects for FileRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        Ok(message::snapshot(&self.parse(self.bytes()?.as_deref())?, project))
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        Ok(message::view(&self.parse(self.bytes()?.as_deref())?, view))
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        Ok(message::names(&self.parse(self.bytes()?.as_deref())?, project, kinds))
    }

    /// Every change replaces the file, or at least its time.
    fn mark(&self, _: &str) -> Result<Option<Mark>, Problem> {
        let metadata = match std::fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(self.unreadable(&error)),
        };
        let modified = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        Ok(modified.map(|modified| {
            let text = format!("{} {}", modified.as_nanos(), metadata.len());
            let micros = i64::try_from(modified.as_micros()).unwrap_or(i64::MAX);
            // Some file systems know seconds only.
            Mark { text, settled: Timestamp::from_micros(micros.saturating_add(2_000_000)) }
        }))
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        Ok(message::projects(&self.parse(self.bytes()?.as_deref())?))
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        Ok(message::versions(&self.parse(self.bytes()?.as_deref())?, project))
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.change(project, &mut |file| decide(&message::snapshot(file, project)))
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.change(view.project, &mut |file| decide(&message::view(file, view)))
    }
}

impl FileRegistry {
    /// Changes the file under its lock.
    fn change(
        &self,
        project: &str,
        decide: &mut dyn FnMut(&RegistryFile) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Problem::new(
                    Kind::Unavailable,
                    format!("cannot create the folder of the registry {}: {error}", self.location()),
                    None,
                )
            })?;
        }
        let _lock = LockFile::take(&self.path, &self.locking)?;
        for _ in 0..ATTEMPTS {
            let bytes = self.bytes()?;
            let mut file = self.parse(bytes.as_deref())?;
            let Some(writes) = decide(&file) else { return Ok(()) };
            let records = records(&writes);
            for write in writes {
                message::carry_out(&mut file, project, write);
            }
            let new = file.encode(&Uuid::new_v4().to_string());
            if self.bytes()? == bytes {
                self.replace(&new)?;
                return ChangesFile::of(&self.path).add(project, records);
            }
        }
        Err(Problem::new(
            Kind::Conflict,
            format!("another program keeps changing the registry {} at the same time", self.location()),
            "nothing was changed; try again when it is done".to_owned(),
        ))
    }
}

impl Locks for FileRegistry {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        Ok(ViewLock::new(LockFile::take_named(&self.path, &LockName::of_view(view), &self.locking)?))
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        Ok(LockFile::holder_of(&self.path, &LockName::of_view(view)))
    }
}

impl RunLog for FileRegistry {
    /// The first run that is noted makes the file.
    fn create_run_log(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        RunsFile::of(&self.path).record(project, run, &self.locking)
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        let mut runs = RunsFile::of(&self.path).of_project(project)?;
        runs.retain(|run| views.is_empty() || views.contains(&run.view));
        runs.truncate(limit);
        Ok(runs)
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        RunsFile::of(&self.path).forget(project, &self.locking)
    }
}

impl ChangeLog for FileRegistry {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        ChangesFile::of(&self.path).read(project, wanted)
    }
}

impl Registry for FileRegistry {
    fn location(&self) -> String {
        self.path.display().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn problems_have_the_kind_of_their_cause() {
        let folder = tempfile::tempdir().unwrap();
        let kind = |bytes: &[u8]| {
            let path = folder.path().join("registry.db");
            std::fs::write(&path, bytes).unwrap();
            FileRegistry::new(path, Locking::default()).snapshot("p").unwrap_err().kind
        };
        assert_eq!((kind(b""), kind(b"not a message")), (Kind::Internal, Kind::Internal));
        assert_eq!(kind(b"\x1a\x019"), Kind::Unsupported);
        assert_eq!(kind(b"SQLite format 3\0"), Kind::Unavailable);
        let of_folder = FileRegistry::new(folder.path().to_owned(), Locking::default());
        assert_eq!(of_folder.snapshot("p").unwrap_err().kind, Kind::Unavailable);
    }
}
