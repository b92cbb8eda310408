//! A store in memory for tests, whose calls are heard before they are carried out: who hears of one may count it or
//! refuse it. It has a table per view, if wanted, as SQLite.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard},
};

use super::{
    admin::{Admin, RecordedTables},
    memory::MemoryOnlineStore,
    reader::{PreparedRead, Reader, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{EncodedRow, Replace, WriteCounts, Writer},
};
use crate::{
    model::{OnlineTables, Timestamp, ViewId},
    problem::Problem,
};

/// A call that is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Call {
    Reach,
    /// Room is made for views.
    Prepare,
    /// Tables are created.
    Create(Vec<String>),
    /// Tables or values are removed.
    Remove,
    /// This many rows of a view are written.
    Write(String, usize),
    /// Rows of a view are to be stored for certain.
    Flush(String),
}

/// Hears of calls.
type Hear = dyn FnMut(Call) -> Result<(), Problem> + Send;

/// The store.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) memory: MemoryOnlineStore,
    hear: Arc<Mutex<Box<Hear>>>,
    /// `None` if it has none.
    tables: Option<Arc<Mutex<BTreeSet<String>>>>,
}

impl Watched {
    pub(crate) fn new(hear: impl FnMut(Call) -> Result<(), Problem> + Send + 'static) -> Self {
        Self { memory: MemoryOnlineStore::default(), hear: Arc::new(Mutex::new(Box::new(hear))), tables: None }
    }

    /// The same with a table per view, which the registry records.
    pub(crate) fn with_tables(self) -> Self {
        Self { tables: Some(Arc::default()), ..self }
    }

    /// The tables that there are.
    pub(crate) fn tables(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.tables.as_ref().unwrap().lock().unwrap()
    }

    fn tell(&self, call: Call) -> Result<(), Problem> {
        (self.hear.lock().unwrap())(call)
    }
}

impl Reader for Watched {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        self.memory.prepare(project, views)
    }
}

impl Admin for Watched {
    fn reach(&self) -> Result<(), Problem> {
        self.tell(Call::Reach)
    }

    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        self.tables.is_some().then_some(self)
    }

    fn table(&self, view: ViewId<'_>) -> Option<String> {
        self.tables.is_some().then(|| view.table())
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem> {
        self.tell(Call::Prepare)?;
        self.memory.prepare_views(project, views)
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.tell(Call::Remove)?;
        self.memory.remove_views(views, on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.tell(Call::Remove)?;
        self.memory.remove_features(views, on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.tell(Call::Remove)?;
        self.memory.remove_expired(views, on_page)
    }
}

impl RecordedTables for Watched {
    fn layout(&self) -> OnlineTables<'_> {
        OnlineTables { store: "memory", file: "memory" }
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        one.eq_ignore_ascii_case(other)
    }

    fn existing(&self, tables: &[&str]) -> Result<Vec<String>, Problem> {
        Ok(tables.iter().filter(|table| self.tables().contains(**table)).map(|table| (*table).to_owned()).collect())
    }

    fn create(&self, tables: &[&str]) -> Result<(), Problem> {
        let tables: Vec<String> = tables.iter().map(|table| (*table).to_owned()).collect();
        self.tell(Call::Create(tables.clone()))?;
        self.tables().extend(tables);
        Ok(())
    }

    fn remove(&self, tables: &[&str]) -> Result<(), Problem> {
        self.tell(Call::Remove)?;
        self.tables().retain(|table| !tables.contains(&table.as_str()));
        Ok(())
    }
}

impl OnlineStore for Watched {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        let view = layout.view.clone();
        Ok(Box::new(WatchedWriter { store: self.clone(), view, writer: self.memory.writer(layout, replace)? }))
    }
}

struct WatchedWriter {
    store: Watched,
    view: String,
    writer: Box<dyn Writer>,
}

impl Writer for WatchedWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        self.store.tell(Call::Write(self.view.clone(), rows.len()))?;
        self.writer.write(rows)
    }

    fn flush(&mut self) -> Result<WriteCounts, Problem> {
        self.store.tell(Call::Flush(self.view.clone()))?;
        self.writer.flush()
    }
}
