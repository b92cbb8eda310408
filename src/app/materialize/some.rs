//! Materializing some entities only: who they are, and of which views.

use std::fmt;

use super::{Request, WhoseValues};
use crate::{
    app::{
        FeatureStore,
        entities_from::{entities_from, keys_of},
        entity_index::Sought,
    },
    materialize::ViewRun,
    model::{Interval, RegistryState},
    problem::{Kind, Problem},
    retrieval::{Entities, JoinKey},
};

impl fmt::Display for WhoseValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::From(name) => write!(f, "the entities of `{name}`"),
            Self::Index(names) => write!(f, "the entities of the index `{}`", names.join(",")),
        }
    }
}

/// Leaves views whose values are by these entities: those with some of their keys and no others.
///
/// # Errors
/// When there are none, or one that is named is not.
pub(super) fn confine(
    runs: &mut Vec<ViewRun>,
    state: &RegistryState,
    whose: &WhoseValues,
    request: Request<'_>,
) -> Result<(), Problem> {
    let known = match whose {
        WhoseValues::From(name) => keys_of(state, name)?,
        WhoseValues::Index(names) => Some(Sought::anywhere(state, names)?.columns().map(str::to_owned).collect()),
    };
    let is_by_them = |run: &ViewRun| {
        let keys = run.view.join_keys();
        let has_keys = known.as_ref().is_none_or(|known| keys.iter().all(|key| known.contains(&key.name)));
        run.computed.is_none() && !keys.is_empty() && has_keys
    };
    let others: Vec<String> = runs.iter().filter(|run| !is_by_them(run)).map(|run| run.view.name.clone()).collect();
    let is_named = !request.views.is_empty();
    if known.is_none() && !is_named {
        let message = format!("nothing says which columns of {whose} are keys");
        return Err(Problem::new(Kind::Invalid, message, "name the views that are wanted".to_owned()));
    }
    runs.retain(is_by_them);
    if runs.is_empty() || (is_named && !others.is_empty()) {
        let views =
            if others.is_empty() { "there is no view".to_owned() } else { format!("`{}`", others.join("`, `")) };
        let message =
            format!("{whose} do not say whose values of {views} are wanted: it has other join keys, or is computed");
        return Err(Problem::new(Kind::Invalid, message, "name views with the same join keys".to_owned()));
    }
    Ok(())
}

/// The entities, each once.
///
/// # Errors
/// When they cannot be found.
pub(super) fn entities(
    store: &FeatureStore,
    state: &RegistryState,
    whose: &WhoseValues,
    runs: &[ViewRun],
) -> Result<Entities, Problem> {
    let all = Interval { start: crate::model::Timestamp::FIRST, end: crate::model::Timestamp::LAST };
    let interval = runs.first().map_or(all, ViewRun::asked);
    match whose {
        WhoseValues::Index(names) => Sought::anywhere(state, names)?.seen(store, (interval, false)),
        WhoseValues::From(name) => {
            let mut wanted: Vec<JoinKey> = Vec::new();
            for field in runs.iter().flat_map(|run| run.view.join_keys()) {
                if !wanted.iter().any(|known| known.column == field.name) {
                    wanted.push(JoinKey { field: field.clone(), column: field.name.clone() });
                }
            }
            let query = entities_from(state, name, &wanted.iter().collect::<Vec<_>>(), (interval, Some(interval.end)))?;
            store.offline().entities_of(&query)
        }
    }
}
