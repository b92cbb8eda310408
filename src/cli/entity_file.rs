use std::{
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;

use super::{CommandError, context::display_path};
use crate::sources::Format;

/// A file of entity rows that was named on the command line.
pub struct EntityFile {
    pub path: PathBuf,
    pub format: Format,
    /// What messages call it.
    pub shown: String,
    /// Rows that can be read only once are read more than once from here.
    _copy: Option<NamedTempFile>,
}

impl EntityFile {
    /// Looks which format the file has; `-` is standard input. Pipes are copied to a temporary file.
    pub fn open(path: &Path) -> Result<Self, CommandError> {
        let is_stdin = path == Path::new("-");
        let shown = if is_stdin { "stdin".to_owned() } else { display_path(path).display().to_string() };
        let unreadable = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => CommandError::new(format!("there is no entity file {shown}"), None),
            _ => CommandError::new(format!("cannot read {shown}: {error}"), None),
        };
        let kind = if is_stdin { None } else { Some(std::fs::metadata(path).map_err(unreadable)?.file_type()) };
        if kind.is_some_and(|kind| kind.is_dir()) {
            return Err(CommandError::new(
                format!("{shown} is a folder"),
                "name a file; entity rows are read from one".to_owned(),
            ));
        }
        if kind.is_some_and(|kind| kind.is_file()) {
            let format = Format::of_file(path).map_err(unreadable)?;
            return Ok(Self { path: path.to_owned(), format, shown, _copy: None });
        }
        let mut copy = NamedTempFile::new()?;
        let copied = match kind {
            None => io::copy(&mut io::stdin().lock(), &mut copy),
            Some(_) => File::open(path).and_then(|mut pipe| io::copy(&mut pipe, &mut copy)),
        };
        copied.map_err(unreadable)?;
        copy.flush()?;
        let format = Format::of_file(copy.path()).map_err(unreadable)?;
        Ok(Self { path: copy.path().to_owned(), format, shown, _copy: Some(copy) })
    }
}
