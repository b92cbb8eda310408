//! DuckDB's errors in words that say what to do.

use crate::{
    config::MemoryLimit,
    embedded::words,
    problem::{Advice, Kind, Problem},
};

/// What an error of DuckDB means for the person, while doing `what`.
pub(crate) fn explain(what: &str, error: &duckdb::Error, memory: &MemoryLimit) -> Problem {
    let (text, message) = (error.to_string(), words(error));
    if text.contains("max_temp_directory_size") || message.contains("No space left on device") {
        let message = format!("{what}: there is no space left for temporary files");
        return Problem::new(Kind::Unavailable, message, None).advise(Advice::MoreSpaceOrMemory);
    }
    if text.starts_with("Out of Memory Error") {
        let message = format!("{what}: the work needs more memory than the {memory} that it may use");
        return Problem::new(Kind::Unavailable, message, None).advise(Advice::MoreMemory);
    }
    Problem::new(Kind::Internal, format!("{what}: {message}"), None)
}
