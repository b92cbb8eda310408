//! Online tables around an apply: created before the registry names them, and dropped after it has committed.

use std::collections::{BTreeMap, BTreeSet};

use super::{ApplyError, Neighbours, locks::under_locks, rows};
use crate::{
    model::{RegistryState, Repo, Timestamp, View, ViewId},
    online::{OnlineStore, RecordedTables},
    plan::{Plan, TableAction},
    registry::{Decision, Registry, read_objects, update},
};

/// The tables that a plan creates, or those that it drops.
pub(crate) fn tables(plan: &Plan, action: TableAction) -> impl Iterator<Item = &str> {
    plan.tables.iter().filter(move |change| change.action == action).map(|change| change.table.as_str())
}

/// Makes room for the values of a repo's views, before the registry is locked, because both may be one file. Returns
/// the tables that the registry is to record: in other stores whatever is missing is made, planned or not.
///
/// # Errors
/// When the store cannot be written.
pub(crate) fn create(repo: &Repo, plan: &Plan, online: &dyn OnlineStore) -> Result<Vec<String>, ApplyError> {
    let Some(recorded) = online.recorded_tables() else {
        let views: Vec<&str> = repo.views().filter(View::stores_values).map(|view| view.name).collect();
        online.prepare_views(repo.project(), &views)?;
        return Ok(Vec::new());
    };
    let created: Vec<&str> = tables(plan, TableAction::Create).collect();
    recorded.create(&created)?;
    Ok(created.into_iter().map(str::to_owned).collect())
}

/// Drops tables of a project, and then takes them off the record, which is what a later run goes by
/// when this one is killed. Those of views that were declared again in the meantime stay, and
/// those that another project has, too.
///
/// Nobody materializes the views meanwhile.
///
/// # Errors
/// When a store cannot be read or written, or a run on one of the views does not end.
pub(crate) fn drop_tables<'a>(
    project: &str,
    tables: impl Iterator<Item = &'a str>,
    registry: &dyn Registry,
    recorded: &dyn RecordedTables,
    neighbours: &Neighbours<'_>,
    now: Timestamp,
) -> Result<(), ApplyError> {
    let prefix = ViewId { project, name: "" }.table();
    let tables: BTreeMap<&str, &str> =
        tables.map(|table| (table.strip_prefix(&prefix).unwrap_or(table), table)).collect();
    let views = tables.keys().map(|&view| view.to_owned()).collect();
    under_locks(project, registry, views, &mut |views| {
        let needed = needed(project, &read_objects(&registry.snapshot(project)?));
        let mut dropped: Vec<&str> = views.iter().map(|view| tables[view.as_str()]).collect();
        dropped.retain(|table| !needed.contains(*table));
        if dropped.is_empty() {
            return Ok(());
        }
        // The new name of a table may be another spelling of the old one.
        let is_needed = |table: &str| needed.iter().any(|needed| recorded.is_same(needed, table));
        let removed = dropped.iter().copied().filter(|table| !neighbours.have_table(table) && !is_needed(table));
        recorded.remove(&removed.collect::<Vec<_>>())?;
        let back = update(registry, project, |snapshot| {
            let state = read_objects(snapshot);
            let back = self::needed(project, &state);
            let mut recorded = state.online_tables;
            recorded.retain(|table, _| back.contains(table) || !dropped.contains(&table.as_str()));
            Ok::<_, ApplyError>(Decision::Write(vec![rows::put_infra(snapshot, &recorded, now)], back))
        })?;
        // What was declared again after it was looked for is there, if empty: nobody could write to it.
        dropped.retain(|table| back.contains(*table));
        Ok(recorded.create(&dropped)?)
    })
}

/// The tables of the views in a registry.
fn needed(project: &str, state: &RegistryState) -> BTreeSet<String> {
    state.views_with_table().map(|view| ViewId { project, name: &view.name }.table()).collect()
}
