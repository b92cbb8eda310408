use std::collections::BTreeMap;

use super::{ApplyError, Neighbours, cleanup::clean_up, unrecorded};
use crate::{
    model::ObjectKind,
    online::{OnlineStore, RecordedTables},
    plan::{Allow, Blocked, blocked_teardown},
    registry::{RegistryStore, Write, state},
};

/// What a teardown removes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TeardownSummary {
    pub project: String,
    /// Number of stored objects by kind, the hidden dummy entity not counted.
    pub objects: BTreeMap<ObjectKind, usize>,
    /// Online tables in the configured store.
    pub tables: Vec<String>,
    /// Views whose values are in a store without a record of tables.
    pub views: Vec<String>,
    /// Objects that are in the way.
    #[serde(skip)]
    pub blocked: Vec<Blocked>,
}

impl TeardownSummary {
    /// What would be removed of `project` now, by a repo of that name if it has one. Changes nothing.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn of(
        project: &str,
        registry: &dyn RegistryStore,
        online: Option<&dyn OnlineStore>,
        repo_name: Option<&str>,
        allowed: &[Allow],
    ) -> Result<Self, ApplyError> {
        let state = state(&registry.snapshot(project)?);
        let mut objects = BTreeMap::new();
        for id in state.objects.keys().chain(state.foreign.iter().map(|foreign| &foreign.id)) {
            *objects.entry(id.kind).or_default() += 1;
        }
        let here = online.and_then(OnlineStore::recorded_tables).map(RecordedTables::layout);
        let neighbours = online.map(|online| Neighbours::of(project, registry, online)).transpose()?;
        let unshared = |table: &&String| neighbours.as_ref().is_none_or(|neighbours| !neighbours.have_table(table));
        let tables = here.map_or_else(Vec::new, |here| {
            let ours = state.online_tables.iter().filter(|(_, file)| *file == here.file);
            ours.map(|(table, _)| table).filter(unshared).cloned().collect()
        });
        let views = online.map_or_else(Vec::new, |online| unrecorded::views(project, &state, online));
        let views = views.into_iter().map(|layout| layout.view).collect();
        let blocked = blocked_teardown(&state, repo_name, allowed);
        Ok(Self { project: project.to_owned(), objects, tables, views, blocked })
    }

    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.tables.is_empty()
    }
}

/// Removes a project from registry and online store, and no other project.
///
/// The values go first: should the run be killed, the registry still names the rest for the next.
/// `on_page` hears of how many entities values were removed so far, where there are no tables to drop.
///
/// # Errors
/// When objects are in the way, or a store cannot be written.
pub fn teardown(
    summary: &TeardownSummary,
    registry: &dyn RegistryStore,
    online: Option<&dyn OnlineStore>,
    on_page: &mut dyn FnMut(u64),
) -> Result<(), ApplyError> {
    if !summary.blocked.is_empty() {
        return Err(ApplyError::Blocked(summary.blocked.clone()));
    }
    if let Some(online) = online {
        let tables: Vec<&str> = summary.tables.iter().map(String::as_str).collect();
        if let Some(recorded) = online.recorded_tables() {
            recorded.remove(&tables)?;
        }
        let mut views = unrecorded::views(&summary.project, &state(&registry.snapshot(&summary.project)?), online);
        let neighbours = Neighbours::of(&summary.project, registry, online)?;
        views.retain(|layout| !neighbours.have(&layout.view));
        if !views.is_empty() {
            online.remove_views(&views, on_page)?;
        }
        clean_up(&summary.project, registry, online, &mut |_| {})?;
    }
    registry.update(&summary.project, &mut |_| Some(vec![Write::DeleteProject]))?;
    registry.forget_runs(&summary.project)?;
    Ok(())
}
