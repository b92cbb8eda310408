use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    foreign::foreign_object,
    objects::{Row, Snapshot},
    ownership::owners,
    unnamed::name_sources,
};
use crate::{
    feast::registry::{
        convert::{
            Unmanaged, data_source_from_message, entity_from_message, feature_service_from_message,
            feature_view_from_message, label_view_from_message, materialized_from_message,
            on_demand_feature_view_from_message, online_tables_from_message, permission_from_message,
            project_from_message, saved_dataset_from_message, stream_feature_view_from_message,
            validation_reference_from_message,
        },
        messages::{self, decode},
    },
    model::{
        DUMMY_ENTITY, ForeignObject, MaterializedView, Object, ObjectId, ObjectKind, OnDemandSource, Projection,
        RegistryState, SourceKind,
    },
};

/// The stored rows as objects. What feastr cannot manage or read is listed as foreign.
pub fn state(snapshot: &Snapshot) -> RegistryState {
    let mut state = RegistryState::default();
    let rows = snapshot.rows.iter().filter(|row| row.kind != ObjectKind::Entity || row.name != DUMMY_ENTITY);
    for row in rows {
        match object_noting(row, &mut state.materialized) {
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
    if let Some(infra) = snapshot.infra.as_deref().and_then(|bytes| decode(bytes).ok()) {
        state.online_tables = online_tables_from_message(&infra);
    }
    state.revision = revision(&state, snapshot);
    state
}

/// The object of a row.
///
/// # Errors
/// When feastr cannot manage or read it; the error says why.
pub fn object(row: &Row) -> Result<Object, Unmanaged> {
    let object = object_noting(row, &mut BTreeMap::new())?;
    let id = ObjectId::new(row.kind, &row.name);
    let mut alone = BTreeMap::from([(id.clone(), object)]);
    name_sources(&mut alone);
    alone.remove(&id).ok_or_else(|| Unmanaged("it has no name".to_owned()))
}

/// The object of a row. What the row of a view says about materialization is noted in any case.
fn object_noting(row: &Row, materialized: &mut BTreeMap<String, MaterializedView>) -> Result<Object, Unmanaged> {
    let mut note = |meta: Option<&messages::FeatureViewMeta>| {
        materialized.insert(row.name.clone(), materialized_from_message(meta));
    };
    Ok(match row.kind {
        ObjectKind::Project => Object::Project(project_from_message(&read(row)?)),
        ObjectKind::Entity => Object::Entity(entity_from_message(&read(row)?)),
        ObjectKind::DataSource => {
            let mut source = data_source_from_message(&read(row)?);
            if source.name.is_empty() {
                source.name = row.name.clone();
            }
            if source.name.is_empty() {
                return Err(Unmanaged("it has no name, and no path or table that could stand for one".to_owned()));
            }
            if let SourceKind::Foreign(kind) = &source.kind {
                return Err(Unmanaged(format!("definitions cannot express this source, of type {kind}")));
            }
            Object::DataSource(source)
        }
        ObjectKind::FeatureView => {
            let message: messages::FeatureView = read(row)?;
            note(message.meta.as_ref());
            Object::FeatureView(feature_view_from_message(&message)?)
        }
        ObjectKind::OnDemandFeatureView => {
            Object::OnDemandFeatureView(on_demand_feature_view_from_message(&read(row)?)?)
        }
        ObjectKind::StreamFeatureView => {
            let message: messages::StreamFeatureView = read(row)?;
            note(message.meta.as_ref());
            Object::StreamFeatureView(stream_feature_view_from_message(&message)?)
        }
        ObjectKind::LabelView => Object::LabelView(label_view_from_message(&read(row)?)?),
        ObjectKind::FeatureService => Object::FeatureService(feature_service_from_message(&read(row)?)?),
        ObjectKind::Permission => Object::Permission(permission_from_message(&read(row)?)?),
        ObjectKind::SavedDataset => Object::SavedDataset(saved_dataset_from_message(&read(row)?)?),
        ObjectKind::ValidationReference => Object::ValidationReference(validation_reference_from_message(&read(row)?)),
    })
}

fn read<M: prost::Message + Default>(row: &Row) -> Result<M, Unmanaged> {
    decode(&row.proto).map_err(|error| Unmanaged(format!("its row is damaged: {error}")))
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
            state.objects.remove(&id);
            state.foreign.push(foreign_object(row, format!("it selects from `{view}`, which feastr does not manage")));
        }
    }
}

/// A digest of what plans are made from. What only materialization changes is not part of it.
fn revision(state: &RegistryState, snapshot: &Snapshot) -> String {
    /// Everything but the foreign rows.
    #[derive(Serialize)]
    struct Known<'a> {
        objects: Vec<&'a Object>,
        online_tables: &'a BTreeMap<String, String>,
    }
    let known = Known { objects: state.objects.values().collect(), online_tables: &state.online_tables };
    let mut digest = Sha256::new();
    let mut add = |part: &[u8]| {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    };
    // Every object has a JSON form.
    add(&serde_json::to_vec(&known).unwrap_or_default());
    for ForeignObject { id, .. } in &state.foreign {
        for part in [id.kind.as_str().as_bytes(), id.name.as_bytes()] {
            add(part);
        }
        add(snapshot.proto(id.kind, &id.name).unwrap_or_default());
    }
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
