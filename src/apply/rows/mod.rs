//! From planned changes to the rows a registry writes.

mod sent;
mod versions;

pub use sent::{SentObject, removal};
pub use versions::PinnedVersions;
pub(crate) use versions::pinned_versions;

use std::collections::{BTreeMap, HashSet};

use uuid::Uuid;

use super::ApplyError;
use crate::{
    feast::registry::{self, DecodeError, RowVersion, SourceRows, WriteError, with_online_tables},
    model::{DUMMY_ENTITY, Entity, Object, ObjectId, ObjectKind, Timestamp},
    plan::{Action, Change, Plan},
    registry::{Row, Snapshot, Write},
};

/// The writes that carry out the object changes of a plan made from `snapshot`; `pinned` has the
/// stored versions that views are pinned to.
pub(crate) fn writes(
    plan: &Plan,
    snapshot: &Snapshot,
    pinned: &PinnedVersions,
    now: Timestamp,
) -> Result<Vec<Write>, ApplyError> {
    let has_dummy = snapshot.proto(ObjectKind::Entity, DUMMY_ENTITY).is_some();
    if plan.changes.is_empty() && has_dummy {
        return Ok(Vec::new());
    }
    let mut writer = RowWriter::new(plan, snapshot, pinned, now)?;
    // Deletes come first: a view of another kind may take the name, and the history goes with the
    // old one.
    for id in plan.changes.iter().filter_map(Change::vanishing) {
        writer.delete(id);
    }
    let mut changes: Vec<&Change> = plan.changes.iter().collect();
    changes.sort_by_key(|change| rank(change));
    for change in changes {
        match &change.action {
            Action::Create { after } | Action::Rename { after, .. } | Action::Replace { after, .. } => {
                writer.put(after, None)?;
            }
            Action::Update { before, after, .. } => writer.put(after, Some(before))?,
            Action::Delete { .. } => {}
        }
    }
    if !has_dummy {
        writer.put(&Object::Entity(Entity::dummy()), None)?;
    }
    Ok(writer.writes)
}

/// As in plans, sources come before the views and services that hold copies of them; among sources
/// those that hold copies of others come last.
fn rank(change: &Change) -> (ObjectKind, bool) {
    let holds_copy = matches!(change.action.after(), Some(Object::DataSource(source)) if source.kind.is_stream());
    (change.id.kind, holds_copy)
}

/// Feast's notes about the project, which go with every change.
pub(crate) fn add_bookkeeping(writes: &mut Vec<Write>, snapshot: &Snapshot, now: Timestamp) {
    const UUID: &str = "project_uuid";
    const LAST_UPDATED: &str = "last_updated_timestamp";
    if !snapshot.metadata.contains_key(UUID) {
        let value = Uuid::new_v4().to_string();
        writes.push(Write::PutMetadata { key: UUID.into(), value, updated: now.seconds() });
    }
    if !writes.is_empty() {
        let value = now.seconds().to_string();
        writes.push(Write::PutMetadata { key: LAST_UPDATED.into(), value, updated: now.seconds() });
    }
}

/// Records which online tables there are.
pub(crate) fn put_infra(snapshot: &Snapshot, tables: &BTreeMap<String, String>, now: Timestamp) -> Write {
    let proto = with_online_tables(snapshot.infra.as_deref(), tables);
    Write::PutInfra { proto, updated: now.seconds() }
}

struct RowWriter<'a> {
    project: &'a str,
    snapshot: &'a Snapshot,
    pinned: &'a PinnedVersions,
    now: Timestamp,
    writes: Vec<Write>,
    /// Rows of data sources as they will be.
    sources: SourceRows,
    /// Names of the views that are deleted, with their history.
    deleted_views: HashSet<String>,
    /// What renamed objects were.
    renamed: BTreeMap<&'a ObjectId, &'a ObjectId>,
}

impl<'a> RowWriter<'a> {
    fn new(
        plan: &'a Plan,
        snapshot: &'a Snapshot,
        pinned: &'a PinnedVersions,
        now: Timestamp,
    ) -> Result<Self, ApplyError> {
        let renamed = plan.changes.iter().filter_map(|change| match &change.action {
            Action::Rename { from, .. } => Some((&change.id, from)),
            _ => None,
        });
        let mut writer = Self {
            project: &plan.project,
            snapshot,
            pinned,
            now,
            writes: Vec::new(),
            sources: SourceRows::default(),
            deleted_views: HashSet::new(),
            renamed: renamed.collect(),
        };
        for row in snapshot.rows.iter().filter(|row| row.kind == ObjectKind::DataSource) {
            writer.sources.insert(&row.proto).map_err(damaged(&ObjectId::new(row.kind, &row.name)))?;
        }
        Ok(writer)
    }

    /// The stored bytes of an object, under the name it has until now.
    fn original(&self, id: &ObjectId) -> Option<&'a [u8]> {
        let id = self.renamed.get(id).copied().unwrap_or(id);
        self.snapshot.proto(id.kind, &id.name)
    }

    fn delete(&mut self, id: &ObjectId) {
        self.writes.push(Write::Delete { kind: id.kind, name: id.name.clone() });
        if id.kind.is_view() {
            self.deleted_views.insert(id.name.clone());
        }
    }

    fn put(&mut self, object: &Object, before: Option<&Object>) -> Result<(), ApplyError> {
        self.put_missing_sources(object)?;
        if object.id().kind.is_view() {
            return self.put_view(object, before);
        }
        let proto = self.push(object, RowVersion::Same)?;
        if let Object::DataSource(_) = object {
            self.sources.insert(&proto).map_err(damaged(&object.id()))?;
        }
        Ok(())
    }

    /// Adds the rows of sources that the object holds copies of and that have none: an old Feast stored them without
    /// names, in views only, and now they get their name there.
    fn put_missing_sources(&mut self, object: &Object) -> Result<(), ApplyError> {
        if let Object::DataSource(_) = object {
            return Ok(());
        }
        for source in object.sources() {
            for source in source.kind.batch_source().into_iter().chain([source]) {
                if !self.sources.has(&source.name) {
                    self.put(&Object::DataSource(source.clone()), None)?;
                }
            }
        }
        Ok(())
    }

    /// Adds the row of an object, with what a newer Feast stored in it; returns its bytes.
    fn push(&mut self, object: &Object, version: RowVersion) -> Result<Vec<u8>, ApplyError> {
        let id = object.id();
        let change = registry::Change {
            sources: &self.sources,
            project: self.project,
            now: self.now,
            version,
            forget_values: self.renamed.contains_key(&id),
        };
        let proto = registry::write(object, self.original(&id), change).map_err(|error| match error {
            WriteError::Damaged(source) => ApplyError::Damaged { id: id.clone(), source },
            WriteError::UnknownFields(source) => ApplyError::UnknownFields { id: id.clone(), source },
        })?;
        let row = Row { kind: id.kind, name: id.name, updated: self.now.seconds(), proto: proto.clone() };
        self.writes.push(Write::Put(row));
        Ok(proto)
    }
}

/// The error about a row that cannot be read.
fn damaged(id: &ObjectId) -> impl FnOnce(DecodeError) -> ApplyError {
    let id = id.clone();
    |source| ApplyError::Damaged { id, source }
}
