//! The tables of the index: jobs, the objects that are in it, and a table and a view for each entity.

use std::sync::PoisonError;

use super::{
    database::{Session, Value},
    index::{EntityIndex, first, has_table},
};
use crate::{
    problem::{Kind, Problem},
    sql_name::quoted,
};

/// PostgreSQL cuts longer names.
const LONGEST_NAME: usize = 63;

pub(super) const JOB: &str = "job";
pub(super) const OBJECT: &str = "object";
const PROJECT: &str = "project";

/// The table with the rows of an entity.
pub(super) fn entity_table(entity: &str) -> String {
    format!("entity_{entity}")
}

/// The view with the latest moment of each entity.
fn latest_view(entity: &str) -> String {
    format!("latest_entity_{entity}")
}

impl EntityIndex {
    /// Makes sure that there are tables for jobs and objects, inside of a transaction that writes.
    ///
    /// # Errors
    /// When they cannot be made, or belong to another project.
    pub(super) fn prepare(&self, session: &mut dyn Session) -> Result<(), Problem> {
        session.execute(self.dialect().take_turns)?;
        if !has_table(self, session, PROJECT)? {
            session.execute(&(self.dialect().create_schema)(&self.schema))?;
            session.execute(&self.creation())?;
            let statement = format!("INSERT INTO {} (name) VALUES ($1)", self.table(PROJECT));
            session.run(&statement, &[Value::from(&self.project)])?;
        }
        self.check_project(session)
    }

    /// Whether there are tables that can be read.
    ///
    /// # Errors
    /// When they belong to another project.
    pub(super) fn is_readable(&self, session: &mut dyn Session) -> Result<bool, Problem> {
        let is_there = has_table(self, session, PROJECT)?;
        if is_there {
            self.check_project(session)?;
        }
        Ok(is_there)
    }

    fn check_project(&self, session: &mut dyn Session) -> Result<(), Problem> {
        let owner = session.run(&format!("SELECT name FROM {}", self.table(PROJECT)), &[])?;
        let owner = first(owner).and_then(super::database::Cell::text).unwrap_or_default();
        if owner == self.project {
            return Ok(());
        }
        Err(Problem::new(
            Kind::Conflict,
            format!("the entity index {} is that of project `{owner}`", self.place()),
            format!("give `{}` one of its own: set `schema` of `entity_index` in feature_store.yaml", self.project),
        ))
    }

    fn creation(&self) -> String {
        let dialect = self.dialect();
        let (job, object, project) = (self.table(JOB), self.table(OBJECT), self.table(PROJECT));
        let (moment, numbered) = (dialect.moment, dialect.numbered);
        let index = |name: &str| quoted(&format!("{}_{name}", self.schema));
        format!(
            "CREATE TABLE {project} (name text NOT NULL);
             CREATE TABLE {job} (
                 id {numbered}, noted {moment} NOT NULL, started {moment}, ended {moment}, status text NOT NULL,
                 status_msg text, entity_names text NOT NULL, feature_view text NOT NULL, path text NOT NULL,
                 event text NOT NULL, event_id text NOT NULL, event_time {moment}, sequencer text, etag text,
                 attempts bigint NOT NULL, not_before {moment} NOT NULL, worker text, lease {moment});
             CREATE UNIQUE INDEX {event} ON {job} (path, feature_view, event_id);
             CREATE INDEX {open} ON {job} (id) WHERE status IN ('waiting', 'running');
             CREATE TABLE {object} (
                 feature_view text NOT NULL, path text NOT NULL, version text NOT NULL, entity_rows text NOT NULL,
                 indexed {moment} NOT NULL, PRIMARY KEY (path, feature_view))",
            event = index("job_event"),
            open = index("job_open"),
        )
    }

    /// Makes sure that there are a table and a view for each entity. Others wait while they are made, so that no rows are
    /// added in the same transaction.
    ///
    /// # Errors
    /// When they cannot be made, or the name of an entity is too long for them.
    pub(super) fn prepare_entities(&self, entities: &[&str]) -> Result<(), Problem> {
        let mut known = self.with_tables.lock().unwrap_or_else(PoisonError::into_inner);
        if entities.iter().any(|entity| !known.contains(*entity)) {
            self.write(|session| entities.iter().try_for_each(|entity| self.prepare_entity(session, entity)))?;
            known.extend(entities.iter().map(|entity| (*entity).to_owned()));
        }
        Ok(())
    }

    /// Takes nothing for granted any more: somebody may have removed tables.
    pub(super) fn forget_tables(&self) {
        self.with_tables.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    fn prepare_entity(&self, session: &mut dyn Session, entity: &str) -> Result<(), Problem> {
        let name = entity_table(entity);
        if has_table(self, session, &name)? {
            return Ok(());
        }
        let index = |what: &str| format!("{}_{name}_{what}", self.schema);
        let (view, times, paths) = (latest_view(entity), index("time"), index("path"));
        if [&view, &times].iter().any(|name| name.len() > LONGEST_NAME) || entity.contains('\0') {
            let message = format!("entity `{entity}` has too long a name for a table of its own");
            return Err(Problem::new(
                Kind::Unsupported,
                message,
                "give it a shorter name, or the index a shorter schema".to_owned(),
            ));
        }
        session.execute(self.dialect().take_turns)?;
        if has_table(self, session, &name)? {
            return Ok(());
        }
        let (table, view, moment) = (self.table(&name), self.table(&view), self.dialect().moment);
        let (times, paths) = (quoted(&times), quoted(&paths));
        session.execute(&format!(
            "CREATE TABLE {table} (
                 id text NOT NULL, feature_view text NOT NULL, event_timestamp {moment} NOT NULL,
                 created_timestamp {moment}, path text NOT NULL, file_row bigint NOT NULL);
             CREATE INDEX {times} ON {table} (feature_view, event_timestamp, id);
             CREATE INDEX {paths} ON {table} (path);
             {create} {view} AS
                 SELECT id, feature_view, max(event_timestamp) AS event_timestamp FROM {table} GROUP BY id, feature_view",
            create = self.dialect().create_view,
        ))
    }
}
