//! Room for values in online stores whose tables, if they have any, the registry does not record.

use std::collections::BTreeSet;

use super::ApplyError;
use crate::{
    model::{Object, RegistryState, Repo},
    online::{OnlineStore, ViewLayout},
    plan::Plan,
};

/// Makes room for the values of all online views, where it is missing.
pub fn prepare(repo: &Repo, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    if online.tables().is_some() {
        return Ok(());
    }
    let batch = repo.feature_views.iter().filter(|view| view.online).map(|view| &view.name);
    let streams = repo.stream_feature_views.iter().filter(|view| view.online).map(|view| &view.name);
    let labels = repo.label_views.iter().filter(|view| view.online).map(|view| &view.name);
    let views: Vec<&str> = batch.chain(streams).chain(labels).map(String::as_str).collect();
    Ok(online.prepare_views(&repo.project.name, &views)?)
}

/// Removes the values of views that the registry no longer holds.
pub fn remove(plan: &Plan, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    if online.tables().is_some() {
        return Ok(());
    }
    // A view that became one of another kind keeps its name, and so its values.
    let kept: BTreeSet<&str> = plan
        .changes
        .iter()
        .filter(|change| change.action.after().is_some())
        .map(|change| change.id.name.as_str())
        .collect();
    let gone = plan
        .changes
        .iter()
        .filter(|change| change.vanishing().is_some_and(|id| id.kind.is_view() && !kept.contains(id.name.as_str())));
    let gone: Vec<&Object> = gone.filter_map(|change| change.action.before()).collect();
    remove_values(&plan.project, gone, online)
}

/// Removes the values of all views of a project.
pub fn remove_project(project: &str, state: &RegistryState, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    if online.tables().is_some() {
        return Ok(());
    }
    remove_values(project, state.objects.values().collect(), online)
}

fn remove_values(project: &str, objects: Vec<&Object>, online: &dyn OnlineStore) -> Result<(), ApplyError> {
    let views: Vec<ViewLayout> =
        objects.into_iter().filter_map(|object| ViewLayout::of_object(project, object)).collect();
    if !views.is_empty() {
        online.remove_views(&views, &mut |_| {})?;
    }
    Ok(())
}
