use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::problem::{Kind, Problem};

/// How long to wait for another program that is writing.
pub(crate) const LOCK_WAIT: Duration = Duration::from_secs(10);

/// An SQLite file with the part it plays.
#[derive(Debug, Clone)]
pub struct SqliteFile {
    role: &'static str,
    path: PathBuf,
}

impl SqliteFile {
    /// The file at `path`, called `role` in messages. It need not exist.
    pub const fn new(role: &'static str, path: PathBuf) -> Self {
        Self { role, path }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// A connection that changes nothing, or `None` when there is no file.
    ///
    /// It rolls back what a killed writer left half done, which SQLite only does for connections
    /// that could write.
    ///
    /// # Errors
    /// When the file cannot be opened.
    pub fn open_for_reading(&self) -> Result<Option<Connection>, Problem> {
        if !self.path.exists() {
            return Ok(None);
        }
        // SQLite opens files that must not be written read-only.
        let connection = self.open(OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        connection.pragma_update(None, "query_only", true).map_err(|error| self.explain(&error))?;
        Ok(Some(connection))
    }

    /// A connection for reading and writing; the file and its folder are created if missing.
    ///
    /// # Errors
    /// When the file cannot be created or opened.
    pub fn open_for_writing(&self) -> Result<Connection, Problem> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| {
                Problem::new(
                    Kind::Unavailable,
                    format!("cannot create the folder of the {} {}: {error}", self.role, self.path.display()),
                    None,
                )
            })?;
        }
        self.open(OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn open(&self, mode: OpenFlags) -> Result<Connection, Problem> {
        let open = || {
            let connection = Connection::open_with_flags(&self.path, mode | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
            connection.busy_timeout(LOCK_WAIT)?;
            Ok(connection)
        };
        open().map_err(|error| self.explain(&error))
    }

    /// What an error of SQLite means for the person.
    pub fn explain(&self, error: &rusqlite::Error) -> Problem {
        let what = format!("the {} {}", self.role, self.path.display());
        let (message, help) = match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase) => {
                (format!("{what} is not an SQLite database"), "check the path in feature_store.yaml".to_owned())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => (
                format!("{what} is locked: another process is writing it"),
                format!("feastr waited {} s; try again when the other one is done", LOCK_WAIT.as_secs()),
            ),
            Some(ErrorCode::DatabaseCorrupt) => {
                let help = "restore it from a backup, or start a new file".to_owned();
                return Problem::new(Kind::Internal, format!("{what} is damaged: {error}"), help);
            }
            Some(ErrorCode::DiskFull) => (format!("no space left for {what}"), "free space and run again".to_owned()),
            Some(ErrorCode::SystemIoFailure) => (
                format!("{what} cannot be read or written: {error}"),
                "the disk may be full, or damaged; free space and run again".to_owned(),
            ),
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                (format!("{what} cannot be written"), "check the permissions of the file and of its folder".to_owned())
            }
            Some(ErrorCode::CannotOpen) => (
                format!("{what} cannot be opened"),
                "check that it is a file and that you may read and write it and its folder".to_owned(),
            ),
            _ => return Problem::new(Kind::Unavailable, format!("{what} cannot be used: {error}"), None),
        };
        Problem::new(Kind::Unavailable, message, Some(help))
    }
}
