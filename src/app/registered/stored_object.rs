//! An object as it is stored, with what permissions and lists ask of it.

use std::sync::{Arc, OnceLock};

use bytes::Bytes;

use crate::{
    discovery::Known,
    feast::registry::{About, Card, about, last_updated},
    model::{ObjectId, ObjectKind, PermissionType, Tags, Timestamp},
    registry::Row,
};

/// An object as it is stored.
#[derive(Debug, Clone)]
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
    pub(super) permission_type: Option<PermissionType>,
    /// What it says of itself, from the first time on that somebody asks; `None` if it cannot be read.
    card: OnceLock<Option<Arc<Card>>>,
}

impl StoredObject {
    /// The object of a row.
    pub fn of(row: Row) -> Self {
        let Row { kind, name, proto, .. } = row;
        let (permission_type, tags) = match about(kind, &proto) {
            Some(About { permission_type, tags, .. }) => (Some(permission_type), tags),
            None => (None, Tags::new()),
        };
        Self { kind, name, proto: proto.into(), tags, permission_type, card: OnceLock::new() }
    }

    /// What it says of itself; `None` if it cannot be read.
    pub fn known(&self) -> Option<Known> {
        let read = || Card::read(self.kind, &self.proto).ok().map(Arc::new);
        let card = self.card.get_or_init(read).as_ref()?;
        Some(Known { id: self.id(), card: Arc::clone(card) })
    }

    /// When it was changed last, if that is known.
    pub fn last_updated(&self) -> Option<Timestamp> {
        last_updated(self.kind, &self.proto)
    }

    /// Kind and name.
    pub fn id(&self) -> ObjectId {
        ObjectId::new(self.kind, &self.name)
    }

    /// A project that nobody has described.
    pub(super) fn project(name: &str) -> Self {
        Self::undescribed(ObjectKind::Project, PermissionType::Project, name)
    }

    /// An object of which nothing but its name is known.
    pub(in crate::app) fn undescribed(kind: ObjectKind, permission_type: PermissionType, name: &str) -> Self {
        let (name, permission_type) = (name.to_owned(), Some(permission_type));
        Self { kind, name, proto: Bytes::new(), tags: Tags::new(), permission_type, card: OnceLock::new() }
    }

    /// The row that it would have; nobody has asked when it was changed.
    pub(in crate::app) fn row(&self) -> Row {
        Row { kind: self.kind, name: self.name.clone(), updated: 0, proto: self.proto.to_vec() }
    }
}
