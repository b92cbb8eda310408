//! A reading of columns of a source: decided as a whole, then carried out part by part.

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use arrow::{
    array::{ArrayRef, Int64Array},
    datatypes::DataType as ArrowType,
};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::{
    batches::Batches,
    convert::Converter,
    parquet::{Footer, read_row_group},
    part::{Part, PartSource, Rows},
    target::{Role, Target, Way},
    text_files::{TextChunks, TextFile},
    ticks::Ticks,
};

use crate::problem::Problem;

/// A column to be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Wanted {
    /// Its name in the files.
    pub column: String,
    /// What it is read for.
    pub role: Role,
    /// Whether values that do not fit become null, and are counted; otherwise they end the reading.
    pub null_if_unfit: bool,
}

/// A reading of columns, ready to be carried out any number of times.
#[derive(Debug)]
pub struct Scan {
    pub(super) wanted: Vec<Wanted>,
    pub(super) targets: Vec<Target>,
    pub(super) files: Vec<ScanFile>,
    /// Only rows whose time is in it are of interest; a column, and both ends, in its unit.
    pub(super) range: Option<Range>,
    /// Whether a last column says by which bytes the rows are ordered that are else alike: those of
    /// these columns.
    pub(super) content: Option<std::ops::Range<usize>>,
    /// Whether a last column counts the rows, from 1.
    pub(super) numbered: bool,
    /// About so many rows are there.
    pub(super) rows: u64,
    /// Values that became null because they do not fit, in all readings.
    pub(super) unfit: AtomicU64,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub column: usize,
    pub first: i64,
    pub last: i64,
}

/// A file of a scan.
#[derive(Debug)]
pub(crate) struct ScanFile {
    pub(super) path: PathBuf,
    /// What messages call it.
    pub(super) shown: String,
    pub(super) columns: Vec<FileColumn>,
    pub(super) content: FileContent,
}

#[derive(Debug)]
pub(super) enum FileContent {
    Batches { batches: Batches, roots: Vec<usize> },
    Parquet { footer: Footer, reading: ArrowReaderMetadata, roots: Vec<usize> },
    Text(TextFile),
}

/// Where a wanted column is in a file.
#[derive(Debug)]
pub(super) enum FileColumn {
    Missing,
    /// In the names of its folders: an array of one.
    Folder(ArrayRef),
    /// Among the columns that are read, at this place.
    Read(usize, Converter),
}

impl Scan {
    /// The types of the columns, in the order in which they were asked for.
    pub fn columns(&self) -> Vec<ArrowType> {
        let content = self.content.iter().map(|_| ArrowType::Binary);
        let numbers = self.numbered.then_some(ArrowType::Int64);
        self.targets.iter().map(|target| target.arrow.clone()).chain(content).chain(numbers).collect()
    }

    /// What a column of times counts.
    pub fn ticks(&self, column: usize) -> Ticks {
        match self.targets.get(column).map(|target| &target.way) {
            Some(Way::Ticks(ticks)) => *ticks,
            _ => Ticks::Micros,
        }
    }

    /// Leaves out rows whose time in a column is null or not between two moments in its unit, both of
    /// which are inside.
    #[must_use]
    pub const fn between(mut self, column: usize, first: i64, last: i64) -> Self {
        self.range = Some(Range { column, first, last });
        self
    }

    /// Adds a column of bytes that compare like the values of these columns, the first column
    /// deciding first and null being less than every value.
    #[must_use]
    pub fn with_content(mut self, columns: std::ops::Range<usize>) -> Self {
        self.content = Some(columns);
        self
    }

    /// Whether there is such a column.
    pub const fn has_content(&self) -> bool {
        self.content.is_some()
    }

    /// Adds a column that counts the rows in the order of the files, from 1. It is then to be read by
    /// one thread.
    #[must_use]
    pub const fn numbered(mut self) -> Self {
        self.numbered = true;
        self
    }

    /// Whether rows are counted.
    pub const fn is_numbered(&self) -> bool {
        self.numbered
    }

    /// About how many rows there are.
    pub const fn about_rows(&self) -> u64 {
        self.rows
    }

    /// How many values became null because they do not fit, in all readings.
    pub fn unfit(&self) -> u64 {
        self.unfit.load(Ordering::Relaxed)
    }

    /// Begins to read.
    pub fn run(self: &Arc<Self>) -> ScanRun {
        ScanRun { scan: Arc::clone(self), next: Mutex::new(Position::default()), rows: AtomicUsize::new(0) }
    }
}

/// A reading in progress, which threads share.
pub struct ScanRun {
    scan: Arc<Scan>,
    next: Mutex<Position>,
    /// So many rows were counted.
    rows: AtomicUsize,
}

#[derive(Default)]
struct Position {
    file: usize,
    /// Or batch.
    row_group: usize,
    /// Of the file, while it is being read.
    text: Option<TextChunks>,
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
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let Some(file) = self.scan.files.get(next.file) else { return Ok(None) };
            match &file.content {
                FileContent::Batches { batches, roots } => {
                    let Some((columns, rows, before)) = batches.part(next.row_group, roots) else {
                        next.file += 1;
                        next.row_group = 0;
                        continue;
                    };
                    next.row_group += 1;
                    let source = PartSource::Batch(Some((columns, rows)));
                    return Ok(Some(Part::new(Arc::clone(&self.scan), next.file, source, before + 1)));
                }
                FileContent::Parquet { footer, reading, roots } => {
                    let group = next.row_group;
                    if group >= footer.row_groups().len() {
                        next.file += 1;
                        next.row_group = 0;
                        continue;
                    }
                    next.row_group += 1;
                    if self.is_outside(file, footer, group) {
                        continue;
                    }
                    let first_row: i64 = footer.row_groups()[..group].iter().map(|group| group.num_rows()).sum();
                    let rows = footer.row_groups()[group].num_rows();
                    // Nothing is opened under the lock that other threads wait for.
                    let (reading, roots, index) = (reading.clone(), roots.clone(), next.file);
                    drop(next);
                    let source = if roots.is_empty() {
                        PartSource::Rows(usize::try_from(rows).unwrap_or(0))
                    } else {
                        PartSource::Parquet(Box::new(read_row_group(&file.path, &file.shown, reading, &roots, group)?))
                    };
                    return Ok(Some(Part::new(
                        Arc::clone(&self.scan),
                        index,
                        source,
                        u64::try_from(first_row).unwrap_or(0) + 1,
                    )));
                }
                FileContent::Text(text) => {
                    if next.text.is_none() {
                        next.text = Some(text.chunks(&file.path, &file.shown)?);
                    }
                    let chunk = next.text.as_mut().map(TextChunks::next).transpose()?.flatten();
                    let Some(chunk) = chunk else {
                        next.text = None;
                        next.file += 1;
                        continue;
                    };
                    let index = next.file;
                    drop(next);
                    let read = file.columns.iter().zip(&self.scan.wanted).filter_map(|(column, wanted)| match column {
                        FileColumn::Read(_, converter) => Some((wanted, converter)),
                        _ => None,
                    });
                    let part = text.part(&file.shown, chunk, read)?;
                    return Ok(Some(Part::new(Arc::clone(&self.scan), index, PartSource::Text(Box::new(part)), 0)));
                }
            }
        }
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
            if self.scan.numbered {
                let first = self.rows.fetch_add(rows.count, Ordering::Relaxed) as i64 + 1;
                rows.columns.push(Arc::new(Int64Array::from_iter_values(first..first + rows.count as i64)));
            }
            return Ok(Some(rows));
        }
    }

    /// Whether no row of a row group can be of interest.
    fn is_outside(&self, file: &ScanFile, footer: &Footer, group: usize) -> bool {
        let Some(range) = self.scan.range else { return false };
        if matches!(file.columns[range.column], FileColumn::Missing) {
            return true;
        }
        let bounds = file.bounds(range.column, footer, group);
        bounds.is_some_and(|(first, last)| first > range.last || last < range.first)
    }
}
