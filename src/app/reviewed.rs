//! What Kubernetes lets users do with objects, where its API server decides instead of the permissions of the registry: an
//! object is a resource in the namespace of its project.

use std::sync::Arc;

use crate::{
    auth::kubernetes::{AccessReviews, Attempt},
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
            Some(verb) => Err(self.denied(&user.name, resource, actions, verb)),
        }
    }

    /// Whether a user may list all objects of a kind. It may wait for the API server.
    ///
    /// # Errors
    /// When the API server cannot be asked.
    pub(super) fn allow_list(&self, user: &User, kind: ObjectKind) -> Result<bool, Problem> {
        let attempt = Attempt { verb: "list", resource: resources(usual(kind)), namespace: &self.namespace, name: "" };
        wait_anywhere(self.reviews.allow_all(user, attempt))
    }

    /// The first verb that the API server does not let a user do.
    fn refused(
        &self,
        user: &User,
        resource: Resource<'_>,
        actions: &[PermissionAction],
    ) -> Result<Option<&'static str>, Problem> {
        for action in actions {
            let verb = verb(*action);
            let resources = resources(resource.kind);
            let attempt = Attempt { verb, resource: resources, namespace: &self.namespace, name: resource.name };
            let allowed = match self.reviews.known(user, attempt) {
                Some(allowed) => allowed,
                None => wait_anywhere(self.reviews.allow(user, attempt))?,
            };
            if !allowed {
                return Ok(Some(verb));
            }
        }
        Ok(None)
    }

    fn denied(&self, user: &str, resource: Resource<'_>, actions: &[PermissionAction], verb: &str) -> Problem {
        let actions: Vec<&str> = actions.iter().map(|action| action.as_str()).collect();
        let (kind, name, group) = (resource.kind.as_str(), printable(resource.name), self.reviews.api_group());
        let message = format!(
            "`{}` is denied {} on {kind}:{name}: Kubernetes does not let it {verb} {}.{group} in namespace {}",
            printable(user),
            actions.join(" and "),
            resources(resource.kind),
            self.namespace,
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
