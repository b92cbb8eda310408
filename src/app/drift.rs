//! Where definitions, registry, sources and online store have drifted apart.

use super::{Caller, Failure, FeatureStore, definitions::check_transformation};
use crate::{
    apply,
    drift::{self, Finding, Tables},
    model::{FeatureView, RegistryState, Repo},
    online::OnlineStore,
    problem::Problem,
    registry::read_objects,
    sources::OpenSource,
};

/// Looks for differences. Changes nothing.
///
/// # Errors
/// [`Failure::Conflicts`] when the registry has no place for a definition; else when a store cannot be read.
pub fn drift(store: &FeatureStore, _: &Caller, repo: &Repo) -> Result<Vec<Finding>, Failure> {
    let state = read_objects(&store.registry_to_read().snapshot(repo.project())?);
    // Tables are compared with what is registered, not with what is declared.
    let plan = apply::plan(repo, &state, store.config().repo_name.as_deref(), None)?;
    let mut findings = drift::definitions(&plan);
    let computes = |view: &FeatureView, opened: &OpenSource| {
        check_transformation(store, view, Some(opened)).map_err(|(_, problem)| problem)
    };
    findings.extend(drift::sources(&state, &|source| store.offline().inspect(source), &computes));
    if let Some(online) = store.online() {
        findings.extend(in_tables(&state, repo.project(), online)?);
    }
    Ok(findings)
}

fn in_tables(state: &RegistryState, project: &str, online: &dyn OnlineStore) -> Result<Vec<Finding>, Problem> {
    let Some(tables) = online.recorded_tables() else { return Ok(Vec::new()) };
    let layout = tables.layout();
    let here = state.online_tables.iter().filter(|(_, file)| *file == layout.file);
    let existing = tables.existing(&here.map(|(table, _)| table.as_str()).collect::<Vec<_>>())?;
    Ok(drift::online(state, &Tables { project, layout, existing: existing.into_iter().collect() }))
}
