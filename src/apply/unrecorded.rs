//! Values in online stores whose tables, if they have any, the registry does not record.

use super::{ApplyError, cleanup::all_of};
use crate::{
    feast::registry::messages::{self as wire, decode},
    model::{DUMMY_ENTITY, DUMMY_JOIN_KEY, ObjectId, ObjectKind, RegistryState, Repo, View},
    online::{OnlineStore, ViewLayout},
    registry::{Leftover, Snapshot},
};

/// Makes room for the values of all online views, where it is missing.
pub fn prepare(repo: &Repo, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    if online.recorded_tables().is_some() {
        return Ok(());
    }
    let views: Vec<&str> = repo.views().filter(View::stores_values).map(|view| view.name).collect();
    Ok(online.prepare_views(&repo.project.name, &views)?)
}

/// The online values of all views of a project, as they are left when the views go.
pub fn values(project: &str, state: &RegistryState) -> Vec<Leftover> {
    let values = state.views().filter(View::stores_values).map(|view| ViewLayout::of(project, view));
    values.map(all_of).collect()
}

/// The views of a project whose values are in the store without a record of tables. Those that
/// feastr does not manage have values, too: Python Feast's.
pub fn views(project: &str, snapshot: &Snapshot, state: &RegistryState, online: &dyn OnlineStore) -> Vec<ViewLayout> {
    if online.recorded_tables().is_some() {
        return Vec::new();
    }
    let managed = state.views().filter(|view| !view.is_computed()).map(|view| ViewLayout::of(project, view));
    let foreign = state.foreign.iter().filter_map(|foreign| {
        let proto = snapshot.proto(foreign.id.kind, &foreign.id.name)?;
        layout_of_message(project, &foreign.id, proto)
    });
    managed.chain(foreign).collect()
}

/// The layout of the values of a stored view; nothing of what has no values or cannot be read.
fn layout_of_message(project: &str, id: &ObjectId, proto: &[u8]) -> Option<ViewLayout> {
    let (entities, features, keys) = match id.kind {
        ObjectKind::FeatureView => {
            let spec = decode::<wire::FeatureView>(proto).ok()?.spec?;
            (spec.entities, spec.features, spec.entity_columns)
        }
        ObjectKind::StreamFeatureView => {
            let spec = decode::<wire::StreamFeatureView>(proto).ok()?.spec?;
            (spec.entities, spec.features, spec.entity_columns)
        }
        ObjectKind::LabelView => {
            let spec = decode::<wire::LabelView>(proto).ok()?.spec?;
            (spec.entities, spec.features, spec.entity_columns)
        }
        ObjectKind::OnDemandFeatureView => {
            let spec = decode::<wire::OnDemandFeatureView>(proto).ok()?.spec?;
            if !spec.write_to_online_store {
                return None;
            }
            (spec.entities, spec.features, spec.entity_columns)
        }
        _ => return None,
    };
    let names = |columns: Vec<wire::FeatureSpecV2>| columns.into_iter().map(|column| column.name).collect();
    let has_entities = entities.iter().any(|name| name != DUMMY_ENTITY);
    let join_keys: Vec<String> = if has_entities { names(keys) } else { vec![DUMMY_JOIN_KEY.to_owned()] };
    let mut features: Vec<String> = names(features);
    // Stream feature views list their whole schema.
    features.retain(|feature| !join_keys.contains(feature));
    Some(ViewLayout { project: project.to_owned(), view: id.name.clone(), features, join_keys })
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    fn columns(names: &[&str]) -> Vec<wire::FeatureSpecV2> {
        names.iter().map(|&name| wire::FeatureSpecV2 { name: name.to_owned(), ..Default::default() }).collect()
    }

    fn layout(kind: ObjectKind, proto: &[u8]) -> Option<(Vec<String>, Vec<String>)> {
        let layout = layout_of_message("shop", &ObjectId::new(kind, "stats"), proto)?;
        assert_eq!((layout.project.as_str(), layout.view.as_str()), ("shop", "stats"));
        Some((layout.features, layout.join_keys))
    }

    #[test]
    fn messages_tell_where_values_are() {
        let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect::<Vec<_>>();
        let spec = wire::StreamFeatureViewSpec {
            entities: owned(&["driver"]),
            features: columns(&["driver_id", "trips"]),
            entity_columns: columns(&["driver_id"]),
            ..Default::default()
        };
        let stream = wire::StreamFeatureView { spec: Some(spec), ..Default::default() };
        let found = layout(ObjectKind::StreamFeatureView, &stream.encode_to_vec());
        assert_eq!(found, Some((owned(&["trips"]), owned(&["driver_id"]))));

        let spec = wire::FeatureViewSpec {
            entities: owned(&[DUMMY_ENTITY]),
            features: columns(&["rain"]),
            ..Default::default()
        };
        let entityless = wire::FeatureView { spec: Some(spec), ..Default::default() };
        let found = layout(ObjectKind::FeatureView, &entityless.encode_to_vec());
        assert_eq!(found, Some((owned(&["rain"]), owned(&[DUMMY_JOIN_KEY]))));

        for (write_to_online_store, found) in [(true, Some((owned(&["sum"]), owned(&["k"])))), (false, None)] {
            let spec = wire::OnDemandFeatureViewSpec {
                entities: owned(&["e"]),
                features: columns(&["sum"]),
                entity_columns: columns(&["k"]),
                write_to_online_store,
                ..Default::default()
            };
            let view = wire::OnDemandFeatureView { spec: Some(spec), ..Default::default() };
            assert_eq!(layout(ObjectKind::OnDemandFeatureView, &view.encode_to_vec()), found);
        }
        assert_eq!(layout(ObjectKind::FeatureView, b"\xff"), None);
    }
}
