//! Rows in files of their own: of a source, to be read again faster, and such as were computed.

use std::{
    fmt,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::cast,
    datatypes::{DataType as ArrowType, Field, Schema},
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use tempfile::TempPath;

use super::scan::ViewScan;
use crate::{
    model::FeatureView,
    offline::{Cancel, reading::read},
    problem::{Kind, Problem},
    sources::{Format, OpenSource, Scan, Ticks},
};

/// Rows that were computed of those of a view's source, in a file of their own. Their columns are called as the view
/// knows them.
#[derive(Debug, Clone)]
pub(crate) struct DerivedRows {
    pub file: Arc<OpenSource>,
    /// Whether they know when they were written.
    pub has_created: bool,
    /// Values that became null because they do not fit, before anything was computed.
    pub unfit: u64,
    /// Removes the file when the last who reads it is gone.
    _place: Arc<TempPath>,
}

impl DerivedRows {
    /// The rows of a parquet file, which is removed afterwards.
    ///
    /// # Errors
    /// When it cannot be read.
    pub(crate) fn of(place: TempPath, view: &FeatureView, (has_created, unfit): (bool, u64)) -> Result<Self, Problem> {
        let shown = format!("what is computed of feature view `{}`", view.name);
        let file = Arc::new(OpenSource::file(&place, Format::Parquet, &shown)?);
        Ok(Self { file, has_created, unfit, _place: Arc::new(place) })
    }
}

/// Rows of a source in a file of their own, from which they are read again faster.
pub(super) struct Kept {
    pub(super) file: OpenSource,
    /// The features that it has, by their positions in the view.
    pub(super) features: Vec<usize>,
    /// What event times and creation times count.
    pub(super) ticks: [Ticks; 2],
    /// Removes the file.
    _place: TempPath,
}

impl Kept {
    /// Writes the rows of a scan to a file in a folder, which messages call `shown`. Gives how many values became null
    /// because they do not fit.
    ///
    /// # Errors
    /// When rows cannot be read, or the file not be written.
    pub(super) fn write(
        (folder, shown): (&Path, &str),
        scan: ViewScan,
        features: Vec<usize>,
        cancel: &Cancel,
    ) -> Result<(Self, u64), Problem> {
        let path = tempfile::Builder::new().suffix(".parquet").tempfile_in(folder).map_err(unwritten)?;
        let (ticks, scan) = (scan.ticks, Arc::new(scan.scan));
        keep_rows(&scan, path.as_file(), cancel)?;
        let place = path.into_temp_path();
        let file = OpenSource::file(&place, Format::Parquet, shown)?;
        Ok((Self { file, features, ticks, _place: place }, scan.unfit()))
    }
}

/// Writes the rows of a scan to a file, in any order, as columns `c0`, ….
fn keep_rows(scan: &Arc<Scan>, file: &File, cancel: &Cancel) -> Result<(), Problem> {
    let kinds = scan.columns();
    let fields = kinds.iter().enumerate().map(|(index, kind)| Field::new(format!("c{index}"), kind.clone(), true));
    let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
    let properties = WriterProperties::builder()
        .set_compression(Compression::LZ4_RAW)
        .set_dictionary_enabled(false)
        .set_max_row_group_row_count(Some(KEPT_AT_ONCE))
        .build();
    let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties)).map_err(unwritten)?;
    let writer = Mutex::new(writer);
    read(scan, cancel, |rows| {
        let cast_to = |(array, kind): (&ArrayRef, &ArrowType)| cast(array, kind);
        let columns = rows.columns.iter().zip(&kinds).map(cast_to).collect::<Result<Vec<_>, _>>().map_err(unwritten)?;
        let batch = RecordBatch::try_new(Arc::clone(&schema), columns).map_err(unwritten)?;
        writer.lock().unwrap_or_else(PoisonError::into_inner).write(&batch).map_err(unwritten)
    })?;
    writer.into_inner().unwrap_or_else(PoisonError::into_inner).close().map_err(unwritten).map(drop)
}

fn unwritten(error: impl fmt::Display) -> Problem {
    let message = format!("cannot keep rows of a source in a temporary file: {error}");
    Problem::new(
        Kind::Unavailable,
        message,
        "make room for temporary files, or set TMPDIR to another folder".to_owned(),
    )
}

/// Rows that are kept in memory before they are written.
const KEPT_AT_ONCE: usize = 64 << 10;
