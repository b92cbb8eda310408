//! What the log says of changes.

use crate::{
    app::{Caller, registered::Change},
    model::ObjectId,
};

/// Tells who has changed what, by which call, whose id this is.
pub(super) fn tell(caller: &Caller, (call, id): (&str, &str), project: &str, object: &ObjectId, change: Change) {
    let what = match change {
        Change::Created => "created",
        Change::Updated => "updated",
        Change::Deleted => "deleted",
        Change::Unchanged => return,
    };
    tracing::info!(request_id = id, project, "{caller} has {what} {object} ({call})");
}
