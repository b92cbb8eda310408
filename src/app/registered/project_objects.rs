//! What is registered of a project at one moment, as it is stored.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{rights::Rights, stored_object::StoredObject};
use crate::{app::reviewed::Reviewed, model::ObjectKind, permissions::Unruled, registry::Snapshot};

/// The objects of a project, by kind and name.
#[derive(Debug)]
pub struct ProjectObjects {
    objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>>,
    /// The record of online infrastructure (`feast.core.Infra`).
    pub infra: Option<Bytes>,
    /// Notes about the project, Feast's and feastr's.
    pub metadata: BTreeMap<String, String>,
    /// Who may do what with them.
    pub rights: Rights,
}

impl ProjectObjects {
    /// The objects of a snapshot. `unruled` holds where there are no permissions.
    pub(super) fn of(snapshot: Snapshot, unruled: Unruled) -> Self {
        let Snapshot { rows, infra, metadata, .. } = snapshot;
        let rights = Rights::of(&rows, unruled);
        let mut objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>> = BTreeMap::new();
        for row in rows {
            objects.entry(row.kind).or_default().insert(row.name.clone(), Arc::new(StoredObject::of(row)));
        }
        Self { objects, infra: infra.map(Bytes::from), metadata, rights }
    }

    /// The same where somebody may decide instead of permissions.
    pub(super) fn reviewed_by(self, reviewed: Option<Reviewed>) -> Self {
        Self { rights: self.rights.reviewed_by(reviewed), ..self }
    }

    /// An object.
    pub fn find(&self, kind: ObjectKind, name: &str) -> Option<&Arc<StoredObject>> {
        self.objects.get(&kind)?.get(name)
    }

    /// The objects of a kind, by name.
    pub fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &Arc<StoredObject>> {
        self.objects.get(&kind).into_iter().flat_map(BTreeMap::values)
    }
}
