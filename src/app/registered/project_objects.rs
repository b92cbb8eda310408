//! What is registered of a project at one moment, as it is stored.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use super::{rights::Rights, stored_object::StoredObject};
use crate::{
    model::ObjectKind,
    registry::{Row, Snapshot, Write},
};

/// The objects of a project, by kind and name.
#[derive(Debug)]
pub struct ProjectObjects {
    objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>>,
    /// The record of online infrastructure (`feast.core.Infra`).
    pub infra: Option<Bytes>,
    /// Notes about the project, Feast's and feastr's.
    pub metadata: BTreeMap<String, String>,
    /// Who may do what with them.
    pub rights: Arc<Rights>,
}

impl ProjectObjects {
    /// The objects of a snapshot, with what is allowed; those that were so `before` are kept.
    pub(super) fn of(snapshot: Snapshot, rights: Rights, before: Option<&Self>) -> Self {
        let Snapshot { rows, infra, metadata, .. } = snapshot;
        let mut objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>> = BTreeMap::new();
        for row in rows {
            let same = before.and_then(|before| before.find(row.kind, &row.name));
            let object = match same.filter(|stored| *stored.proto == row.proto) {
                Some(stored) => Arc::clone(stored),
                None => Arc::new(StoredObject::of(row)),
            };
            objects.entry(object.kind).or_default().insert(object.name.clone(), object);
        }
        Self { objects, infra: infra.map(Bytes::from), metadata, rights: Arc::new(rights) }
    }

    /// The same after some writes; `None` where they change who may do what, or everything.
    pub(super) fn after(&self, writes: &[Write]) -> Option<Self> {
        let Self { objects, infra, metadata, rights } = self;
        let (mut objects, mut infra, mut metadata) = (objects.clone(), infra.clone(), metadata.clone());
        for write in writes {
            match write {
                Write::Put(Row { kind: ObjectKind::Permission, .. })
                | Write::Delete { kind: ObjectKind::Permission, .. }
                | Write::DeleteProject => return None,
                Write::Put(row) => {
                    let object = Arc::new(StoredObject::of(row.clone()));
                    objects.entry(row.kind).or_default().insert(row.name.clone(), object);
                }
                Write::Delete { kind, name } => {
                    objects.entry(*kind).or_default().remove(name);
                }
                Write::PutInfra { proto, .. } => infra = Some(Bytes::copy_from_slice(proto)),
                Write::PutMetadata { key, value, .. } => drop(metadata.insert(key.to_string(), value.clone())),
                Write::DeleteMetadata { key } => drop(metadata.remove(key)),
                // They are not kept.
                Write::AddVersion(_) | Write::Record(_) => {}
            }
        }
        Some(Self { objects, infra, metadata, rights: Arc::clone(rights) })
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
