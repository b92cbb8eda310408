//! Which objects are in the index, and their rows: those of an object are replaced as a whole.

use std::collections::BTreeMap;

use super::{
    database::{Cell, EntityRows, Origin, Session, Value},
    index::{EntityIndex, has_table},
    job::Job,
    schema::{OBJECT, entity_table},
};
use crate::{
    diagnostics::counted,
    problem::{Kind, Problem},
};

/// An object that is in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexedObject {
    /// What tells its content, and what was read of it, from another one.
    pub(super) version: String,
    /// How many rows it has of each entity.
    pub(super) rows: BTreeMap<String, u64>,
}

/// The next rows of an entity, by its place among those of the view.
pub(super) type RowsOf<'a> = dyn FnMut(usize) -> Result<Option<EntityRows>, Problem> + 'a;

impl EntityIndex {
    /// Replaces the rows of an object that is not in the index in this version, and ends the job that is about it; all or
    /// nothing. Says how many rows it has of all entities together; `None` if they were there.
    ///
    /// # Errors
    /// When rows cannot be read or written, or somebody else is at the job by now.
    pub(super) fn replace(
        &self,
        job: &Job,
        entities: &[&str],
        version: &str,
        rows_of: &mut RowsOf<'_>,
    ) -> Result<Option<u64>, Problem> {
        self.prepare_entities(entities)?;
        let origin = Origin { view: &job.view, path: &job.path };
        let replaced = self.write_again(|session| {
            if let Some(known) = self.object(session, job)? {
                if known.version == version {
                    self.finish(session, job, "it is in the index as it is")?;
                    return Ok(None);
                }
                self.delete(session, job, &known)?;
            }
            let mut rows = BTreeMap::new();
            for (place, entity) in entities.iter().enumerate() {
                let added = session.add(&self.table(&entity_table(entity)), origin, &mut || rows_of(place))?;
                rows.insert(*entity, added);
            }
            // It consists of texts and numbers.
            let entity_rows = serde_json::to_string(&rows).unwrap_or_default();
            let statement = format!(
                "INSERT INTO {} (feature_view, path, version, entity_rows, indexed) VALUES ($1, $2, $3, $4, {})",
                self.table(OBJECT),
                self.dialect().now
            );
            let values = [&*job.view, &*job.path, version, &*entity_rows].map(Value::from);
            session.run(&statement, &values)?;
            let count: u64 = rows.values().sum();
            self.finish(session, job, &counted(count, "row"))?;
            Ok(Some(count))
        });
        if replaced.is_err() {
            self.forget_tables();
        }
        replaced
    }

    /// Removes the rows of an object, and ends the job that is about it. Says whether there were any.
    ///
    /// # Errors
    /// As for [`replace`](Self::replace).
    pub(super) fn remove(&self, job: &Job) -> Result<bool, Problem> {
        self.write_again(|session| {
            let known = self.object(session, job)?;
            if let Some(known) = &known {
                self.delete(session, job, known)?;
            }
            self.finish(session, job, if known.is_some() { "removed" } else { "there is nothing to index" })?;
            Ok(known.is_some())
        })
    }

    /// What the index has of the object that a job is about.
    fn object(&self, session: &mut dyn Session, job: &Job) -> Result<Option<IndexedObject>, Problem> {
        let object = self.table(OBJECT);
        let statement = format!("SELECT version, entity_rows FROM {object} WHERE path = $1 AND feature_view = $2");
        let found = session.run(&statement, &[&job.path, &job.view].map(Value::from))?.into_iter().next();
        let Some([Cell::Text(version), Cell::Text(rows)]) = found.and_then(|row| <[Cell; 2]>::try_from(row).ok())
        else {
            return Ok(None);
        };
        Ok(Some(IndexedObject { version, rows: counts(&rows)? }))
    }

    /// Deletes an object with its rows, whatever entities they are of.
    fn delete(&self, session: &mut dyn Session, job: &Job, known: &IndexedObject) -> Result<(), Problem> {
        let values = [&job.path, &job.view].map(Value::from);
        for entity in known.rows.keys() {
            let name = entity_table(entity);
            if has_table(self, session, &name)? {
                let table = self.table(&name);
                session.run(&format!("DELETE FROM {table} WHERE path = $1 AND feature_view = $2"), &values)?;
            }
        }
        let object = self.table(OBJECT);
        session.run(&format!("DELETE FROM {object} WHERE path = $1 AND feature_view = $2"), &values)?;
        Ok(())
    }

    /// All objects of the index, by view and path.
    ///
    /// # Errors
    /// When the index cannot be read, or is that of another project.
    pub(super) fn objects(&self) -> Result<BTreeMap<(String, String), IndexedObject>, Problem> {
        let statement = format!("SELECT feature_view, path, version, entity_rows FROM {}", self.table(OBJECT));
        let found = self.looked_at(|session| session.run(&statement, &[]))?.unwrap_or_default();
        let object = |row: Vec<Cell>| {
            let [view, path, version, rows] = <[Cell; 4]>::try_from(row).ok()?.map(Cell::text);
            Some((view?, path?, version?, rows?))
        };
        let found = found.into_iter().filter_map(object);
        found
            .map(|(view, path, version, rows)| Ok(((view, path), IndexedObject { version, rows: counts(&rows)? })))
            .collect()
    }

    /// How many rows the table of an entity has, by view and path.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn rows_of(&self, entity: &str) -> Result<BTreeMap<(String, String), u64>, Problem> {
        let name = entity_table(entity);
        let statement = format!("SELECT feature_view, path, count(*) FROM {} GROUP BY 1, 2", self.table(&name));
        let found = self.looked_at(|session| match has_table(self, session, &name)? {
            true => session.run(&statement, &[]),
            false => Ok(Vec::new()),
        })?;
        let of_object = |row: Vec<Cell>| {
            let [view, path, count] = <[Cell; 3]>::try_from(row).ok()?;
            Some(((view.text()?, path.text()?), u64::try_from(count.integer()).ok()?))
        };
        Ok(found.unwrap_or_default().into_iter().filter_map(of_object).collect())
    }
}

fn counts(text: &str) -> Result<BTreeMap<String, u64>, Problem> {
    serde_json::from_str(text).map_err(|error| {
        Problem::new(Kind::Internal, format!("the table of objects of the entity index is damaged: {error}"), None)
    })
}
