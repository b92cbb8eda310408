//! What a plan is made of: each object of the registry beside the one that is declared, who may change it,
//! and which online tables come and go.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use serde::Serialize;

use super::{
    change::{Action, Change, TableAction, TableChange},
    edits::{edits, edits_of_rename, edits_of_replacement},
    impact::{Impact, Severity},
    ownership::{Ownership, kept_object},
    severity::Assessor,
};
use crate::model::{
    ForeignObject, Object, ObjectId, ObjectKind, OnlineTables, Place, RENAMED_FROM_TAG, RegistryState, Repo, View,
    ViewId,
};

/// Everything an apply would do, in the order it is shown: by kind, then by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Plan {
    /// The project of all objects.
    pub project: String,
    /// The name of the repo, if it has one.
    pub repo: Option<String>,
    /// The registry content the plan was made from.
    pub revision: String,
    /// What would change, in the order in which it is shown.
    pub changes: Vec<Change>,
    /// What would become of online tables.
    pub tables: Vec<TableChange>,
    /// Objects without an owner that the repo declares and will own.
    pub taken_over: Vec<ObjectId>,
    /// Objects of the project that this repo does not manage; they stay as they are.
    pub kept: Vec<ForeignObject>,
}

impl Plan {
    /// Whether applying would change nothing.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.tables.is_empty() && self.taken_over.is_empty()
    }
}

/// What a plan depends on besides registry and repo.
#[derive(Debug, Clone, Copy, Default)]
pub struct Setting<'a> {
    /// The name the repo gives itself, if it does: it then deletes only what it applied itself.
    pub repo_name: Option<&'a str>,
    /// The tables of the online store; `None` for stores without tables.
    pub online: Option<OnlineTables<'a>>,
}

/// Why definitions cannot be applied to this registry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The object that is declared.
    pub declared: ObjectId,
    /// The object that is in the way; `None` when it is the lack of one.
    pub existing: Option<ObjectId>,
    /// Why it has no place.
    pub reason: String,
    /// The repo that has applied the existing object, when that is what is in the way.
    pub owner: Option<String>,
    /// Where the object is declared.
    pub place: Option<Place>,
}

impl Conflict {
    /// What to do about it.
    pub fn advice(&self) -> &'static str {
        match self.existing {
            Some(_) => "rename what you declare, or remove it from the definitions",
            None => "create it with Python Feast; then its dataset, description and tags can be declared here",
        }
    }
}

impl fmt::Display for Conflict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { declared, reason, .. } = self;
        match &self.existing {
            Some(existing) => {
                write!(f, "{declared} cannot be applied: the registry holds {existing}, and {reason}")
            }
            None => write!(f, "{declared} cannot be created: {reason}"),
        }
    }
}

/// The plan that makes the registry hold what the repo declares.
///
/// # Errors
/// When a declared object stands against one that this repo must not change.
pub fn diff(state: &RegistryState, repo: &Repo, setting: Setting<'_>) -> Result<Plan, Vec<Conflict>> {
    let state = &*with_known(state, repo);
    let ownership = Ownership::new(state, setting.repo_name);
    let mut comparison = Comparison { state, declared: repo.objects(), ownership: &ownership, found: Found::default() };
    comparison.declared();
    comparison.not_declared();
    let Found { mut actions, conflicts, others, mut kept, .. } = comparison.found;
    if !conflicts.is_empty() {
        return Err(located(conflicts, repo));
    }
    kept.extend(state.foreign.iter().cloned());
    kept.sort_by(|a, b| a.id.cmp(&b.id));
    actions.sort_by(|a, b| a.0.cmp(&b.0));
    let tables = setting.online.map(|online| table_changes(state, repo, &others, online)).unwrap_or_default();
    let mut changes: Vec<Change> = actions.into_iter().map(|(id, action)| unassessed(repo, id, action)).collect();
    let assessor = Assessor::new(state, repo.project(), repo.objects(), &others, &tables, setting.online);
    assessor.assess(&mut changes);
    Ok(Plan {
        project: repo.project().to_owned(),
        repo: setting.repo_name.map(str::to_owned),
        revision: state.revision.clone(),
        changes,
        tables,
        taken_over: repo.objects().keys().filter(|id| ownership.takes_over(id)).cloned().collect(),
        kept,
    })
}

/// The registry with what is known of foreign objects that are declared: these change, and are foreign no longer.
fn with_known<'a>(state: &'a RegistryState, repo: &Repo) -> Cow<'a, RegistryState> {
    let is_declared = |foreign: &ForeignObject| foreign.known.is_some() && repo.objects().contains_key(&foreign.id);
    if !state.foreign.iter().any(is_declared) {
        return Cow::Borrowed(state);
    }
    let mut state = state.clone();
    let (declared, foreign): (Vec<_>, Vec<_>) = state.foreign.into_iter().partition(is_declared);
    state.foreign = foreign;
    state.objects.extend(declared.into_iter().filter_map(|foreign| Some((foreign.id, *foreign.known?))));
    Cow::Owned(state)
}

/// A registry beside what is declared.
struct Comparison<'a> {
    state: &'a RegistryState,
    declared: &'a BTreeMap<ObjectId, Object>,
    ownership: &'a Ownership<'a>,
    found: Found,
}

/// What comparing shows.
#[derive(Default)]
struct Found {
    actions: Vec<(ObjectId, Action)>,
    conflicts: Vec<Conflict>,
    /// What declared objects take the place of.
    succeeded: BTreeSet<ObjectId>,
    /// Registered objects that are not declared and stay.
    others: BTreeMap<ObjectId, Object>,
    /// Those of them that a plan speaks of.
    kept: Vec<ForeignObject>,
}

impl Comparison<'_> {
    /// What becomes of declared objects, and which of them have no place.
    fn declared(&mut self) {
        self.found.conflicts = foreign_conflicts(self.state, self.declared);
        for (id, after) in self.declared {
            let (from, action) = action(self.state, self.declared, &self.found.succeeded, id, after);
            if let Some(existing) = from.as_ref().filter(|_| action.is_some())
                && let Some(owner) = self.ownership.other_owner(existing)
            {
                // The project itself belongs to the repo that applied it first.
                if id.kind != ObjectKind::Project {
                    self.found.conflicts.push(owned_by_other(id, existing, owner));
                }
                continue;
            }
            if let (ObjectKind::ValidationReference, Some(Action::Create { .. })) = (id.kind, &action) {
                let reason = "it needs a profiler, and a profiler is a Python function".to_owned();
                let declared = id.clone();
                self.found.conflicts.push(Conflict { declared, existing: None, reason, owner: None, place: None });
                continue;
            }
            self.found.succeeded.extend(from.filter(|from| from != id));
            self.found.actions.extend(action.map(|action| (id.clone(), action)));
        }
    }

    /// What becomes of registered objects that are not declared.
    fn not_declared(&mut self) {
        let Found { actions, conflicts, succeeded, others, kept } = &mut self.found;
        let rest = self.state.objects.iter();
        for (id, object) in rest.filter(|(id, _)| !self.declared.contains_key(id) && !succeeded.contains(id)) {
            let Some(reason) = self.ownership.reason_to_keep(id) else {
                actions.push((id.clone(), Action::Delete { before: Box::new(object.clone()) }));
                continue;
            };
            conflicts.extend(name_conflicts(id, &reason, self.ownership.other_owner(id), self.declared));
            others.insert(id.clone(), object.clone());
            // Saved datasets come from jobs and are never declared away: not worth a word.
            if id.kind != ObjectKind::SavedDataset {
                kept.push(kept_object(id, object, reason));
            }
        }
    }
}

fn owned_by_other(id: &ObjectId, existing: &ObjectId, owner: &str) -> Conflict {
    Conflict {
        declared: id.clone(),
        existing: Some(existing.clone()),
        reason: format!("it was applied by repo `{owner}`"),
        owner: Some(owner.to_owned()),
        place: None,
    }
}

/// Conflicts in order, each once, with the places of what is declared.
fn located(mut conflicts: Vec<Conflict>, repo: &Repo) -> Vec<Conflict> {
    conflicts.sort_by(|a, b| (&a.declared, &a.existing).cmp(&(&b.declared, &b.existing)));
    conflicts.dedup();
    for conflict in &mut conflicts {
        conflict.place = repo.places.get(&conflict.declared).cloned();
    }
    conflicts
}

fn unassessed(repo: &Repo, id: ObjectId, action: Action) -> Change {
    Change {
        place: if action.after().is_some() { repo.places.get(&id).cloned() } else { None },
        id,
        action,
        severity: Severity::Safe,
        reason: String::new(),
        impact: Impact::default(),
        protected: Vec::new(),
    }
}

/// What becomes of a declared object, and which object of the registry it starts from.
fn action(
    state: &RegistryState,
    declared: &BTreeMap<ObjectId, Object>,
    succeeded: &BTreeSet<ObjectId>,
    id: &ObjectId,
    after: &Object,
) -> (Option<ObjectId>, Option<Action>) {
    let new = || Box::new(after.clone());
    if let Some(before) = state.objects.get(id) {
        let action = (before != after).then(|| Action::Update {
            before: Box::new(before.clone()),
            after: new(),
            edits: edits(before, after),
        });
        return (Some(id.clone()), action);
    }
    let free = |from: &ObjectId| !declared.contains_key(from) && !succeeded.contains(from);
    let namesakes =
        ObjectKind::VIEWS.into_iter().filter(|_| id.kind.is_view()).map(|kind| ObjectId::new(kind, &id.name));
    for from in namesakes.filter(free) {
        if let Some(before) = state.objects.get(&from) {
            let edits = edits_of_replacement(before, after);
            let action = Action::Replace { from: from.clone(), before: Box::new(before.clone()), after: new(), edits };
            return (Some(from), Some(action));
        }
    }
    let old_name = after.tags().get(RENAMED_FROM_TAG);
    if let Some(from) = old_name.map(|name| ObjectId::new(id.kind, name)).filter(free)
        && let Some(before) = state.objects.get(&from)
    {
        let edits = edits_of_rename(before, after);
        let action = Action::Rename { from: from.clone(), before: Box::new(before.clone()), after: new(), edits };
        return (Some(from), Some(action));
    }
    (None, Some(Action::Create { after: new() }))
}

/// A declared object may not take the place of a foreign one, nor its name among views.
fn foreign_conflicts(state: &RegistryState, declared: &BTreeMap<ObjectId, Object>) -> Vec<Conflict> {
    let foreign = state.foreign.iter().filter(|foreign| foreign.id.kind != ObjectKind::Project);
    let same = foreign.clone().filter(|foreign| declared.contains_key(&foreign.id)).map(|foreign| Conflict {
        declared: foreign.id.clone(),
        existing: Some(foreign.id.clone()),
        reason: foreign.reason.clone(),
        owner: None,
        place: None,
    });
    let namesakes = foreign.flat_map(|foreign| name_conflicts(&foreign.id, &foreign.reason, None, declared));
    same.chain(namesakes).collect()
}

/// Views of all kinds share their names, whatever the case of the letters.
fn name_conflicts(
    existing: &ObjectId,
    reason: &str,
    owner: Option<&str>,
    declared: &BTreeMap<ObjectId, Object>,
) -> Vec<Conflict> {
    if !existing.kind.is_view() {
        return Vec::new();
    }
    let namesake =
        |id: &&ObjectId| id.kind.is_view() && *id != existing && id.name.eq_ignore_ascii_case(&existing.name);
    let conflict = |id: &ObjectId| Conflict {
        declared: id.clone(),
        existing: Some(existing.clone()),
        reason: reason.to_owned(),
        owner: owner.map(str::to_owned),
        place: None,
    };
    declared.keys().filter(namesake).map(conflict).collect()
}

fn table_changes(
    state: &RegistryState,
    repo: &Repo,
    others: &BTreeMap<ObjectId, Object>,
    online: OnlineTables<'_>,
) -> Vec<TableChange> {
    let table = |name| ViewId { project: repo.project(), name }.table();
    let wanted: BTreeSet<String> = repo.views().filter(View::has_table).map(|view| table(view.name)).collect();
    let foreign = state.foreign_views().map(|foreign| foreign.id.name.as_str());
    let others = others.values().filter_map(Object::view).filter(View::has_table).map(|view| view.name);
    let kept: BTreeSet<String> = foreign.chain(others).map(table).collect();
    let here = |name: &str| state.online_tables.get(name).is_some_and(|file| file == online.file);
    let created = wanted.iter().filter(|name| !here(name)).map(|name| (TableAction::Create, name));
    let dropped =
        state.online_tables.keys().filter(|name| here(name) && !wanted.contains(*name) && !kept.contains(*name));
    created
        .chain(dropped.map(|name| (TableAction::Delete, name)))
        .map(|(action, name)| TableChange { action, store: online.store, table: name.clone() })
        .collect()
}
