//! Values in online stores whose tables, if they have any, the registry does not record.

use super::cleanup::all_of;
use crate::{
    feast::registry::{Layout, layout},
    model::{ObjectId, RegistryState, View},
    online::{OnlineStore, ViewLayout},
    registry::{Leftover, Snapshot},
};

/// The online values of all views of a project, as they are left when the views go.
pub fn values(project: &str, state: &RegistryState) -> Vec<Leftover> {
    let values = state.views().filter(View::stores_values).map(|view| ViewLayout::of(project, view));
    values.map(all_of).collect()
}

/// The views of a project whose values are in the store without a record of tables. Those that
/// feastr does not manage have values, too: Python Feast's.
pub(crate) fn views(
    project: &str,
    snapshot: &Snapshot,
    state: &RegistryState,
    online: &dyn OnlineStore,
) -> Vec<ViewLayout> {
    if online.recorded_tables().is_some() {
        return Vec::new();
    }
    let managed = state.views().filter(|view| !view.is_computed()).map(|view| ViewLayout::of(project, view));
    let foreign = state.foreign.iter().filter_map(|foreign| {
        let ObjectId { kind, name } = &foreign.id;
        let Layout { features, join_keys } = layout(*kind, snapshot.proto(*kind, name)?)?;
        Some(ViewLayout { project: project.to_owned(), view: name.clone(), features, join_keys })
    });
    managed.chain(foreign).collect()
}
