//! Files that say what a run did.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use crate::{
    cli::{CommandError, Context},
    materialize::{RunReport, metrics},
    sink::Target,
};

/// Whether the files can be written, as far as that shows before the run.
pub fn check(files: [&Option<PathBuf>; 2], context: &Context) -> Result<(), CommandError> {
    for path in files.into_iter().flatten() {
        let path = context.target(path);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
            let message = format!("cannot write {}: there is no folder {}", path.display(), folder.display());
            return Err(CommandError::new(message, None));
        }
    }
    Ok(())
}

/// Writes the report as JSON.
pub fn write_report(path: &Path, report: &RunReport) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    write(path, &format!("{text}\n"))
}

/// Writes the metrics of the run.
pub fn write_metrics(path: &Path, report: &RunReport) -> Result<(), CommandError> {
    write(path, &metrics(report).map_err(io::Error::other)?)
}

/// Puts a whole file in place of the old one: whoever reads it sees the one or the other.
fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    let write = || {
        let mut target = Target::file(path)?;
        target.write_all(text.as_bytes())?;
        target.finish()
    };
    write().map_err(|error: io::Error| {
        let message = format!("cannot write {}: {error}", path.display());
        CommandError::new(message, "the run is done all the same".to_owned())
    })
}
