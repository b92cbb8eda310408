//! A reading of columns of a source, decided as a whole before it is carried out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use arrow::{array::ArrayRef, datatypes::DataType as ArrowType};
use parquet::arrow::arrow_reader::ArrowReaderMetadata;

use super::{
    batches::Batches,
    convert::Converter,
    files::Place,
    key_values::KeyValues,
    parquet::Footer,
    places::Places,
    postgres::Table,
    target::{Target, Way},
    text_files::TextFile,
    ticks::Ticks,
    wanted::Wanted,
};

/// A reading of columns, ready to be carried out any number of times.
#[derive(Debug)]
pub struct Scan {
    pub(super) wanted: Vec<Wanted>,
    pub(super) targets: Vec<Target>,
    pub(super) files: Vec<ScanFile>,
    /// Only rows whose time is in it are of interest; a column, and both ends, in its unit.
    pub(super) range: Option<Range>,
    /// Only rows with one of these values in a column are of interest; others may be read as well.
    pub(super) keys: Vec<(usize, KeyValues)>,
    /// Whether a last column says by which bytes the rows are ordered that are else alike: those of
    /// these columns.
    pub(super) content: Option<std::ops::Range<usize>>,
    /// Only rows at these places are read.
    pub(super) only: Option<Places>,
    /// Whether a column behind those that are wanted says where rows are.
    pub(super) places: bool,
    /// About how many rows there are.
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
    pub(super) place: Place,
    /// Its size.
    pub(super) bytes: u64,
    /// What messages call it.
    pub(super) shown: String,
    pub(super) columns: Vec<FileColumn>,
    pub(super) content: FileContent,
    /// Rows that are left out: their numbers in the file from 0, ascending.
    pub(super) deleted: Vec<u64>,
}

#[derive(Debug)]
pub(super) enum FileContent {
    Batches {
        batches: Batches,
        roots: Vec<usize>,
    },
    Parquet {
        footer: Footer,
        reading: ArrowReaderMetadata,
        roots: Vec<usize>,
    },
    Text(TextFile),
    /// With the places of the columns that are read.
    Postgres {
        table: Arc<Table>,
        roots: Vec<usize>,
    },
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

impl ScanFile {
    /// Which of the rows between two numbers are left out, counted from the first.
    pub(super) fn deleted_between(&self, first: u64, end: u64) -> Vec<u64> {
        let start = self.deleted.partition_point(|row| *row < first);
        let here = self.deleted[start..].iter().take_while(|row| **row < end);
        here.map(|row| row - first).collect()
    }
}

impl Scan {
    /// The types of the columns, in the order in which they were asked for.
    pub fn columns(&self) -> Vec<ArrowType> {
        let places = self.places.then_some(ArrowType::UInt64);
        let content = self.content.iter().map(|_| ArrowType::Binary);
        self.targets.iter().map(|target| target.arrow.clone()).chain(places).chain(content).collect()
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

    /// Tells that only rows with one of these values in a column of keys are of interest. Where others can be left out
    /// without reading them they are; otherwise they come as well.
    #[must_use]
    pub fn among(mut self, column: usize, values: &ArrayRef) -> Self {
        self.keys.extend(KeyValues::of(values).map(|values| (column, values)));
        self
    }

    /// Adds a column of bytes that compare like the values of these columns, the first column
    /// deciding first and null being less than every value.
    #[must_use]
    pub fn with_content(mut self, columns: std::ops::Range<usize>) -> Self {
        self.content = Some(columns);
        self
    }

    /// Adds a column behind those that are wanted: the [place](Places) of each row.
    #[must_use]
    pub const fn with_places(mut self) -> Self {
        self.places = true;
        self
    }

    /// Reads only the rows at these places.
    #[must_use]
    pub fn only(mut self, places: Places) -> Self {
        self.only = Some(places);
        self
    }

    /// Whether there is a column that orders rows by values.
    pub const fn has_content(&self) -> bool {
        self.content.is_some()
    }

    /// About how many rows there are.
    pub const fn about_rows(&self) -> u64 {
        self.rows
    }

    /// How many values became null because they do not fit, in all readings.
    pub fn unfit(&self) -> u64 {
        self.unfit.load(Ordering::Relaxed)
    }
}
