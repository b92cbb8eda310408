//! CSV: a heading with the names of the columns, then records of as many fields.
//!
//! Records end with LF or CRLF, blank lines are skipped. A field may be in double quotes, and then
//! have delimiters, ends of lines and doubled quotes in it; elsewhere a quote is a character.

mod ends;
mod heading;
mod records;
mod split;

pub(super) use ends::RecordEnds;
pub(crate) use heading::Heading;
pub(super) use records::Records;

use super::{Chunks, FirstRows, RowProblem, Rows, first_rows};

/// The first rows of a CSV file, at most `limit`, with all fields as they are.
///
/// # Errors
/// When they cannot be read, or have no such form.
pub(crate) fn first_rows_as_is(heading: &Heading, chunks: &mut Chunks, limit: usize) -> Result<FirstRows, RowProblem> {
    first_rows::of(heading.names.clone(), Rows::of_csv_as_is(heading), || chunks.next_chunk(), limit)
}

#[cfg(test)]
mod tests;
