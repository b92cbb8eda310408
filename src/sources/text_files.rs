//! CSV and JSON lines: files of a source, and lines that somebody has in hand.

use std::{
    io::{Cursor, Read},
    sync::Arc,
};

use arrow::datatypes::DataType as ArrowType;

use super::{
    columns::Holds,
    convert::Converter,
    files::{ObjectText, Place, open_text, unpacked},
    parquet::unreadable,
    text::{self, CHUNK_BYTES, Chunk, Chunks, FirstRows, RowProblem, csv, json_lines},
    wanted::Wanted,
};
use crate::{
    model::printable,
    problem::{Kind, Problem},
};

/// How many rows tell which columns hold times.
const ROWS_FOR_TIMES: usize = 100;
/// About how many bytes of a file are read by those who only look at its beginning.
const LOOK_BYTES: usize = 128 << 10;

/// A file of texts, as its beginning shows it.
#[derive(Debug, Clone)]
pub(crate) struct TextFile {
    kind: TextKind,
    /// Whether there is no row.
    pub is_empty: bool,
}

#[derive(Debug, Clone)]
enum TextKind {
    /// With its heading; the delimiter may be declared.
    Csv { heading: csv::Heading, delimiter: Option<u8> },
    /// With the columns of its first rows.
    Json { seen: Vec<(String, ArrowType)> },
    /// Lines of JSON in memory, one for each row, whose columns are known by name. Nobody has looked at their values.
    InHand { lines: Arc<[u8]>, columns: Vec<String> },
}

impl TextFile {
    /// A CSV file, of which the heading is read.
    ///
    /// # Errors
    /// When it has none.
    pub(crate) fn csv(place: &Place, shown: &str, delimiter: Option<char>) -> Result<Self, Problem> {
        let delimiter = delimiter.and_then(|delimiter| u8::try_from(delimiter).ok());
        let (heading, mut chunks) = heading(opened(place, shown)?, (shown, LOOK_BYTES), delimiter)?;
        let chunk = chunks.next_chunk().map_err(|problem| bad_row(shown, &problem))?;
        let is_empty = chunk.is_none_or(|chunk| chunk.bytes.trim_ascii().is_empty());
        Ok(Self { kind: TextKind::Csv { heading, delimiter }, is_empty })
    }

    /// A file of JSON lines, of which the first rows are read.
    ///
    /// # Errors
    /// When they are none.
    pub(crate) fn json(place: &Place, shown: &str) -> Result<Self, Problem> {
        let mut chunks = json(opened(place, shown)?, (shown, LOOK_BYTES))?;
        let seen = json_lines::observe(&mut chunks).map_err(|problem| bad_row(shown, &problem))?;
        Ok(Self { kind: TextKind::Json { seen: seen.columns }, is_empty: seen.is_empty })
    }

    /// Lines of JSON in memory, which have these columns.
    pub(crate) fn in_hand(columns: Vec<String>, lines: Arc<[u8]>) -> Self {
        Self { is_empty: lines.is_empty(), kind: TextKind::InHand { lines, columns } }
    }

    /// The columns as the heading or the first rows have them.
    pub(crate) fn columns(&self) -> Vec<(&str, Holds)> {
        match &self.kind {
            // The index that pandas writes has no name.
            TextKind::Csv { heading, .. } => {
                let names = heading.names.iter().filter(|name| !name.is_empty());
                names.map(|name| (name.as_str(), Holds::Text)).collect()
            }
            TextKind::Json { seen } => {
                seen.iter().map(|(name, kind)| (name.as_str(), Holds::Json(kind.clone()))).collect()
            }
            // Each value is looked at when it is read, and told with its row.
            TextKind::InHand { columns, .. } => {
                columns.iter().map(|name| (name.as_str(), Holds::Json(ArrowType::Null))).collect()
            }
        }
    }

    /// The columns all of whose first values are times.
    ///
    /// # Errors
    /// When the first rows cannot be read.
    pub(crate) fn columns_of_times(
        &self,
        place: &Place,
        shown: &str,
        times: &text::TimeFormat,
    ) -> Result<Vec<String>, Problem> {
        let first = match &self.kind {
            TextKind::Csv { delimiter, .. } => {
                let (heading, mut chunks) = heading(opened(place, shown)?, (shown, LOOK_BYTES), *delimiter)?;
                FirstRows::of_csv(&heading, &mut chunks, ROWS_FOR_TIMES)
            }
            TextKind::Json { .. } => {
                FirstRows::of_json_lines(&mut json(opened(place, shown)?, (shown, LOOK_BYTES))?, ROWS_FOR_TIMES)
            }
            TextKind::InHand { lines, .. } => FirstRows::of_json_lines(&mut in_hand(lines, shown)?, ROWS_FOR_TIMES),
        };
        let first = first.map_err(|problem| bad_row(shown, &problem))?;
        let holds_times = |column: usize| {
            let mut values =
                first.rows.iter().filter_map(|row| row[column].as_deref()).filter(|text| !text.is_empty()).peekable();
            values.peek().is_some() && values.all(|text| text::moment(text, times).is_some())
        };
        let names = first.names.iter().enumerate().filter(|(column, _)| holds_times(*column));
        Ok(names.map(|(_, name)| name.clone()).collect())
    }

    /// Whether the file has a column. In JSON rows that come later may have others.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.kind {
            TextKind::Csv { heading, .. } => heading.names.iter().any(|known| known == name),
            TextKind::Json { seen } => seen.iter().any(|(known, _)| known == name),
            TextKind::InHand { columns, .. } => columns.iter().any(|known| known == name),
        }
    }

    /// Whether rows may have columns that nobody has seen yet.
    pub(crate) const fn may_have_more(&self) -> bool {
        matches!(self.kind, TextKind::Json { .. })
    }

    /// What messages call a line.
    const fn line(&self) -> &'static str {
        if matches!(self.kind, TextKind::InHand { .. }) { "row" } else { "line" }
    }

    /// Begins to read the file, whose bytes may be on their way already.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub(crate) fn chunks(&self, place: &Place, begun: Option<ObjectText>, shown: &str) -> Result<TextChunks, Problem> {
        let bytes = || match begun {
            Some(begun) => unpacked(begun).map_err(|error| unreadable(shown, &error)),
            None => opened(place, shown),
        };
        let chunks = match &self.kind {
            TextKind::Csv { delimiter, .. } => heading(bytes()?, (shown, CHUNK_BYTES), *delimiter)?.1,
            TextKind::Json { .. } => json(bytes()?, (shown, CHUNK_BYTES))?,
            TextKind::InHand { lines, .. } => in_hand(lines, shown)?,
        };
        Ok(TextChunks { chunks, shown: shown.to_owned() })
    }

    /// The rows of a chunk, in these columns.
    ///
    /// # Errors
    /// When the heading has a column twice.
    pub(crate) fn part<'a>(
        &self,
        shown: &str,
        chunk: Chunk,
        columns: impl Iterator<Item = (&'a Wanted, &'a Converter)>,
    ) -> Result<TextPart, Problem> {
        let mut asked = Vec::new();
        let mut wanted = Vec::new();
        for (column, converter) in columns {
            asked.push(column.clone());
            wanted.push(text::Wanted::new(&column.column, converter.text_column(), column.null_if_unfit));
        }
        let mut rows = match &self.kind {
            TextKind::Csv { heading, .. } => {
                text::Rows::of_csv(heading, wanted).map_err(|problem| bad_row(shown, &problem))?
            }
            TextKind::Json { .. } | TextKind::InHand { .. } => text::Rows::of_json_lines(wanted),
        };
        rows.start(chunk);
        Ok(TextPart { rows, asked, shown: shown.to_owned(), line: self.line(), told: 0 })
    }
}

fn opened(place: &Place, shown: &str) -> Result<Box<dyn Read + Send>, Problem> {
    open_text(place).map_err(|error| unreadable(shown, &error))
}

fn heading(
    file: Box<dyn Read + Send>,
    (shown, chunk_bytes): (&str, usize),
    delimiter: Option<u8>,
) -> Result<(csv::Heading, Chunks), Problem> {
    csv::Heading::read(file, delimiter, chunk_bytes).map_err(|problem| bad_row(shown, &problem))
}

fn json(file: Box<dyn Read + Send>, (shown, chunk_bytes): (&str, usize)) -> Result<Chunks, Problem> {
    json_lines::open(file, chunk_bytes).map_err(|problem| bad_row(shown, &problem))
}

fn in_hand(lines: &Arc<[u8]>, shown: &str) -> Result<Chunks, Problem> {
    let lines = Box::new(Cursor::new(Arc::clone(lines)));
    json_lines::open(lines, CHUNK_BYTES).map_err(|problem| bad_row(shown, &problem))
}

/// A file of texts that is being read.
pub(crate) struct TextChunks {
    chunks: Chunks,
    shown: String,
}

impl TextChunks {
    /// The next piece.
    ///
    /// # Errors
    /// When the file cannot be read on.
    pub(crate) fn next(&mut self) -> Result<Option<Chunk>, Problem> {
        self.chunks.next_chunk().map_err(|problem| bad_row(&self.shown, &problem))
    }
}

/// A piece of a file whose rows are being read.
pub(crate) struct TextPart {
    rows: text::Rows,
    asked: Vec<Wanted>,
    shown: String,
    /// What messages call a line.
    line: &'static str,
    /// How many values that do not fit were told of.
    told: u64,
}

impl TextPart {
    /// The next rows.
    ///
    /// # Errors
    /// When a row has no such form, or a value does not fit.
    pub(crate) fn next(&mut self) -> Result<Option<text::Batch>, Problem> {
        self.rows.next_batch().map_err(|problem| self.explain(&problem))
    }

    /// What messages call the place of a line.
    pub(crate) fn place(&self, line: u64) -> String {
        format!("{} {line} of {}", self.line, self.shown)
    }

    /// How many more values became null because they do not fit.
    pub(crate) fn take_unfit(&mut self) -> u64 {
        let all = self.rows.wanted().iter().map(text::Wanted::unfit).sum::<u64>();
        all - std::mem::replace(&mut self.told, all)
    }

    fn explain(&self, problem: &RowProblem) -> Problem {
        let asked = problem.column.as_ref().and_then(|name| self.asked.iter().find(|asked| asked.column == *name));
        match (problem.line, asked) {
            (Some(line), Some(asked)) => asked.unfit(&self.place(line), &problem.message),
            _ => bad_row(&self.shown, problem),
        }
    }
}

/// The problem of a file that is not what its format says.
fn bad_row(shown: &str, problem: &RowProblem) -> Problem {
    if let Some(cause) = &problem.cause {
        return cause.as_ref().clone();
    }
    let message = match (problem.line, &problem.column) {
        (Some(line), Some(column)) => format!("line {line} of {shown}, column `{column}`: {}", problem.message),
        (Some(line), None) => format!("line {line} of {shown} {}", problem.message),
        (None, _) => format!("{shown} {}", problem.message),
    };
    let help = if problem.message.contains("no JSON object") {
        Some("write one JSON object per line")
    } else if problem.message.contains("fields where the heading") {
        Some("put values that hold the delimiter in quotes")
    } else {
        None
    };
    Problem::new(Kind::Invalid, printable(&message), help.map(str::to_owned))
}
