use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{
    change::{Action, Change, TableAction, TableChange},
    edits::edits,
};
use crate::model::{ForeignObject, Object, ObjectId, OnlineTables, RegistryState, Repo};

/// Everything an apply would do, in the order it is shown: by kind, then by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    pub project: String,
    /// The registry content the plan was made from.
    pub revision: String,
    pub changes: Vec<Change>,
    pub tables: Vec<TableChange>,
    /// Objects of the project that feastr does not manage; they stay as they are.
    pub kept: Vec<ForeignObject>,
}

impl Plan {
    /// Whether applying would change nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.tables.is_empty()
    }
}

/// Why definitions cannot be applied to this registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{declared} cannot be applied: the registry holds {existing}, and {reason}")]
pub struct Conflict {
    pub declared: ObjectId,
    pub existing: ObjectId,
    pub reason: String,
}

/// The plan that makes the registry hold what the repo declares.
///
/// # Errors
/// When a declared object stands against one that feastr must not change.
pub fn diff(state: &RegistryState, repo: &Repo, online: Option<OnlineTables<'_>>) -> Result<Plan, Vec<Conflict>> {
    let declared = repo.objects();
    let conflicts = conflicts(state, &declared);
    if !conflicts.is_empty() {
        return Err(conflicts);
    }
    let ids: BTreeSet<&ObjectId> = declared.keys().chain(state.objects.keys()).collect();
    let changes = ids.into_iter().filter_map(|id| change(id, state.objects.get(id), declared.get(id))).collect();
    Ok(Plan {
        project: repo.project.name.clone(),
        revision: state.revision.clone(),
        changes,
        tables: online.map(|online| table_changes(state, repo, online)).unwrap_or_default(),
        kept: state.foreign.clone(),
    })
}

fn change(id: &ObjectId, before: Option<&Object>, after: Option<&Object>) -> Option<Change> {
    let action = match (before, after) {
        (Some(before), Some(after)) if before == after => return None,
        (Some(before), Some(after)) => Action::Update {
            before: Box::new(before.clone()),
            after: Box::new(after.clone()),
            edits: edits(before, after),
        },
        (None, Some(after)) => Action::Create { after: Box::new(after.clone()) },
        (Some(before), None) => Action::Delete { before: Box::new(before.clone()) },
        (None, None) => return None,
    };
    Some(Change { id: id.clone(), action })
}

/// A declared object may not take the place of a foreign one, nor its name among views.
fn conflicts(state: &RegistryState, declared: &BTreeMap<ObjectId, Object>) -> Vec<Conflict> {
    let clashes = |foreign: &ForeignObject, id: &ObjectId| {
        foreign.id.name == id.name && (foreign.id.kind == id.kind || (foreign.id.kind.is_view() && id.kind.is_view()))
    };
    declared
        .keys()
        .filter_map(|id| {
            let foreign = state.foreign.iter().find(|foreign| clashes(foreign, id))?;
            Some(Conflict { declared: id.clone(), existing: foreign.id.clone(), reason: foreign.reason.clone() })
        })
        .collect()
}

fn table_changes(state: &RegistryState, repo: &Repo, online: OnlineTables<'_>) -> Vec<TableChange> {
    let table = |view: &str| (online.name)(&repo.project.name, view);
    // As in Feast: on-demand views have no table, and label views only if they are online.
    let views = repo.feature_views.iter().map(|view| &view.name);
    let stream_views = repo.stream_feature_views.iter().map(|view| &view.name);
    let label_views = repo.label_views.iter().filter(|view| view.online).map(|view| &view.name);
    let wanted: BTreeSet<String> = views.chain(stream_views).chain(label_views).map(|view| table(view)).collect();
    let kept: BTreeSet<String> = state
        .foreign
        .iter()
        .filter(|foreign| foreign.id.kind.is_view())
        .map(|foreign| table(&foreign.id.name))
        .collect();
    let here = |name: &str| state.online_tables.get(name).is_some_and(|file| file == online.file);
    let created = wanted.iter().filter(|name| !here(name)).map(|name| (TableAction::Create, name));
    let dropped =
        state.online_tables.keys().filter(|name| here(name) && !wanted.contains(*name) && !kept.contains(*name));
    created
        .chain(dropped.map(|name| (TableAction::Delete, name)))
        .map(|(action, name)| TableChange { action, store: online.store, table: name.clone() })
        .collect()
}
