//! Online values that changes of the registry leave behind. They are noted in the transaction of the change and removed
//! after it; when an apply is killed in between, the next one removes them.

use super::{ApplyError, Neighbours, locks::under_locks};
use crate::{
    model::{Object, RegistryState, Timestamp, View},
    online::{OnlineStore, ViewLayout},
    plan::{Change, Plan},
    registry::{Leftover, Registry, Write, forget_leftover, left_of, leftovers, put_leftover, read_objects, same_keys},
};

/// The notes about values that belong to nothing any more once a plan is carried out. Values of whole
/// views go with their tables where those are recorded.
pub(crate) fn notes(plan: &Plan, tables_are_recorded: bool, now: Timestamp) -> Vec<Write> {
    let leftovers = plan.changes.iter().flat_map(|change| left_by(&plan.project, change));
    let leftovers = leftovers.filter(|leftover| !(leftover.whole && tables_are_recorded));
    leftovers.flat_map(|leftover| put_leftover(&leftover, now)).collect()
}

fn left_by(project: &str, change: &Change) -> Vec<Leftover> {
    let values = |object: Option<&Object>| object.and_then(|object| stored_values(project, object)).map(all_of);
    let after = values(change.action.after());
    left_of(values(change.action.before()).into_iter().collect(), after.as_slice())
}

/// All values of a view, as they are left when it goes.
pub(super) fn all_of(layout: ViewLayout) -> Leftover {
    let ViewLayout { view, features, join_keys, .. } = layout;
    Leftover { view, features, join_keys, whole: true }
}

/// The layout of an object that keeps values in the online store.
fn stored_values(project: &str, object: &Object) -> Option<ViewLayout> {
    Some(ViewLayout::of(project, object.view().filter(View::stores_values)?))
}

fn without(mut features: Vec<String>, layout: &ViewLayout) -> Vec<String> {
    features.retain(|feature| !layout.features.contains(feature));
    features
}

/// Removes the noted values of a project from the online store, then the notes, and returns how many
/// entities had some. What was declared again in the meantime stays. After each page
/// `on_page` is called with their number so far.
///
/// Nobody materializes the views meanwhile.
///
/// # Errors
/// When a store cannot be read or written, or a run on one of the views does not end; the notes stay.
pub fn clean_up(
    project: &str,
    registry: &dyn Registry,
    online: &dyn OnlineStore,
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, ApplyError> {
    let noted = leftovers(&registry.snapshot(project)?.metadata);
    let views = noted.into_iter().map(|leftover| leftover.view).collect();
    let mut removed = 0;
    under_locks(project, registry, views, &mut |locked| {
        let snapshot = registry.snapshot(project)?;
        let mut noted = leftovers(&snapshot.metadata);
        noted.retain(|leftover| locked.contains(&leftover.view));
        let Removals { mut views, mut features } = Removals::of(project, &noted, &read_objects(&snapshot));
        let neighbours = Neighbours::of(project, registry, online)?;
        views.retain(|layout| !neighbours.have(&layout.view));
        features.retain(|layout| !neighbours.have(&layout.view));
        if !views.is_empty() {
            removed += online.remove_views(&views, &mut |entities| on_page(removed + entities))?;
        }
        if !features.is_empty() {
            removed += online.remove_features(&features, &mut |entities| on_page(removed + entities))?;
        }
        Ok(registry.update(project, &mut |_| Some(noted.iter().map(forget_leftover).collect()))?)
    })?;
    Ok(removed)
}

/// What of the noted values belongs to nothing now.
#[derive(Debug, Default, PartialEq, Eq)]
struct Removals {
    views: Vec<ViewLayout>,
    features: Vec<ViewLayout>,
}

impl Removals {
    fn of(project: &str, noted: &[Leftover], state: &RegistryState) -> Self {
        let mut removals = Self::default();
        for leftover in noted {
            // What feastr does not manage may keep values under this name.
            if state.foreign_views().any(|foreign| foreign.id.name == leftover.view) {
                continue;
            }
            let Leftover { view, features, join_keys, whole } = leftover.clone();
            let mut layout = ViewLayout { project: project.to_owned(), view, features, join_keys };
            let mut present = state.views().filter(View::stores_values).map(|view| ViewLayout::of(project, view));
            match present
                .find(|present| present.view == layout.view && same_keys(&present.join_keys, &layout.join_keys))
            {
                None if whole => removals.views.push(layout),
                None => removals.features.push(layout),
                Some(present) => {
                    layout.features = without(layout.features, &present);
                    if !layout.features.is_empty() {
                        removals.features.push(layout);
                    }
                }
            }
        }
        removals
    }
}
