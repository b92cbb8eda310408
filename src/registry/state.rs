use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::store::{Row, Snapshot};
use crate::{
    feast::{
        convert::{
            Unmanaged, data_source_from_message, entity_from_message, feature_service_from_message,
            feature_view_from_message, materialized_from_message, online_tables_from_message, project_from_message,
        },
        messages::{self, decode},
    },
    model::{DUMMY_ENTITY, ForeignObject, Object, ObjectId, ObjectKind, RegistryState, SourceKind},
};

/// The stored rows as objects. What feastr cannot manage or read is listed as foreign.
pub fn state(snapshot: &Snapshot) -> RegistryState {
    let mut state = RegistryState { revision: revision(snapshot), ..RegistryState::default() };
    for row in &snapshot.rows {
        let id = ObjectId::new(row.kind, &row.name);
        if row.kind == ObjectKind::Entity && row.name == DUMMY_ENTITY {
            continue;
        }
        match object(row) {
            Ok(object) => {
                state.objects.insert(id, object);
            }
            Err(Unmanaged(reason)) => {
                state.foreign.push(ForeignObject { id, reason, owner: String::new(), uses: Vec::new() })
            }
        }
        if row.kind == ObjectKind::FeatureView
            && let Ok(view) = decode::<messages::FeatureView>(&row.proto)
        {
            state.materialized.insert(row.name.clone(), materialized_from_message(&view));
        }
    }
    services_over_foreign_views(&mut state);
    state.foreign.sort_by(|a, b| a.id.cmp(&b.id));
    if let Some(infra) = snapshot.infra.as_deref().and_then(|bytes| decode(bytes).ok()) {
        state.online_tables = online_tables_from_message(&infra);
    }
    state
}

fn object(row: &Row) -> Result<Object, Unmanaged> {
    let unreadable = |error: messages::DecodeError| Unmanaged(format!("its row is damaged: {error}"));
    match row.kind {
        ObjectKind::Project => {
            decode(&row.proto).map_err(unreadable).map(|message| Object::Project(project_from_message(&message)))
        }
        ObjectKind::Entity => {
            decode(&row.proto).map_err(unreadable).map(|message| Object::Entity(entity_from_message(&message)))
        }
        ObjectKind::DataSource => {
            let source = data_source_from_message(&decode(&row.proto).map_err(unreadable)?);
            match &source.kind {
                SourceKind::Foreign(kind) => {
                    Err(Unmanaged(format!("data sources of type {kind} are not supported yet")))
                }
                _ => Ok(Object::DataSource(source)),
            }
        }
        ObjectKind::FeatureView => {
            let message = decode(&row.proto).map_err(unreadable)?;
            feature_view_from_message(&message).map(Object::FeatureView)
        }
        ObjectKind::FeatureService => {
            let message = decode(&row.proto).map_err(unreadable)?;
            feature_service_from_message(&message).map(Object::FeatureService)
        }
        ObjectKind::OnDemandFeatureView
        | ObjectKind::StreamFeatureView
        | ObjectKind::LabelView
        | ObjectKind::Permission
        | ObjectKind::SavedDataset
        | ObjectKind::ValidationReference => Err(Unmanaged(format!("{}s are not supported yet", row.kind))),
    }
}

/// A service that selects from a foreign view cannot be declared, so it is foreign as well.
fn services_over_foreign_views(state: &mut RegistryState) {
    let foreign_views: BTreeSet<&str> = state
        .foreign
        .iter()
        .filter(|foreign| foreign.id.kind.is_view())
        .map(|foreign| foreign.id.name.as_str())
        .collect();
    let mut over_foreign = Vec::new();
    for (id, object) in &state.objects {
        if let Object::FeatureService(service) = object
            && let Some(member) = service.features.iter().find(|member| foreign_views.contains(member.view.as_str()))
        {
            over_foreign.push((id.clone(), member.view.clone()));
        }
    }
    for (id, view) in over_foreign {
        state.objects.remove(&id);
        let reason = format!("it selects from `{view}`, which feastr does not manage");
        state.foreign.push(ForeignObject { id, reason, owner: String::new(), uses: Vec::new() });
    }
}

/// A digest of everything an apply could change.
fn revision(snapshot: &Snapshot) -> String {
    let mut rows: Vec<&Row> = snapshot.rows.iter().collect();
    rows.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    let mut digest = Sha256::new();
    for row in rows {
        for part in [row.kind.as_str().as_bytes(), row.name.as_bytes(), &row.proto] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
    }
    digest.update(snapshot.infra.as_deref().unwrap_or_default());
    digest.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}
