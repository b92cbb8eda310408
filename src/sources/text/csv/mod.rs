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

#[cfg(test)]
mod tests;
