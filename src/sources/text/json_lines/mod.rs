//! JSON lines: one object per line. Blank lines are skipped.

mod object;
mod objects;
mod observe;

use std::io::Read;

pub(super) use objects::Objects;
pub(crate) use observe::observe;

use super::{Chunks, RowProblem, chunks::Source};
use object::Object;

/// Opens a file of JSON lines.
///
/// # Errors
/// When it cannot be read, or is UTF-16.
pub(crate) fn open(reader: Box<dyn Read + Send>, chunk_bytes: usize) -> Result<Chunks, RowProblem> {
    Ok(Chunks::of_lines(Source::open(reader, chunk_bytes)?))
}

/// Visits the first objects of a file: their line, their text, their members.
pub(super) fn each_object(
    chunks: &mut Chunks,
    limit: usize,
    mut visit: impl FnMut(u64, &str, Object<'_>),
) -> Result<usize, RowProblem> {
    let mut rows = 0;
    while rows < limit {
        let Some(chunk) = chunks.next_chunk()? else { break };
        for (line, text) in (chunk.first_line..).zip(chunk.bytes.split(|byte| *byte == b'\n')) {
            if rows < limit && !text.trim_ascii().is_empty() {
                let text = str::from_utf8(text).map_err(|_| no_utf8(line))?;
                let object = serde_json::from_str(text).map_err(|error| no_object(line, &error))?;
                visit(line, text, object);
                rows += 1;
            }
        }
    }
    Ok(rows)
}

fn no_utf8(line: u64) -> RowProblem {
    RowProblem::of_line(line, "is not UTF-8 text")
}

/// The parser counts lines too, but of the text that it was given.
fn no_object(line: u64, error: &serde_json::Error) -> RowProblem {
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    // Zero stands for the whole text.
    let place = if error.column() > 0 { format!(" at byte {}", error.column()) } else { String::new() };
    RowProblem::of_line(line, format!("is not a JSON object: {reason}{place}"))
}

#[cfg(test)]
mod tests;
