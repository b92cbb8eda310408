//! Feast's SQL registry: the same tables on every database.
//!
//! What a database must be able to do is in `session`, how it spells statements in `dialect`; a
//! database is a file that has both.

mod changes;
mod dialect;
mod limited;
mod mysql;
mod postgres;
mod run_log;
mod schema;
mod session;
mod sqlite;

use std::{
    sync::{Mutex, PoisonError},
    thread::sleep,
    time::Duration,
};

use self::{
    changes::Changes,
    dialect::{Columns, Part},
    session::{Database, Failure, Parameter, Session},
};
use super::{
    locks::{Holder, Locking, Locks, ViewLock},
    objects::{Objects, Row, Snapshot, VersionRow, Write},
    registry::Registry,
    run_log::RunLog,
};
use crate::problem::{Kind, Problem};
use crate::{
    config::{RegistryDatabase, SchemaMode, SqlRegistryConfig},
    model::{ObjectKind, RunRecord},
};

/// How often an update that other clients got in the way of is tried.
const ATTEMPTS: u32 = 6;

/// A registry in a database.
pub struct SqlRegistry {
    database: Box<dyn Database>,
    schema_mode: SchemaMode,
    locking: Locking,
    /// The connection of the last reading, for the next one.
    reader: Mutex<Option<Box<dyn Session>>>,
}

impl SqlRegistry {
    /// The registry of the settings, for reading and writing. Nothing is opened yet.
    pub fn new(config: &SqlRegistryConfig, locking: Locking) -> Self {
        Self {
            database: database(&config.database),
            schema_mode: config.schema_mode,
            locking,
            reader: Mutex::new(None),
        }
    }

    /// The registry, or its replica if there is one, for commands that only read.
    pub fn to_read(config: &SqlRegistryConfig) -> Self {
        let replica = config.replica.as_ref().unwrap_or(&config.database);
        Self { database: database(replica), ..Self::new(config, Locking::default()) }
    }

    /// Reads with the connection there is, or a new one; gives nothing when there is no database yet.
    fn read<T: Default>(&self, read: impl Fn(&mut dyn Session, &Columns) -> Result<T, Failure>) -> Result<T, Problem> {
        let kept = self.reader.lock().unwrap_or_else(PoisonError::into_inner).take();
        // Servers and what is in between end connections that nobody uses.
        if let Some(session) = kept
            && let Ok(result) = self.read_with(session, &read)
        {
            return Ok(result);
        }
        match self.database.reader()? {
            Some(session) => Ok(self.read_with(session, &read)?),
            None => Ok(T::default()),
        }
    }

    /// Reads with a connection, and keeps it for the next reading if that goes well.
    fn read_with<T>(
        &self,
        mut session: Box<dyn Session>,
        read: &impl Fn(&mut dyn Session, &Columns) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let here = self.columns(session.as_mut())?;
        let result = read(session.as_mut(), &here)?;
        *self.reader.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        Ok(result)
    }

    fn columns(&self, session: &mut dyn Session) -> Result<Columns, Failure> {
        let pairs = session.run(self.database.dialect().columns, &[])?;
        let here = Columns::new(pairs.into_iter().filter_map(|row| {
            let [table, column] = <[_; 2]>::try_from(row).ok()?;
            Some((table.text(), column.text()))
        }));
        let missing = here.missing_columns();
        if missing.is_empty() {
            return Ok(here);
        }
        Err(Failure::Final(Problem::new(
            Kind::Unavailable,
            format!("the registry {} has no column {}", self.location(), missing.join(", ")),
            "an older or a newer Feast made these tables; add the columns, or use another database".to_owned(),
        )))
    }

    fn read_snapshot(
        &self,
        session: &mut dyn Session,
        here: &Columns,
        project: &str,
        for_update: bool,
    ) -> Result<Snapshot, Failure> {
        let mut snapshot = Snapshot::default();
        let Some((statement, parameters)) = self.database.dialect().select(here, for_update) else {
            return Ok(snapshot);
        };
        for row in session.run(&statement, &vec![Parameter::Text(project); parameters])? {
            let Ok([part, name, number, content]) = <[_; 4]>::try_from(row) else { continue };
            match Part::of(part.integer()) {
                Some(Part::Object(kind)) => {
                    let name = name.text();
                    self.check_spelling(kind, &name, project)?;
                    snapshot.rows.push(Row { kind, name, updated: number.integer(), proto: content.bytes() });
                }
                Some(Part::Infra) => snapshot.infra = Some(content.bytes()),
                Some(Part::Version) => {
                    snapshot.versions.insert(name.text(), i32::try_from(number.integer()).unwrap_or(i32::MAX));
                }
                Some(Part::Metadata) => {
                    snapshot.metadata.insert(name.text(), content.text());
                }
                None => {}
            }
        }
        snapshot.rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
        Ok(snapshot)
    }

    /// MySQL takes `Drivers` and `drivers` for the same text, and so would mix two projects.
    fn check_spelling(&self, kind: ObjectKind, name: &str, project: &str) -> Result<(), Problem> {
        if kind != ObjectKind::Project || name == project {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Unavailable,
            format!("the registry {} cannot tell the projects `{name}` and `{project}` apart", self.location()),
            format!("write `project: {name}`, or choose a name that differs by more than capitals and accents"),
        ))
    }

    fn try_update(
        &self,
        project: &str,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Failure> {
        let dialect = self.database.dialect();
        let mut session = self.database.writer(project, &self.locking)?;
        let mut here = self.columns(session.as_mut())?;
        let missing = here.missing_tables();
        match self.schema_mode {
            SchemaMode::Auto if !missing.is_empty() => {
                for statement in missing.iter().flat_map(|table| dialect.create(table)) {
                    session.run(&statement, &[])?;
                }
                here = self.columns(session.as_mut())?;
            }
            SchemaMode::Verify if !missing.is_empty() => {
                let names: Vec<&str> = missing.iter().map(|table| table.name).collect();
                return Err(Failure::Final(Problem::new(
                    Kind::Unavailable,
                    format!("the registry {} lacks the tables {}", self.location(), names.join(", ")),
                    "create them, or set `schema_mode: auto` and feastr does".to_owned(),
                )));
            }
            SchemaMode::Auto | SchemaMode::Verify | SchemaMode::Skip => {}
        }
        session.begin()?;
        let snapshot = self.read_snapshot(session.as_mut(), &here, project, true)?;
        if let Some(writes) = decide(&snapshot) {
            Changes::of(&writes).write(session.as_mut(), dialect, &here, project, &snapshot)?;
            session.commit()?;
        }
        Ok(())
    }
}

impl Objects for SqlRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.read(|session, here| self.read_snapshot(session, here, project, false))
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        let mut projects = self.read(|session, here| {
            if !here.has_table("projects") {
                return Ok(Vec::new());
            }
            let rows = session.run("SELECT project_id FROM projects", &[])?;
            Ok(rows.into_iter().flatten().map(session::Cell::text).collect())
        })?;
        projects.sort();
        Ok(projects)
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.read(|session, here| {
            if !here.has_table("feature_view_version_history") {
                return Ok(Vec::new());
            }
            let statement = self.database.dialect().versions();
            let rows = session.run(&statement, &[Parameter::Text(project)])?;
            let mut versions: Vec<VersionRow> = rows
                .into_iter()
                .filter_map(|row| {
                    let [view, view_type, number, proto, created, id] = <[_; 6]>::try_from(row).ok()?;
                    Some(VersionRow {
                        view: view.text(),
                        view_type: view_type.text(),
                        number: i32::try_from(number.integer()).unwrap_or(i32::MAX),
                        proto: proto.bytes(),
                        created: created.integer(),
                        id: id.text(),
                    })
                })
                .collect();
            versions.sort_by(|a, b| (&a.view, a.number).cmp(&(&b.view, b.number)));
            Ok(versions)
        })
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        retrying(|| self.try_update(project, decide))
    }
}

impl Locks for SqlRegistry {
    fn lock_view(&self, project: &str, view: &str) -> Result<ViewLock, Problem> {
        Ok(self.database.lock_view(project, view, &self.locking)?)
    }

    fn view_holder(&self, project: &str, view: &str) -> Result<Option<Holder>, Problem> {
        Ok(self.database.view_holder(project, view)?)
    }
}

impl RunLog for SqlRegistry {
    fn create_history(&self, project: &str) -> Result<(), Problem> {
        retrying(|| self.try_create_history(project))
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        retrying(|| self.try_record_run(project, run))
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        self.read(|session, here| run_log::read(session, self.database.dialect(), here, project, views, limit))
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        retrying(|| self.try_forget_runs(project))
    }
}

impl Registry for SqlRegistry {
    fn location(&self) -> String {
        self.database.location()
    }
}

/// Tries again what other clients got in the way of.
fn retrying(mut attempt: impl FnMut() -> Result<(), Failure>) -> Result<(), Problem> {
    let mut attempts = 1;
    loop {
        match attempt() {
            Err(Failure::Conflict(_)) if attempts < ATTEMPTS => {
                sleep(Duration::from_millis(20) * attempts);
                attempts += 1;
            }
            result => return Ok(result?),
        }
    }
}

fn database(config: &RegistryDatabase) -> Box<dyn Database> {
    match config {
        RegistryDatabase::Sqlite { path } => Box::new(sqlite::Sqlite::new(path.clone())),
        RegistryDatabase::Postgres(url) => Box::new(postgres::Postgres::new(url.clone())),
        RegistryDatabase::MySql(url) => Box::new(mysql::MySql::new(url.clone())),
    }
}
