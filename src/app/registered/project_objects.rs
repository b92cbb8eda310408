//! What is registered of a project at one moment, as it is stored, and who may do what with it.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;

use crate::{
    app::{Caller, access::denied},
    feast::registry::{About, about},
    model::{ObjectId, ObjectKind, PermissionAction, PermissionType, Tags},
    permissions::{Permissions, Resource, Unruled},
    problem::{Kind, Problem},
    registry::{Row, Snapshot, read_objects},
};

/// An object as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredObject {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// The serialized message of this kind.
    pub proto: Bytes,
    /// Its labels.
    pub tags: Tags,
    /// What it is to permissions; `None` if its bytes cannot be read, and nobody knows whom they are for.
    permission_type: Option<PermissionType>,
}

/// The objects of a project, by kind and name.
#[derive(Debug)]
pub struct ProjectObjects {
    objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>>,
    /// The record of online infrastructure (`feast.core.Infra`).
    pub infra: Option<Bytes>,
    /// Notes about the project, Feast's and feastr's.
    pub metadata: BTreeMap<String, String>,
    permissions: Permissions,
}

impl StoredObject {
    /// The object of a row.
    pub fn of(row: Row) -> Self {
        let Row { kind, name, proto, .. } = row;
        let (permission_type, tags) = match about(kind, &proto) {
            Some(About { permission_type, tags, .. }) => (Some(permission_type), tags),
            None => (None, Tags::new()),
        };
        Self { kind, name, proto: proto.into(), tags, permission_type }
    }

    /// Kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind, &self.name)
    }
}

impl ProjectObjects {
    /// The objects of a snapshot. `unruled` holds where there are no permissions.
    pub(super) fn of(snapshot: Snapshot, unruled: Unruled) -> Self {
        let Snapshot { rows, infra, metadata, .. } = snapshot;
        let is_permission = |row: &&Row| row.kind == ObjectKind::Permission;
        let permissions: Vec<Row> = rows.iter().filter(is_permission).cloned().collect();
        let permissions = read_objects(&Snapshot { rows: permissions, ..Snapshot::default() });
        let mut objects: BTreeMap<ObjectKind, BTreeMap<String, Arc<StoredObject>>> = BTreeMap::new();
        for row in rows {
            objects.entry(row.kind).or_default().insert(row.name.clone(), Arc::new(StoredObject::of(row)));
        }
        let permissions = Permissions::of(&permissions, unruled);
        Self { objects, infra: infra.map(Bytes::from), metadata, permissions }
    }

    /// An object.
    pub fn find(&self, kind: ObjectKind, name: &str) -> Option<&Arc<StoredObject>> {
        self.objects.get(&kind)?.get(name)
    }

    /// The objects of a kind, by name.
    pub fn of_kind(&self, kind: ObjectKind) -> impl Iterator<Item = &Arc<StoredObject>> {
        self.objects.get(&kind).into_iter().flat_map(BTreeMap::values)
    }

    /// Lets a caller do all of these with an object.
    ///
    /// # Errors
    /// [`Kind::Denied`], also for everybody but operators where the object cannot be read.
    pub fn check(&self, caller: &Caller, object: &StoredObject, actions: &[PermissionAction]) -> Result<(), Problem> {
        let Caller::User(_) = caller else { return Ok(()) };
        match object.permission_type {
            Some(kind) => {
                self.check_resource(caller, Resource { kind, name: &object.name, tags: &object.tags }, actions)
            }
            None => {
                let message = format!("{} cannot be read, so nobody knows who may use it", object.id());
                Err(Problem::new(Kind::Denied, message, None))
            }
        }
    }

    /// The same with what need not be stored.
    ///
    /// # Errors
    /// [`Kind::Denied`].
    pub fn check_resource(
        &self,
        caller: &Caller,
        resource: Resource<'_>,
        actions: &[PermissionAction],
    ) -> Result<(), Problem> {
        let Caller::User(user) = caller else { return Ok(()) };
        let decision = self.permissions.decide(user, resource, actions);
        match decision.allowed {
            true => Ok(()),
            false => Err(denied(&user.name, resource, actions, &decision, &self.permissions)),
        }
    }

    /// Whether a caller may do all of these with an object.
    pub fn allow(&self, caller: &Caller, object: &StoredObject, actions: &[PermissionAction]) -> bool {
        let Caller::User(user) = caller else { return true };
        object.permission_type.is_some_and(|kind| {
            let resource = Resource { kind, name: &object.name, tags: &object.tags };
            self.permissions.decide(user, resource, actions).allowed
        })
    }
}
