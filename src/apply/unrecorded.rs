//! Values in online stores whose tables, if they have any, the registry does not record.

use super::{ApplyError, cleanup::stored_values};
use crate::{
    model::{RegistryState, Repo},
    online::{OnlineStore, ViewLayout},
    registry::Leftover,
};

/// Makes room for the values of all online views, where it is missing.
pub fn prepare(repo: &Repo, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    if online.recorded_tables().is_some() {
        return Ok(());
    }
    let batch = repo.feature_views.iter().filter(|view| view.online).map(|view| &view.name);
    let streams = repo.stream_feature_views.iter().filter(|view| view.online).map(|view| &view.name);
    let labels = repo.label_views.iter().filter(|view| view.online).map(|view| &view.name);
    let views: Vec<&str> = batch.chain(streams).chain(labels).map(String::as_str).collect();
    Ok(online.prepare_views(&repo.project.name, &views)?)
}

/// The online values of all views of a project, as they are left when the views go.
pub fn values(project: &str, state: &RegistryState) -> Vec<Leftover> {
    let values = state.objects.values().filter_map(|object| stored_values(project, object));
    values
        .map(|ViewLayout { view, features, join_keys, .. }| Leftover { view, features, join_keys, whole: true })
        .collect()
}

/// The views of a project whose values are in the store without a record of tables.
pub fn views(project: &str, state: &RegistryState, online: &dyn OnlineStore) -> Vec<ViewLayout> {
    if online.recorded_tables().is_some() {
        return Vec::new();
    }
    state.objects.values().filter_map(|object| ViewLayout::of_object(project, object)).collect()
}
