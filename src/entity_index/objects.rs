//! Which objects are in the index, and their rows: those of an object are replaced as a whole. Small objects are settled
//! together, because a transaction costs more than their rows.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::Array as _;

use super::{
    database::{Cell, EntityRows, Origin, Session, Value},
    index::{EntityIndex, has_table, values_of},
    job::Job,
    outcome::Outcome,
    schema::{OBJECT, entity_table},
};
use crate::problem::{Kind, Problem};

/// An object that is in the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexedObject {
    /// What tells its content, and what was read of it, from another one.
    pub(super) version: String,
    /// How many rows it has of each entity.
    pub(super) rows: BTreeMap<String, u64>,
}

/// What becomes of an object that a job is about.
#[derive(Debug)]
pub(super) struct Settled<'a> {
    pub(super) job: &'a Job,
    /// What is there now; `None` is nothing that belongs into the index.
    pub(super) there: Option<There<'a>>,
}

/// An object as it is.
#[derive(Debug)]
pub(super) struct There<'a> {
    /// What tells its content, and what is read of it, from another one.
    pub(super) version: String,
    /// The entities that it has rows of.
    pub(super) entities: Vec<&'a str>,
}

/// The next rows of an object, by its place among those that are settled, and of an entity, by its place among those of the
/// object.
pub(super) type RowsOf<'a> = dyn FnMut(usize, usize) -> Result<Option<EntityRows>, Problem> + 'a;

impl EntityIndex {
    /// Replaces the rows of objects that are not in the index as they are, removes those of objects that are gone, and ends
    /// the jobs that are about them; all or nothing. Says what became of each.
    ///
    /// # Errors
    /// When rows cannot be read or written, or somebody else is at a job by now.
    pub(super) fn settle(&self, all: &[Settled<'_>], rows_of: &mut RowsOf<'_>) -> Result<Vec<Outcome>, Problem> {
        let entities: BTreeSet<&str> = all
            .iter()
            .filter_map(|settled| settled.there.as_ref())
            .flat_map(|there| there.entities.iter().copied())
            .collect();
        self.prepare_entities(&entities.iter().copied().collect::<Vec<_>>())?;
        let settled = self.write_again(|session| self.settle_in(session, all, &entities, rows_of));
        if settled.is_err() {
            self.forget_tables();
        }
        settled
    }

    fn settle_in(
        &self,
        session: &mut dyn Session,
        all: &[Settled<'_>],
        entities: &BTreeSet<&str>,
        rows_of: &mut RowsOf<'_>,
    ) -> Result<Vec<Outcome>, Problem> {
        let known = self.known(session, &all.iter().map(|settled| settled.job).collect::<Vec<_>>())?;
        // Those that are to be added, with the number of rows of each of their entities.
        let mut added: BTreeMap<usize, BTreeMap<&str, u64>> = BTreeMap::new();
        let mut outcomes = Vec::with_capacity(all.len());
        for (place, (settled, known)) in all.iter().zip(&known).enumerate() {
            outcomes.push(match (&settled.there, known) {
                (Some(there), Some(known)) if there.version == known.version => Outcome::Known,
                (None, None) => Outcome::Nothing,
                (there, known) => {
                    if let Some(known) = known {
                        self.delete(session, settled.job, known)?;
                    }
                    let counts = there.iter().flat_map(|there| &there.entities).map(|entity| (*entity, 0));
                    if there.is_some() {
                        added.insert(place, counts.collect());
                    }
                    Outcome::Removed
                }
            });
        }
        for entity in entities {
            let mut sources = Vec::new();
            for place in added.keys() {
                let there = all[*place].there.iter().flat_map(|there| &there.entities);
                sources.extend(there.enumerate().filter(|(_, name)| *name == entity).map(|(of, _)| (*place, of)));
            }
            let mut sources = sources.into_iter().peekable();
            if sources.peek().is_none() {
                continue;
            }
            session.add(&self.table(&entity_table(entity)), &mut || {
                while let Some((place, of)) = sources.peek().copied() {
                    if let Some(rows) = rows_of(place, of)? {
                        let count = added.get_mut(&place).and_then(|counts| counts.get_mut(entity));
                        count.into_iter().for_each(|count| *count += rows.ids.len() as u64);
                        let job = all[place].job;
                        return Ok(Some((Origin { view: &job.view, path: &job.path }, rows)));
                    }
                    sources.next();
                }
                Ok(None)
            })?;
        }
        for (place, counts) in &added {
            outcomes[*place] = Outcome::Indexed(counts.values().sum());
        }
        self.note_objects(session, all, &added)?;
        let ended: Vec<(&Job, String)> =
            all.iter().zip(&outcomes).map(|(settled, outcome)| (settled.job, outcome.message())).collect();
        self.finish(session, &ended)?;
        Ok(outcomes)
    }

    /// Notes which objects are in the index now.
    fn note_objects(
        &self,
        session: &mut dyn Session,
        all: &[Settled<'_>],
        added: &BTreeMap<usize, BTreeMap<&str, u64>>,
    ) -> Result<(), Problem> {
        // They consist of texts and numbers.
        let counted: Vec<(usize, String)> =
            added.iter().map(|(place, counts)| (*place, serde_json::to_string(counts).unwrap_or_default())).collect();
        let mut values = Vec::with_capacity(counted.len() * 4);
        for (place, rows) in &counted {
            let version = all[*place].there.as_ref().map_or("", |there| there.version.as_str());
            let job = all[*place].job;
            values.extend([&*job.view, &*job.path, version, rows.as_str()].map(Value::from));
        }
        if values.is_empty() {
            return Ok(());
        }
        let now = self.dialect().now;
        let row = |first: usize| {
            format!("(${}, ${}, ${}, ${}, {now})", 4 * first + 1, 4 * first + 2, 4 * first + 3, 4 * first + 4)
        };
        let rows: Vec<String> = (0..counted.len()).map(row).collect();
        let statement = format!(
            "INSERT INTO {} (feature_view, path, version, entity_rows, indexed) VALUES {}",
            self.table(OBJECT),
            rows.join(", ")
        );
        session.run(&statement, &values).map(drop)
    }

    /// What the index has of the objects that jobs are about, in their order.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn known(
        &self,
        session: &mut dyn Session,
        jobs: &[&Job],
    ) -> Result<Vec<Option<IndexedObject>>, Problem> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        let values: Vec<Value<'_>> = jobs.iter().flat_map(|job| [&job.path, &job.view].map(Value::from)).collect();
        let statement = format!(
            "SELECT path, feature_view, version, entity_rows FROM {} WHERE (path, feature_view) IN (VALUES {})",
            self.table(OBJECT),
            values_of(jobs.len(), 2)
        );
        let mut known = BTreeMap::new();
        for row in session.run(&statement, &values)? {
            let Ok([path, view, version, rows]) = <[Cell; 4]>::try_from(row).map(|cells| cells.map(Cell::text)) else {
                continue;
            };
            if let (Some(path), Some(view), Some(version), Some(rows)) = (path, view, version, rows) {
                known.insert((path, view), IndexedObject { version, rows: counts(&rows)? });
            }
        }
        Ok(jobs.iter().map(|job| known.get(&(job.path.clone(), job.view.clone())).cloned()).collect())
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
