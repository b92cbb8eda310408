//! Files that say what a run did.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
};

use crate::{
    cli::{CommandError, Context},
    clients::{buckets::Expected, runtime::wait},
    config::BucketUrl,
    materialize::{RunReport, metrics},
    sink::{Target, folder_of, follow_links},
};

/// Whether the files for report and metrics can be written, as far as that shows before the run.
pub(crate) fn check(report: Option<&Path>, metrics: Option<&Path>, context: &Context) -> Result<(), CommandError> {
    let mut files = Vec::new();
    for path in [report, metrics].into_iter().flatten() {
        if let Some(url) = path.to_str().and_then(BucketUrl::parse) {
            let url = url?;
            wait(context.bucket(&url)?.head(&url.key))?;
            files.push(path.to_owned());
            continue;
        }
        let path = context.target(path);
        let refuse = |why: &str| Err(CommandError::new(format!("cannot write {}: {why}", path.display()), None));
        if path.is_dir() {
            return refuse("it is a folder");
        }
        let file = match follow_links(&path) {
            Ok(file) => file,
            Err(error) => return refuse(&error.to_string()),
        };
        let folder = folder_of(&file);
        match (fs::canonicalize(folder), file.file_name()) {
            (Ok(folder), Some(name)) => files.push(folder.join(name)),
            // The links of the system to open pipes lead to no folder, and yet to something.
            _ if path.exists() => files.push(file),
            _ => return refuse(&format!("there is no folder {}", folder.display())),
        }
    }
    match files.as_slice() {
        [report, metrics] if report == metrics => Err(CommandError::new(
            format!("--report and --metrics-file are the same file {}", report.display()),
            "name two files".to_owned(),
        )),
        _ => Ok(()),
    }
}

/// Writes the report as JSON.
pub(crate) fn write_report(path: &Path, report: &RunReport, context: &Context) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(report).map_err(io::Error::other)?;
    write(path, format!("{text}\n"), context)
}

/// Writes the metrics of the run.
pub(crate) fn write_metrics(path: &Path, report: &RunReport, context: &Context) -> Result<(), CommandError> {
    write(path, metrics(report).map_err(io::Error::other)?, context)
}

/// Puts a whole file in place of the old one: a reader sees the one or the other.
fn write(path: &Path, text: String, context: &Context) -> Result<(), CommandError> {
    if let Some(url) = path.to_str().and_then(BucketUrl::parse) {
        let url = url?;
        wait(context.bucket(&url)?.put(&url.key, text.into(), Expected::Anything))?;
        return Ok(());
    }
    let path = &context.target(path);
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
