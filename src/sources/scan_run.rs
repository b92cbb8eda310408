//! A reading that is carried out, part by part.

use std::{
    collections::VecDeque,
    fs::File,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{array::ArrayRef, datatypes::DataType as ArrowType};
use parquet::{arrow::arrow_reader::ArrowReaderMetadata, file::metadata::RowGroupMetaData};

use super::{
    files::{ObjectText, Place},
    parquet::{Footer, read_row_group, unreadable},
    part::{Part, PartSource, Rows},
    places::Cursor,
    postgres::{Conditions, Table},
    pruned::Filtered,
    scan::{FileColumn, FileContent, Scan, ScanFile},
    stored_group::StoredGroup,
    text::Chunk,
    text_files::{TextChunks, TextFile},
};
use crate::problem::Problem;

impl Scan {
    /// Begins to read.
    pub fn run(self: &Arc<Self>) -> ScanRun {
        ScanRun { scan: Arc::clone(self), next: Mutex::new(Position::default()) }
    }
}

/// A reading in progress, which threads share.
pub struct ScanRun {
    scan: Arc<Scan>,
    next: Mutex<Position>,
}

/// Bytes of row groups in buckets that are fetched before it is their turn.
const AHEAD_BYTES: u64 = 16 << 20;
/// And how many row groups.
const AHEAD: usize = 16;

#[derive(Default)]
struct Position {
    file: usize,
    /// Or batch.
    row_group: usize,
    /// Number of the next piece of all files.
    piece: u64,
    /// Row groups without a key of interest, when that is known.
    filtered: Option<Filtered>,
    /// Of the file, while it is being read.
    text: Option<TextChunks>,
    /// Pieces of files in buckets that are being fetched.
    ahead: VecDeque<Ahead>,
    /// Texts in buckets whose beginnings are being fetched, with the numbers of their files.
    texts: VecDeque<(usize, ObjectText)>,
}

/// A row group of a file in a bucket: the number of its file, its own among all pieces, and in the file.
struct Ahead {
    file: usize,
    piece: u64,
    group: usize,
    /// What is being fetched of it, unless no column of it is read.
    stored: Option<StoredGroup>,
}

/// What becomes a part.
enum Piece<'a> {
    /// Columns in memory, their number of rows, and how many rows are before them.
    Batch((Vec<ArrayRef>, usize, u64)),
    RowGroup {
        footer: &'a Footer,
        reading: &'a ArrowReaderMetadata,
        roots: &'a [usize],
        group: usize,
        /// For those in buckets.
        stored: Option<StoredGroup>,
    },
    Chunk(&'a TextFile, Chunk),
    Table(&'a Table, &'a [usize]),
}

/// The same piece with what it takes to fetch it, if its file is in a bucket and columns of it are read.
fn of_bucket<'a>(file: &ScanFile, piece: Piece<'a>) -> Piece<'a> {
    match (piece, &file.place) {
        (Piece::RowGroup { footer, reading, roots, group, .. }, Place::Stored(object)) if !roots.is_empty() => {
            let stored = Some(StoredGroup::new(object, reading, roots, group));
            Piece::RowGroup { footer, reading, roots, group, stored }
        }
        (piece, _) => piece,
    }
}

impl ScanRun {
    /// The types of the columns.
    pub fn columns(&self) -> Vec<ArrowType> {
        self.scan.columns()
    }

    /// The next part of the rows, for one thread; none when all are given out.
    ///
    /// # Errors
    /// When a file cannot be opened or divided.
    pub fn part(&self) -> Result<Option<Part>, Problem> {
        self.next_piece()?.map(|(file, number, piece)| self.open(file, number, piece)).transpose()
    }

    /// The next piece, with the numbers of its file and of itself. It is opened later, because other threads wait for
    /// the lock; those of buckets are asked for ahead of time.
    fn next_piece(&self) -> Result<Option<(usize, u64, Piece<'_>)>, Problem> {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let first = match next.ahead.pop_front() {
            Some(Ahead { file, piece, group, stored }) => {
                self.row_group(file, group, stored).map(|row_group| (file, piece, row_group))
            }
            None => self.advance(&mut next)?,
        };
        let Some((_, _, Piece::RowGroup { stored: Some(_), .. })) = &first else { return Ok(first) };
        let fetched = |ahead: &VecDeque<Ahead>| -> u64 {
            ahead.iter().flat_map(|ahead| &ahead.stored).map(StoredGroup::bytes).sum()
        };
        while next.ahead.len() < AHEAD && fetched(&next.ahead) < AHEAD_BYTES {
            // The files of a scan have one format, so all others are row groups as well.
            let Some((file, piece, Piece::RowGroup { group, mut stored, .. })) = self.advance(&mut next)? else {
                break;
            };
            if let Some(stored) = &mut stored {
                stored.begin()?;
            }
            next.ahead.push_back(Ahead { file, piece, group, stored });
        }
        Ok(first)
    }

    /// The text of the file that is next, which is being fetched if it is in a bucket, as others behind it are then.
    fn begun_text(&self, next: &mut Position) -> Result<Option<ObjectText>, Problem> {
        let first = next.texts.back().map_or(next.file, |(last, _)| last + 1);
        let most = AHEAD.saturating_sub(next.texts.len());
        for (number, file) in self.scan.files.iter().enumerate().skip(first).take(most) {
            if let (Place::Stored(object), FileContent::Text(_)) = (&file.place, &file.content) {
                next.texts.push_back((number, ObjectText::begun(object.clone())?));
            }
        }
        let is_next = next.texts.front().is_some_and(|(number, _)| *number == next.file);
        Ok(if is_next { next.texts.pop_front().map(|(_, text)| text) } else { None })
    }

    /// A row group of a file, if it has one with this number.
    fn row_group(&self, file: usize, group: usize, stored: Option<StoredGroup>) -> Option<Piece<'_>> {
        let FileContent::Parquet { footer, reading, roots } = &self.scan.files.get(file)?.content else { return None };
        let has_one = group < footer.row_groups().len();
        has_one.then_some(Piece::RowGroup { footer, reading, roots, group, stored })
    }

    /// Goes on to the next piece of which a row can be of interest.
    fn advance(&self, next: &mut Position) -> Result<Option<(usize, u64, Piece<'_>)>, Problem> {
        if next.filtered.is_none() {
            next.filtered = Some(self.scan.filtered()?);
        }
        while let Some(file) = self.scan.files.get(next.file) {
            let piece = match &file.content {
                FileContent::Postgres { table, roots } => {
                    let is_whole = next.row_group == 0 && !self.scan.range.is_some_and(|range| range.is_empty());
                    is_whole.then_some(Piece::Table(table, roots))
                }
                FileContent::Batches { batches, roots } => batches.part(next.row_group, roots).map(Piece::Batch),
                FileContent::Parquet { .. } => self.row_group(next.file, next.row_group, None),
                FileContent::Text(text) => {
                    if next.text.is_none() {
                        let begun = self.begun_text(next)?;
                        next.text = Some(text.chunks(&file.place, begun, &file.shown)?);
                    }
                    let chunk = next.text.as_mut().map(TextChunks::next).transpose()?.flatten();
                    chunk.map(|chunk| Piece::Chunk(text, chunk))
                }
            };
            let Some(piece) = piece else {
                (next.file, next.row_group, next.text) = (next.file + 1, 0, None);
                continue;
            };
            let number = next.piece;
            let is_filtered = next.filtered.as_ref().is_some_and(|known| known.contains(&(next.file, next.row_group)));
            next.row_group += 1;
            next.piece += 1;
            if !is_filtered && !self.is_outside(file, number, &piece) {
                return Ok(Some((next.file, number, of_bucket(file, piece))));
            }
        }
        Ok(None)
    }

    fn open(&self, index: usize, number: u64, piece: Piece<'_>) -> Result<Part, Problem> {
        let file = &self.scan.files[index];
        let mut cursor = Cursor::new(number, self.scan.only.as_ref());
        let (source, first_row) = match piece {
            Piece::Batch((columns, rows, before)) => (PartSource::Batch(Some((columns, rows))), before + 1),
            Piece::RowGroup { footer, reading, roots, group, stored } => {
                let rows = |group: &RowGroupMetaData| u64::try_from(group.num_rows()).unwrap_or(0);
                let before: u64 = footer.row_groups()[..group].iter().map(rows).sum();
                let rows = rows(&footer.row_groups()[group]);
                let count = usize::try_from(rows).unwrap_or(0);
                cursor = cursor.without(&file.deleted_between(before, before + rows), count);
                let source = if roots.is_empty() {
                    PartSource::Rows(count)
                } else {
                    let picked = cursor.picked();
                    let columns = (reading.clone(), roots);
                    match (stored, &file.place) {
                        (Some(stored), _) => {
                            let bytes = stored.opened()?;
                            let reader = read_row_group(bytes.clone(), &file.shown, columns, group, picked)?;
                            PartSource::Parquet(Box::new(reader), Some(bytes))
                        }
                        (None, place) => {
                            let opened = File::open(place.name()).map_err(|error| unreadable(&file.shown, &error))?;
                            let reader = read_row_group(opened, &file.shown, columns, group, picked)?;
                            PartSource::Parquet(Box::new(reader), None)
                        }
                    }
                };
                (source, before + 1)
            }
            Piece::Table(table, roots) => {
                let rows = table.read(roots, &self.conditions(file, roots))?;
                (PartSource::Postgres(Box::new(rows)), 0)
            }
            Piece::Chunk(text, chunk) => {
                let read = file.columns.iter().zip(&self.scan.wanted).filter_map(|(column, wanted)| match column {
                    FileColumn::Read(_, converter) => Some((wanted, converter)),
                    _ => None,
                });
                (PartSource::Text(Box::new(text.part(&file.shown, chunk, read)?)), 0)
            }
        };
        Ok(Part::new(Arc::clone(&self.scan), index, source, first_row, cursor))
    }

    /// The next rows of a part, in the columns of the scan; none at its end.
    ///
    /// # Errors
    /// When rows cannot be read, or a value does not fit; the file and the row or line are named.
    pub fn batch(&self, part: &mut Part) -> Result<Option<Rows>, Problem> {
        loop {
            let Some(mut rows) = part.next()? else { return Ok(None) };
            if let Some(range) = self.scan.range {
                rows = rows.inside(range)?;
            }
            if rows.count == 0 {
                continue;
            }
            if let Some(columns) = self.scan.content.clone() {
                let content = part.content(&rows.columns[columns])?;
                rows.columns.push(content);
            }
            return Ok(Some(rows));
        }
    }

    /// Which rows of a table are of interest.
    fn conditions(&self, file: &ScanFile, roots: &[usize]) -> Conditions<'_> {
        let root = |column: usize| match &file.columns[column] {
            FileColumn::Read(position, _) => roots.get(*position).copied(),
            FileColumn::Missing | FileColumn::Folder(_) => None,
        };
        let times = self.scan.range.and_then(|range| {
            let ticks = self.scan.ticks(range.column);
            Some((root(range.column)?, ticks.to_micros(range.first), ticks.to_micros(range.last)))
        });
        let keys = self.scan.keys.iter().filter_map(|(column, values)| Some((root(*column)?, values)));
        Conditions { times, keys: keys.collect() }
    }

    /// Whether no row of a piece can be of interest.
    fn is_outside(&self, file: &ScanFile, number: u64, piece: &Piece<'_>) -> bool {
        if self.scan.only.as_ref().is_some_and(|places| places.in_piece(number).is_empty()) {
            return true;
        }
        matches!(piece, Piece::RowGroup { footer, group, .. } if self.scan.is_outside(file, footer, *group))
    }
}
