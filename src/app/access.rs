//! Whether who asks may: what is registered decides, or Kubernetes. Use cases that servers offer ask here before they read or write
//! something of an object.

use std::sync::Arc;

use super::{Caller, FeatureStore};
use crate::{
    model::{NamedView, Object, PermissionAction, Policy, RegistryState, printable},
    permissions::{Decision, Permissions, Reason, Resource},
    problem::{Kind, Problem},
};

/// What is looked for in a state, before the caller may do something with it.
#[derive(Clone, Copy)]
pub(super) struct Access<'a> {
    store: &'a FeatureStore,
    caller: &'a Caller,
    state: &'a Arc<RegistryState>,
}

impl<'a> Access<'a> {
    /// What a caller may do with the objects of a state.
    pub(super) const fn of(store: &'a FeatureStore, caller: &'a Caller, state: &'a Arc<RegistryState>) -> Self {
        Self { store, caller, state }
    }

    /// Lets the caller do all of these with each of some objects.
    ///
    /// # Errors
    /// [`Kind::Denied`] for the first one that the caller may not do them with.
    pub(super) fn check<'o>(
        self,
        actions: &[PermissionAction],
        objects: impl IntoIterator<Item = &'o Object>,
    ) -> Result<(), Problem> {
        let Caller::User(user) = self.caller else { return Ok(()) };
        if let Some(reviewed) = self.store.reviewed() {
            let check = |object| reviewed.check(user, Resource::from(object), actions);
            return objects.into_iter().try_for_each(check);
        }
        let permissions = self.store.permissions(self.state);
        for object in objects {
            let resource = Resource::from(object);
            let decision = permissions.decide(user, resource, actions);
            if !decision.allowed {
                return Err(denied(&user.name, resource, actions, &decision, &permissions));
            }
        }
        Ok(())
    }

    /// The same with views by their names. Those that do not exist are left to who looks for them next.
    ///
    /// # Errors
    /// As [`Self::check`]; nobody but operators may do anything with a view that cannot be read.
    pub(super) fn check_views<'n>(
        self,
        actions: &[PermissionAction],
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), Problem> {
        if !matches!(self.caller, Caller::User(_)) {
            return Ok(());
        }
        for name in names {
            match self.state.view(name) {
                NamedView::Known(view) => self.check(actions, [view])?,
                NamedView::Foreign(foreign) => {
                    let message = format!("{} cannot be read, so nobody knows who may use it", foreign.id);
                    return Err(Problem::new(Kind::Denied, message, None));
                }
                NamedView::None => {}
            }
        }
        Ok(())
    }
}

/// Who is denied what and why. Names of permissions, roles and groups are no secrets: Feast tells them as well.
pub(super) fn denied(
    user: &str,
    resource: Resource<'_>,
    actions: &[PermissionAction],
    decision: &Decision,
    permissions: &Permissions,
) -> Problem {
    let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
    let why = match &decision.reason {
        Reason::Refused(names) => {
            let wants = |name: &String| {
                let policy = permissions.policy(name).map(wanted).unwrap_or_default();
                format!("permission `{}` {policy}", printable(name))
            };
            names.iter().map(wants).collect::<Vec<_>>().join(", ")
        }
        Reason::Unmentioned(_) => "no permission is about it".to_owned(),
        Reason::Unruled(_) | Reason::Granted(_) => "there are no permissions".to_owned(),
    };
    let (kind, name) = (resource.kind.as_str(), printable(resource.name));
    let message = format!("`{}` is denied {} on {kind}:{name}: {why}", printable(user), actions.join(" and "));
    Problem::new(Kind::Denied, message, None)
}

/// What a policy wants of users.
fn wanted(policy: &Policy) -> String {
    let list = |words: &[String]| words.iter().map(|word| printable(word).into_owned()).collect::<Vec<_>>().join(", ");
    match policy {
        Policy::AllowAll => "is for everybody".to_owned(),
        Policy::Roles(roles) => format!("requires one of the roles {}", list(roles)),
        Policy::Groups(groups) => format!("requires one of the groups {}", list(groups)),
        Policy::Namespaces(namespaces) => format!("requires one of the namespaces {}", list(namespaces)),
        Policy::GroupsAndNamespaces { groups, namespaces } => {
            format!("requires one of the groups {} or of the namespaces {}", list(groups), list(namespaces))
        }
    }
}
