//! What Kubernetes lets users do with objects, where its API server decides instead of the permissions of the registry: an
//! object is a resource in the namespace of its project.

use std::sync::Arc;

use crate::{
    auth::kubernetes::{AccessReviews, Attempt, Verdict},
    clients::runtime::wait_anywhere,
    config::AuthMethod,
    model::{ObjectKind, PermissionAction, PermissionType, printable},
    permissions::{Resource, User},
    problem::{Kind, Problem},
};

/// The API server, which decides about a project.
#[derive(Debug, Clone)]
pub(super) struct Reviewed {
    reviews: Arc<AccessReviews>,
    namespace: String,
}

impl Reviewed {
    /// The one of the settings, for a project; `None` where permissions decide.
    pub(super) fn of(method: &AuthMethod, project: &str) -> Option<Self> {
        let reviews = Arc::new(AccessReviews::of(method)?);
        Some(Self { reviews, namespace: namespace(project) })
    }

    /// The same for another project.
    pub(super) fn about(&self, project: &str) -> Self {
        Self { reviews: Arc::clone(&self.reviews), namespace: namespace(project) }
    }

    /// Lets a user do all of these with an object of a project. It may wait for the API server.
    ///
    /// # Errors
    /// [`Kind::Denied`], or when the API server cannot be asked.
    pub(super) fn check(
        &self,
        user: &User,
        resource: Resource<'_>,
        actions: &[PermissionAction],
    ) -> Result<(), Problem> {
        match self.refused(user, resource, actions)? {
            None => Ok(()),
            Some(action) => Err(self.denied(&user.name, resource, actions, action)),
        }
    }

    /// Whether a user may do all of these with an object of a project. It may wait for the API server.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) fn allow(
        &self,
        user: &User,
        resource: Resource<'_>,
        actions: &[PermissionAction],
    ) -> Result<bool, Problem> {
        Ok(self.refused(user, resource, actions)?.is_none())
    }

    /// What the API server says of one of them. It may wait for it.
    ///
    /// # Errors
    /// As [`Self::allow`].
    pub(super) fn verdict(
        &self,
        user: &User,
        resource: Resource<'_>,
        action: PermissionAction,
    ) -> Result<Arc<Verdict>, Problem> {
        let (verb, resources) = (verb(action), resources(resource.kind));
        let attempt = Attempt { verb, resource: resources, namespace: &self.namespace, name: resource.name };
        match self.reviews.known(user, attempt) {
            Some(verdict) => Ok(verdict),
            None => wait_anywhere(self.reviews.review(user, attempt)),
        }
    }

    /// What Kubernetes calls an action with objects of a type in the project.
    pub(super) fn attempted(&self, kind: PermissionType, action: PermissionAction) -> String {
        let (verb, resources, group) = (verb(action), resources(kind), self.reviews.api_group());
        format!("{verb} {resources}.{group} in namespace {}", self.namespace)
    }

    /// Whether a user may list all objects of a kind. It may wait for the API server.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) fn allow_list(&self, user: &User, kind: ObjectKind) -> Result<bool, Problem> {
        let attempt = Attempt { verb: "list", resource: resources(usual(kind)), namespace: &self.namespace, name: "" };
        Ok(wait_anywhere(self.reviews.review_all(user, attempt))?.allowed)
    }

    /// The first action that the API server does not let a user do.
    fn refused(
        &self,
        user: &User,
        resource: Resource<'_>,
        actions: &[PermissionAction],
    ) -> Result<Option<PermissionAction>, Problem> {
        for action in actions {
            if !self.verdict(user, resource, *action)?.allowed {
                return Ok(Some(*action));
            }
        }
        Ok(None)
    }

    fn denied(
        &self,
        user: &str,
        resource: Resource<'_>,
        actions: &[PermissionAction],
        refused: PermissionAction,
    ) -> Problem {
        let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        let message = format!(
            "`{}` is denied {} on {}:{}: Kubernetes does not let it {}",
            printable(user),
            actions.join(" and "),
            resource.kind.as_str(),
            printable(resource.name),
            self.attempted(resource.kind, refused),
        );
        Problem::new(Kind::Denied, message, None)
    }
}

/// The namespace that is a project: namespaces have no `_` in their names.
fn namespace(project: &str) -> String {
    project.replace('_', "-")
}

/// What Kubernetes calls objects of a type. All views are of one kind there.
const fn resources(kind: PermissionType) -> &'static str {
    match kind {
        PermissionType::Project => "projects",
        PermissionType::FeatureView
        | PermissionType::OnDemandFeatureView
        | PermissionType::BatchFeatureView
        | PermissionType::StreamFeatureView
        | PermissionType::LabelView => "featureviews",
        PermissionType::Entity => "entities",
        PermissionType::FeatureService => "featureservices",
        PermissionType::DataSource => "datasources",
        PermissionType::ValidationReference => "validationreferences",
        PermissionType::SavedDataset => "saveddatasets",
        PermissionType::Permission => "permissions",
    }
}

/// A type of the objects of a kind.
const fn usual(kind: ObjectKind) -> PermissionType {
    match kind {
        ObjectKind::Project => PermissionType::Project,
        ObjectKind::DataSource => PermissionType::DataSource,
        ObjectKind::Entity => PermissionType::Entity,
        ObjectKind::FeatureView => PermissionType::FeatureView,
        ObjectKind::OnDemandFeatureView => PermissionType::OnDemandFeatureView,
        ObjectKind::StreamFeatureView => PermissionType::StreamFeatureView,
        ObjectKind::LabelView => PermissionType::LabelView,
        ObjectKind::FeatureService => PermissionType::FeatureService,
        ObjectKind::Permission => PermissionType::Permission,
        ObjectKind::SavedDataset => PermissionType::SavedDataset,
        ObjectKind::ValidationReference => PermissionType::ValidationReference,
    }
}

/// What Kubernetes calls an action: who may get a view may read its values, who may update it may write them.
const fn verb(action: PermissionAction) -> &'static str {
    match action {
        PermissionAction::Describe | PermissionAction::ReadOnline | PermissionAction::ReadOffline => "get",
        PermissionAction::Create => "create",
        PermissionAction::Update | PermissionAction::WriteOnline | PermissionAction::WriteOffline => "update",
        PermissionAction::Delete => "delete",
    }
}
