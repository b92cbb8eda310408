use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    digest::short_hex,
    notes::owners,
    objects::{Row, Snapshot},
    unnamed::name_sources,
};
use crate::{
    feast::registry::{Stored, Unmanaged, Uses, online_tables, uses, without_function},
    model::{DUMMY_ENTITY, ForeignObject, Object, ObjectId, ObjectKind, OnDemandSource, Projection, RegistryState},
    side_by_side::side_by_side,
};

/// Decodes all stored rows of a project, and makes a digest of them. What feastr cannot manage or read is listed as
/// foreign.
pub fn read_objects(snapshot: &Snapshot) -> RegistryState {
    let mut state = RegistryState::default();
    let rows = snapshot.rows.iter().filter(|row| row.kind != ObjectKind::Entity || row.name != DUMMY_ENTITY);
    let rows: Vec<&Row> = rows.collect();
    let stored = side_by_side(&rows, |row| Stored::read(row.kind, &row.name, &row.proto));
    for (row, stored) in rows.into_iter().zip(stored) {
        state.materialized.extend(stored.materialized.map(|materialized| (row.name.clone(), materialized)));
        state.versions.extend(stored.version.map(|version| (row.name.clone(), version)));
        match stored.object {
            Ok(object) => {
                state.objects.insert(ObjectId::new(row.kind, &row.name), object);
            }
            Err(Unmanaged(reason)) => state.foreign.push(foreign_object(row, reason)),
        }
    }
    name_sources(&mut state.objects);
    for kind in [ObjectKind::OnDemandFeatureView, ObjectKind::FeatureService] {
        objects_over_foreign_views(&mut state, kind, snapshot);
    }
    state.owners = owners(&snapshot.metadata);
    state.foreign.sort_by(|a, b| a.id.cmp(&b.id));
    state.online_tables = snapshot.infra.as_deref().map(online_tables).unwrap_or_default();
    state.revision = revision(&state, snapshot);
    state
}

/// The object of a row.
///
/// # Errors
/// When feastr cannot manage or read it; the error says why.
pub fn object(row: &Row) -> Result<Object, Unmanaged> {
    let object = Stored::read(row.kind, &row.name, &row.proto).object?;
    let id = ObjectId::new(row.kind, &row.name);
    let mut alone = BTreeMap::from([(id.clone(), object)]);
    name_sources(&mut alone);
    alone.remove(&id).ok_or_else(|| Unmanaged("it has no name".to_owned()))
}

/// The object of a row that definitions cannot declare; of what cannot be read nothing more is known.
fn foreign_object(row: &Row, reason: String) -> ForeignObject {
    let Uses { owner, uses } = uses(row.kind, &row.proto).unwrap_or_default();
    let known = without_function(row.kind, &row.proto).map(Box::new);
    ForeignObject { id: ObjectId::new(row.kind, &row.name), reason, owner, uses, known }
}

/// Whatever selects from a view that cannot be declared cannot be declared either.
fn objects_over_foreign_views(state: &mut RegistryState, kind: ObjectKind, snapshot: &Snapshot) {
    let foreign = state.foreign.iter().filter(|foreign| foreign.id.kind.is_view());
    let foreign: BTreeSet<&str> = foreign.map(|foreign| foreign.id.name.as_str()).collect();
    let is_foreign = |projection: &&Projection| foreign.contains(projection.view.as_str());
    let over_foreign = |object: &Object| match object {
        Object::FeatureService(service) => service.features.iter().find(is_foreign).map(|member| member.view.clone()),
        Object::OnDemandFeatureView(view) => {
            let views = view.sources.iter().filter_map(|source| match source {
                OnDemandSource::View(projection) => Some(projection),
                OnDemandSource::Request(_) => None,
            });
            views.into_iter().find(is_foreign).map(|projection| projection.view.clone())
        }
        _ => None,
    };
    let found: BTreeMap<ObjectId, String> = state
        .objects
        .iter()
        .filter(|(id, _)| id.kind == kind)
        .filter_map(|(id, object)| Some((id.clone(), over_foreign(object)?)))
        .collect();
    for row in snapshot.rows.iter().filter(|row| row.kind == kind) {
        let id = ObjectId::new(kind, &row.name);
        if let Some(view) = found.get(&id) {
            let known = state.objects.remove(&id).map(Box::new);
            let reason = format!("it selects from `{view}`, which feastr does not manage");
            state.foreign.push(ForeignObject { known, ..foreign_object(row, reason) });
        }
    }
}

/// A digest of what plans are made from. What only materialization changes is not part of it.
fn revision(state: &RegistryState, snapshot: &Snapshot) -> String {
    let objects: Vec<&Object> = state.objects.values().collect();
    let mut digest = Sha256::new();
    for object in side_by_side(&objects, digest_of_json) {
        digest.update(object);
    }
    digest.update(digest_of_json(&state.online_tables));
    for ForeignObject { id, .. } in &state.foreign {
        for part in [id.kind.as_str().as_bytes(), id.name.as_bytes()] {
            digest.update(Sha256::digest(part));
        }
        digest.update(Sha256::digest(snapshot.proto(id.kind, &id.name).unwrap_or_default()));
    }
    short_hex(&digest.finalize().into())
}

fn digest_of_json(value: &impl Serialize) -> [u8; 32] {
    // All that is asked for has a JSON form.
    Sha256::digest(serde_json::to_vec(value).unwrap_or_default()).into()
}
