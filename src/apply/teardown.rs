//! Removing a project: what goes, in which order, and what forbids it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    ApplyError, Neighbours,
    cleanup::{all_of, clean_up},
    locks::under_locks,
    tables::drop_tables,
    unrecorded,
};
use crate::{
    model::{Author, ObjectKind, RegistryState, Timestamp},
    online::{OnlineStore, RecordedTables},
    plan::{Allow, Blocked, blocked_teardown},
    registry::{
        Decision, Registry, Write, forget_owner, forget_sharded_run, forget_stale, leftovers, put_leftover,
        read_objects, sharded_runs, stale_until, update, with_record,
    },
};

/// How a teardown is done.
#[derive(Debug, Clone, Copy)]
pub struct TeardownOptions<'a> {
    /// The name the repo gives itself, if it does.
    pub repo_name: Option<&'a str>,
    /// Objects of repos with another name that may go.
    pub allowed: &'a [Allow],
    /// Who removes it, for the log of changes.
    pub author: &'a Author,
    /// The time that is recorded.
    pub now: Timestamp,
}

impl TeardownOptions<'_> {
    fn blocked(self, state: &RegistryState) -> Vec<Blocked> {
        blocked_teardown(state, self.repo_name, self.allowed)
    }

    fn check(self, state: &RegistryState) -> Result<(), ApplyError> {
        let blocked = self.blocked(state);
        if blocked.is_empty() { Ok(()) } else { Err(ApplyError::Blocked(blocked)) }
    }
}

/// What a teardown removes.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct TeardownSummary {
    /// The project that is gone.
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
    /// What would be removed of `project` now. Changes nothing.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub fn of(
        project: &str,
        registry: &dyn Registry,
        online: Option<&dyn OnlineStore>,
        options: TeardownOptions<'_>,
    ) -> Result<Self, ApplyError> {
        let snapshot = registry.snapshot(project)?;
        let state = read_objects(&snapshot);
        let mut objects = BTreeMap::new();
        for id in state.objects.keys().chain(state.foreign.iter().map(|foreign| &foreign.id)) {
            *objects.entry(id.kind).or_default() += 1;
        }
        let neighbours = online.map(|online| Neighbours::of(project, registry, online)).transpose()?;
        let mut tables = online.map_or_else(Vec::new, |online| recorded_tables(&state, online));
        tables.retain(|table| neighbours.as_ref().is_none_or(|neighbours| !neighbours.have_table(table)));
        let mut views = BTreeSet::new();
        if let Some(online) = online.filter(|online| online.recorded_tables().is_none()) {
            let present = unrecorded::views(project, &snapshot, &state, online).into_iter().map(|layout| layout.view);
            let noted = leftovers(&snapshot.metadata).into_iter().map(|leftover| leftover.view);
            views.extend(present.chain(noted));
        }
        let (blocked, views) = (options.blocked(&state), views.into_iter().collect());
        Ok(Self { project: project.to_owned(), objects, tables, views, blocked })
    }

    /// Whether there was nothing to remove.
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty() && self.tables.is_empty() && self.views.is_empty()
    }
}

/// Removes a project from registry and online store, and no other project.
///
/// The objects go first, with notes about their online values in the same transaction: so no run finds
/// a view to materialize any more, and should this one be killed, the notes name what is left for the
/// next. Whatever is applied again in the meantime stays. Where there are no tables to drop, `on_page` is
/// called after each page with the number of entities whose values were removed so far.
///
/// # Errors
/// When objects are in the way, a run on one of the views does not end, or a store cannot be read or
/// written.
pub fn teardown(
    project: &str,
    registry: &dyn Registry,
    online: Option<&dyn OnlineStore>,
    options: TeardownOptions<'_>,
    on_page: &mut dyn FnMut(u64),
) -> Result<(), ApplyError> {
    let before = read_objects(&registry.snapshot(project)?);
    options.check(&before)?;
    if let Some(online) = online {
        // Before anything is removed, the store is there, and runs under way end.
        online.reach()?;
        under_locks(project, registry, views_with_values(&before), &mut |_| Ok(()))?;
    }
    let tables = update(registry, project, |snapshot| {
        let state = read_objects(snapshot);
        options.check(&state)?;
        let tables = online.map_or_else(Vec::new, |online| recorded_tables(&state, online));
        let objects = snapshot.rows.iter().map(|row| Write::Delete { kind: row.kind, name: row.name.clone() });
        let owners = state.owners.keys().map(forget_owner);
        let layouts = online.map_or_else(Vec::new, |online| unrecorded::views(project, snapshot, &state, online));
        let notes = layouts.into_iter().flat_map(|layout| put_leftover(&all_of(layout), options.now));
        let views = state.materialized.keys().filter(|view| stale_until(&snapshot.metadata, view).is_some());
        let stale = views.map(|view| forget_stale(view));
        let sharded = sharded_runs(&snapshot.metadata).into_iter().map(|run| forget_sharded_run(&run.view));
        let writes = objects.chain(owners).chain(stale).chain(sharded).chain(notes).collect();
        let writes = with_record(writes, snapshot, options.author, options.now);
        Ok::<_, ApplyError>(Decision::Write(writes, tables))
    })?;
    if let Some(online) = online {
        if let Some(recorded) = online.recorded_tables() {
            let neighbours = Neighbours::of(project, registry, online)?;
            let tables = tables.iter().map(String::as_str);
            drop_tables(project, tables, registry, recorded, &neighbours, options.now)?;
        }
        clean_up(project, registry, online, on_page)?;
    }
    let is_gone = update(registry, project, |snapshot| {
        let is_gone = snapshot.rows.is_empty() && leftovers(&snapshot.metadata).is_empty();
        let decision = if is_gone { Decision::Write(vec![Write::DeleteProject], true) } else { Decision::Leave(false) };
        Ok::<_, ApplyError>(decision)
    })?;
    if is_gone {
        registry.forget_runs(project)?;
    }
    Ok(())
}

/// The names of the views that may have online values.
fn views_with_values(state: &RegistryState) -> BTreeSet<String> {
    state.views_with_table().map(|view| view.name).collect()
}

/// The tables of the project in the store.
fn recorded_tables(state: &RegistryState, online: &dyn OnlineStore) -> Vec<String> {
    let Some(here) = online.recorded_tables().map(RecordedTables::layout) else { return Vec::new() };
    let ours = state.online_tables.iter().filter(|(_, file)| *file == here.file);
    ours.map(|(table, _)| table.clone()).collect()
}
