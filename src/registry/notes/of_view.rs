use super::stale;

/// Feast's own note about the last change of a project, in Unix seconds.
pub(crate) const LAST_UPDATED: &str = "last_updated_timestamp";

/// Feast's note that identifies a project.
pub(crate) const PROJECT_UUID: &str = "project_uuid";

/// The keys of the notes that matter to a change of one view.
pub(crate) fn of_view(view: &str) -> [String; 2] {
    [stale::key(view), LAST_UPDATED.to_owned()]
}
