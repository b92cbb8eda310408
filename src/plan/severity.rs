//! How harmful changes are: severity and reason, decided by what a change breaks and loses.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    breakages::Breakages,
    change::{Action, Change, TableAction, TableChange},
    collisions::collisions,
    impact::{Impact, Severity},
    losses::losses,
    notes::notes,
    rematerialization::rematerialization,
};
use crate::model::{Object, ObjectId, OnlineTables, RegistryState};

/// The registry before and after a plan.
pub(crate) struct Assessor<'a> {
    state: &'a RegistryState,
    project: &'a str,
    declared: &'a BTreeMap<ObjectId, Object>,
    /// Objects that stay without being declared.
    others: &'a BTreeMap<ObjectId, Object>,
    dropped: BTreeSet<&'a str>,
    online: Option<OnlineTables<'a>>,
}

impl<'a> Assessor<'a> {
    pub(crate) fn new(
        state: &'a RegistryState,
        project: &'a str,
        declared: &'a BTreeMap<ObjectId, Object>,
        others: &'a BTreeMap<ObjectId, Object>,
        tables: &'a [TableChange],
        online: Option<OnlineTables<'a>>,
    ) -> Self {
        let dropped = tables.iter().filter(|table| table.action == TableAction::Delete);
        let dropped = dropped.map(|table| table.table.as_str()).collect();
        Self { state, project, declared, others, dropped, online }
    }

    /// Fills in severity, reason and impact of the changes.
    pub(crate) fn assess(&self, changes: &mut [Change]) {
        if changes.is_empty() {
            return;
        }
        let ids: Vec<(ObjectId, Option<ObjectId>)> =
            changes.iter().map(|change| (change.id.clone(), change.before_id().cloned())).collect();
        let breakages = Breakages::new(self.state, self.declared, self.others, &ids);
        let mut collisions = collisions(&self.state.objects, self.declared, self.others);
        for change in changes {
            let loses = losses(change, self.state, self.project, self.online, &self.dropped);
            let impact = Impact {
                breaks: breakages.of(change),
                rematerialize: rematerialization(change, self.state),
                notes: notes(change, self.state, &loses),
                loses,
                collisions: collisions.remove(&change.id).unwrap_or_default(),
            };
            change.severity = severity(&change.action, &impact);
            change.protected = self.protected(change, &impact);
            change.reason = reason(&change.action, &impact);
            change.impact = impact;
        }
    }

    fn protected(&self, change: &Change, impact: &Impact) -> Vec<ObjectId> {
        let is_protected = |id: &ObjectId| self.state.objects.get(id).is_some_and(Object::is_protected);
        let harmed = change.severity >= Severity::Breaking
            || matches!(change.action, Action::Delete { .. } | Action::Rename { .. } | Action::Replace { .. });
        let own = change.before_id().filter(|_| harmed);
        let users = impact.breaks.iter().flat_map(|breakage| &breakage.users).map(|user| &user.id);
        let mut protected: Vec<ObjectId> =
            own.into_iter().chain(users).filter(|id| is_protected(id)).cloned().collect();
        protected.sort();
        protected.dedup();
        protected
    }
}

fn severity(action: &Action, impact: &Impact) -> Severity {
    if !impact.loses.is_empty() || matches!(action, Action::Delete { .. }) {
        Severity::Destructive
    } else if !impact.breaks.is_empty() {
        Severity::Breaking
    } else if impact.rematerialize.is_some() {
        Severity::Rematerialize
    } else {
        Severity::Safe
    }
}

fn reason(action: &Action, impact: &Impact) -> String {
    let mut parts: Vec<String> = impact.breaks.iter().map(ToString::to_string).collect();
    parts.extend(impact.loses.iter().map(|loss| format!("loses {loss}")));
    if matches!(action, Action::Delete { .. }) && parts.is_empty() {
        parts.push("it is removed from the registry".to_owned());
    }
    parts.extend(impact.rematerialize.iter().map(ToString::to_string));
    parts.join("; ")
}
