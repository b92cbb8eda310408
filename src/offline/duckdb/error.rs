use crate::{model::printable, offline::OfflineError};

/// What an error of DuckDB means for the person, while doing `what`.
pub fn explain(what: &str, error: &duckdb::Error) -> OfflineError {
    let text = error.to_string();
    // DuckDB puts the kind of error in front and hints behind; the first line says what happened.
    let line = text.lines().next().unwrap_or(&text);
    let message = line.split_once("Error: ").map_or(line, |(_, message)| message);
    if text.starts_with("Out of Memory Error") {
        return OfflineError::new(
            format!("{what}: the work needs more memory than it may use, also with files to help out"),
            "free space in the folder for temporary files (TMPDIR)".to_owned(),
        );
    }
    OfflineError::new(format!("{what}: {}", printable(message)), None)
}
