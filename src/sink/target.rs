use std::{
    fs::File,
    io::{self, BufWriter, Stdout, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tempfile::NamedTempFile;

/// A place for bytes: a file that appears when it is complete, or stdout.
pub struct Target {
    place: Place,
    failure: LastFailure,
}

enum Place {
    File { temporary: BufWriter<NamedTempFile>, path: PathBuf },
    Stdout(BufWriter<Stdout>),
}

/// The kind of the last error, because writers of formats pass it on as mere text.
#[derive(Debug, Clone, Default)]
pub struct LastFailure(Arc<Mutex<Option<io::ErrorKind>>>);

impl LastFailure {
    /// The last error of the target, if it had one.
    pub fn get(&self) -> Option<io::Error> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).map(io::Error::from)
    }

    fn note<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error.kind());
        }
        result
    }
}

impl Target {
    /// A file that will be called `path`.
    ///
    /// # Errors
    /// When its folder cannot be written.
    pub fn file(path: &Path) -> io::Result<Self> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let temporary = tempfile::Builder::new().prefix(&format!(".{name}.")).suffix(".part").tempfile_in(folder)?;
        let place = Place::File { temporary: BufWriter::new(temporary), path: path.to_owned() };
        Ok(Self { place, failure: LastFailure::default() })
    }

    pub fn stdout() -> Self {
        Self { place: Place::Stdout(BufWriter::new(io::stdout())), failure: LastFailure::default() }
    }

    /// Watches this target's errors.
    pub fn failure(&self) -> LastFailure {
        self.failure.clone()
    }

    /// Makes sure that everything is written, and gives a file its name.
    ///
    /// # Errors
    /// When the last bytes cannot be written or the name cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        match self.place {
            Place::Stdout(mut stdout) => stdout.flush(),
            Place::File { temporary, path } => {
                let temporary = temporary.into_inner().map_err(io::IntoInnerError::into_error)?;
                temporary.as_file().sync_all()?;
                let permissions = readable_by_others(temporary.as_file())?;
                temporary.as_file().set_permissions(permissions)?;
                temporary.persist(path).map_err(|error| error.error)?;
                Ok(())
            }
        }
    }
}

/// Temporary files are private; a result is a file like any other.
#[cfg(unix)]
fn readable_by_others(file: &File) -> io::Result<std::fs::Permissions> {
    use std::os::unix::fs::PermissionsExt;
    const ORDINARY: u32 = 0o644;
    let mut permissions = file.metadata()?.permissions();
    permissions.set_mode(ORDINARY);
    Ok(permissions)
}

#[cfg(not(unix))]
fn readable_by_others(file: &File) -> io::Result<std::fs::Permissions> {
    Ok(file.metadata()?.permissions())
}

impl Write for Target {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match &mut self.place {
            Place::File { temporary, .. } => temporary.write(bytes),
            Place::Stdout(stdout) => stdout.write(bytes),
        };
        self.failure.note(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        let flushed = match &mut self.place {
            Place::File { temporary, .. } => temporary.flush(),
            Place::Stdout(stdout) => stdout.flush(),
        };
        self.failure.note(flushed)
    }
}
