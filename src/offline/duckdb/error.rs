use crate::{
    config::MemoryLimit,
    model::printable,
    problem::{Kind, Problem},
};

/// What an error of DuckDB means for the person, while doing `what`.
pub fn explain(what: &str, error: &duckdb::Error, memory: &MemoryLimit) -> Problem {
    let text = error.to_string();
    // DuckDB puts the kind of error in front and hints behind; the first line says what happened.
    let line = text.lines().next().unwrap_or(&text);
    let message = line.split_once("Error: ").map_or(line, |(_, message)| message);
    if text.contains("max_temp_directory_size") || message.contains("No space left on device") {
        return Problem::new(
            Kind::Invalid,
            format!("{what}: there is no space left for temporary files"),
            "free space in the folder for temporary files (TMPDIR), or give more memory with --memory-limit".to_owned(),
        );
    }
    if text.starts_with("Out of Memory Error") {
        return Problem::new(
            Kind::Invalid,
            format!("{what}: the work needs more memory than the {memory} that it may use"),
            "allow more with --memory-limit or FEASTR_MEMORY_LIMIT".to_owned(),
        );
    }
    Problem::new(Kind::Invalid, format!("{what}: {}", printable(message)), None)
}
