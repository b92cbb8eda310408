//! The first record: what the columns are called.

use std::io::Read;

use super::split::{Field, Malformed, split};
use crate::sources::text::{Chunks, RowProblem, chunks::Source};

/// No heading is longer, in bytes.
const LONGEST: usize = 16 << 20;

/// What a delimiter may be unless it is declared, the first one before the others.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// The character between fields.
    pub delimiter: u8,
}

/// The heading of a CSV file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Heading {
    /// The names of the columns, without quotes and without blanks around them.
    pub names: Vec<String>,
    pub dialect: Dialect,
}

impl Heading {
    /// Reads the heading of a CSV file; the chunks go on behind it. Without `delimiter` it is the one
    /// of comma, semicolon, tab and `|` that the heading has most often outside quotes.
    ///
    /// # Errors
    /// When the file cannot be read, is UTF-16 or empty, or its heading is malformed.
    pub(crate) fn read(
        reader: Box<dyn Read + Send>,
        delimiter: Option<u8>,
        chunk_bytes: usize,
    ) -> Result<(Self, Chunks), RowProblem> {
        if delimiter.is_some_and(|delimiter| matches!(delimiter, b'"' | b'\r' | b'\n')) {
            return Err(RowProblem::of_file("cannot have a quote or an end of a line as delimiter"));
        }
        let mut source = Source::open(reader, chunk_bytes)?;
        skip_blank_lines(&mut source)?;
        let delimiter = match delimiter {
            Some(delimiter) => delimiter,
            None => {
                let end = end(&mut source, &DELIMITERS)?;
                most_frequent(&source.buffer[..end])
            }
        };
        let end = end(&mut source, &[delimiter])?;
        let names = names(&source, end, delimiter)?;
        source.take(end);
        Ok((Self { names, dialect: Dialect { delimiter } }, Chunks::of_records(source, delimiter)))
    }

    /// Which field of a record a column is.
    pub(in crate::sources::text) fn position(&self, name: &str) -> Result<usize, RowProblem> {
        let mut positions = (0..self.names.len()).filter(|position| self.names[*position] == name);
        match (positions.next(), positions.next()) {
            (Some(position), None) => Ok(position),
            (Some(_), Some(_)) => Err(RowProblem::of_file(format!("has two columns `{name}`"))),
            (None, _) => Err(RowProblem::of_file(format!("has no column `{name}`"))),
        }
    }
}

fn skip_blank_lines(source: &mut Source) -> Result<(), RowProblem> {
    loop {
        while source.buffer.len() < 2 && !source.finished {
            source.more()?;
        }
        match source.buffer.as_slice() {
            [b'\n', ..] => drop(source.take(1)),
            [b'\r', b'\n', ..] => drop(source.take(2)),
            [] => return Err(RowProblem::of_file("is empty; its first line must name the columns")),
            _ => return Ok(()),
        }
    }
}

/// Behind the first record, which is read as far as that.
fn end(source: &mut Source, delimiters: &[u8]) -> Result<usize, RowProblem> {
    let mut state = State::FieldStart;
    let mut at = 0;
    loop {
        for byte in &source.buffer[at..] {
            at += 1;
            state = state.after(*byte, delimiters);
            if state == State::End {
                return Ok(at);
            }
        }
        if source.finished {
            return Ok(at);
        }
        if at > LONGEST {
            return Err(RowProblem::of_line(source.line, "is too long to be a heading"));
        }
        source.more()?;
    }
}

/// Where in a record a byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    FieldStart,
    Field,
    Quotes,
    /// Behind a quote in quotes, which closes them unless another one follows.
    Quote,
    End,
}

impl State {
    fn after(self, byte: u8, delimiters: &[u8]) -> Self {
        match (self, byte) {
            (Self::FieldStart | Self::Quote, b'"') => Self::Quotes,
            (Self::Quotes, b'"') => Self::Quote,
            (Self::Quotes, _) => Self::Quotes,
            (_, b'\n') => Self::End,
            (_, byte) if delimiters.contains(&byte) => Self::FieldStart,
            _ => Self::Field,
        }
    }
}

fn most_frequent(record: &[u8]) -> u8 {
    let mut counts = [0_usize; DELIMITERS.len()];
    let mut state = State::FieldStart;
    for byte in record {
        state = state.after(*byte, &DELIMITERS);
        if let Some(index) = DELIMITERS.iter().position(|delimiter| delimiter == byte && state == State::FieldStart) {
            counts[index] += 1;
        }
    }
    // The last of equals would win, so the first one is put there.
    let most = (0..DELIMITERS.len()).rev().max_by_key(|index| counts[*index]);
    DELIMITERS[most.unwrap_or(0)]
}

fn names(source: &Source, end: usize, delimiter: u8) -> Result<Vec<String>, RowProblem> {
    let mut fields = Vec::new();
    split(&source.buffer[..end], 0, delimiter, &mut fields).map_err(|malformed| {
        let message = match malformed {
            Malformed::OpenQuote => "has a quote that is never closed",
            Malformed::TextBehindQuote => "has text behind the closing quote of a field",
        };
        RowProblem::of_line(source.line, message)
    })?;
    fields.iter().map(|field| name(source, *field)).collect()
}

fn name(source: &Source, field: Field) -> Result<String, RowProblem> {
    let problem = |message| RowProblem::of_line(source.line, message);
    let bytes = &source.buffer[field.start..field.end];
    let text = str::from_utf8(bytes).map_err(|_| problem("has a name that is not UTF-8 text"))?;
    if text.contains('\r') && !text.contains('\n') {
        return Err(problem("ends with CR alone; write LF or CRLF"));
    }
    let name = text.trim_ascii();
    Ok(if field.doubled { name.replace("\"\"", "\"") } else { name.to_owned() })
}
