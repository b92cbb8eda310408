use super::{
    change::{Action, Change},
    impact::Loss,
    losses::is_materialized,
};
use crate::model::{RENAMED_FROM_TAG, RegistryState, View};

/// What is worth knowing of a change besides whom it harms and what it takes away.
pub(crate) fn notes(change: &Change, state: &RegistryState, losses: &[Loss]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Action::Create { after } = &change.action
        // In an empty registry nothing has an old name.
        && !state.objects.is_empty()
        && let Some(old) = after.tags().get(RENAMED_FROM_TAG)
    {
        let kind = change.id.kind;
        notes.push(format!(
            "`renamed_from: {old}` finds no {kind} of that name in the registry, so `{}` is a new one",
            change.id.name
        ));
    }
    let views = (change.action.before().and_then(View::of), change.action.after().and_then(View::of));
    if let (Some(before), Some(after)) = views
        && before.stores_values()
        && !after.online
        && losses.is_empty()
        && is_materialized(state, before.name)
    {
        notes.push(format!("the online values of `{}` stay as they are and are no longer refreshed", after.name));
    }
    notes
}
