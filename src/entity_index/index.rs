//! The index: its database, and transactions in it.

use std::{
    collections::HashSet,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use super::database::{self, Cell, Database, Dialect, Session, Value};
use crate::{
    config::{EntityIndexConfig, RegistryConfig},
    problem::Problem,
};

/// Which entities were seen when, and in which file. Threads can share it.
pub struct EntityIndex {
    database: Box<dyn Database>,
    pub(super) schema: String,
    /// Whose index it is.
    pub(super) project: String,
    /// Whether the tables are known to be there.
    is_prepared: AtomicBool,
    /// The entities whose tables are known to be there.
    pub(super) with_tables: Mutex<HashSet<String>>,
    idle: Mutex<Vec<Box<dyn Session>>>,
}

impl EntityIndex {
    /// The index of the settings. Nothing is opened yet.
    ///
    /// # Errors
    /// When neither the settings nor the registry name a database for it.
    pub fn open(config: &EntityIndexConfig, registry: &RegistryConfig, project: &str) -> Result<Self, Problem> {
        Ok(Self {
            database: database::open(config, registry)?,
            schema: config.schema.clone(),
            project: project.to_owned(),
            is_prepared: AtomicBool::new(false),
            with_tables: Mutex::default(),
            idle: Mutex::default(),
        })
    }

    /// Where it is, without a password.
    pub fn place(&self) -> String {
        format!("{} in {}", self.schema, self.database.place())
    }

    pub(super) fn dialect(&self) -> &'static Dialect {
        self.database.dialect()
    }

    /// A table of the index, as SQL names it.
    pub(super) fn table(&self, name: &str) -> String {
        (self.dialect().in_schema)(&self.schema, name)
    }

    /// Whether there is anything to read.
    pub(super) fn is_there(&self) -> bool {
        self.database.is_there()
    }

    /// Does all of something that writes, or nothing, and it is stored; the tables of jobs and objects are there.
    pub(super) fn write<T>(&self, act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>) -> Result<T, Problem> {
        self.change(self.dialect().begin, act)
    }

    /// The same for what is done again if it is lost: jobs that were noted stay noted.
    pub(super) fn write_again<T>(
        &self,
        act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        self.change(self.dialect().begin_again, act)
    }

    fn change<T>(&self, begin: &str, act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>) -> Result<T, Problem> {
        let is_prepared = self.is_prepared.load(Ordering::Relaxed);
        let done = self.transaction(begin, |session| {
            if !is_prepared {
                self.prepare(session)?;
            }
            act(session)
        })?;
        self.is_prepared.store(true, Ordering::Relaxed);
        Ok(done)
    }

    /// Reads everything as it is at one moment.
    pub(super) fn read<T>(&self, act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>) -> Result<T, Problem> {
        self.transaction(self.dialect().begin_reading, act)
    }

    fn transaction<T>(
        &self,
        begin: &str,
        act: impl FnOnce(&mut dyn Session) -> Result<T, Problem>,
    ) -> Result<T, Problem> {
        let mut session = self.begun(begin)?;
        let done = act(&mut *session);
        let ended = session.execute(if done.is_ok() { "COMMIT" } else { "ROLLBACK" });
        if ended.is_ok() && session.is_usable() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(session);
        }
        // What went wrong first says why.
        done.and_then(|value| ended.map(|()| value))
    }

    /// A connection in a transaction. One that was kept may have ended meanwhile, and then there is a new one.
    fn begun(&self, begin: &str) -> Result<Box<dyn Session>, Problem> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut session) = kept else { break };
            if session.is_usable() && session.execute(begin).is_ok() {
                return Ok(session);
            }
        }
        let mut session = self.database.open()?;
        session.execute(begin)?;
        Ok(session)
    }
}

/// Whether there is a table or view.
pub(super) fn has_table(index: &EntityIndex, session: &mut dyn Session, name: &str) -> Result<bool, Problem> {
    let found = session.run(index.dialect().has_table, &[Value::from(index.schema.as_str()), Value::from(name)])?;
    Ok(!found.is_empty())
}

/// The first value of an answer.
pub(super) fn first(rows: Vec<Vec<Cell>>) -> Option<Cell> {
    rows.into_iter().next()?.into_iter().next()
}

/// The places of so many rows of values in a statement: `($1, $2), ($3, $4)`.
pub(super) fn values_of(rows: usize, columns: usize) -> String {
    let row = |row: usize| {
        let places: Vec<String> = (1..=columns).map(|column| format!("${}", row * columns + column)).collect();
        format!("({})", places.join(", "))
    };
    (0..rows).map(row).collect::<Vec<_>>().join(", ")
}
