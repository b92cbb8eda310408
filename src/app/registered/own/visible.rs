//! What of a project somebody may know.

use std::collections::BTreeMap;

use super::super::ProjectObjects;
use crate::{
    app::Caller,
    model::{DUMMY_ENTITY, ObjectId, ObjectKind, PermissionAction},
    registry::{Snapshot, forget_owner, leftover_of, owners},
};

/// What a caller may know of the objects of a project.
#[derive(Clone, Copy)]
pub(super) struct Visible<'a> {
    pub(super) caller: &'a Caller,
    pub(super) objects: &'a ProjectObjects,
}

impl Visible<'_> {
    /// Whether an object is one of these. The entity that stands for none is no secret.
    pub(super) fn has(self, id: &ObjectId) -> bool {
        let is_dummy = id.kind == ObjectKind::Entity && id.name == DUMMY_ENTITY;
        let stored = self.objects.find(id.kind, &id.name);
        is_dummy
            || stored
                .is_some_and(|object| self.objects.rights.allow(self.caller, object, &[PermissionAction::Describe]))
    }

    /// The same of a view of whatever kind.
    pub(super) fn has_view(self, name: &str) -> bool {
        ObjectKind::VIEWS.into_iter().any(|kind| self.has(&ObjectId::new(kind, name)))
    }

    /// The part of a snapshot that the caller may know. The record of online tables and what does not name an object goes
    /// with the project.
    pub(super) fn part_of(self, whole: &Snapshot) -> Snapshot {
        let project = whole.rows.iter().find(|row| row.kind == ObjectKind::Project);
        let has_project = project.is_none_or(|row| self.has(&row.id()));
        let versions = whole.versions.iter().filter(|(view, _)| self.has_view(view));
        Snapshot {
            rows: whole.rows.iter().filter(|row| self.has(&row.id())).cloned().collect(),
            infra: whole.infra.clone().filter(|_| has_project),
            versions: versions.map(|(view, number)| (view.clone(), *number)).collect(),
            metadata: self.notes(&whole.metadata),
        }
    }

    /// The notes without those that name what the caller may not know.
    fn notes(self, all: &BTreeMap<String, String>) -> BTreeMap<String, String> {
        let mut notes = all.clone();
        for id in owners(all).keys().filter(|id| !self.has(id)) {
            if let Some(key) = forget_owner(id).note_key() {
                notes.remove(key);
            }
        }
        // A leftover may be of a view that is gone, which nobody asks for any more.
        let is_there = |view: &str| ObjectKind::VIEWS.into_iter().any(|kind| self.objects.find(kind, view).is_some());
        notes.retain(|key, value| {
            leftover_of(key, value).is_none_or(|left| !is_there(&left.view) || self.has_view(&left.view))
        });
        notes
    }
}
