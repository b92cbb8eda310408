//! What the registered permissions allow, or Kubernetes where it decides: decisions with their reasons, what no permission is
//! about, and the roles that they name.

use std::collections::BTreeMap;

use super::{Caller, Failure, FeatureStore};
use crate::{
    auth::kubernetes::{Verdict, reviewed_user},
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
    /// Who has decided, and how.
    pub decided: DecidedBy,
}

/// Who has decided, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecidedBy {
    /// The permissions that are registered.
    Permissions(Decision),
    /// The API server of Kubernetes.
    Kubernetes {
        /// What it was asked about, in its words.
        attempt: String,
        /// What it says.
        verdict: Verdict,
    },
}

impl DecidedBy {
    /// Whether it is allowed.
    pub const fn is_allowed(&self) -> bool {
        match self {
            Self::Permissions(decision) => decision.allowed,
            Self::Kubernetes { verdict, .. } => verdict.allowed,
        }
    }
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
/// [`Kind::NotFound`] when there is no such object, [`Kind::Invalid`] when several have the name, or when the user is described
/// by what does not count there; when the registry cannot be read, or Kubernetes not be asked.
pub fn decide(store: &FeatureStore, _: &Caller, question: Question<'_>) -> Result<Decided, Failure> {
    let state = store.registered()?;
    let id = object(&state, question.object)?;
    let resource = state.objects.get(&id).map(Resource::from).ok_or_else(|| unknown(&state, question.object))?;
    let Question { user, action, .. } = question;
    let decided = match store.reviewed() {
        None => DecidedBy::Permissions(store.permissions(&state).decide(user, resource, &[action])),
        Some(reviewed) => {
            if !user.roles.is_empty() || !user.namespaces.is_empty() {
                let message = "Kubernetes decides here, and it knows itself which roles a user has, and where";
                let help =
                    "name the user as Kubernetes does (`system:serviceaccount:NAMESPACE:NAME`), and groups".to_owned();
                return Err(Problem::new(Kind::Invalid, message, help).into());
            }
            let verdict = reviewed.verdict(&reviewed_user(&user.name, &user.groups), resource, action)?;
            let attempt = reviewed.attempted(resource.kind, action);
            DecidedBy::Kubernetes { attempt, verdict: Verdict::clone(&verdict) }
        }
    };
    Ok(Decided { object: id, decided })
}

/// The objects that are not about all actions in some permission. None if there are no permissions at all, where a setting
/// decides.
///
/// # Errors
/// [`Kind::Unsupported`] where Kubernetes decides; when the registry cannot be read.
pub fn unmentioned(store: &FeatureStore, _: &Caller) -> Result<Vec<Unmentioned>, Failure> {
    if store.reviewed().is_some() {
        let message = "Kubernetes decides here, so that permissions of the registry are about nothing";
        let help = "ask about an action, an object and a user".to_owned();
        return Err(Problem::new(Kind::Unsupported, message, help).into());
    }
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
