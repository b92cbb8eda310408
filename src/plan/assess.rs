//! What changes do to those who depend on the objects: severity, reason and impact.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    change::{Action, Change, TableAction, TableChange},
    collisions::collisions,
    impact::{Breakage, Harm, Impact, Severity, User},
    losses::{is_materialized, losses},
    notes::notes,
    rematerialization::rematerialization,
    users::{Part, Users, parts_of, parts_of_uses, projections, selection},
};
use crate::model::{Object, ObjectId, ObjectKind, OnlineTables, Projection, RegistryState, View};

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

/// What the assessment of each change needs to know of all the others.
struct Dependents<'a> {
    users: Users<'a>,
    /// Declared objects under the names they had before, where those differ.
    old_ids: BTreeMap<&'a ObjectId, &'a ObjectId>,
    /// Services that lose features because the view has them no longer.
    losers: BTreeMap<(&'a str, &'a str), Vec<&'a ObjectId>>,
    /// Features that services no longer select although they are there.
    deselected: BTreeMap<&'a ObjectId, Vec<(&'a str, &'a str)>>,
    /// Views that services have no longer under the alias and the join keys they had.
    realiased: BTreeMap<&'a ObjectId, BTreeSet<&'a str>>,
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
        let dependents = self.dependents(&ids);
        let mut collisions = collisions(&self.state.objects, self.declared, self.others);
        for change in changes {
            let loses = losses(change, self.state, self.project, self.online, &self.dropped);
            let impact = Impact {
                breaks: self.breakages(change, &dependents),
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

    fn dependents<'b>(&'b self, ids: &'b [(ObjectId, Option<ObjectId>)]) -> Dependents<'b> {
        let mut users = Users::default();
        for (id, object) in self.declared.iter().chain(self.others) {
            users.add(id, parts_of(object));
        }
        for foreign in &self.state.foreign {
            users.add(&foreign.id, parts_of_uses(&foreign.uses));
        }
        let old_ids: BTreeMap<_, _> = ids
            .iter()
            .filter_map(|(id, before)| before.as_ref().filter(|before| *before != id).map(|before| (id, before)))
            .collect();
        let new_views: BTreeMap<&str, &str> = old_ids
            .iter()
            .filter(|(id, _)| id.kind.is_view())
            .map(|(id, before)| (before.name.as_str(), id.name.as_str()))
            .collect();
        let views: BTreeMap<&str, View<'_>> = self
            .declared
            .values()
            .chain(self.others.values())
            .filter_map(View::of)
            .map(|view| (view.name, view))
            .collect();
        let (mut losers, mut deselected) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        let mut realiased = BTreeMap::<_, BTreeSet<_>>::new();
        for (id, before) in ids.iter().filter_map(|(id, before)| Some((id, before.as_ref()?))) {
            let (Some(before), Some(after)) = (self.state.objects.get(before), self.declared.get(id)) else { continue };
            let selected: BTreeSet<_> = selection(after).collect();
            for (view, feature) in selection(before) {
                let now = new_views.get(view).copied().unwrap_or(view);
                if selected.contains(&(now, feature)) {
                    continue;
                }
                let gone = match views.get(now) {
                    Some(view) => view.feature(feature).is_none(),
                    None => {
                        !self.state.foreign.iter().any(|foreign| foreign.id.kind.is_view() && foreign.id.name == now)
                    }
                };
                if gone {
                    losers.entry((view, feature)).or_default().push(id);
                } else {
                    deselected.entry(id).or_default().push((view, feature));
                }
            }
            for old in projections(before) {
                let now = new_views.get(old.view.as_str()).copied().unwrap_or(&old.view);
                let mut same_view = projections(after).iter().filter(|new| new.view == now).peekable();
                let same = |new: &Projection| new.name_alias == old.name_alias && new.join_key_map == old.join_key_map;
                if same_view.peek().is_some() && !same_view.any(same) {
                    realiased.entry(id).or_default().insert(old.view.as_str());
                }
            }
        }
        Dependents { users, old_ids, losers, deselected, realiased }
    }

    fn breakages(&self, change: &Change, dependents: &Dependents<'_>) -> Vec<Breakage> {
        let mut breaks = Vec::new();
        let mut add = |how, what: String, mut users: Vec<&ObjectId>| {
            users.retain(|user| **user != change.id);
            users.sort();
            users.dedup();
            add_breakage(&mut breaks, how, what, users.into_iter().map(|id| self.user(id)).collect());
        };
        match &change.action {
            Action::Create { .. } => {}
            Action::Delete { .. } => {
                let losers = dependents.losers.range((change.id.name.as_str(), "")..);
                let losers = losers.take_while(|((view, _), _)| *view == change.id.name);
                let losers = losers.filter(|_| change.id.kind.is_view()).flat_map(|(_, services)| services).copied();
                add(
                    Harm::Removing,
                    change.id.name.clone(),
                    dependents.users.of(Part::of(&change.id)).into_iter().chain(losers).collect(),
                );
            }
            Action::Rename { from, .. } => {
                add(Harm::Renaming, from.name.clone(), dependents.users.of(Part::of(from)));
            }
            Action::Update { .. } | Action::Replace { .. } => {}
        }
        if let (Some(before), Some(after)) = (change.action.before(), change.action.after()) {
            self.changed_parts(before, after, dependents, &mut add);
        }
        for (view, feature) in dependents.deselected.get(&change.id).into_iter().flatten() {
            add_breakage(&mut breaks, Harm::Deselecting, format!("{view}.{feature}"), vec![self.user(&change.id)]);
        }
        for view in dependents.realiased.get(&change.id).into_iter().flatten() {
            add_breakage(&mut breaks, Harm::Realiasing, (*view).to_owned(), vec![self.user(&change.id)]);
        }
        breaks
    }

    /// What others needed of the object before and find no longer, or as something else.
    fn changed_parts(
        &self,
        before: &Object,
        after: &Object,
        dependents: &Dependents<'_>,
        add: &mut impl FnMut(Harm, String, Vec<&ObjectId>),
    ) {
        if let (Object::Entity(old), Object::Entity(new)) = (before, after) {
            // Declared views change with the entity, and say so themselves.
            let part = Part::Object(ObjectKind::Entity, &new.name);
            let mut users = dependents.users.of(part);
            users.retain(|user| !self.declared.contains_key(*user));
            if old.join_key != new.join_key {
                add(Harm::Rekeying, new.name.clone(), users);
            } else if old.value_type.is_some() && new.value_type.is_some() && old.value_type != new.value_type {
                add(Harm::Retyping, new.name.clone(), users);
            }
        }
        let (Some(old), Some(new)) = (View::of(before), View::of(after)) else { return };
        if old.has_keys() && old.key_names() != new.key_names() {
            let users = self.continuing(dependents, Part::View(old.name), Part::View(new.name));
            add(Harm::Rekeying, new.name.to_owned(), users);
        }
        if old.enabled && !new.enabled {
            add(
                Harm::Disabling,
                new.name.to_owned(),
                self.continuing(dependents, Part::View(old.name), Part::View(new.name)),
            );
        }
        if old.online && !new.online && is_materialized(self.state, old.name) {
            let mut users = self.continuing(dependents, Part::View(old.name), Part::View(new.name));
            // Nothing else reads online values.
            users.retain(|id| matches!(id.kind, ObjectKind::FeatureService | ObjectKind::OnDemandFeatureView));
            add(Harm::TakingOffline, new.name.to_owned(), users);
        }
        for field in old.features {
            let what = format!("{}.{}", old.name, field.name);
            let (old_part, new_part) = (Part::Feature(old.name, &field.name), Part::Feature(new.name, &field.name));
            match new.feature(&field.name) {
                None => {
                    let losers = dependents.losers.get(&(old.name, field.name.as_str())).into_iter().flatten().copied();
                    add(Harm::Removing, what, dependents.users.of(new_part).into_iter().chain(losers).collect());
                }
                Some(now) if now.dtype != field.dtype => {
                    add(Harm::Retyping, what, self.continuing(dependents, old_part, new_part));
                }
                Some(_) => {}
            }
        }
    }

    /// Objects that need the part after the plan and did so before.
    fn continuing<'b>(&self, dependents: &Dependents<'b>, before: Part<'_>, after: Part<'_>) -> Vec<&'b ObjectId> {
        let did = |id: &ObjectId| {
            let old = dependents.old_ids.get(id).copied().unwrap_or(id);
            let stored = self.state.objects.get(old);
            // Of foreign objects only what they need now is known.
            stored.map_or(!self.declared.contains_key(id), |object| parts_of(object).contains(&before))
        };
        let mut users = dependents.users.of(after);
        users.retain(|id| did(id));
        users
    }

    fn user(&self, id: &ObjectId) -> User {
        let object = self.declared.get(id).or_else(|| self.others.get(id));
        let foreign = || self.state.foreign.iter().find(|foreign| foreign.id == *id);
        let owner = match object {
            Some(object) => object.owner().to_owned(),
            None => foreign().map(|foreign| foreign.owner.clone()).unwrap_or_default(),
        };
        let repo = self.others.get(id).and_then(|_| self.state.owners.get(id)).cloned().unwrap_or_default();
        User { id: id.clone(), owner, repo }
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

/// Things that the same users miss in the same way are one breakage.
fn add_breakage(breaks: &mut Vec<Breakage>, how: Harm, what: String, users: Vec<User>) {
    if users.is_empty() {
        return;
    }
    match breaks.iter_mut().find(|breakage| breakage.how == how && breakage.users == users) {
        Some(breakage) => breakage.what.push(what),
        None => breaks.push(Breakage { how, what: vec![what], users }),
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
