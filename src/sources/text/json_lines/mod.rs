//! JSON lines: one object per line. Blank lines are skipped.

mod object;
mod objects;
mod observe;

use std::io::Read;

pub(super) use objects::Objects;
pub(crate) use observe::observe;

use super::{Chunk, Chunks, FirstRows, RowProblem, Rows, TextColumn, Wanted, chunks::Source, first_rows};
use object::Object;

/// Opens a file of JSON lines.
///
/// # Errors
/// When it cannot be read, or is UTF-16.
pub(crate) fn open(reader: Box<dyn Read + Send>, chunk_bytes: usize) -> Result<Chunks, RowProblem> {
    Ok(Chunks::of_lines(Source::open(reader, chunk_bytes)?))
}

/// The first rows of a file of JSON lines, at most `limit`, with all values as they are. Columns come in
/// the order in which these rows show them.
///
/// # Errors
/// When they cannot be read, or a line is not a JSON object.
pub(crate) fn first_rows_as_is(chunks: &mut Chunks, limit: usize) -> Result<FirstRows, RowProblem> {
    let mut first = Vec::new();
    let mut names: Vec<String> = Vec::new();
    each_object(chunks, limit, |line, text, object| {
        for (name, _) in object.0 {
            if !names.iter().any(|known| *known == name) {
                names.push(name.into_owned());
            }
        }
        first.push(Chunk { first_line: line, bytes: text.as_bytes().to_vec() });
    })?;
    let wanted = names.iter().map(|name| Wanted::new(name, TextColumn::as_is(), false)).collect();
    let mut first = first.into_iter();
    first_rows::of(names, Rows::of_json_lines(wanted), || Ok(first.next()), limit)
}

/// Visits the first objects of a file: their line, their text, their members.
fn each_object(
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
