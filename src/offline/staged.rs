//! Newest rows that an engine has written to files, read by whoever writes them to the online store.

#[cfg(test)]
use std::{path::PathBuf, sync::LazyLock};

use super::{BatchSink, NewestRead, spark};
#[cfg(test)]
use crate::clients::buckets::Buckets;
use crate::{
    model::{DataSource, FeatureView, FileFormat, FileSource, SourceKind},
    problem::Problem,
    sources::{OpenSource, Whereabouts},
    staging::{StagedFile, StagedFolder},
};

/// Reads the files of staged folders.
#[derive(Debug, Clone, Copy)]
pub struct StagedRows<'a>(&'a Whereabouts);

impl<'a> StagedRows<'a> {
    /// Reads them where the settings say.
    pub const fn of(whereabouts: &'a Whereabouts) -> Self {
        Self(whereabouts)
    }

    /// Those of a repo that has none.
    #[cfg(test)]
    pub(crate) fn of_tests() -> StagedRows<'static> {
        static NOWHERE: LazyLock<Whereabouts> = LazyLock::new(|| Whereabouts {
            repo: PathBuf::new(),
            postgres: None,
            buckets: Buckets::default(),
            environment: |_| None,
        });
        StagedRows(&NOWHERE)
    }

    /// The folder at a place.
    ///
    /// # Errors
    /// When it is none that can be reached.
    pub fn folder(self, location: &str) -> Result<StagedFolder, Problem> {
        StagedFolder::at(location, &self.0.buckets)
    }

    /// Streams the newest rows of a view in a file, as [`OfflineStore::newest`](super::OfflineStore::newest) does.
    ///
    /// # Errors
    /// When the file cannot be read, or a value is not what is declared.
    pub fn newest(
        self,
        view: &FeatureView,
        (folder, file): (&StagedFolder, &StagedFile),
        sink: &mut dyn BatchSink,
    ) -> Result<NewestRead, Problem> {
        let path = folder.path_of(file);
        let kind = FileSource { path, format: Some(FileFormat::Parquet), ..FileSource::default() };
        let source = DataSource::new(&file.name, SourceKind::File(kind));
        spark::read_file(view, &OpenSource::open(&source, self.0)?, sink)
    }
}
