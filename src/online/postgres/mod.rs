//! Feast's PostgreSQL online store: a table per view, a row per entity and feature
//! (`feast/infra/online_stores/postgres_online_store/postgres.py`).

mod moment;
mod read;
mod remove;
mod session;
mod tables;
mod write;

use session::{Access, Session};
use tables::{prepare, table_name};

use super::store::{OnlineStore, OnlineWriter, ReadRequest, RecordedTables, Replace, StoredValue, ViewLayout};
use crate::{config::PostgresConfig, model::Timestamp, problem::Problem};

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
}

impl OnlineStore for PostgresOnlineStore {
    /// Feast records tables of SQLite only.
    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        None
    }

    fn table(&self, project: &str, view: &str) -> Option<String> {
        Some(tables::kept(&table_name(project, view)).to_owned())
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem> {
        if views.is_empty() {
            return Ok(());
        }
        let tables: Vec<String> = views.iter().map(|view| table_name(project, view)).collect();
        tables::check_lengths(&tables)?;
        prepare(&mut Session::open(&self.access)?, &tables, self.numbers).map(|_| ())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::views(&mut Session::open(&self.access)?, views, on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::features(&mut Session::open(&self.access)?, views, on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        remove::expired(&mut Session::open(&self.access)?, views, on_page)
    }

    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn OnlineWriter>, Problem> {
        let mut session = Session::open(&self.access)?;
        let table = table_name(&layout.project, &layout.view);
        let found = prepare(&mut session, std::slice::from_ref(&table), self.numbers)?;
        session.note_history();
        let has_numbers = found.iter().any(|table| table.has_numbers);
        Ok(Box::new(write::PostgresWriter::new(session, &table, has_numbers, layout, replace)))
    }

    fn read(&self, project: &str, requests: &[ReadRequest]) -> Result<Vec<Vec<Vec<StoredValue>>>, Problem> {
        read::read(&mut Session::open(&self.access)?, project, requests)
    }
}
