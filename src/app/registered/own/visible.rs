//! What of a project somebody may know.

use std::collections::BTreeMap;

use super::super::{ProjectObjects, rights::those};
use crate::{
    app::Caller,
    model::{DUMMY_ENTITY, ObjectId, ObjectKind},
    problem::Problem,
    registry::{Snapshot, forget_owner, forget_sharded_run, leftover_of, owners, sharded_runs},
};

/// What a caller may know of the objects of a project.
#[derive(Clone, Copy)]
pub(super) struct Visible<'a> {
    pub(super) caller: &'a Caller,
    pub(super) objects: &'a ProjectObjects,
}

impl Visible<'_> {
    /// Whether an object is one of these. The entity that stands for none is no secret.
    ///
    /// # Errors
    /// When nobody can say now who may what; so of all that is here.
    pub(super) fn has(self, id: &ObjectId) -> Result<bool, Problem> {
        if id.kind == ObjectKind::Entity && id.name == DUMMY_ENTITY {
            return Ok(true);
        }
        match self.objects.find(id.kind, &id.name) {
            Some(stored) => self.objects.rights.allow_describe(self.caller, stored),
            None => Ok(false),
        }
    }

    /// The same of a view of whatever kind.
    pub(super) fn has_view(self, name: &str) -> Result<bool, Problem> {
        let views = those(ObjectKind::VIEWS, |kind| self.has(&ObjectId::new(*kind, name)))?;
        Ok(!views.is_empty())
    }

    /// The part of a snapshot that the caller may know. The record of online tables and what does not name an object goes
    /// with the project.
    pub(super) fn part_of(self, whole: &Snapshot) -> Result<Snapshot, Problem> {
        let project = whole.rows.iter().find(|row| row.kind == ObjectKind::Project);
        let has_project = match project {
            Some(row) => self.has(&row.id())?,
            None => true,
        };
        let versions = those(&whole.versions, |(view, _)| self.has_view(view))?;
        Ok(Snapshot {
            rows: those(&whole.rows, |row| self.has(&row.id()))?.into_iter().cloned().collect(),
            infra: whole.infra.clone().filter(|_| has_project),
            versions: versions.into_iter().map(|(view, number)| (view.clone(), *number)).collect(),
            metadata: self.notes(&whole.metadata)?,
            mark: None,
        })
    }

    /// The notes without those that name what the caller may not know.
    fn notes(self, all: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Problem> {
        let mut notes = all.clone();
        for id in owners(all).keys() {
            if !self.has(id)?
                && let Some(key) = forget_owner(id).note_key()
            {
                notes.remove(key);
            }
        }
        for run in sharded_runs(all) {
            if !self.has_view(&run.view)?
                && let Some(key) = forget_sharded_run(&run.view).note_key()
            {
                notes.remove(key);
            }
        }
        // A leftover may be of a view that is gone, which nobody asks for any more.
        let is_there = |view: &str| ObjectKind::VIEWS.into_iter().any(|kind| self.objects.find(kind, view).is_some());
        let notes = those(notes, |(key, value)| match leftover_of(key, value) {
            Some(left) if is_there(&left.view) => self.has_view(&left.view),
            _ => Ok(true),
        })?;
        Ok(notes.into_iter().collect())
    }
}
