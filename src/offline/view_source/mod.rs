//! What is read of a view's source: keys, event times, creation times, features.

mod kept;
mod scan;

use std::{borrow::Cow, collections::BTreeMap, path::Path, sync::Arc};

use self::kept::Kept;
pub(crate) use self::{
    kept::DerivedRows,
    scan::{ViewColumns, ViewScan},
};
use super::Cancel;
use crate::{
    model::{Checks, DataSource, FeatureView, Field, Interval, OutOfRange},
    problem::{Kind, Problem},
    sources::{OpenSource, Role, Wanted, Whereabouts, look_at_all},
};

/// The sources of one query: what several views share is opened once.
pub(crate) struct OpenSources<'a> {
    whereabouts: &'a Whereabouts,
    opened: Vec<Opened<'a>>,
}

/// A source, and the first and the last moment of the events that are asked for, in microseconds, if only folders of some days
/// are looked for.
type WantedSource<'a> = (&'a DataSource, Option<(i64, i64)>);

/// A source that was opened, or what is wrong with it.
struct Opened<'a> {
    wanted: WantedSource<'a>,
    files: Result<Arc<OpenSource>, Problem>,
}

/// The source of a view, with its files open; or rows that were computed of those of its source.
pub(crate) struct ViewSource<'a> {
    pub view: &'a FeatureView,
    source: Cow<'a, DataSource>,
    files: Arc<OpenSource>,
    kept: Option<Kept>,
    computed: Option<DerivedRows>,
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
        let (files, source) = (self.files(source, moments)?, Cow::Borrowed(source));
        Ok(ViewSource { view, source, files, kept: None, computed: None })
    }

    /// Looks at the sources of views side by side, before they are opened one after another, each for its moments. What is wrong
    /// with one is said when it is opened.
    pub(crate) fn look_ahead(&mut self, views: &[(&'a FeatureView, Option<(i64, i64)>)]) {
        let mut all: Vec<WantedSource<'a>> = Vec::new();
        for (view, moments) in views {
            let source = view.source.as_ref().filter(|source| !source.timestamp_field.is_empty());
            let Some(wanted) = source.map(|source| wanted(source, *moments)) else { continue };
            if !all.contains(&wanted) {
                all.push(wanted);
            }
        }
        let files = look_at_all(&all, |(source, _)| source, |wanted| self.look(*wanted));
        self.opened.extend(all.into_iter().zip(files).map(|(wanted, files)| Opened { wanted, files }));
    }

    fn files(&mut self, source: &'a DataSource, moments: Option<(i64, i64)>) -> Result<Arc<OpenSource>, Problem> {
        let wanted = wanted(source, moments);
        if let Some(known) = self.opened.iter().find(|known| known.wanted == wanted) {
            return known.files.clone();
        }
        let files = self.look(wanted);
        self.opened.push(Opened { wanted, files: files.clone() });
        files
    }

    fn look(&self, (source, moments): WantedSource<'_>) -> Result<Arc<OpenSource>, Problem> {
        Ok(Arc::new(match moments {
            Some(moments) => OpenSource::open_between(source, self.whereabouts, moments)?,
            None => OpenSource::open(source, self.whereabouts)?,
        }))
    }
}

/// What is wanted of a column that holds a feature of a view.
pub(crate) fn wanted_feature(view: &FeatureView, column: &str, feature: &Field) -> Wanted {
    let role = Role::Value(feature.dtype.clone());
    Wanted { column: column.to_owned(), role, null_if_unfit: null_if_unfit(view) }
}

/// Whether values of a view that do not fit become null.
fn null_if_unfit(view: &FeatureView) -> bool {
    // Checks that nobody can read are reported by those who look at them.
    Checks::of(&view.tags).unwrap_or_default().out_of_range == OutOfRange::AsNull
}

fn wanted(source: &DataSource, moments: Option<(i64, i64)>) -> WantedSource<'_> {
    (source, moments.filter(|_| !source.date_partition_column.is_empty()))
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
    pub(crate) fn over(&self, rows: DerivedRows) -> Self {
        let mapped = |column: &str| self.source.mapped(column).to_owned();
        let created = if rows.has_created { mapped(self.source.created_column()) } else { String::new() };
        let source = DataSource {
            timestamp_field: mapped(self.source.event_column()),
            created_timestamp_column: created,
            field_mapping: BTreeMap::new(),
            date_partition_column: String::new(),
            ..self.source.as_ref().clone()
        };
        Self {
            view: self.view,
            source: Cow::Owned(source),
            files: Arc::clone(&rows.file),
            kept: None,
            computed: Some(rows),
        }
    }

    /// The same columns without rows.
    ///
    /// # Errors
    /// When the source's `timestamp_format` is none.
    pub(crate) fn without_rows(&self) -> Result<Self, Problem> {
        let files = Arc::new(OpenSource::known(&self.source, self.files.columns().clone())?);
        let (view, source) = (self.view, self.source.clone());
        Ok(Self { view, source, files, kept: None, computed: None })
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
        Ok(Self { view, source, files, kept: None, computed: None })
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
        let (kept, unfit) = Kept::write((folder, &self.what()), scan, features, cancel)?;
        self.kept = Some(kept);
        Ok(unfit)
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
        wanted_feature(self.view, column, feature)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::{
        clients::buckets::Buckets,
        model::{FileFormat, FileSource, SourceKind, Tags},
    };

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
        let whereabouts = Whereabouts {
            repo: repo.path().to_owned(),
            postgres: None,
            buckets: Buckets::default(),
            environment: |_| None,
        };
        let mut sources = OpenSources::new(&whereabouts);
        let opened = views.each_ref().map(|view| sources.open(view, None).unwrap().files);
        assert!(Arc::ptr_eq(&opened[0], &opened[1]));
        assert!(!Arc::ptr_eq(&opened[0], &opened[2]));

        let views = [view("one", "a.csv"), view("none", "none.csv"), view("other", "a.csv")];
        let mut sources = OpenSources::new(&whereabouts);
        sources.look_ahead(&views.each_ref().map(|view| (view, None)));
        assert_eq!(sources.opened.len(), 2);
        let opened = views.each_ref().map(|view| sources.open(view, None).map(|opened| opened.files));
        assert_eq!(sources.opened.len(), 2, "nothing is looked at twice");
        assert!(Arc::ptr_eq(opened[0].as_ref().unwrap(), opened[2].as_ref().unwrap()));
        assert_eq!(opened[1].as_ref().map(|_| ()).unwrap_err().message, "there is no file `none.csv`");
    }
}
