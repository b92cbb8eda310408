//! What is read of a view's source: keys, event times, creation times, features.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt,
    fs::File,
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use arrow::{
    array::{ArrayRef, RecordBatch},
    compute::cast,
    datatypes::{DataType as ArrowType, Field as ArrowField, Schema},
};
use parquet::{arrow::ArrowWriter, basic::Compression, file::properties::WriterProperties};
use tempfile::TempPath;

use super::{Cancel, reading::read};
use crate::{
    model::{Checks, DataSource, FeatureView, Field, Interval, OutOfRange},
    problem::{Kind, Problem},
    sources::{Format, OpenSource, Role, Scan, Ticks, Wanted, Whereabouts},
};

/// The sources of one query: what several views share is opened once.
pub(crate) struct OpenSources<'a> {
    whereabouts: &'a Whereabouts,
    opened: Vec<Opened<'a>>,
}

/// A source that was opened, for events between two moments if they were known.
struct Opened<'a> {
    source: &'a DataSource,
    moments: Option<(i64, i64)>,
    files: Arc<OpenSource>,
}

/// The source of a view, with its files open; or rows that were computed of those of its source.
pub(crate) struct ViewSource<'a> {
    pub view: &'a FeatureView,
    source: Cow<'a, DataSource>,
    files: Arc<OpenSource>,
    null_if_unfit: bool,
    kept: Option<Kept>,
    computed: Option<DerivedRows>,
}

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
struct Kept {
    file: OpenSource,
    /// The features that it has, by their positions in the view.
    features: Vec<usize>,
    ticks: [Ticks; 2],
    /// Removes the file.
    _place: TempPath,
}

impl<'a> OpenSources<'a> {
    /// None yet.
    pub(crate) const fn new(whereabouts: &'a Whereabouts) -> Self {
        Self { whereabouts, opened: Vec::new() }
    }

    /// Finds the files of a view's source and looks at their columns. Of folders of days those are left out that have no
    /// event between two moments (microseconds, both inside), if some are given. Where the view is transformed, these
    /// are the rows that it is made of.
    pub(crate) fn open(
        &mut self,
        view: &'a FeatureView,
        moments: Option<(i64, i64)>,
    ) -> Result<ViewSource<'a>, Problem> {
        let Some(source) = &view.source else {
            return Err(Problem::new(Kind::Invalid, format!("feature view `{}` has no source", view.name), None));
        };
        if source.timestamp_field.is_empty() {
            return Err(Problem::new(
                Kind::Invalid,
                format!("data source `{}` does not say which column has the event times", source.name),
                "set its `timestamp_field` and apply".to_owned(),
            ));
        }
        // Checks that nobody can read are reported by those who look at them.
        let checks = Checks::of(&view.tags).unwrap_or_default();
        let null_if_unfit = checks.out_of_range == OutOfRange::AsNull;
        let (files, source) = (self.files(source, moments)?, Cow::Borrowed(source));
        Ok(ViewSource { view, source, files, null_if_unfit, kept: None, computed: None })
    }

    fn files(&mut self, source: &'a DataSource, moments: Option<(i64, i64)>) -> Result<Arc<OpenSource>, Problem> {
        let moments = moments.filter(|_| !source.date_partition_column.is_empty());
        if let Some(known) = self.opened.iter().find(|known| known.source == source && known.moments == moments) {
            return Ok(Arc::clone(&known.files));
        }
        let opened = Arc::new(match moments {
            Some(moments) => OpenSource::open_between(source, self.whereabouts, moments)?,
            None => OpenSource::open(source, self.whereabouts)?,
        });
        self.opened.push(Opened { source, moments, files: Arc::clone(&opened) });
        Ok(opened)
    }
}

impl<'a> ViewSource<'a> {
    /// The source of one view.
    pub(crate) fn open(whereabouts: &'a Whereabouts, view: &'a FeatureView) -> Result<Self, Problem> {
        OpenSources::new(whereabouts).open(view, None)
    }

    /// The same for those who read events of an interval.
    pub(crate) fn open_inside(
        whereabouts: &'a Whereabouts,
        view: &'a FeatureView,
        interval: Interval,
    ) -> Result<Self, Problem> {
        OpenSources::new(whereabouts).open(view, Some((interval.start.micros(), interval.end.micros())))
    }

    /// The same view over rows that were computed of these.
    #[must_use]
    pub(crate) fn over(self, rows: DerivedRows) -> Self {
        let mapped = |column: &str| self.source.mapped(column).to_owned();
        let created = if rows.has_created { mapped(self.source.created_column()) } else { String::new() };
        let source = DataSource {
            timestamp_field: mapped(self.source.event_column()),
            created_timestamp_column: created,
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            ..self.source.into_owned()
        };
        Self { source: Cow::Owned(source), files: Arc::clone(&rows.file), computed: Some(rows), kept: None, ..self }
    }

    /// The same columns without rows.
    ///
    /// # Errors
    /// When the source's `timestamp_format` is none.
    pub(crate) fn without_rows(self) -> Result<Self, Problem> {
        let files = Arc::new(OpenSource::known(&self.source, self.files.columns().clone())?);
        Ok(Self { files, ..self })
    }

    /// A view over a source of which only the columns are known.
    ///
    /// # Errors
    /// When the source's `timestamp_format` is none.
    pub(crate) fn of_columns(
        view: &'a FeatureView,
        source: &'a DataSource,
        columns: &OpenSource,
    ) -> Result<Self, Problem> {
        let files = Arc::new(OpenSource::known(source, columns.columns().clone())?);
        let source = Cow::Borrowed(source);
        Ok(Self { view, source, files, null_if_unfit: false, kept: None, computed: None })
    }

    /// How many files were left out because of their days.
    pub(crate) fn other_days(&self) -> u64 {
        self.files.files.other_days
    }

    /// Whether some rows can be read without reading all of them, and twice costs no more than twice.
    pub(crate) fn is_cheap(&self) -> bool {
        self.kept.is_some() || self.files.is_parquet()
    }

    /// Whether all features of the view can be read from where they are now.
    pub(crate) fn has_all_features(&self) -> bool {
        self.kept.as_ref().is_none_or(|kept| kept.features.len() == self.view.features.len())
    }

    /// Keeps the rows of a scan of these features, given by their positions in the view, in a file in `folder`, from
    /// which they are read from now on. Gives how many values became null because they do not fit.
    ///
    /// # Errors
    /// When rows cannot be read, or the file not be written.
    pub(crate) fn keep(
        &mut self,
        folder: &Path,
        scan: ViewScan,
        features: Vec<usize>,
        cancel: &Cancel,
    ) -> Result<u64, Problem> {
        let ticks = scan.ticks;
        let path = tempfile::Builder::new().suffix(".parquet").tempfile_in(folder).map_err(unwritten)?;
        let (scan, shown) = (Arc::new(scan.scan), self.what());
        keep_rows(&scan, path.as_file(), cancel)?;
        let place = path.into_temp_path();
        let file = OpenSource::file(&place, Format::Parquet, &shown)?;
        self.kept = Some(Kept { file, features, ticks, _place: place });
        Ok(scan.unfit())
    }

    /// What the view reads.
    pub(crate) fn source(&self) -> &DataSource {
        &self.source
    }

    /// The files or the table of the source.
    pub(crate) const fn opened(&self) -> &Arc<OpenSource> {
        &self.files
    }

    /// Whether rows know when they were written.
    pub(crate) fn has_created(&self) -> bool {
        !self.source.created_column().is_empty()
    }

    /// Values that became null because they do not fit, before these rows were computed.
    pub(crate) fn unfit(&self) -> u64 {
        self.computed.as_ref().map_or(0, |rows| rows.unfit)
    }

    /// What is wanted of a column that holds a feature.
    pub(crate) fn wanted(&self, column: &str, feature: &Field) -> Wanted {
        let role = Role::Value(feature.dtype.clone());
        Wanted { column: column.to_owned(), role, null_if_unfit: self.null_if_unfit }
    }

    /// What the source is called.
    pub(crate) fn name(&self) -> &str {
        &self.source.name
    }

    /// What is being done, for messages.
    pub(crate) fn what(&self) -> String {
        match self.computed {
            Some(_) => format!("cannot compute feature view `{}`", self.view.name),
            None => format!("cannot read data source `{}`", self.source.name),
        }
    }

    /// The error of a source none of whose rows has an event time.
    pub(crate) fn without_times(&self, rows: i64) -> Problem {
        let column = self.source.event_column();
        Problem::new(
            Kind::Invalid,
            format!("{}: column `{column}`, which has the event times, is null in all rows ({rows})", self.what()),
            "write its times, or name another column in `timestamp_field`".to_owned(),
        )
    }

    /// A reading of keys, times and these features.
    pub(crate) fn scan(&self, features: &[&Field]) -> Result<ViewScan, Problem> {
        match &self.kept {
            Some(kept) => self.scan_kept(kept, features),
            None => self.scan_files(features),
        }
    }

    fn scan_kept(&self, kept: &Kept, features: &[&Field]) -> Result<ViewScan, Problem> {
        let columns = self.columns(features.len());
        let before = columns.first_feature();
        let place = |field: &&Field| {
            let feature = self.view.features.iter().position(|feature| feature == *field);
            feature.and_then(|feature| kept.features.iter().position(|kept| *kept == feature))
        };
        let places = (0..before).chain(features.iter().filter_map(place).map(|feature| before + feature));
        let as_is = |place: usize| Wanted { column: format!("c{place}"), role: Role::AsIs, null_if_unfit: false };
        Ok(ViewScan { scan: kept.file.scan(places.map(as_is).collect())?, columns, ticks: kept.ticks })
    }

    fn columns(&self, features: usize) -> ViewColumns {
        ViewColumns { keys: self.view.join_keys().len(), has_created: self.has_created(), features }
    }

    /// The same from the source itself, whether rows of it are kept or not.
    pub(crate) fn scan_files(&self, features: &[&Field]) -> Result<ViewScan, Problem> {
        let feature = |feature: &&Field| self.wanted(self.source.unmapped(&feature.name), feature);
        self.scan_columns(features.iter().map(feature).collect())
    }

    /// A reading of keys, times and these columns in the place of features.
    pub(crate) fn scan_columns(&self, columns: Vec<Wanted>) -> Result<ViewScan, Problem> {
        let (keys, count) = (self.view.join_keys(), columns.len());
        let mut wanted: Vec<Wanted> = Vec::with_capacity(keys.len() + 2 + count);
        let mut want = |column: &str, role: Role| {
            wanted.push(Wanted { column: column.to_owned(), role, null_if_unfit: false });
        };
        for key in keys {
            want(self.source.unmapped(&key.name), Role::Key(key.dtype.clone()));
        }
        want(self.source.event_column(), Role::Time);
        if self.has_created() {
            want(self.source.created_column(), Role::Time);
        }
        wanted.extend(columns);
        let (scan, columns) = (self.files.scan(wanted)?, self.columns(count));
        let events = scan.ticks(columns.keys);
        let created = if columns.has_created { scan.ticks(columns.keys + 1) } else { events };
        Ok(ViewScan { scan, columns, ticks: [events, created] })
    }
}

/// Which columns a scan of a view has: keys, event times, creation times if there are any, features. Statements call
/// them `k0`, …, `t`, `c` and `f0`, ….
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewColumns {
    pub keys: usize,
    pub has_created: bool,
    pub features: usize,
}

impl ViewColumns {
    /// How statements call the keys.
    pub(crate) fn key_names(self) -> impl Iterator<Item = String> {
        (0..self.keys).map(|index| format!("k{index}"))
    }

    /// How statements call the features.
    pub(crate) fn feature_names(self) -> impl Iterator<Item = String> {
        (0..self.features).map(|index| format!("f{index}"))
    }

    /// The creation time in statements, or null.
    pub(crate) const fn created(self) -> &'static str {
        if self.has_created { "c" } else { "NULL :: BIGINT" }
    }

    /// The position of the first feature.
    pub(crate) fn first_feature(self) -> usize {
        self.keys + 1 + usize::from(self.has_created)
    }
}

/// A scan of a view's source.
pub(crate) struct ViewScan {
    pub scan: Scan,
    pub columns: ViewColumns,
    /// What event times and creation times count.
    pub ticks: [Ticks; 2],
}

/// Writes the rows of a scan to a file, in any order, as columns `c0`, ….
fn keep_rows(scan: &Arc<Scan>, file: &File, cancel: &Cancel) -> Result<(), Problem> {
    let kinds = scan.columns();
    let fields = kinds.iter().enumerate().map(|(index, kind)| ArrowField::new(format!("c{index}"), kind.clone(), true));
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

impl ViewScan {
    /// Only rows of events from `first` to `last`, both in what event times count and inside.
    #[must_use]
    pub(crate) fn between(self, first: i64, last: i64) -> Self {
        Self { scan: self.scan.between(self.columns.keys, first, last), ..self }
    }

    /// What event times count.
    pub(crate) const fn ticks(&self) -> Ticks {
        self.ticks[0]
    }

    /// Only rows with these values of the join keys, as far as that takes less than reading all.
    #[must_use]
    pub(crate) fn among(self, keys: &[ArrayRef]) -> Self {
        let scan = keys.iter().enumerate().fold(self.scan, |scan, (column, values)| scan.among(column, values));
        Self { scan, ..self }
    }

    /// Only rows of events of an interval.
    #[must_use]
    pub(crate) fn inside(self, interval: Interval) -> Self {
        let ticks = self.ticks();
        self.between(ticks.of_micros(interval.start.micros()), ticks.of_micros(interval.end.micros()))
    }

    /// With a last column `content`, which orders rows by the values of all features.
    #[must_use]
    pub(crate) fn with_content(self) -> Self {
        let features = self.columns.first_feature()..self.columns.first_feature() + self.columns.features;
        Self { scan: self.scan.with_content(features), ..self }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::model::{FileFormat, FileSource, SourceKind, Tags};

    fn view(name: &str, path: &str) -> FeatureView {
        let source = DataSource {
            name: "source".to_owned(),
            kind: SourceKind::File(FileSource {
                path: path.to_owned(),
                format: Some(FileFormat::Csv),
                ..FileSource::default()
            }),
            timestamp_field: "at".to_owned(),
            created_timestamp_column: String::new(),
            field_mapping: std::collections::BTreeMap::new(),
            date_partition_column: String::new(),
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        };
        FeatureView { source: Some(source), ..FeatureView::new(name) }
    }

    #[test]
    fn a_source_that_views_share_is_opened_once() {
        let repo = tempfile::tempdir().unwrap();
        for file in ["a.csv", "b.csv"] {
            fs::write(repo.path().join(file), "at,x\n2026-01-01T00:00:00Z,1\n").unwrap();
        }
        let views = [view("one", "a.csv"), view("other", "a.csv"), view("third", "b.csv")];
        let whereabouts = Whereabouts { repo: repo.path().to_owned(), postgres: None, environment: |_| None };
        let mut sources = OpenSources::new(&whereabouts);
        let opened = views.each_ref().map(|view| sources.open(view, None).unwrap().files);
        assert!(Arc::ptr_eq(&opened[0], &opened[1]));
        assert!(!Arc::ptr_eq(&opened[0], &opened[2]));
    }
}
