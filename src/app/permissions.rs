//! What the registered permissions allow: decisions with their reasons, what no permission is about, and the roles that
//! they name.

use std::collections::BTreeMap;

use super::{Caller, Failure, FeatureStore};
use crate::{
    diagnostics::did_you_mean,
    model::{Object, ObjectId, PermissionAction, Policy, RegistryState},
    permissions::{Decision, Resource, User},
    problem::{Kind, Problem},
};

/// Somebody who would do something with an object.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// Who.
    pub user: &'a User,
    /// What.
    pub action: PermissionAction,
    /// The object: its name, or `KIND:NAME` such as `feature-view:driver_stats`.
    pub object: &'a str,
}

/// Whether somebody may, and with which object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    /// The object that was meant.
    pub object: ObjectId,
    /// Whether it is allowed, and why.
    pub decision: Decision,
}

/// An object with which nobody may do something, because no permission is about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmentioned {
    /// The object.
    pub object: ObjectId,
    /// What no permission allows to anybody, in Feast's order.
    pub actions: Vec<PermissionAction>,
}

/// A permission that names a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedRole {
    /// The role.
    pub role: String,
    /// The permission's name.
    pub permission: String,
}

/// Decides as servers do, from what is registered.
///
/// # Errors
/// [`Kind::NotFound`] when there is no such object, [`Kind::Invalid`] when several have the name; when the registry cannot be
/// read.
pub fn decide(store: &FeatureStore, _: &Caller, question: Question<'_>) -> Result<Decided, Failure> {
    let state = store.registered()?;
    let id = object(&state, question.object)?;
    let resource = state.objects.get(&id).map(Resource::from).ok_or_else(|| unknown(&state, question.object))?;
    let decision = store.permissions(&state).decide(question.user, resource, &[question.action]);
    Ok(Decided { object: id, decision })
}

/// The objects that are not about all actions in some permission. None if there are no permissions at all, where a setting
/// decides.
///
/// # Errors
/// When the registry cannot be read.
pub fn unmentioned(store: &FeatureStore, _: &Caller) -> Result<Vec<Unmentioned>, Failure> {
    let state = store.registered()?;
    let permissions = store.permissions(&state);
    if permissions.is_empty() {
        return Ok(Vec::new());
    }
    let unmentioned = state.objects.iter().filter_map(|(id, object)| {
        let actions = PermissionAction::ALL.iter().copied();
        let actions: Vec<_> = actions.filter(|action| !permissions.mention(object.into(), *action)).collect();
        (!actions.is_empty()).then(|| Unmentioned { object: id.clone(), actions })
    });
    Ok(unmentioned.collect())
}

/// The roles that permissions name, by role.
///
/// # Errors
/// When the registry cannot be read.
pub fn roles(store: &FeatureStore, _: &Caller) -> Result<Vec<NamedRole>, Failure> {
    let state = store.registered()?;
    let mut roles: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for object in state.objects.values() {
        let Object::Permission(permission) = object else { continue };
        let Policy::Roles(named) = &permission.policy else { continue };
        for role in named {
            roles.entry(role).or_default().push(&permission.name);
        }
    }
    let named = |(role, permissions): (&str, Vec<&str>)| {
        let named = |permission: &str| NamedRole { role: role.to_owned(), permission: permission.to_owned() };
        permissions.into_iter().map(named).collect::<Vec<_>>()
    };
    Ok(roles.into_iter().flat_map(named).collect())
}

/// The object that somebody means.
fn object(state: &RegistryState, text: &str) -> Result<ObjectId, Problem> {
    let (kind, name) = match text.split_once(':') {
        Some((kind, name)) => (Some(kind), name),
        None => (None, text),
    };
    let is_meant = |id: &&ObjectId| id.name == name && kind.is_none_or(|kind| id.kind.slug() == kind);
    let mut meant = state.objects.keys().filter(is_meant);
    let Some(first) = meant.next() else { return Err(unknown(state, text)) };
    match meant.next() {
        None => Ok(first.clone()),
        Some(second) => {
            let help = format!("write {}:{name} or {}:{name}", first.kind.slug(), second.kind.slug());
            Err(Problem::new(Kind::Invalid, format!("several objects are called `{name}`"), help))
        }
    }
}

fn unknown(state: &RegistryState, text: &str) -> Problem {
    let name = text.rsplit(':').next().unwrap_or(text);
    let help = did_you_mean(name, state.objects.keys().map(|id| id.name.as_str()));
    Problem::new(Kind::NotFound, format!("there is no `{text}` in the registry"), help)
}
