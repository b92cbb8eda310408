use std::{
    io::{self, Read as _},
    path::Path,
    sync::Arc,
};

use super::discover::definition_files;
use crate::{
    config::StoreConfig,
    definitions::{LoadOptions, format::Collected, lower::lower},
    diagnostics::{Diagnostics, SourceText, Span},
    model::Repo,
    problem::Advice,
    yaml,
};

/// Reads every definition of the configured repo. Nothing comes back when there is an error among
/// the findings.
///
/// # Errors
/// When the repo folder cannot be read; what is wrong with a file is a finding.
pub fn load(
    config: &StoreConfig,
    options: &LoadOptions<'_>,
    diagnostics: &mut Diagnostics,
) -> io::Result<Option<Repo>> {
    let mut files = Vec::new();
    let found = definition_files(&config.repo, &config.file)?;
    for (folder, error) in found.unreadable {
        let file = Arc::new(SourceText::new((options.display_path)(&folder), String::new()));
        let message = format!("the folder cannot be read: {error}; definitions in it are missing");
        let help = "name it in .feastignore if it holds none, or make it readable".to_owned();
        diagnostics.warning(&Span::start_of(&file), message, help);
    }
    for path in found.files {
        let shown = (options.display_path)(&path);
        match read_file(&path) {
            Ok(bytes) => match String::from_utf8(bytes) {
                Ok(text) => files.push(Arc::new(SourceText::new(shown, text))),
                Err(error) => {
                    let valid = error.utf8_error().valid_up_to();
                    let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                    let file = Arc::new(SourceText::new(shown, text));
                    diagnostics.error(&Span::new(&file, valid..valid), "the file is not UTF-8 text");
                }
            },
            Err(message) => {
                let file = Arc::new(SourceText::new(shown, String::new()));
                let help = "if it holds no definitions, name it in .feastignore".to_owned();
                diagnostics.error_with_help(&Span::start_of(&file), message, help);
            }
        }
    }
    if files.is_empty() && !diagnostics.has_errors() {
        let message = format!("{} has no definition files", (options.display_path)(&config.repo).display());
        diagnostics.warning_without_place(message, Advice::NameRepo);
    }
    let mut collected = Collected::default();
    for raw in yaml::read_all(&files, diagnostics) {
        collected.add(raw);
    }
    let repo = lower(collected, config, options, diagnostics);
    Ok(repo.filter(|_| !diagnostics.has_errors()))
}

/// Largest definition file in bytes: far more than people write, little enough to hold in memory
/// several times.
const MAX_FILE: u64 = 32 << 20;

/// The content of a file, or why there is none.
fn read_file(path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |error: io::Error| format!("the file cannot be read: {error}");
    // Looked at before it is opened: opening a pipe waits for somebody who writes.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("this is not a regular file".to_owned());
    }
    let mut bytes = Vec::new();
    // One byte more than allowed tells the rest; the size of a file may change or be a lie.
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(format!("the file is larger than the {} MiB that definitions may have", MAX_FILE >> 20));
    }
    Ok(bytes)
}
