//! Part of a scan: rows of one file, as one thread reads them.

use std::sync::{Arc, atomic::Ordering};

use arrow::{
    array::{Array, ArrayRef, AsArray, BinaryArray, BooleanArray, UInt64Array, new_null_array},
    buffer::BooleanBuffer,
    compute::{filter, take},
    datatypes::{Int64Type, UInt64Type},
};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;

use super::{
    content::ContentOrder,
    convert::{Converted, Converter, repeat},
    parquet::undecodable,
    places::Cursor,
    postgres::TableRows,
    scan::{FileColumn, Range, Scan, ScanFile},
    stored_group::GroupBytes,
    target::Target,
    text::Batch,
    text_files::TextPart,
    wanted::Wanted,
};
use crate::problem::{Kind, Problem};

/// Rows that are made at once where nothing of them is read.
const ROWS: usize = 2048;

/// Rows as arrays of equal length, one per column of the scan.
#[derive(Debug, Clone)]
pub struct Rows {
    /// The wanted columns, in their order.
    pub columns: Vec<ArrayRef>,
    /// How many rows there are.
    pub count: usize,
}

impl Rows {
    /// Those in a range of times.
    pub(super) fn inside(self, range: Range) -> Result<Self, Problem> {
        let mask = range.mask(&self.columns[range.column]);
        if mask.true_count() == self.count {
            return Ok(self);
        }
        let columns: Result<Vec<ArrayRef>, _> = self.columns.iter().map(|column| filter(column, &mask)).collect();
        let columns = columns.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
        Ok(Self { columns, count: mask.true_count() })
    }
}

impl Range {
    /// Whether no time is inside.
    pub(super) const fn is_empty(self) -> bool {
        self.first > self.last
    }

    /// Which times are inside.
    fn mask(self, times: &ArrayRef) -> BooleanArray {
        let Some(times) = times.as_primitive_opt::<Int64Type>() else {
            return BooleanArray::from(vec![true; times.len()]);
        };
        let inside = BooleanBuffer::collect_bool(times.len(), |row| {
            let time = times.values()[row];
            self.first <= time && time <= self.last
        });
        match times.nulls() {
            Some(nulls) => BooleanArray::new(&inside & nulls.inner(), None),
            None => BooleanArray::new(inside, None),
        }
    }
}

/// Rows that one thread reads.
pub struct Part {
    scan: Arc<Scan>,
    file: usize,
    source: PartSource,
    /// Number of the piece's first row in its file, from 1.
    first_row: u64,
    cursor: Cursor,
    /// Rows of texts that are behind, picked or not.
    texts: usize,
    /// How many rows were behind before the last batch.
    last: usize,
    /// The lines of the last batch, if it is of texts.
    lines: Option<ArrayRef>,
    /// For the bytes of contents.
    order: ContentOrder,
}

/// Where the rows of a part come from.
pub(super) enum PartSource {
    /// Columns in memory and their number of rows, until they are taken.
    Batch(Option<(Vec<ArrayRef>, usize)>),
    /// And the bytes that it reads, if those are fetched.
    Parquet(Box<ParquetRecordBatchReader>, Option<GroupBytes>),
    Text(Box<TextPart>),
    Postgres(Box<TableRows>),
    /// A number of rows of which no column is read.
    Rows(usize),
}

impl Part {
    pub(super) fn new(scan: Arc<Scan>, file: usize, source: PartSource, first_row: u64, cursor: Cursor) -> Self {
        let order = ContentOrder::default();
        Self { scan, file, source, first_row, cursor, texts: 0, last: 0, lines: None, order }
    }

    /// The next rows, of which some may be outside the range of the scan; none at the end.
    pub(super) fn next(&mut self) -> Result<Option<Rows>, Problem> {
        let scan = Arc::clone(&self.scan);
        let file = &scan.files[self.file];
        self.last = self.cursor.behind();
        match &mut self.source {
            PartSource::Batch(batch) => {
                let Some((columns, rows)) = batch.take() else { return Ok(None) };
                let (columns, rows) = picked(columns, rows, self.cursor.picked(), 0)?;
                self.converted(&scan, file, columns, rows).map(Some)
            }
            PartSource::Postgres(rows) => {
                let Some((columns, count)) = rows.next()? else { return Ok(None) };
                self.converted(&scan, file, columns, count).map(Some)
            }
            PartSource::Parquet(reader, fetched) => {
                let failure = |error| {
                    let failure = fetched.as_ref().and_then(GroupBytes::failure);
                    failure.unwrap_or_else(|| undecodable(&file.shown, &error))
                };
                let batch = reader.next().transpose().map_err(failure)?;
                let Some(batch) = batch else { return Ok(None) };
                self.converted(&scan, file, batch.columns().to_vec(), batch.num_rows()).map(Some)
            }
            PartSource::Rows(rows) => {
                let all = self.cursor.picked().map_or(*rows, Iterator::count);
                let count = (all - self.cursor.behind()).min(ROWS);
                if count == 0 {
                    return Ok(None);
                }
                self.converted(&scan, file, Vec::new(), count).map(Some)
            }
            PartSource::Text(part) => {
                let Some(Batch { columns: mut read, lines }) = part.next()? else { return Ok(None) };
                let all = lines.len();
                read.push(Arc::new(UInt64Array::from(lines)));
                let (mut read, count) = picked(read, all, self.cursor.picked(), self.texts)?;
                self.lines = read.pop();
                self.texts += all;
                scan.unfit.fetch_add(part.take_unfit(), Ordering::Relaxed);
                // They were converted on the way, in the order in which they are wanted.
                let mut read = read.iter();
                let mut columns = Vec::with_capacity(scan.wanted.len());
                for (column, target) in file.columns.iter().zip(&scan.targets) {
                    columns.push(match (column, read.as_slice()) {
                        (FileColumn::Read(_, converter), [array, ..]) => {
                            read.next();
                            converter.of_texts(array)
                        }
                        (column, _) => without_rows(column, target, count, &file.shown)?,
                    });
                }
                columns.extend(scan.places.then(|| self.cursor.places(count)));
                self.cursor.pass(count);
                Ok(Some(Rows { columns, count }))
            }
        }
    }

    /// Where a row of the last batch is: `row 7 of rows.parquet`, `line 9 of rows.csv`. Not for scans that leave rows out
    /// because of their times.
    pub fn place(&self, row: usize) -> String {
        let shown = &self.scan.files[self.file].shown;
        match (&self.source, &self.lines) {
            // Rows of tables have no numbers.
            (PartSource::Postgres(_), _) => format!("a row of {shown}"),
            (PartSource::Text(part), Some(lines)) => part.place(lines.as_primitive::<UInt64Type>().value(row)),
            _ => format!("row {} of {shown}", self.first_row + self.cursor.number(self.last + row) as u64),
        }
    }

    /// The columns of the scan from those that were read. What is outside its range is not converted.
    fn converted(
        &mut self,
        scan: &Scan,
        file: &ScanFile,
        mut read: Vec<ArrayRef>,
        mut count: usize,
    ) -> Result<Rows, Problem> {
        let mut places = scan.places.then(|| self.cursor.places(count));
        let all = count;
        let mut inside = None;
        if let Some(range) = scan.range
            && let FileColumn::Read(position, converter) = &file.columns[range.column]
        {
            let times = self.convert(&scan.wanted[range.column], converter, &read[*position], None, &file.shown)?;
            let mask = range.mask(&times);
            if mask.true_count() < count {
                let inside_only =
                    |column: &ArrayRef| filter(column, &mask).map_err(|error| undecodable(&file.shown, &error));
                read = read.iter().map(inside_only).collect::<Result<_, _>>()?;
                places = places.as_ref().map(inside_only).transpose()?;
                count = mask.true_count();
                inside = Some(mask);
            }
        }
        let mut columns = Vec::with_capacity(scan.wanted.len());
        for ((column, wanted), target) in file.columns.iter().zip(&scan.wanted).zip(&scan.targets) {
            columns.push(match column {
                FileColumn::Read(position, converter) => {
                    self.convert(wanted, converter, &read[*position], inside.as_ref(), &file.shown)?
                }
                column => without_rows(column, target, count, &file.shown)?,
            });
        }
        columns.extend(places);
        self.cursor.pass(all);
        Ok(Rows { columns, count })
    }

    /// A converted column, if what does not fit may be null. `inside` are the rows of the batch that
    /// it is of, if not all.
    fn convert(
        &self,
        wanted: &Wanted,
        converter: &Converter,
        array: &ArrayRef,
        inside: Option<&BooleanArray>,
        shown: &str,
    ) -> Result<ArrayRef, Problem> {
        let Converted { array, unfit, reason } = converter.convert(array).map_err(|error| {
            Problem::new(Kind::Invalid, format!("column `{}` of {shown}: {error}", wanted.column), None)
        })?;
        match unfit.first() {
            Some(row) if !wanted.null_if_unfit => {
                let in_batch = match inside {
                    Some(inside) => inside.values().set_indices().nth(*row).unwrap_or(*row),
                    None => *row,
                };
                Err(wanted.unfit(&self.place(in_batch), &reason.unwrap_or_else(|| "a value does not fit".to_owned())))
            }
            _ => {
                self.scan.unfit.fetch_add(unfit.len() as u64, Ordering::Relaxed);
                Ok(array)
            }
        }
    }

    /// Bytes that order rows by what they hold in these columns.
    pub(super) fn content(&mut self, columns: &[ArrayRef]) -> Result<ArrayRef, Problem> {
        let problem = |error: arrow::error::ArrowError| Problem::new(Kind::Internal, error.to_string(), None);
        let rows = self.order.rows(columns).map_err(problem)?;
        Ok(Arc::new(rows.iter().map(|row| Some(row.data().to_vec())).collect::<BinaryArray>()))
    }
}

/// Of rows the ones that are picked by their number in the piece, if not all; `behind` are before them.
fn picked(
    columns: Vec<ArrayRef>,
    count: usize,
    picked: Option<impl Iterator<Item = usize>>,
    behind: usize,
) -> Result<(Vec<ArrayRef>, usize), Problem> {
    let Some(picked) = picked else { return Ok((columns, count)) };
    let here = picked.filter(|row| (behind..behind + count).contains(row)).map(|row| (row - behind) as u64);
    let here: UInt64Array = here.collect::<Vec<u64>>().into();
    let columns = columns.iter().map(|column| take(column, &here, None)).collect::<Result<_, _>>();
    let columns = columns.map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))?;
    Ok((columns, here.len()))
}

/// A column that the rows of a file have alike.
fn without_rows(column: &FileColumn, target: &Target, count: usize, shown: &str) -> Result<ArrayRef, Problem> {
    match column {
        FileColumn::Folder(value) => repeat(value, count).map_err(|error| undecodable(shown, &error)),
        FileColumn::Missing | FileColumn::Read(..) => Ok(new_null_array(&target.arrow, count)),
    }
}
