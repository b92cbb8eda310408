//! A registry in a database: what is read, and how an update goes.
//!
//! A project is changed under its lock. One view is changed, and notes about runs are written, without that lock: the
//! rows in question are locked, and what collides with others is done again. Connections are kept.

use std::{
    sync::{Arc, Mutex, atomic::AtomicBool},
    thread::sleep,
    time::Duration,
};

use super::{
    changes::Changes,
    dialect::{Columns, Extent, Part},
    idle::Idle,
    mysql::MySql,
    postgres::Postgres,
    schema::{ObjectTable, object_table},
    session::{Database, Session, SqlFailure},
    sqlite::Sqlite,
    value::{Cell, Parameter},
};
use crate::{
    config::{RegistryDatabase, SchemaMode, SqlRegistryConfig},
    model::{ObjectId, ObjectKind, Timestamp, ViewId},
    problem::{Kind, Problem},
    registry::{
        locks::{Holder, LockName, Locking, Locks, ViewLock},
        notes::{self, LAST_UPDATED},
        objects::{Mark, Objects, Row, Snapshot, VersionRow, Write},
        traits::Registry,
    },
};

/// How often an update that other clients got in the way of is tried.
const ATTEMPTS: u32 = 6;

/// A registry in a database.
pub(crate) struct SqlRegistry {
    pub(super) database: Box<dyn Database>,
    pub(super) schema_mode: SchemaMode,
    pub(super) locking: Locking,
    /// The tables there are, once they are complete.
    pub(super) here: Mutex<Option<Arc<Columns>>>,
    /// Whether the table of runs is known to be as it should be.
    pub(super) run_log_is_ready: AtomicBool,
    readers: Idle<Box<dyn Session>>,
    writers: Idle<Box<dyn Session>>,
}

impl SqlRegistry {
    /// The registry of the settings, for reading and writing. Nothing is opened yet.
    pub(crate) fn new(config: &SqlRegistryConfig, locking: Locking) -> Self {
        Self::of(&config.database, config.schema_mode, locking)
    }

    /// The registry, or its replica if there is one, for commands that only read.
    pub(crate) fn to_read(config: &SqlRegistryConfig) -> Self {
        Self::of(config.replica.as_ref().unwrap_or(&config.database), config.schema_mode, Locking::default())
    }

    fn of(database: &RegistryDatabase, schema_mode: SchemaMode, locking: Locking) -> Self {
        Self {
            database: self::database(database),
            schema_mode,
            locking,
            here: Mutex::default(),
            run_log_is_ready: AtomicBool::new(false),
            readers: Idle::default(),
            writers: Idle::default(),
        }
    }

    /// Reads with a connection that is kept, or a new one; gives the default when there is no database yet.
    pub(super) fn read<T: Default>(
        &self,
        read: impl Fn(&mut dyn Session) -> Result<T, SqlFailure>,
    ) -> Result<T, Problem> {
        // Servers and what is in between end connections that nobody uses.
        if let Some(session) = self.readers.take()
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
        read: &impl Fn(&mut dyn Session) -> Result<T, SqlFailure>,
    ) -> Result<T, SqlFailure> {
        let result = read(session.as_mut())?;
        if self.database.stays() {
            self.readers.keep(session);
        }
        Ok(result)
    }

    /// A connection to write with, kept or new, with which `begin` has gone well.
    pub(super) fn writer<T>(
        &self,
        begin: impl Fn(&mut dyn Session) -> Result<T, SqlFailure>,
    ) -> Result<(Box<dyn Session>, T), SqlFailure> {
        let with = |mut session: Box<dyn Session>| {
            let begun = begin(session.as_mut())?;
            Ok((session, begun))
        };
        // Servers and what is in between end connections that nobody uses.
        match self.writers.take().map(with) {
            Some(Ok(kept)) => Ok(kept),
            _ => with(self.database.writer(&self.locking)?),
        }
    }

    /// Keeps a connection that is in no transaction.
    pub(super) fn keep_writer(&self, session: Box<dyn Session>) {
        if self.database.stays() {
            self.writers.keep(session);
        }
    }

    fn read_snapshot(
        &self,
        session: &mut dyn Session,
        here: &Columns,
        project: &str,
        extent: Extent<'_>,
        for_update: bool,
    ) -> Result<Snapshot, SqlFailure> {
        let mut snapshot = Snapshot::default();
        let Some((statement, parameters)) = self.database.dialect().select(here, project, extent, for_update) else {
            return Ok(snapshot);
        };
        for row in session.run(&statement, &parameters)? {
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
                    let (key, value) = (name.text(), content.text());
                    if key == LAST_UPDATED {
                        let state = self.database.dialect().state_of_note(here).map(|_| number.integer());
                        snapshot.mark = mark_of(&value, state);
                    }
                    snapshot.metadata.insert(key, value);
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
            Kind::Conflict,
            format!("the registry {} cannot tell the projects `{name}` and `{project}` apart", self.location()),
            format!("write `project: {name}`, or choose a name that differs by more than capitals and accents"),
        ))
    }

    fn try_update(
        &self,
        project: &str,
        extent: Extent<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), SqlFailure> {
        // Whoever waits long for the lock shall not find out only then that a connection has ended that was kept.
        let (mut session, ()) = self.writer(|session| session.run("SELECT 1", &[]).map(drop))?;
        session.lock_project(project, &self.locking)?;
        let here = self.complete(session.as_mut())?;
        session.begin(&self.locking)?;
        let snapshot = self.read_snapshot(session.as_mut(), &here, project, extent, true)?;
        if let Some(writes) = decide(&snapshot) {
            Changes::of(&writes).write(session.as_mut(), self.database.dialect(), &here, project, &snapshot)?;
            session.commit()?;
            self.keep_writer(session);
        }
        Ok(())
    }

    fn try_update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), SqlFailure> {
        let notes = notes::of_view(view.name);
        let extent = Extent::View { name: view.name, notes: &notes };
        let (mut session, here) = self.writer(|session| {
            let here = self.complete(session)?;
            session.begin(&self.locking)?;
            Ok(here)
        })?;
        let mut snapshot = self.read_snapshot(session.as_mut(), &here, view.project, extent, true)?;
        if snapshot.rows.is_empty() {
            // A row that was replaced by another one while its lock was waited for is found at the second look.
            snapshot = self.read_snapshot(session.as_mut(), &here, view.project, extent, true)?;
        }
        if let Some(writes) = decide(&snapshot) {
            Changes::of(&writes).write(session.as_mut(), self.database.dialect(), &here, view.project, &snapshot)?;
            session.commit()?;
            self.keep_writer(session);
        }
        Ok(())
    }
}

impl Objects for SqlRegistry {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        self.read(|session| {
            let here = self.columns(session)?;
            self.read_snapshot(session, &here, project, Extent::Project, false)
        })
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        let notes = notes::of_view(view.name);
        self.read(|session| {
            let here = self.columns(session)?;
            self.read_snapshot(session, &here, view.project, Extent::View { name: view.name, notes: &notes }, false)
        })
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        let rows = self.read(|session| {
            let here = self.columns(session)?;
            Ok(self.read_snapshot(session, &here, project, Extent::Names(kinds), false)?.rows)
        })?;
        Ok(rows.iter().map(Row::id).collect())
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        let cells: Vec<Cell> = self.read(|session| {
            let here = self.columns(session)?;
            if !here.has_table("feast_metadata") {
                return Ok(Vec::new());
            }
            let statement = self.database.dialect().note_and_state(&here);
            let rows = session.run(&statement, &[Parameter::Text(project), Parameter::Text(LAST_UPDATED)])?;
            Ok(rows.into_iter().next().unwrap_or_default())
        })?;
        let mut cells = cells.into_iter();
        let value = cells.next().map(Cell::text);
        let state = cells.next().map(|state| state.integer());
        Ok(value.and_then(|value| mark_of(&value, state)))
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        let mut projects = self.read(|session| {
            if !self.columns(session)?.has_table("projects") {
                return Ok(Vec::new());
            }
            let rows = session.run("SELECT project_id FROM projects", &[])?;
            Ok(rows.into_iter().flatten().map(Cell::text).collect())
        })?;
        projects.sort();
        Ok(projects)
    }

    fn project_rows(&self) -> Result<Vec<Row>, Problem> {
        let ObjectTable { table, name, proto } = object_table(ObjectKind::Project);
        let mut projects = self.read(|session| {
            if !self.columns(session)?.has_table(table) {
                return Ok(Vec::new());
            }
            let rows = session.run(&format!("SELECT {name}, last_updated_timestamp, {proto} FROM {table}"), &[])?;
            let rows = rows.into_iter().filter_map(|row| <[_; 3]>::try_from(row).ok());
            let row = |[name, updated, proto]: [Cell; 3]| Row {
                kind: ObjectKind::Project,
                name: name.text(),
                updated: updated.integer(),
                proto: proto.bytes(),
            };
            Ok(rows.map(row).collect::<Vec<_>>())
        })?;
        projects.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(projects)
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        self.read(|session| {
            if !self.columns(session)?.has_table("feature_view_version_history") {
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
        retrying(|| self.try_update(project, Extent::Project, decide))
    }

    fn update_object(
        &self,
        project: &str,
        object: &ObjectId,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        let notes = notes::of_object(object);
        let extent = Extent::Object { id: object, notes: &notes };
        retrying(|| self.try_update(project, extent, decide))
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        retrying(|| self.try_update_view(view, decide))
    }
}

impl Locks for SqlRegistry {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        Ok(self.database.lock(&LockName::of_view(view), &self.locking)?)
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        Ok(self.database.holder(&LockName::of_view(view))?)
    }
}

impl Registry for SqlRegistry {
    fn location(&self) -> String {
        self.database.location()
    }
}

/// What the note of the last change makes a project be recognised by, with the state of its row if that is known.
fn mark_of(seconds: &str, state: Option<i64>) -> Option<Mark> {
    match state {
        // Whoever changes something writes this note anew in the same transaction.
        Some(state) => Some(Mark { text: format!("{seconds} {state}"), settled: Timestamp::FIRST }),
        // Two changes within a second look alike.
        None => {
            let settled = seconds.parse::<i64>().ok()?.saturating_add(2).saturating_mul(1_000_000);
            Some(Mark { text: seconds.to_owned(), settled: Timestamp::from_micros(settled) })
        }
    }
}

/// A database of the settings. Nothing is opened yet.
pub(super) fn database(settings: &RegistryDatabase) -> Box<dyn Database> {
    match settings {
        RegistryDatabase::Sqlite { path } => Box::new(Sqlite::new(path.clone())),
        RegistryDatabase::Postgres(url) => Box::new(Postgres::new(url.clone())),
        RegistryDatabase::MySql(url) => Box::new(MySql::new(url.clone())),
    }
}

/// Tries again what other clients got in the way of.
pub(crate) fn retrying(mut attempt: impl FnMut() -> Result<(), SqlFailure>) -> Result<(), Problem> {
    let mut attempts = 1;
    loop {
        match attempt() {
            Err(SqlFailure::Conflict(_)) if attempts < ATTEMPTS => {
                sleep(Duration::from_millis(20) * attempts);
                attempts += 1;
            }
            result => return Ok(result?),
        }
    }
}
