//! Chunks as columns.

use super::{
    Chunk, RowProblem, TextColumn,
    batch::{Batch, Limits, Wanted},
    chunk_text::{ChunkText, Place},
    csv, json_lines,
};

/// Turns chunks into batches of the wanted columns, in the order of the rows: first
/// [`Rows::start`] with a chunk, then [`Rows::next_batch`] until there is none.
pub(crate) struct Rows {
    format: Format,
    wanted: Vec<Wanted>,
    limits: Limits,
    text: ChunkText,
    place: Place,
}

enum Format {
    Csv(csv::Records),
    JsonLines(json_lines::Objects),
}

impl Rows {
    /// Rows of a CSV file.
    ///
    /// # Errors
    /// When its heading has no wanted column, or has it twice.
    pub(crate) fn of_csv(heading: &csv::Heading, wanted: Vec<Wanted>) -> Result<Self, RowProblem> {
        let fields = wanted.iter().map(|wanted| heading.position(wanted.name())).collect::<Result<Vec<_>, _>>()?;
        Ok(Self::new(Format::Csv(csv::Records::new(heading, fields)), wanted))
    }

    /// All fields of the rows of a CSV file, as they are.
    pub(super) fn of_csv_as_is(heading: &csv::Heading) -> Self {
        let wanted = heading.names.iter().map(|name| Wanted::new(name, TextColumn::as_is(), false)).collect();
        Self::new(Format::Csv(csv::Records::new(heading, (0..heading.names.len()).collect())), wanted)
    }

    /// Rows of a file of JSON lines. A column that an object has not is null in its row.
    pub(crate) fn of_json_lines(wanted: Vec<Wanted>) -> Self {
        let objects = json_lines::Objects::new(wanted.iter().map(Wanted::name));
        Self::new(Format::JsonLines(objects), wanted)
    }

    fn new(format: Format, wanted: Vec<Wanted>) -> Self {
        let (text, place) = (ChunkText::Utf8(String::new()), Place { offset: 0, line: 1 });
        Self { format, wanted, limits: Limits::USUAL, text, place }
    }

    pub(super) fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// Takes a chunk; what is left of the one before is forgotten.
    pub(crate) fn start(&mut self, chunk: Chunk) {
        self.place = Place { offset: 0, line: chunk.first_line };
        self.text = ChunkText::new(chunk.bytes);
    }

    /// The next at most 8192 rows or about 8 MiB of the chunk; `None` at its end.
    ///
    /// # Errors
    /// When a row has no such form, or a value does not fit; then the rest of the chunk is forgotten.
    pub(crate) fn next_batch(&mut self) -> Result<Option<Batch>, RowProblem> {
        let (place, wanted) = (&mut self.place, self.wanted.as_mut_slice());
        let filled = match &mut self.format {
            Format::Csv(records) => records.fill(&self.text, place, wanted, self.limits),
            Format::JsonLines(objects) => objects.fill(&self.text, place, wanted, self.limits),
        };
        // After an error some columns are longer than others.
        let columns = self.wanted.iter_mut().map(Wanted::finish).collect();
        match filled {
            Ok(lines) if !lines.is_empty() => return Ok(Some(Batch { lines, columns })),
            Ok(_) => self.forget(),
            Err(problem) => {
                self.forget();
                return Err(problem);
            }
        }
        Ok(None)
    }

    /// The wanted columns, with what did not fit of all chunks so far.
    pub(crate) fn wanted(&self) -> &[Wanted] {
        &self.wanted
    }

    fn forget(&mut self) {
        self.text = ChunkText::Utf8(String::new());
        self.place.offset = 0;
    }
}
