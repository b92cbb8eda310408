use super::{owner, sharded, stale};
use crate::model::{ObjectId, ObjectKind};

/// Feast's own note about the last change of a project, in Unix seconds.
pub(crate) const LAST_UPDATED: &str = "last_updated_timestamp";

/// Feast's note that identifies a project.
pub(crate) const PROJECT_UUID: &str = "project_uuid";

/// The keys of the notes that matter to a change of one view.
pub(crate) fn of_view(view: &str) -> [String; 3] {
    [stale::key(view), sharded::key(view), LAST_UPDATED.to_owned()]
}

/// The keys of the notes that matter to a change of one object; of a view, whatever its kind.
pub(crate) fn of_object(id: &ObjectId) -> Vec<String> {
    let kinds = if id.kind.is_view() { ObjectKind::VIEWS.to_vec() } else { vec![id.kind] };
    let owners = kinds.into_iter().map(|kind| owner::key(&ObjectId::new(kind, &id.name)));
    let notes = [stale::key(&id.name), sharded::key(&id.name), LAST_UPDATED.to_owned(), PROJECT_UUID.to_owned()];
    owners.chain(notes).collect()
}
