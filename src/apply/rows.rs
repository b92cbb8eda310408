//! From planned changes to the rows a registry writes.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use uuid::Uuid;

use super::ApplyError;
use crate::{
    feast::{
        convert::{
            RowVersion, data_source_to_message, entity_to_message, feature_service_to_message, feature_view_to_message,
            is_new_version, online_tables_to_message, project_to_message,
        },
        messages::{self as wire, decode},
        unknown_fields::keep_unknown,
    },
    model::{DUMMY_ENTITY, Entity, FeatureView, Object, ObjectId, ObjectKind, Timestamp},
    plan::{Action, Plan},
    registry::{Row, Snapshot, VersionRow, Write},
};

/// Feast's word for plain views in its version history.
const VIEW_TYPE: &str = "feature_view";

/// The writes that carry out the object changes of a plan made from `snapshot`.
pub fn writes(plan: &Plan, snapshot: &Snapshot, now: Timestamp) -> Result<Vec<Write>, ApplyError> {
    let mut writer = RowWriter { plan, snapshot, now, writes: Vec::new(), sources: HashMap::new() };
    writer.load_sources()?;
    // In plan order sources come before the views and services that hold copies of them.
    for change in &plan.changes {
        match &change.action {
            Action::Create { after } => writer.put(after, None)?,
            Action::Update { before, after, .. } => writer.put(after, Some(before))?,
            Action::Delete { .. } => {
                writer.writes.push(Write::Delete { kind: change.id.kind, name: change.id.name.clone() });
            }
        }
    }
    if snapshot.proto(ObjectKind::Entity, DUMMY_ENTITY).is_none() {
        writer.put(&Object::Entity(Entity::dummy()), None)?;
    }
    Ok(writer.writes)
}

/// Feast's notes about the project, which go with every change.
pub fn add_bookkeeping(writes: &mut Vec<Write>, snapshot: &Snapshot, now: Timestamp) {
    const UUID: &str = "project_uuid";
    const LAST_UPDATED: &str = "last_updated_timestamp";
    if !snapshot.metadata.contains_key(UUID) {
        let value = Uuid::new_v4().to_string();
        writes.push(Write::PutMetadata { key: UUID, value, updated: now.seconds() });
    }
    if !writes.is_empty() {
        let value = now.seconds().to_string();
        writes.push(Write::PutMetadata { key: LAST_UPDATED, value, updated: now.seconds() });
    }
}

/// Records which online tables there are.
pub fn put_infra(snapshot: &Snapshot, tables: &BTreeMap<String, String>, now: Timestamp) -> Write {
    let stored = snapshot.infra.as_deref().and_then(|bytes| decode(bytes).ok());
    let proto = online_tables_to_message(tables, stored).encode_to_vec();
    Write::PutInfra { proto, updated: now.seconds() }
}

struct RowWriter<'a> {
    plan: &'a Plan,
    snapshot: &'a Snapshot,
    now: Timestamp,
    writes: Vec<Write>,
    /// Rows of data sources as they will be.
    sources: HashMap<String, wire::DataSource>,
}

impl RowWriter<'_> {
    fn load_sources(&mut self) -> Result<(), ApplyError> {
        for row in self.snapshot.rows.iter().filter(|row| row.kind == ObjectKind::DataSource) {
            let message = self.stored(&ObjectId::new(row.kind, &row.name))?.unwrap_or_default();
            self.sources.insert(row.name.clone(), message);
        }
        Ok(())
    }

    /// The stored message of an object, if it is stored.
    fn stored<M: Message + Default>(&self, id: &ObjectId) -> Result<Option<M>, ApplyError> {
        let Some(bytes) = self.snapshot.proto(id.kind, &id.name) else { return Ok(None) };
        decode(bytes).map(Some).map_err(|source| ApplyError::Damaged { id: id.clone(), source })
    }

    fn put(&mut self, object: &Object, before: Option<&Object>) -> Result<(), ApplyError> {
        let id = object.id();
        let now = self.now;
        match object {
            Object::Project(project) => {
                let stored = self.stored(&id)?;
                let message = project_to_message(project, stored.clone(), now);
                self.push(id, stored, &message)?;
            }
            Object::Entity(entity) => {
                let stored = self.stored(&id)?;
                let message = entity_to_message(entity, stored.clone(), now);
                self.push(id, stored, &message)?;
            }
            Object::DataSource(source) => {
                let stored = self.stored(&id)?;
                let message = data_source_to_message(source, stored.clone(), now);
                self.push(id, stored, &message)?;
                self.sources.insert(source.name.clone(), message);
            }
            Object::FeatureView(view) => self.put_view(id, view, before)?,
            Object::FeatureService(service) => {
                let stored = self.stored(&id)?;
                let message = feature_service_to_message(service, stored.clone(), |name| self.sources.get(name), now);
                self.push(id, stored, &message)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn put_view(&mut self, id: ObjectId, view: &FeatureView, before: Option<&Object>) -> Result<(), ApplyError> {
        let stored: Option<wire::FeatureView> = self.stored(&id)?;
        let version = self.next_version(view, before);
        let source = view.source.as_ref().and_then(|source| self.sources.get(&source.name));
        let message = feature_view_to_message(view, stored.clone(), source, version, &self.plan.project, self.now);
        let proto = self.push(id, stored, &message)?;
        if let RowVersion::New(number) = version {
            if number > 0 && !self.snapshot.versions.contains_key(&view.name) {
                // The history starts with what was there before, as in Feast.
                let first = self.snapshot.proto(ObjectKind::FeatureView, &view.name).unwrap_or_default().to_vec();
                self.add_version(&view.name, 0, first);
            }
            self.add_version(&view.name, number, proto);
        }
        Ok(())
    }

    fn next_version(&self, view: &FeatureView, before: Option<&Object>) -> RowVersion {
        match before {
            Some(Object::FeatureView(before)) if !is_new_version(before, view) => RowVersion::Same,
            Some(_) => RowVersion::New(self.snapshot.versions.get(&view.name).copied().unwrap_or(0) + 1),
            // Feast leaves the history behind when it deletes a project.
            None => RowVersion::New(self.snapshot.versions.get(&view.name).map_or(0, |last| last + 1)),
        }
    }

    fn add_version(&mut self, view: &str, number: i32, proto: Vec<u8>) {
        self.writes.push(Write::AddVersion(VersionRow {
            view: view.to_owned(),
            view_type: VIEW_TYPE,
            number,
            proto,
            created: self.now.seconds(),
            id: Uuid::new_v4().to_string(),
        }));
    }

    /// Adds a row, with what a newer Feast stored in it; returns its bytes.
    fn push<M: Message>(&mut self, id: ObjectId, stored: Option<M>, message: &M) -> Result<Vec<u8>, ApplyError> {
        let changed = message.encode_to_vec();
        let proto = match (stored, self.snapshot.proto(id.kind, &id.name)) {
            (Some(stored), Some(original)) => keep_unknown(original, &stored.encode_to_vec(), changed)
                .map_err(|source| ApplyError::UnknownFields { id: id.clone(), source })?,
            _ => changed,
        };
        let row = Row { kind: id.kind, name: id.name, updated: self.now.seconds(), proto: proto.clone() };
        self.writes.push(Write::Put(row));
        Ok(proto)
    }
}
