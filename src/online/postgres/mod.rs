//! Feast's PostgreSQL online store: a table per view, a row per entity and feature
//! (`feast/infra/online_stores/postgres_online_store/postgres.py`).

mod moment;
mod read;
mod remove;
mod session;
mod tables;
mod write;

use session::{Access, Session};
use tables::{missing, prepare, table_name};

use super::store::{OnlineError, OnlineStore, OnlineWriter, ReadRequest, Replace, StoredValue, ViewLayout};
use crate::{
    config::PostgresConfig,
    model::{OnlineTables, Timestamp},
};

/// Feast's online store in a schema of a PostgreSQL database.
pub struct PostgresOnlineStore {
    access: Access,
    /// Whether new tables get a column for numbers.
    numbers: bool,
}

impl PostgresOnlineStore {
    /// The store behind these settings. Nothing is opened yet.
    pub fn new(config: &PostgresConfig) -> Self {
        Self { access: Access::new(config), numbers: config.numbers }
    }

    fn create(&self, tables: &[String]) -> Result<(), OnlineError> {
        if tables.is_empty() {
            return Ok(());
        }
        tables::check_lengths(tables)?;
        prepare(&mut Session::open(&self.access)?, tables, self.numbers)?;
        Ok(())
    }
}

impl OnlineStore for PostgresOnlineStore {
    fn kind(&self) -> &'static str {
        "postgres"
    }

    fn location(&self) -> String {
        self.access.server().url().to_string()
    }

    /// Feast records tables of SQLite only.
    fn tables(&self) -> Option<OnlineTables<'_>> {
        None
    }

    fn existing_tables(&self, tables: &[&str]) -> Result<Vec<String>, OnlineError> {
        let mut session = Session::open(&self.access)?;
        let missing = missing(&mut session, tables)?;
        let existing = tables.iter().filter(|table| !missing.iter().any(|name| name == *table));
        Ok(existing.map(|&table| table.to_owned()).collect())
    }

    fn create_tables(&self, tables: &[&str]) -> Result<(), OnlineError> {
        self.create(&tables.iter().map(|&table| table.to_owned()).collect::<Vec<_>>())
    }

    fn drop_tables(&self, tables: &[&str]) -> Result<(), OnlineError> {
        if tables.is_empty() {
            return Ok(());
        }
        remove::drop_tables(&mut Session::open(&self.access)?, tables)
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), OnlineError> {
        self.create(&views.iter().map(|view| table_name(project, view)).collect::<Vec<_>>())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, OnlineError> {
        remove::views(&mut Session::open(&self.access)?, views, on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, OnlineError> {
        remove::features(&mut Session::open(&self.access)?, views, on_page)
    }

    fn remove_expired(
        &self,
        views: &[(ViewLayout, Timestamp)],
        on_page: &mut dyn FnMut(u64),
    ) -> Result<u64, OnlineError> {
        remove::expired(&mut Session::open(&self.access)?, views, on_page)
    }

    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn OnlineWriter>, OnlineError> {
        let mut session = Session::open(&self.access)?;
        let table = table_name(&layout.project, &layout.view);
        let found = prepare(&mut session, std::slice::from_ref(&table), self.numbers)?;
        let has_numbers = found.iter().any(|table| table.has_numbers);
        Ok(Box::new(write::PostgresWriter::new(session, &table, has_numbers, layout, replace)))
    }

    fn read(&self, project: &str, requests: &[ReadRequest]) -> Result<Vec<Vec<Vec<StoredValue>>>, OnlineError> {
        read::read(&mut Session::open(&self.access)?, project, requests)
    }
}
