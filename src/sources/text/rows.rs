//! Chunks as columns.

use arrow::array::ArrayRef;

use super::{Chunk, RowProblem, TextColumn, Unfit, csv, json_lines};

/// A column of a file that is wanted.
pub(crate) struct Wanted {
    name: String,
    column: TextColumn,
    null_if_unfit: bool,
    unfit: u64,
}

impl Wanted {
    /// The column that the file calls `name`, and what its values become. A value that does not fit
    /// is an error, or null and counted.
    pub(crate) fn new(name: impl Into<String>, column: TextColumn, null_if_unfit: bool) -> Self {
        Self { name: name.into(), column, null_if_unfit, unfit: 0 }
    }

    /// What the file calls the column.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many values became null because they do not fit.
    pub(crate) fn unfit(&self) -> u64 {
        self.unfit
    }

    /// Appends a value of the row on a line.
    #[inline]
    pub(super) fn push(
        &mut self,
        line: u64,
        push: impl FnOnce(&mut TextColumn) -> Result<(), Unfit>,
    ) -> Result<(), RowProblem> {
        match push(&mut self.column) {
            Ok(()) => Ok(()),
            Err(unfit) => self.push_unfit(line, &unfit),
        }
    }

    #[cold]
    fn push_unfit(&mut self, line: u64, unfit: &Unfit) -> Result<(), RowProblem> {
        if !self.null_if_unfit {
            return Err(RowProblem::of_value(line, &self.name, unfit.to_string()));
        }
        self.unfit += 1;
        self.column.push_null();
        Ok(())
    }

    pub(super) fn push_null(&mut self) {
        self.column.push_null();
    }
}

/// Some rows of a file.
#[derive(Debug, Clone)]
pub(crate) struct Batch {
    /// How many, also without columns.
    pub rows: usize,
    /// The wanted columns, in the order in which they were asked for.
    pub columns: Vec<ArrayRef>,
}

/// How large a batch may become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) rows: usize,
    /// Bytes of the file.
    pub(super) bytes: usize,
}

impl Limits {
    const USUAL: Self = Self { rows: 8_192, bytes: 8 << 20 };
}

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

/// Where in a chunk and in its file the next row begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: usize,
    pub(super) line: u64,
}

impl Rows {
    /// Rows of a CSV file.
    ///
    /// # Errors
    /// When its heading has no wanted column, or has it twice.
    pub(crate) fn of_csv(heading: &csv::Heading, wanted: Vec<Wanted>) -> Result<Self, RowProblem> {
        let fields = wanted.iter().map(|wanted| heading.position(&wanted.name)).collect::<Result<Vec<_>, _>>()?;
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
        let columns = self.wanted.iter_mut().map(|wanted| wanted.column.finish()).collect();
        match filled {
            Ok(rows) if rows > 0 => return Ok(Some(Batch { rows, columns })),
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

/// The text of a chunk. It is checked as a whole, which is much faster than value by value; only
/// when something in it is not UTF-8, each value is.
pub(super) enum ChunkText {
    Utf8(String),
    Other(Vec<u8>),
}

impl ChunkText {
    pub(super) fn new(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|error| Self::Other(error.into_bytes()), Self::Utf8)
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Utf8(text) => text.as_bytes(),
            Self::Other(bytes) => bytes,
        }
    }

    /// A part of the text, unless it is not UTF-8.
    #[inline]
    pub(super) fn get(&self, start: usize, end: usize) -> Option<&str> {
        match self {
            Self::Utf8(text) => text.get(start..end),
            Self::Other(bytes) => str::from_utf8(bytes.get(start..end)?).ok(),
        }
    }
}
