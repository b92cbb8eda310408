//! Plans over model values: what is found to break, who is named, what is refused.

mod edits;
mod guards;
mod impact;
mod properties;

use super::*;
use crate::model::{
    DataSource, DataType, FeatureService, FeatureView, Field, FileSource, Interval, MaterializedView, ObjectId,
    ObjectKind, OnlineTables, RegistryState, Repo, SourceKind, StreamFeatureView, Tags, Timestamp,
    samples::{label_view, on_demand_view, projection, repo, service, source, stream_view, view},
};

const DAY: i64 = 86_400_000_000;

/// The state after this repo was applied and its views were materialized.
fn applied(repo: &Repo) -> RegistryState {
    let mut state = RegistryState { objects: repo.objects().clone(), ..RegistryState::default() };
    for view in repo.all::<FeatureView>() {
        state.online_tables.insert(format!("p_{}", view.name), "online.db".to_owned());
        let interval = Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(DAY) };
        let later = Interval { start: interval.end, end: Timestamp::from_micros(3 * DAY) };
        state.materialized.insert(view.name.clone(), MaterializedView { intervals: vec![later, interval] });
    }
    state
}

fn setting(repo_name: Option<&str>) -> Setting<'_> {
    let online = OnlineTables { store: "sqlite", file: "online.db" };
    Setting { repo_name, online: Some(online) }
}

fn planned(state: &RegistryState, repo: &Repo) -> Plan {
    diff(state, repo, setting(None)).unwrap()
}

fn change<'a>(plan: &'a Plan, kind: ObjectKind, name: &str) -> &'a Change {
    let id = ObjectId::new(kind, name);
    plan.changes.iter().find(|change| change.id == id).unwrap_or_else(|| panic!("no change of {id}: {plan:#?}"))
}

/// What an apply does, on model values.
fn carried_out(mut state: RegistryState, plan: &Plan) -> RegistryState {
    for change in &plan.changes {
        if let Some(before) = change.before_id() {
            state.objects.remove(before);
            state.owners.remove(before);
        }
        if let Some(after) = change.action.after() {
            state.objects.insert(change.id.clone(), after.clone());
            state.owners.extend(plan.repo.clone().map(|repo| (change.id.clone(), repo)));
        }
    }
    for id in &plan.taken_over {
        state.owners.extend(plan.repo.clone().map(|repo| (id.clone(), repo)));
    }
    for table in &plan.tables {
        match table.action {
            TableAction::Create => drop(state.online_tables.insert(table.table.clone(), "online.db".to_owned())),
            TableAction::Delete => drop(state.online_tables.remove(&table.table)),
        }
    }
    state
}
