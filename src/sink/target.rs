use std::{
    fs::File,
    io::{self, BufWriter, Stdout, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

/// A place for bytes: a file that appears when it is complete, or stdout.
pub enum Target {
    File { temporary: BufWriter<NamedTempFile>, path: PathBuf },
    Stdout(BufWriter<Stdout>),
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
        Ok(Self::File { temporary: BufWriter::new(temporary), path: path.to_owned() })
    }

    pub fn stdout() -> Self {
        Self::Stdout(BufWriter::new(io::stdout()))
    }

    /// Makes sure that everything is written, and gives a file its name.
    ///
    /// # Errors
    /// When the last bytes cannot be written or the name cannot be taken.
    pub fn finish(self) -> io::Result<()> {
        match self {
            Self::Stdout(mut stdout) => stdout.flush(),
            Self::File { temporary, path } => {
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
        match self {
            Self::File { temporary, .. } => temporary.write(bytes),
            Self::Stdout(stdout) => stdout.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::File { temporary, .. } => temporary.flush(),
            Self::Stdout(stdout) => stdout.flush(),
        }
    }
}
