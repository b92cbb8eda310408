//! Rows of sources that a server has sent, kept in files as if they were the sources.

use std::sync::{Arc, Mutex, PoisonError};

use arrow::datatypes::SchemaRef;
use parquet::{arrow::ArrowWriter, errors::ParquetError};
use tempfile::{NamedTempFile, TempPath};

use super::{columns, server::OfflineServer};
use crate::{
    feast::flight::{Pull, Read},
    model::{DataSource, FeatureView, FileSource, Interval, SourceKind, Timestamp},
    offline::Cancel,
    problem::{Kind, Problem},
    spill::SpillFolder,
};

/// What Python can compare with times of rows: pandas counts nanoseconds.
const PYTHON: Interval = Interval {
    start: Timestamp::from_micros(-9_214_560_000_000_000),
    end: Timestamp::from_micros(9_214_646_400_000_000),
};

/// Rows of sources, which are removed when nobody needs them.
#[derive(Default)]
pub(super) struct PulledRows {
    folder: SpillFolder,
    /// Those that were asked for last: whoever reads rows has often counted them just now.
    last: Mutex<Option<(Pull, Arc<Pulled>)>>,
}

/// Rows of a source in a file, as long as this is held.
pub(super) struct Pulled {
    file: TempPath,
}

impl Pulled {
    /// The source as if its rows were there.
    pub(super) fn as_source(&self, source: &DataSource) -> DataSource {
        let file = FileSource { path: self.file.display().to_string(), ..FileSource::default() };
        DataSource { kind: SourceKind::File(file), date_partition_column: String::new(), ..source.clone() }
    }

    /// The view as if the rows of its source were there.
    pub(super) fn as_source_of(&self, view: &FeatureView) -> FeatureView {
        let source = view.source.as_ref().map(|source| self.as_source(source));
        FeatureView { source, ..view.clone() }
    }
}

impl PulledRows {
    /// Rows of a view's source in an interval: with the keys, times and features of the view, or with all columns where
    /// the view's values are made of them.
    ///
    /// # Errors
    /// When the view has no source, the server does not give its rows, or they cannot be kept.
    pub(super) fn of_view(
        &self,
        (server, cancel): (&OfflineServer, &Cancel),
        view: &FeatureView,
        (interval, with_features): (Interval, bool),
    ) -> Result<Arc<Pulled>, Problem> {
        let Some(source) = &view.source else {
            return Err(Problem::new(Kind::Invalid, format!("feature view `{}` has no source", view.name), None));
        };
        if view.is_transformed() {
            // What they are made of may lie before the interval.
            return self.of_source((server, cancel), source, Interval { start: Timestamp::FIRST, ..interval });
        }
        let columns = |fields: &mut dyn Iterator<Item = &str>| -> Vec<String> {
            fields.map(|name| source.unmapped(name).to_owned()).collect()
        };
        let keys = columns(&mut view.join_keys().iter().map(|field| field.name.as_str()));
        let features = match with_features {
            true => columns(&mut view.features.iter().map(|field| field.name.as_str())),
            false => Vec::new(),
        };
        self.pull((server, cancel), source, (keys, features), interval)
    }

    /// Rows of a source in an interval, with all columns.
    ///
    /// # Errors
    /// As for [`Self::of_view`].
    pub(super) fn of_source(
        &self,
        (server, cancel): (&OfflineServer, &Cancel),
        source: &DataSource,
        interval: Interval,
    ) -> Result<Arc<Pulled>, Problem> {
        let known = columns::of(server, source, cancel)?;
        let names = known.columns().columns.iter().map(|column| column.name.clone());
        let features = names.filter(|name| name != source.event_column() && name != source.created_column());
        self.pull((server, cancel), source, (Vec::new(), features.collect()), interval)
    }

    fn pull(
        &self,
        (server, cancel): (&OfflineServer, &Cancel),
        source: &DataSource,
        (join_keys, features): (Vec<String>, Vec<String>),
        interval: Interval,
    ) -> Result<Arc<Pulled>, Problem> {
        let pull = Pull {
            source: source.name.clone(),
            join_keys,
            features,
            event_column: source.event_column().to_owned(),
            created_column: Some(source.created_column().to_owned()).filter(|column| !column.is_empty()),
            start: Some(interval.start.max(PYTHON.start)),
            end: Some(interval.end.min(PYTHON.end)),
        };
        let last = self
            .last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
            .and_then(|(asked, pulled)| (*asked == pull).then(|| Arc::clone(pulled)));
        if let Some(pulled) = last {
            return Ok(pulled);
        }
        let pulled = Arc::new(Pulled { file: self.kept(server, &pull, cancel)? });
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((pull, Arc::clone(&pulled)));
        Ok(pulled)
    }

    /// Asks for rows and writes them to a file.
    fn kept(&self, server: &OfflineServer, pull: &Pull, cancel: &Cancel) -> Result<TempPath, Problem> {
        let unwritable = |error: &dyn std::fmt::Display| {
            let message = format!("rows of data source `{}` cannot be kept: {error}", pull.source);
            Problem::new(Kind::Unavailable, message, "make room in the folder for temporary files (TMPDIR)".to_owned())
        };
        let mut answer = server.read(Read::Rows(pull.clone()), None, cancel)?;
        let file = NamedTempFile::new_in(self.folder.path()?).map_err(|error| unwritable(&error))?;
        let (file, path) = file.into_parts();
        let schema: SchemaRef = Arc::clone(answer.schema());
        let mut writer = ArrowWriter::try_new(file, schema, None).map_err(|error| unwritable(&error))?;
        while let Some(batch) = answer.next(cancel)? {
            writer.write(&batch).map_err(|error: ParquetError| unwritable(&error))?;
        }
        writer.close().map_err(|error| unwritable(&error))?;
        Ok(path)
    }
}
