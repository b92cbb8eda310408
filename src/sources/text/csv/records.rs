//! Records as rows of columns.

use super::{
    Heading,
    split::{Field, Malformed, split},
};
use crate::sources::text::{
    RowProblem,
    batch::{Limits, Wanted},
    chunk_text::{ChunkText, Place},
};

/// Reads the wanted fields of records.
pub(in crate::sources::text) struct Records {
    delimiter: u8,
    /// How many fields a record must have.
    width: usize,
    /// Which field each wanted column is.
    positions: Vec<usize>,
    fields: Vec<Field>,
    /// A field whose doubled quotes are single.
    unescaped: String,
}

impl Records {
    pub(in crate::sources::text) fn new(heading: &Heading, positions: Vec<usize>) -> Self {
        let (delimiter, width) = (heading.dialect.delimiter, heading.names.len());
        Self { delimiter, width, positions, fields: Vec::with_capacity(width), unescaped: String::new() }
    }

    /// Appends rows to the columns as long as they are within the limits, and tells the line of each.
    pub(in crate::sources::text) fn fill(
        &mut self,
        text: &ChunkText,
        place: &mut Place,
        wanted: &mut [Wanted],
        limits: Limits,
    ) -> Result<Vec<u64>, RowProblem> {
        let bytes = text.bytes();
        let last = place.offset.saturating_add(limits.bytes);
        let mut lines = Vec::new();
        while lines.len() < limits.rows && place.offset < bytes.len().min(last) {
            match &bytes[place.offset..] {
                [b'\n', ..] => place.offset += 1,
                [b'\r', b'\n', ..] => place.offset += 2,
                [b'\r'] => place.offset += 1,
                _ => {
                    lines.push(place.line);
                    self.row(text, place, wanted)?;
                    continue;
                }
            }
            place.line += 1;
        }
        Ok(lines)
    }

    fn row(&mut self, text: &ChunkText, place: &mut Place, wanted: &mut [Wanted]) -> Result<(), RowProblem> {
        let line = place.line;
        self.fields.clear();
        let (next, lines) = split(text.bytes(), place.offset, self.delimiter, &mut self.fields)
            .map_err(|malformed| self.malformed(line, malformed))?;
        *place = Place { offset: next, line: line + lines };
        if self.fields.len() != self.width {
            return Err(self.wrong_width(line));
        }
        for (position, wanted) in self.positions.iter().zip(wanted) {
            let field = self.fields[*position];
            let Some(mut value) = text.get(field.start, field.end) else {
                return Err(RowProblem::of_value(line, wanted.name(), "the value is not UTF-8 text"));
            };
            if field.doubled {
                self.unescaped.clear();
                for (index, part) in value.split("\"\"").enumerate() {
                    self.unescaped.push_str(if index > 0 { "\"" } else { "" });
                    self.unescaped.push_str(part);
                }
                value = &self.unescaped;
            }
            wanted.push(line, |column| column.push_text(value))?;
        }
        Ok(())
    }

    fn malformed(&self, line: u64, malformed: Malformed) -> RowProblem {
        let message = match malformed {
            Malformed::OpenQuote => "has a quote that is never closed".to_owned(),
            Malformed::TextBehindQuote => {
                let field = self.fields.len();
                format!("has text behind the closing quote of field {field}; a quote inside of quotes is written twice")
            }
        };
        RowProblem::of_line(line, message)
    }

    fn wrong_width(&self, line: u64) -> RowProblem {
        let fields = |count| if count == 1 { "1 field".to_owned() } else { format!("{count} fields") };
        let message = format!("has {} where the heading has {}", fields(self.fields.len()), self.width);
        RowProblem::of_line(line, message)
    }
}
