//! A registry in memory: for tests, and for programs that want nothing to last.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use super::{
    change_log::{ChangeLog, WantedChanges},
    locks::{Holder, Locking, Locks, ViewLock, of_registry, of_view},
    notes,
    objects::{Mark, Objects, Row, Snapshot, VersionRow, Write},
    run_log::{KEPT_RUNS, RunLog, newest_first},
    traits::Registry,
};
use crate::{
    model::{ChangeRecord, ObjectId, ObjectKind, RunRecord, RunState, Timestamp, ViewId},
    problem::{Kind, Problem},
};

/// A registry in memory. Clones of it with other ways to lock share what it holds.
#[derive(Default)]
pub struct Memory {
    held: Arc<Held>,
    locking: Locking,
}

/// What all that share a registry see.
#[derive(Default)]
struct Held {
    projects: Mutex<BTreeMap<String, Project>>,
    runs: Mutex<Vec<(String, RunRecord)>>,
    changes: Mutex<Vec<(String, ChangeRecord)>>,
    locks: Mutex<BTreeMap<Lock, (String, Instant)>>,
}

/// One project.
#[derive(Debug, Clone, Default)]
struct Project {
    /// Without the numbers of versions, which are in `versions`.
    snapshot: Snapshot,
    versions: Vec<VersionRow>,
    /// How often it was changed.
    changes: u64,
}

/// What can be locked: a project, or a view of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Lock {
    project: String,
    view: Option<String>,
}

impl Lock {
    fn of(view: ViewId<'_>) -> Self {
        Self { project: view.project.to_owned(), view: Some(view.name.to_owned()) }
    }
}

/// A lock that is given back when this is dropped.
struct Taken {
    held: Arc<Held>,
    lock: Lock,
}

impl Drop for Taken {
    fn drop(&mut self) {
        guard(&self.held.locks).remove(&self.lock);
    }
}

fn guard<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Memory {
    /// The same registry, whose locks are taken another way.
    #[must_use]
    pub fn with(&self, locking: Locking) -> Self {
        Self { held: Arc::clone(&self.held), locking }
    }

    fn take(&self, lock: Lock) -> Result<Taken, Problem> {
        let words = lock.view.as_ref().map_or_else(|| of_registry(&self.location()), |view| of_view(view));
        self.locking.wait(&words, || {
            let mut locks = guard(&self.held.locks);
            Ok::<_, Problem>(match locks.get(&lock) {
                Some(holder) => Err(told(holder)),
                None => {
                    locks.insert(lock.clone(), (self.locking.who.clone(), Instant::now()));
                    Ok(Taken { held: Arc::clone(&self.held), lock: lock.clone() })
                }
            })
        })
    }

    fn project(&self, name: &str) -> Project {
        guard(&self.held.projects).get(name).cloned().unwrap_or_default()
    }

    /// Changes a project whose lock is held.
    fn change(
        &self,
        project: &str,
        seen: impl Fn(&Project) -> Snapshot,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        let lock = Lock { project: project.to_owned(), view: None };
        let _taken = self.take(lock)?;
        let mut changed = self.project(project);
        let Some(writes) = decide(&seen(&changed)) else { return Ok(()) };
        let changes = changed.changes + 1;
        let mut records = Vec::new();
        for write in writes {
            match write {
                Write::Record(record) => records.push((project.to_owned(), *record)),
                write => changed.carry_out(write)?,
            }
        }
        changed.changes = changes;
        guard(&self.held.changes).extend(records);
        guard(&self.held.projects).insert(project.to_owned(), changed);
        Ok(())
    }
}

/// Who has a lock.
fn told((who, since): &(String, Instant)) -> Holder {
    Holder { who: Some(who.clone()), since: Some(since.elapsed()) }
}

impl Project {
    fn whole(&self) -> Snapshot {
        let mut snapshot = self.snapshot.clone();
        for version in &self.versions {
            let highest = snapshot.versions.entry(version.view.clone()).or_insert(version.number);
            *highest = version.number.max(*highest);
        }
        snapshot
    }

    fn view(&self, view: &str) -> Snapshot {
        let Snapshot { mut rows, mut metadata, .. } = self.snapshot.clone();
        rows.retain(|row| row.kind.is_view() && row.name == view);
        let wanted = notes::of_view(view);
        metadata.retain(|key, _| wanted.contains(key));
        Snapshot { rows, metadata, ..Snapshot::default() }
    }

    fn carry_out(&mut self, write: Write) -> Result<(), Problem> {
        let Snapshot { rows, infra, metadata, .. } = &mut self.snapshot;
        match write {
            Write::Put(row) => {
                rows.retain(|old| (old.kind, &old.name) != (row.kind, &row.name));
                let place = rows.partition_point(|old| (old.kind, &old.name) < (row.kind, &row.name));
                rows.insert(place, row);
            }
            Write::Delete { kind, name } => {
                rows.retain(|old| (old.kind, &old.name) != (kind, &name));
                if kind.is_view() {
                    self.versions.retain(|version| version.view != name);
                }
            }
            Write::AddVersion(version) => {
                let is_it = |old: &VersionRow| (&old.view, old.number) == (&version.view, version.number);
                if self.versions.iter().any(is_it) {
                    let message = format!("version {} of `{}` is there already", version.number, version.view);
                    return Err(Problem::new(Kind::Conflict, message, None));
                }
                self.versions.push(version);
                self.versions.sort_by(|a, b| (&a.view, a.number).cmp(&(&b.view, b.number)));
            }
            Write::PutInfra { proto, .. } => *infra = Some(proto),
            Write::PutMetadata { key, value, .. } => {
                metadata.insert(key.into_owned(), value);
            }
            Write::DeleteMetadata { key } => {
                metadata.remove(&key);
            }
            Write::DeleteProject => *self = Self::default(),
            // Not of the project.
            Write::Record(_) => {}
        }
        Ok(())
    }
}

impl Objects for Memory {
    fn snapshot(&self, project: &str) -> Result<Snapshot, Problem> {
        Ok(self.project(project).whole())
    }

    fn view(&self, view: ViewId<'_>) -> Result<Snapshot, Problem> {
        Ok(self.project(view.project).view(view.name))
    }

    fn names(&self, project: &str, kinds: &[ObjectKind]) -> Result<Vec<ObjectId>, Problem> {
        let rows = self.project(project).snapshot.rows;
        Ok(rows.iter().filter(|row| kinds.contains(&row.kind)).map(Row::id).collect())
    }

    fn mark(&self, project: &str) -> Result<Option<Mark>, Problem> {
        let changes = self.project(project).changes;
        Ok((changes > 0).then(|| Mark { text: changes.to_string(), settled: Timestamp::FIRST }))
    }

    fn versions(&self, project: &str) -> Result<Vec<VersionRow>, Problem> {
        Ok(self.project(project).versions)
    }

    fn projects(&self) -> Result<Vec<String>, Problem> {
        let projects = guard(&self.held.projects);
        let has_row = |(_, project): &(&String, &Project)| {
            project.snapshot.rows.iter().any(|row| row.kind == ObjectKind::Project)
        };
        Ok(projects.iter().filter(has_row).map(|(name, _)| name.clone()).collect())
    }

    fn update(&self, project: &str, decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem> {
        self.change(project, Project::whole, decide)
    }

    fn update_view(
        &self,
        view: ViewId<'_>,
        decide: &mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>,
    ) -> Result<(), Problem> {
        self.change(view.project, |project| project.view(view.name), decide)
    }
}

impl Locks for Memory {
    fn lock_view(&self, view: ViewId<'_>) -> Result<ViewLock, Problem> {
        Ok(ViewLock::new(self.take(Lock::of(view))?))
    }

    fn view_holder(&self, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
        let lock = Lock::of(view);
        Ok(guard(&self.held.locks).get(&lock).map(told))
    }
}

impl RunLog for Memory {
    fn create_run_log(&self) -> Result<(), Problem> {
        Ok(())
    }

    fn record_run(&self, project: &str, run: &RunRecord) -> Result<(), Problem> {
        let mut runs = guard(&self.held.runs);
        runs.retain(|(_, old)| old.id != run.id);
        runs.push((project.to_owned(), run.clone()));
        if run.state != RunState::Started {
            let of_view = |(owner, old): &(String, RunRecord)| owner == project && old.view == run.view;
            let kept = newest_first(runs.iter().filter(|entry| of_view(entry)).map(|(_, old)| old.clone()).collect());
            if let Some(oldest) = kept.get(KEPT_RUNS).map(|run| run.started) {
                runs.retain(|entry| !of_view(entry) || entry.1.started > oldest);
            }
        }
        Ok(())
    }

    fn runs(&self, project: &str, views: &[String], limit: usize) -> Result<Vec<RunRecord>, Problem> {
        let runs = guard(&self.held.runs);
        let ours =
            runs.iter().filter(|(owner, run)| owner == project && (views.is_empty() || views.contains(&run.view)));
        let mut ours = newest_first(ours.map(|(_, run)| run.clone()).collect());
        ours.truncate(limit);
        Ok(ours)
    }

    fn forget_runs(&self, project: &str) -> Result<(), Problem> {
        guard(&self.held.runs).retain(|(owner, _)| owner != project);
        Ok(())
    }
}

impl ChangeLog for Memory {
    fn changes(&self, project: &str, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Problem> {
        let changes = guard(&self.held.changes);
        let ours = changes.iter().filter(|(owner, _)| owner == project).map(|(_, record)| record.clone());
        Ok(wanted.among(ours.collect()))
    }
}

impl Registry for Memory {
    fn location(&self) -> String {
        "memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_of_somebody_else_is_no_conflict() {
        let registry = Memory::default();
        let view = ViewId { project: "p", name: "v" };
        let taken = registry.lock_view(view).unwrap();
        let impatient = registry.with(Locking { timeout: std::time::Duration::ZERO, ..Locking::default() });
        assert_eq!(impatient.lock_view(view).map(drop).unwrap_err().kind, Kind::Unavailable);
        drop(taken);
        assert!(impatient.lock_view(view).is_ok());
    }
}
