//! Keeping runs away from views whose online values are removed.

use std::collections::BTreeSet;

use super::ApplyError;
use crate::{model::ViewId, registry::Locks};

/// How many locks of views are held at once: each takes a connection.
const AT_ONCE: usize = 8;

/// Does something for views, a few at a time, while nobody materializes them. They come in the order
/// of their names, so that two of these do not wait for each other.
///
/// # Errors
/// Those of `act`, and when a run on one of the views does not end.
pub(crate) fn under_locks(
    project: &str,
    registry: &dyn Locks,
    views: BTreeSet<String>,
    act: &mut dyn FnMut(&[String]) -> Result<(), ApplyError>,
) -> Result<(), ApplyError> {
    let views: Vec<String> = views.into_iter().collect();
    for some in views.chunks(AT_ONCE) {
        let _locks =
            some.iter().map(|name| registry.lock_view(ViewId { project, name })).collect::<Result<Vec<_>, _>>()?;
        act(some)?;
    }
    Ok(())
}
