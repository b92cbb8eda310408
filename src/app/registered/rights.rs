//! Who may do what with the objects of a project, as its permissions say, or Kubernetes.

use super::stored_object::StoredObject;
use crate::{
    app::{Caller, FeatureStore, access::denied, reviewed::Reviewed},
    model::{ObjectKind, PermissionAction},
    permissions::{Permissions, Resource, Unruled},
    problem::{Kind, Problem},
    registry::{Row, Snapshot, read_objects},
};

/// What permissions of a project allow, or Kubernetes where it decides.
#[derive(Debug)]
pub struct Rights {
    permissions: Permissions,
    reviewed: Option<Reviewed>,
}

/// What a new object needs, and one that is changed.
const CREATE: &[PermissionAction] = &[PermissionAction::Create];
const UPDATE: &[PermissionAction] = &[PermissionAction::Describe, PermissionAction::Update];

impl Rights {
    /// What the permissions among the rows of a project allow. `unruled` holds where there are none.
    pub fn of(rows: &[Row], unruled: Unruled) -> Self {
        let permissions = rows.iter().filter(|row| row.kind == ObjectKind::Permission).cloned().collect();
        let permissions = read_objects(&Snapshot { rows: permissions, ..Snapshot::default() });
        Self { permissions: Permissions::of(&permissions, unruled), reviewed: None }
    }

    /// What is allowed in a project of a store that has these rows, by whoever decides there.
    pub(in crate::app) fn in_project(store: &FeatureStore, project: &str, rows: &[Row]) -> Self {
        Self::of(rows, store.unruled()).reviewed_by(store.reviewed_in(project))
    }

    fn reviewed_by(self, reviewed: Option<Reviewed>) -> Self {
        Self { reviewed, ..self }
    }

    /// The permissions.
    pub const fn permissions(&self) -> &Permissions {
        &self.permissions
    }

    /// Lets a caller do all of these with an object.
    ///
    /// # Errors
    /// [`Kind::Denied`], also for everybody but operators where the object cannot be read.
    pub fn check(&self, caller: &Caller, object: &StoredObject, actions: &[PermissionAction]) -> Result<(), Problem> {
        let Caller::User(user) = caller else { return Ok(()) };
        let Some(kind) = object.permission_type else {
            let message = format!("{} cannot be read, so nobody knows who may use it", object.id());
            return Err(Problem::new(Kind::Denied, message, None));
        };
        let resource = Resource { kind, name: &object.name, tags: &object.tags };
        if let Some(reviewed) = &self.reviewed {
            return reviewed.check(user, resource, actions);
        }
        let decision = self.permissions.decide(user, resource, actions);
        match decision.allowed {
            true => Ok(()),
            false => Err(denied(&user.name, resource, actions, &decision, &self.permissions)),
        }
    }

    /// Whether a caller may do all of these with an object.
    ///
    /// # Errors
    /// When nobody can say now who may what.
    pub fn allow(&self, caller: &Caller, object: &StoredObject, actions: &[PermissionAction]) -> Result<bool, Problem> {
        let Caller::User(user) = caller else { return Ok(true) };
        let Some(kind) = object.permission_type else { return Ok(false) };
        let resource = Resource { kind, name: &object.name, tags: &object.tags };
        match &self.reviewed {
            Some(reviewed) => reviewed.allow(user, resource, actions),
            None => Ok(self.permissions.decide(user, resource, actions).allowed),
        }
    }

    /// Whether a caller may describe an object, so that it may be listed.
    ///
    /// # Errors
    /// As [`Self::allow`].
    pub(super) fn allow_describe(&self, caller: &Caller, object: &StoredObject) -> Result<bool, Problem> {
        self.allow(caller, object, &[PermissionAction::Describe])
    }

    /// Whether a caller may describe all objects of a kind, so that none of them has to be asked about.
    ///
    /// # Errors
    /// When nobody can say now who may what.
    pub(super) fn allow_list(&self, caller: &Caller, kind: ObjectKind) -> Result<bool, Problem> {
        match (caller, &self.reviewed) {
            (Caller::User(user), Some(reviewed)) => reviewed.allow_list(user, kind),
            (Caller::User(_), None) => Ok(false),
            (Caller::Operator(_) | Caller::Internal, _) => Ok(true),
        }
    }

    /// Lets a caller put an object in the place of another one, or where there is none.
    ///
    /// # Errors
    /// [`Kind::Denied`], for what is there and for what comes.
    pub fn check_put(&self, caller: &Caller, stored: Option<&StoredObject>, new: &StoredObject) -> Result<(), Problem> {
        match stored {
            None => self.check(caller, new, CREATE),
            Some(stored) => {
                self.check(caller, stored, UPDATE)?;
                self.check(caller, new, UPDATE)
            }
        }
    }

    /// Lets a caller change what belongs to a project as a whole; one that does not exist yet has to be one that the caller may
    /// create.
    ///
    /// # Errors
    /// [`Kind::Denied`].
    pub fn check_project(&self, caller: &Caller, name: &str, project: Option<&StoredObject>) -> Result<(), Problem> {
        match project {
            Some(project) => self.check(caller, project, UPDATE),
            None => self.check(caller, &StoredObject::project(name), CREATE),
        }
    }
}

/// Those of some things that pass. Where it is not known of one whether it does, nothing is: a part would look like the whole.
///
/// # Errors
/// The first one of `passes`.
pub(super) fn those<T>(
    all: impl IntoIterator<Item = T>,
    passes: impl Fn(&T) -> Result<bool, Problem>,
) -> Result<Vec<T>, Problem> {
    let looked_at = all.into_iter().map(|one| Ok(passes(&one)?.then_some(one)));
    looked_at.filter_map(Result::transpose).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        config::{AuthMethod, Decisions, KubernetesConfig},
        permissions::User,
    };

    #[test]
    fn nothing_is_left_out_because_nobody_can_say_who_may_know_it() {
        let decisions = Decisions::AccessReviews { api_group: "features.example.com".to_owned() };
        let nowhere = KubernetesConfig { decisions, ..KubernetesConfig::default() };
        let reviewed = Reviewed::of(&AuthMethod::Kubernetes(Box::new(nowhere)), "shop");
        let rights = Rights::of(&[], Unruled::Allow).reviewed_by(reviewed);
        let caller = Caller::User(User { name: "ann".to_owned(), ..User::default() }.into());
        let all = [StoredObject::project("shop")];
        let known = those(&all, |object| rights.allow_describe(&caller, object));
        assert!(known.unwrap_err().message.contains("API server of Kubernetes"));
        let operator = Caller::Operator("the operator".to_owned());
        assert_eq!(those(&all, |object| rights.allow_describe(&operator, object)).unwrap().len(), 1);
    }
}
