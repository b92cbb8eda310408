//! What an apply would change.

use super::{Caller, Failure, FeatureStore};
use crate::{
    apply::{self, Neighbours},
    model::Repo,
    plan::Plan,
    registry::read_objects,
};

/// The plan for the registry as it is now. Changes nothing.
///
/// # Errors
/// [`Failure::Conflicts`] when the registry has no place for a definition; else when a store cannot be read.
pub fn plan(store: &FeatureStore, _: &Caller, repo: &Repo) -> Result<Plan, Failure> {
    let registry = store.registry_to_read();
    let snapshot = registry.snapshot(repo.project())?;
    if let Some(online) = store.online() {
        Neighbours::of(repo.project(), registry, online)?.check(repo)?;
    }
    Ok(apply::plan(repo, &read_objects(&snapshot), store.config().repo_name.as_deref(), store.online())?)
}
