//! Rows that somebody has, added to the history of a view.

use super::{Caller, Failure, FeatureStore, access::Access};
use crate::{
    model::PermissionAction,
    problem::{Kind, Problem},
    push::{Added, History, Naming},
    retrieval::{Entities, view},
};

/// Adds rows to the source of a view; they have all of its columns, and no others. `None` for rows that are none.
///
/// # Errors
/// When the caller may not, there is no such view, or a row is not right for its source: then nothing is written.
pub fn add_history(
    store: &FeatureStore,
    caller: &Caller,
    name: &str,
    rows: &Entities,
) -> Result<Option<Added>, Failure> {
    // What was applied just now counts.
    let state = store.registered_now()?;
    Access::of(store, caller, &state).check_views(&[PermissionAction::WriteOffline], [name])?;
    let view = view(&state, name)?;
    let Some(source) = view.source.as_ref().map(|source| source.kind.batch_source().unwrap_or(source)) else {
        let message = format!("feature view `{name}` has no source that rows could be added to");
        return Err(Problem::new(Kind::Conflict, message, None).into());
    };
    let opened = rows.open()?;
    if opened.has_nothing() {
        return Ok(None);
    }
    let opened = opened.written_like(source)?;
    let naming = Naming { rows: &opened, shown: rows.shown() };
    let history = History::new(source, store.offline().inspect(source)?, store.whereabouts());
    let history = history.behind(store.offline().writer(), name);
    let ignored = naming.check(&[history.needs(naming)])?;
    if let Some(column) = ignored.first() {
        let message = format!("{}: column `{column}` is none of data source `{}`", rows.shown(), source.name);
        let help = "leave it out; the columns of a source stay what they are".to_owned();
        return Err(Problem::new(Kind::Invalid, message, help).into());
    }
    Ok(Some(history.stage(naming)?.finish()?))
}
