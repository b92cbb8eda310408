//! Feast's PostgreSQL online store: a table per view, a row per entity and feature
//! (`feast/infra/online_stores/postgres_online_store/postgres.py`).

mod moment;
mod read;
mod remove;
mod session;
mod tables;
mod write;

use std::sync::Arc;

use session::{Access, PostgresSession};
use tables::prepare;

use super::{
    admin::{Admin, RecordedTables},
    reader::{PreparedRead, Reader, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{Replace, Writer},
};
use crate::{
    clients::postgres::Pool,
    config::PostgresConfig,
    model::{Timestamp, ViewId},
    problem::Problem,
};

/// Connections that read at once at most, as many as Feast's pool has.
const MOST_READERS: usize = 10;

/// Feast's online store in a schema of a PostgreSQL database.
pub(crate) struct PostgresOnlineStore {
    access: Access,
    readers: Arc<Pool>,
    /// Whether new tables get a column for numbers.
    numbers: bool,
}

impl PostgresOnlineStore {
    /// The store behind these settings. Nothing is opened yet.
    pub(crate) fn new(config: &PostgresConfig) -> Self {
        let access = Access::new(config);
        Self { readers: Arc::new(access.pool(MOST_READERS)), access, numbers: config.numbers }
    }
}

impl Reader for PostgresOnlineStore {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        Box::new(read::PostgresRead::new(Arc::clone(&self.readers), project, views))
    }
}

impl Admin for PostgresOnlineStore {
    fn reach(&self) -> Result<(), Problem> {
        PostgresSession::open(&self.access).map(|_| ())
    }

    /// Feast records tables of SQLite only.
    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        None
    }

    fn table(&self, view: ViewId<'_>) -> Option<String> {
        Some(tables::kept(&view.table()).to_owned())
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem> {
        if views.is_empty() {
            return Ok(());
        }
        let tables: Vec<String> = views.iter().map(|&name| ViewId { project, name }.table()).collect();
        tables::check_lengths(&tables)?;
        prepare(&mut PostgresSession::open(&self.access)?, &tables, self.numbers).map(|_| ())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::views(&mut PostgresSession::open(&self.access)?, views, on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::features(&mut PostgresSession::open(&self.access)?, views, on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::expired(&mut PostgresSession::open(&self.access)?, views, on_page)
    }
}

impl OnlineStore for PostgresOnlineStore {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        let mut session = PostgresSession::open(&self.access)?;
        let table = layout.id().table();
        let found = prepare(&mut session, std::slice::from_ref(&table), self.numbers)?;
        session.note_history();
        let has_numbers = found.iter().any(|table| table.has_numbers);
        Ok(Box::new(write::PostgresWriter::new(session, &table, has_numbers, layout, replace)))
    }
}
