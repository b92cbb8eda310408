//! Rows that somebody has, written to the online store for one view, as Feast's remote online store does.

use super::{after, computed};
use crate::{
    app::{Caller, Failure, FeatureStore, access::Access},
    model::PermissionAction,
    push::{Checks, Naming, Newest, ViewReport, named_view},
    retrieval::Entities,
};

/// What is written, and for which view.
#[derive(Debug, Clone, Copy)]
pub struct ViewRequest<'a> {
    /// The view.
    pub view: &'a str,
    /// Its rows, with their times in the columns of its source, or in `event_timestamp` and `created`.
    pub rows: &'a Entities,
    /// Whether rows may be of a moment that is not there yet.
    pub allow_future: bool,
    /// Whether on-demand views whose values are stored are computed of the rows.
    pub compute: bool,
    /// Whether a store that is held looks at the registry first, so that what was applied just now counts.
    pub look: bool,
}

/// Checks all rows, and then writes the newest of each entity to the online store. Reports on the view and on those that
/// are computed of it; on none for rows that are none.
///
/// # Errors
/// When the caller may not, there is no such view, or a row is not right for it: then nothing is written. When the store cannot be written,
/// values of some entities may be there: the same rows can be written again.
pub fn push_to_view(
    store: &FeatureStore,
    caller: &Caller,
    request: ViewRequest<'_>,
) -> Result<Vec<ViewReport>, Failure> {
    let ViewRequest { view, rows, allow_future, compute, look } = request;
    let online = store.required_online()?;
    let state = if look { store.registered_now()? } else { store.registered()? };
    Access::of(store, caller, &state).check_views(&[PermissionAction::WriteOnline], [view])?;
    let opened = rows.open()?;
    let fed = named_view(&state, view, opened.columns())?;
    if opened.has_nothing() {
        return Ok(Vec::new());
    }
    let naming = Naming { rows: &opened, shown: rows.shown() };
    naming.check(&[fed.needs()?])?;
    let newest = Newest::of(&fed, naming, Checks { now: store.now(), allow_future })?;
    let mut reports = vec![newest.write(store.project(), online)?];
    if compute {
        let computed = computed::write(store, online, &state, &[&newest]);
        reports.extend(computed.map_err(|problem| after(problem, &reports))?);
    }
    Ok(reports)
}
