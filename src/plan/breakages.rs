//! Whom changes break: objects that need what goes, or will find it as something else.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    change::{Action, Change},
    impact::{Breakage, Harm, User},
    losses::is_materialized,
    users::{Need, Users, needs_of, needs_of_uses, projections, selection},
};
use crate::model::{Object, ObjectId, ObjectKind, Projection, RegistryState, View};

/// What is known of all changes together, to tell whom each of them breaks.
pub(crate) struct Breakages<'a> {
    state: &'a RegistryState,
    declared: &'a BTreeMap<ObjectId, Object>,
    /// Objects that stay without being declared.
    others: &'a BTreeMap<ObjectId, Object>,
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

impl<'a> Breakages<'a> {
    /// `ids` are those of the changed objects: after the plan, and before it.
    pub(crate) fn new(
        state: &'a RegistryState,
        declared: &'a BTreeMap<ObjectId, Object>,
        others: &'a BTreeMap<ObjectId, Object>,
        ids: &'a [(ObjectId, Option<ObjectId>)],
    ) -> Self {
        let mut users = Users::default();
        for (id, object) in declared.iter().chain(others) {
            users.add(id, needs_of(object));
        }
        for foreign in &state.foreign {
            users.add(&foreign.id, needs_of_uses(&foreign.uses));
        }
        let old_ids = ids
            .iter()
            .filter_map(|(id, before)| before.as_ref().filter(|before| *before != id).map(|before| (id, before)))
            .collect();
        let mut breakages = Self {
            state,
            declared,
            others,
            users,
            old_ids,
            losers: BTreeMap::new(),
            deselected: BTreeMap::new(),
            realiased: BTreeMap::new(),
        };
        breakages.compare_selections(ids);
        breakages
    }

    /// Notes which features services no longer select, and which views they select in another way.
    fn compare_selections(&mut self, ids: &'a [(ObjectId, Option<ObjectId>)]) {
        let new_views: BTreeMap<&str, &str> = self
            .old_ids
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
                    self.losers.entry((view, feature)).or_default().push(id);
                } else {
                    self.deselected.entry(id).or_default().push((view, feature));
                }
            }
            for old in projections(before) {
                let now = new_views.get(old.view.as_str()).copied().unwrap_or(&old.view);
                let mut same_view = projections(after).iter().filter(|new| new.view == now).peekable();
                let same = |new: &Projection| new.name_alias == old.name_alias && new.join_key_map == old.join_key_map;
                if same_view.peek().is_some() && !same_view.any(same) {
                    self.realiased.entry(id).or_default().insert(old.view.as_str());
                }
            }
        }
    }

    /// Whom a change breaks.
    pub(crate) fn of(&self, change: &Change) -> Vec<Breakage> {
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
                let losers = self.losers.range((change.id.name.as_str(), "")..);
                let losers = losers.take_while(|((view, _), _)| *view == change.id.name);
                let losers = losers.filter(|_| change.id.kind.is_view()).flat_map(|(_, services)| services).copied();
                add(
                    Harm::Removing,
                    change.id.name.clone(),
                    self.users.of(Need::of(&change.id)).into_iter().chain(losers).collect(),
                );
            }
            Action::Rename { from, .. } => {
                add(Harm::Renaming, from.name.clone(), self.users.of(Need::of(from)));
            }
            Action::Update { .. } | Action::Replace { .. } => {}
        }
        if let (Some(before), Some(after)) = (change.action.before(), change.action.after()) {
            self.changed_parts(before, after, &mut add);
        }
        if let (Some(Object::OnDemandFeatureView(before)), Some(Object::OnDemandFeatureView(after))) =
            (change.action.before(), change.action.after())
            && before.expressions.is_empty()
            && !after.expressions.is_empty()
        {
            add_breakage(&mut breaks, Harm::Translating, after.name.clone(), vec![self.user(&change.id)]);
        }
        for (view, feature) in self.deselected.get(&change.id).into_iter().flatten() {
            add_breakage(&mut breaks, Harm::Deselecting, format!("{view}.{feature}"), vec![self.user(&change.id)]);
        }
        for view in self.realiased.get(&change.id).into_iter().flatten() {
            add_breakage(&mut breaks, Harm::Realiasing, (*view).to_owned(), vec![self.user(&change.id)]);
        }
        breaks
    }

    /// What others needed of the object before and find no longer, or as something else.
    fn changed_parts(&self, before: &Object, after: &Object, add: &mut impl FnMut(Harm, String, Vec<&ObjectId>)) {
        if let (Object::Entity(old), Object::Entity(new)) = (before, after) {
            // Declared views change with the entity, and say so themselves.
            let need = Need::Object(ObjectKind::Entity, &new.name);
            let mut users = self.users.of(need);
            users.retain(|user| !self.declared.contains_key(*user));
            if old.join_key != new.join_key {
                add(Harm::Rekeying, new.name.clone(), users);
            } else if old.value_type.is_some() && new.value_type.is_some() && old.value_type != new.value_type {
                add(Harm::Retyping, new.name.clone(), users);
            }
        }
        let (Some(old), Some(new)) = (View::of(before), View::of(after)) else { return };
        if old.has_keys() && old.key_names() != new.key_names() {
            let users = self.continuing(Need::View(old.name), Need::View(new.name));
            add(Harm::Rekeying, new.name.to_owned(), users);
        }
        if old.enabled && !new.enabled {
            add(Harm::Disabling, new.name.to_owned(), self.continuing(Need::View(old.name), Need::View(new.name)));
        }
        if old.online && !new.online && is_materialized(self.state, old.name) {
            let mut users = self.continuing(Need::View(old.name), Need::View(new.name));
            // Nothing else reads online values.
            users.retain(|id| matches!(id.kind, ObjectKind::FeatureService | ObjectKind::OnDemandFeatureView));
            add(Harm::TakingOffline, new.name.to_owned(), users);
        }
        for field in old.features {
            let what = format!("{}.{}", old.name, field.name);
            let (old_need, new_need) = (Need::Feature(old.name, &field.name), Need::Feature(new.name, &field.name));
            match new.feature(&field.name) {
                None => {
                    let losers = self.losers.get(&(old.name, field.name.as_str())).into_iter().flatten().copied();
                    add(Harm::Removing, what, self.users.of(new_need).into_iter().chain(losers).collect());
                }
                Some(now) if now.dtype != field.dtype => {
                    add(Harm::Retyping, what, self.continuing(old_need, new_need));
                }
                Some(_) => {}
            }
        }
    }

    /// Objects that need something after the plan and did so before.
    fn continuing(&self, before: Need<'_>, after: Need<'_>) -> Vec<&'a ObjectId> {
        let did = |id: &ObjectId| {
            let old = self.old_ids.get(id).copied().unwrap_or(id);
            let stored = self.state.objects.get(old);
            // Of foreign objects only what they need now is known.
            stored.map_or(!self.declared.contains_key(id), |object| needs_of(object).contains(&before))
        };
        let mut users = self.users.of(after);
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
