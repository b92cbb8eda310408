//! The rows of a view's source as a table of DuckDB: keys `k0`, …, event times `t`, creation times `c`,
//! features `f0`, ….

use std::{path::Path, sync::Arc};

use super::{scans::ScanTable, session::DuckdbSession};
use crate::{
    model::{Checks, DataSource, FeatureView, Field, Interval, OutOfRange},
    problem::{Kind, Problem},
    sources::{Format, OpenSource, Role, Scan, Ticks, Wanted},
};

/// The sources of one query: what several views share is opened once.
pub(crate) struct OpenSources<'a> {
    /// Relative paths start here.
    repo: &'a Path,
    opened: Vec<(&'a DataSource, Arc<OpenSource>)>,
}

/// The source of a view, with its files open.
pub(crate) struct ViewSource<'a> {
    pub view: &'a FeatureView,
    source: &'a DataSource,
    files: Arc<OpenSource>,
    null_if_unfit: bool,
}

impl<'a> OpenSources<'a> {
    /// None yet.
    pub(crate) const fn new(repo: &'a Path) -> Self {
        Self { repo, opened: Vec::new() }
    }

    /// Finds the files of a view's source and looks at their columns.
    pub(crate) fn open(&mut self, view: &'a FeatureView) -> Result<ViewSource<'a>, Problem> {
        if let Some(what) = view.transformation() {
            let message = format!("feature view `{}` is computed by {what}, which is not supported yet", view.name);
            return Err(Problem::new(Kind::Unsupported, message, None));
        }
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
        Ok(ViewSource { view, source, files: self.files(source)?, null_if_unfit })
    }

    fn files(&mut self, source: &'a DataSource) -> Result<Arc<OpenSource>, Problem> {
        if let Some((_, opened)) = self.opened.iter().find(|(known, _)| *known == source) {
            return Ok(Arc::clone(opened));
        }
        let opened = Arc::new(OpenSource::open(source, self.repo)?);
        self.opened.push((source, Arc::clone(&opened)));
        Ok(opened)
    }
}

impl<'a> ViewSource<'a> {
    /// The source of one view.
    pub(crate) fn open(repo: &'a Path, view: &'a FeatureView) -> Result<Self, Problem> {
        OpenSources::new(repo).open(view)
    }

    /// Whether rows are found by reading all text of the files, so that once is better than twice.
    pub(crate) fn is_text(&self) -> bool {
        self.files.files.format != Format::Parquet
    }

    /// What is being done, for messages.
    pub(crate) fn what(&self) -> String {
        format!("cannot read data source `{}`", self.source.name)
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
        let keys = self.view.join_keys();
        let mut wanted: Vec<Wanted> = Vec::with_capacity(keys.len() + 2 + features.len());
        let mut want = |column: &str, role: Role, null_if_unfit: bool| {
            wanted.push(Wanted { column: column.to_owned(), role, null_if_unfit });
        };
        for key in keys {
            want(self.source.unmapped(&key.name), Role::Key(key.dtype.clone()), false);
        }
        want(self.source.event_column(), Role::Time, false);
        let created = self.source.created_column();
        if !created.is_empty() {
            want(created, Role::Time, false);
        }
        for feature in features {
            want(self.source.unmapped(&feature.name), Role::Value(feature.dtype.clone()), self.null_if_unfit);
        }
        let columns = ViewColumns { keys: keys.len(), has_created: !created.is_empty(), features: features.len() };
        Ok(ViewScan { scan: self.files.scan(wanted)?, columns })
    }
}

/// Which columns a scan of a view has: keys `k0`, …, event times `t`, creation times `c` if there are
/// any, features `f0`, ….
#[derive(Debug, Clone, Copy)]
pub(crate) struct ViewColumns {
    pub keys: usize,
    pub has_created: bool,
    pub features: usize,
}

impl ViewColumns {
    /// Their names, in order.
    pub(crate) fn names(self) -> Vec<String> {
        let created = self.has_created.then(|| "c".to_owned());
        self.key_names().chain(["t".to_owned()]).chain(created).chain(self.feature_names()).collect()
    }

    /// Those of the keys.
    pub(crate) fn key_names(self) -> impl Iterator<Item = String> {
        (0..self.keys).map(|index| format!("k{index}"))
    }

    /// Those of the features.
    pub(crate) fn feature_names(self) -> impl Iterator<Item = String> {
        (0..self.features).map(|index| format!("f{index}"))
    }

    /// The creation time, or null.
    pub(crate) const fn created(self) -> &'static str {
        if self.has_created { "c" } else { "NULL :: BIGINT" }
    }

    /// What orders rows of one entity, as one number: event time, then creation time, none first.
    pub(crate) fn recency(self) -> String {
        match self.has_created {
            false => "t".to_owned(),
            true => format!("(t :: HUGEINT * {TWO_TO_64} + coalesce(c :: HUGEINT + {TWO_TO_63}, 0))"),
        }
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
}

impl ViewScan {
    /// Only rows of events from `first` to `last`, both in what event times count and inside.
    #[must_use]
    pub(crate) fn between(self, first: i64, last: i64) -> Self {
        Self { scan: self.scan.between(self.columns.keys, first, last), ..self }
    }

    /// What event times count.
    pub(crate) fn ticks(&self) -> Ticks {
        self.scan.ticks(self.columns.keys)
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

    /// As a table.
    pub(crate) fn table(self, session: &DuckdbSession) -> ViewTable {
        ViewTable { table: session.table(self.scan), columns: self.columns }
    }
}

/// The rows of a view's source as a table.
pub(crate) struct ViewTable {
    pub table: ScanTable,
    pub columns: ViewColumns,
}

impl ViewTable {
    /// The table in SQL, called `s`.
    pub(crate) fn sql(&self) -> String {
        let mut names = self.columns.names();
        if self.table.scan().has_content() {
            names.push("content".to_owned());
        }
        self.table.sql("s", &names)
    }

    /// What event times count.
    pub(crate) fn ticks(&self) -> Ticks {
        self.table.scan().ticks(self.columns.keys)
    }

    /// What creation times count.
    pub(crate) fn created_ticks(&self) -> Ticks {
        if self.columns.has_created { self.table.scan().ticks(self.columns.keys + 1) } else { self.ticks() }
    }
}

/// One more than the largest creation time can add to [`ViewColumns::recency`].
pub(crate) const TWO_TO_64: &str = "18446744073709551616";
const TWO_TO_63: &str = "9223372036854775808";

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
        let mut sources = OpenSources::new(repo.path());
        let opened = views.each_ref().map(|view| sources.open(view).unwrap().files);
        assert!(Arc::ptr_eq(&opened[0], &opened[1]));
        assert!(!Arc::ptr_eq(&opened[0], &opened[2]));
    }
}
