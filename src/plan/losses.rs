use std::collections::BTreeSet;

use super::{
    change::{Action, Change},
    impact::Loss,
};
use crate::model::{Object, OnlineTables, RegistryState, View, ViewId};

/// Whether values of a view were written to the online store.
pub(crate) fn is_materialized(state: &RegistryState, view: &str) -> bool {
    state.materialized.get(view).is_some_and(|view| !view.intervals.is_empty())
}

/// The online data that a change takes away. `dropped` are the tables that go; values of a renamed
/// view are not a loss, because they are materialized again.
pub(crate) fn losses(
    change: &Change,
    state: &RegistryState,
    project: &str,
    online: Option<OnlineTables<'_>>,
    dropped: &BTreeSet<&str>,
) -> Vec<Loss> {
    let Some(before) = change.action.before().and_then(View::of) else { return Vec::new() };
    let after = change.action.after();
    let is_renamed = matches!(change.action, Action::Rename { .. })
        && matches!(after, Some(Object::FeatureView(_) | Object::StreamFeatureView(_)));
    let after = after.and_then(View::of);
    let materialized = is_materialized(state, before.name);
    let kept =
        after.filter(|after| (after.name == before.name || is_renamed) && (!before.online || after.stores_values()));
    let Some(kept) = kept else {
        return match online {
            Some(online) => {
                let table = ViewId { project, name: before.name }.table();
                let is_dropped = dropped.contains(table.as_str());
                is_dropped.then_some(Loss::OnlineTable { store: online.store, table }).into_iter().collect()
            }
            None if before.online && materialized => vec![Loss::ViewValues { view: before.name.to_owned() }],
            None => Vec::new(),
        };
    };
    let mut losses = Vec::new();
    if before.online && before.has_keys() && before.key_names() != kept.key_names() {
        losses.push(Loss::OnlineValues { view: before.name.to_owned() });
    } else if before.stores_values() && materialized {
        let features = before.features.iter().filter(|field| kept.feature(&field.name).is_none());
        let features: Vec<String> = features.map(|field| field.name.clone()).collect();
        if !features.is_empty() {
            losses.push(Loss::FeatureValues { view: before.name.to_owned(), features });
        }
    }
    losses
}
