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
    /// Replaces the rows of an object, and ends the job that is about it; all or nothing. Says how many rows it has of each
    /// entity.
    ///
    /// # Errors
    /// When rows cannot be read or written, or somebody else is at the job by now.
    pub(super) fn replace(
        &self,
        job: &Job,
        entities: &[&str],
        version: &str,
        rows_of: &mut RowsOf<'_>,
    ) -> Result<u64, Problem> {
        let origin = Origin { view: &job.view, path: &job.path };
        self.write(|session| {
            self.delete(session, job)?;
            let mut rows = BTreeMap::new();
            for (place, entity) in entities.iter().enumerate() {
                self.prepare_entity(session, entity)?;
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
            Ok(count)
        })
    }

    /// Removes the rows of an object, and ends the job that is about it. Says whether there were any.
    ///
    /// # Errors
    /// As for [`replace`](Self::replace).
    pub(super) fn remove(&self, job: &Job) -> Result<bool, Problem> {
        self.write(|session| {
            let was_there = self.delete(session, job)?;
            self.finish(session, job, if was_there { "removed" } else { "there is nothing to index" })?;
            Ok(was_there)
        })
    }

    /// Ends a job about an object whose rows are in the index as they should be.
    ///
    /// # Errors
    /// As for [`replace`](Self::replace).
    pub(super) fn keep(&self, job: &Job) -> Result<(), Problem> {
        self.write(|session| self.finish(session, job, "it is in the index as it is"))
    }

    /// Deletes an object with its rows, whatever entities they are of.
    fn delete(&self, session: &mut dyn Session, job: &Job) -> Result<bool, Problem> {
        let values = [&job.path, &job.view].map(Value::from);
        let object = self.table(OBJECT);
        let statement = format!("DELETE FROM {object} WHERE path = $1 AND feature_view = $2 RETURNING entity_rows");
        let deleted = session.run(&statement, &values)?;
        for row in &deleted {
            let Some(Cell::Text(rows)) = row.first() else { continue };
            for entity in counts(rows)?.keys() {
                let name = entity_table(entity);
                if has_table(self, session, &name)? {
                    let table = self.table(&name);
                    session.run(&format!("DELETE FROM {table} WHERE path = $1 AND feature_view = $2"), &values)?;
                }
            }
        }
        Ok(!deleted.is_empty())
    }

    /// The version of an object that is in the index.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn version(&self, view: &str, path: &str) -> Result<Option<String>, Problem> {
        let statement = format!("SELECT version FROM {} WHERE path = $1 AND feature_view = $2", self.table(OBJECT));
        let found = self.read(|session| session.run(&statement, &[Value::from(path), Value::from(view)]))?;
        Ok(found.into_iter().next().and_then(|row| row.into_iter().next()?.text()))
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
