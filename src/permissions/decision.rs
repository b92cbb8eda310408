//! Decisions: whether somebody may, by which permission, or why not.

use super::{
    rule::{Mismatch, Resource, Rule},
    user::User,
};
use crate::model::{Object, ObjectKind, PermissionAction, Policy, RegistryState};

/// What holds in a project without any permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unruled {
    /// Everybody who has a name may do everything, as in Feast.
    #[default]
    Allow,
    /// Nobody may do anything.
    Deny,
}

/// The permissions of a project, as they were registered at one moment.
#[derive(Debug, Clone)]
pub struct Permissions {
    rules: Vec<Rule>,
    /// Permissions that cannot be read: they grant nothing, but there are permissions.
    unreadable: usize,
    unruled: Unruled,
}

/// Whether somebody may do something, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Whether it is allowed.
    pub allowed: bool,
    /// Why.
    pub reason: Reason,
}

/// Why something is allowed or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reason {
    /// There are no permissions, and this holds then.
    Unruled(Unruled),
    /// This permission is about it, and its policy lets the user.
    Granted(String),
    /// These permissions are about it, and none of their policies lets the user.
    Refused(Vec<String>),
    /// No permission is about it: each says nothing for this reason.
    Unmentioned(Vec<(String, Mismatch)>),
}

impl Permissions {
    /// Those of a project.
    pub fn of(state: &RegistryState, unruled: Unruled) -> Self {
        let permissions = state.objects.values().filter_map(|object| match object {
            Object::Permission(permission) => Some(Rule::new(permission.clone())),
            _ => None,
        });
        let unreadable = state.foreign.iter().filter(|object| object.id.kind == ObjectKind::Permission).count();
        Self { rules: permissions.collect(), unreadable, unruled }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.unreadable == 0
    }

    /// The policy of a permission.
    pub fn policy(&self, name: &str) -> Option<&Policy> {
        self.rules.iter().find(|rule| rule.permission.name == name).map(|rule| &rule.permission.policy)
    }

    /// Whether some permission is about an action with an object, whoever asks.
    pub fn mention(&self, resource: Resource<'_>, action: PermissionAction) -> bool {
        self.rules.iter().any(|rule| rule.mismatch(resource, &[action]).is_none())
    }

    /// Whether a user may do all of these with an object: one permission has to allow them together.
    pub fn decide(&self, user: &User, resource: Resource<'_>, actions: &[PermissionAction]) -> Decision {
        if self.is_empty() {
            let allowed = self.unruled == Unruled::Allow && !user.name.is_empty();
            return Decision { allowed, reason: Reason::Unruled(self.unruled) };
        }
        let (mut refused, mut silent) = (Vec::new(), Vec::new());
        for rule in &self.rules {
            let name = &rule.permission.name;
            match rule.mismatch(resource, actions) {
                Some(mismatch) => silent.push((name.clone(), mismatch)),
                None if user.is_let_by(&rule.permission.policy) => {
                    return Decision { allowed: true, reason: Reason::Granted(name.clone()) };
                }
                None => refused.push(name.clone()),
            }
        }
        let reason = if refused.is_empty() { Reason::Unmentioned(silent) } else { Reason::Refused(refused) };
        Decision { allowed: false, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Entity, Permission, PermissionType, Tags};

    fn permission(name: &str) -> Permission {
        Permission {
            name: name.to_owned(),
            types: vec![PermissionType::Entity],
            name_patterns: Vec::new(),
            required_tags: Tags::new(),
            actions: vec![PermissionAction::Describe],
            policy: Policy::Roles(vec!["reader".to_owned()]),
            tags: Tags::new(),
        }
    }

    fn permissions(all: impl IntoIterator<Item = Permission>) -> Permissions {
        let objects = all.into_iter().map(|permission| {
            let object = Object::Permission(permission);
            (object.id(), object)
        });
        Permissions::of(&RegistryState { objects: objects.collect(), ..RegistryState::default() }, Unruled::Allow)
    }

    fn user(roles: &[&str]) -> User {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        User { name: "somebody".to_owned(), roles, ..User::default() }
    }

    fn decide(all: &Permissions, user: &User, actions: &[PermissionAction]) -> Decision {
        let entity = Object::Entity(Entity { name: "driver".to_owned(), ..Entity::dummy() });
        all.decide(user, Resource::from(&entity), actions)
    }

    #[test]
    fn one_permission_has_to_allow_all_of_it() {
        let describe = permission("describe");
        let update = Permission { actions: vec![PermissionAction::Update], ..permission("update") };
        let both = [PermissionAction::Describe, PermissionAction::Update];
        let apart = permissions([describe.clone(), update]);
        assert!(decide(&apart, &user(&["reader"]), &both[..1]).allowed);
        assert!(!decide(&apart, &user(&["reader"]), &both).allowed);
        let together = permissions([Permission { actions: both.to_vec(), ..describe }]);
        assert!(decide(&together, &user(&["reader"]), &both).allowed);
    }

    #[test]
    fn one_policy_that_lets_the_user_is_enough() {
        let writers = Permission { policy: Policy::Roles(vec!["writer".to_owned()]), ..permission("writers") };
        let all = permissions([permission("readers"), writers]);
        let reason = |roles: &[&str]| decide(&all, &user(roles), &[PermissionAction::Describe]).reason;
        assert_eq!(reason(&["writer"]), Reason::Granted("writers".to_owned()));
        assert_eq!(reason(&["Reader"]), Reason::Refused(vec!["readers".to_owned(), "writers".to_owned()]));
    }

    #[test]
    fn what_no_permission_is_about_is_refused() {
        let named = Permission { name_patterns: vec!["driver.+".to_owned()], ..permission("named") };
        let broken = Permission { name_patterns: vec!["(?=driver)".to_owned()], ..permission("broken") };
        let all = permissions([named, broken]);
        let decision = decide(&all, &user(&["reader"]), &[PermissionAction::Describe]);
        let silent = vec![("broken".to_owned(), Mismatch::Pattern), ("named".to_owned(), Mismatch::Name)];
        assert_eq!(decision, Decision { allowed: false, reason: Reason::Unmentioned(silent) });
    }

    #[test]
    fn without_permissions_the_setting_decides_for_those_who_have_a_name() {
        let state = RegistryState::default();
        for (unruled, name, allowed) in
            [(Unruled::Allow, "somebody", true), (Unruled::Allow, "", false), (Unruled::Deny, "somebody", false)]
        {
            let user = User { name: name.to_owned(), ..User::default() };
            let decision = decide(&Permissions::of(&state, unruled), &user, &[PermissionAction::Describe]);
            assert_eq!(decision, Decision { allowed, reason: Reason::Unruled(unruled) });
        }
    }
}
