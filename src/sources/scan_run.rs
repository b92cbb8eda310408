//! A reading that is carried out, part by part.

use std::sync::{
    Arc, Mutex, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use arrow::{array::Int64Array, datatypes::DataType as ArrowType};

use super::{
    parquet::{Footer, read_row_group},
    part::{Part, PartSource, Rows},
    scan::{FileColumn, FileContent, Scan, ScanFile},
    text_files::TextChunks,
};
use crate::problem::Problem;

impl Scan {
    /// Begins to read.
    pub fn run(self: &Arc<Self>) -> ScanRun {
        ScanRun { scan: Arc::clone(self), next: Mutex::new(Position::default()), rows: AtomicUsize::new(0) }
    }
}

/// A reading in progress, which threads share.
pub struct ScanRun {
    scan: Arc<Scan>,
    next: Mutex<Position>,
    /// Number of rows counted so far.
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
