//! The online store in an SQLite file, with Feast's tables.

mod read;
mod remove;
mod tables;
mod write;

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use read::{SqliteRead, ViewRead};
use remove::under_join_keys;
use write::SqliteWriter;

use super::{
    admin::{Admin, RecordedTables},
    reader::{PreparedRead, Reader, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{Replace, Writer},
};
use crate::{
    clients::sqlite::{SqliteFile, SqlitePool},
    model::{Timestamp, ViewId},
    problem::Problem,
};

/// Feast's SQLite online store: a table per view, a row per entity and feature.
pub(crate) struct SqliteOnlineStore {
    file: SqliteFile,
    readers: Arc<SqlitePool>,
    /// The file's path as Feast records it in the registry.
    recorded: String,
    /// Whether tables get a column for numbers.
    numbers: bool,
    /// Held by the writer of this process that writes: the file has one at a time, and SQLite makes the
    /// others look again and again whether it is their turn, which may never come.
    turn: Arc<Mutex<()>>,
}

impl SqliteOnlineStore {
    /// The store in the file at `path` (absolute), which need not exist yet; with a column for
    /// numbers in its tables, or without.
    pub(crate) fn new(path: PathBuf, numbers: bool) -> Self {
        let recorded = path.display().to_string();
        let file = SqliteFile::new("online store", path);
        Self { readers: SqlitePool::new(file.clone()), file, recorded, numbers, turn: Arc::default() }
    }
}

impl Reader for SqliteOnlineStore {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        let views = views.into_iter().map(|view| ViewRead::new(project, view)).collect();
        Box::new(SqliteRead { readers: Arc::clone(&self.readers), views })
    }
}

impl Admin for SqliteOnlineStore {
    fn reach(&self) -> Result<(), Problem> {
        self.file.open_for_reading().map(|_| ())
    }

    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        Some(self)
    }

    /// Capitals make no difference to SQLite.
    fn table(&self, view: ViewId<'_>) -> Option<String> {
        Some(view.table().to_ascii_lowercase())
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem> {
        let tables: Vec<String> = views.iter().map(|&name| ViewId { project, name }.table()).collect();
        self.create(&tables.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(views.iter().map(|view| (view, under_join_keys(view))), on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let removals = views.iter().map(|view| {
            let names = view.features.iter().map(|feature| format!("'{}'", feature.replace('\'', "''")));
            let names = names.collect::<Vec<_>>().join(", ");
            (view, format!("feature_name IN ({names}) AND {}", under_join_keys(view)))
        });
        self.remove(removals, on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let removals = views.iter().map(|(view, before)| (view, format!("event_ts < {}", before.seconds())));
        self.remove(removals, on_page)
    }
}

impl OnlineStore for SqliteOnlineStore {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        let connection = self.file.open_for_writing()?;
        let table = layout.id().table();
        let writer = SqliteWriter::new(self, connection, &table, layout, replace);
        Ok(Box::new(writer.map_err(|error| self.file.explain(&error))?))
    }
}
