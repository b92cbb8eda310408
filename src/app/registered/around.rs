//! Looking around in a project: what is made of what, and which features there are, as far as who asks may know it.

use std::sync::Arc;

use super::{Freshness, ListRequest, ProjectObjects, SharedRegistry, StoredObject, list, rights::those};
use crate::{
    app::Caller,
    discovery::{Known, ViewFilter, selects_from},
    model::{ObjectKind, PermissionAction, Tags, Timestamp},
    problem::Problem,
};

/// The kinds of views that Feast counts among all feature views, in its order; label views are listed apart.
const FEATURE_VIEWS: [ObjectKind; 3] =
    [ObjectKind::FeatureView, ObjectKind::StreamFeatureView, ObjectKind::OnDemandFeatureView];

/// Which views are wanted; what is empty does not matter.
#[derive(Debug, Clone, Copy)]
pub struct ViewRequest<'a> {
    /// The project.
    pub project: &'a str,
    /// Labels that views have to have.
    pub tags: &'a Tags,
    /// What they have to be made of; `service` is left to the name beside.
    pub filter: ViewFilter<'a>,
    /// A service that has to select from them; without one of this name, or that the caller may know, there are none.
    pub service: &'a str,
    /// When they have to have been changed, or later.
    pub updated_since: Option<Timestamp>,
}

/// The objects that a caller may describe in a project, with what they say of themselves; those that cannot be read are left
/// out.
///
/// # Errors
/// When the registry cannot be read; and where the project is one that the caller may not describe.
pub fn known(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    freshness: Freshness,
) -> Result<Vec<Known>, Problem> {
    let objects = registry.objects(project, freshness)?;
    if let Some(stored) = objects.find(ObjectKind::Project, project) {
        objects.rights.check(caller, stored, &[PermissionAction::Describe])?;
    }
    known_of(&objects, caller, &ObjectKind::ALL)
}

/// The views of all kinds that a caller may describe, with what they say of themselves.
///
/// # Errors
/// When the registry cannot be read.
pub fn known_views(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    freshness: Freshness,
) -> Result<Vec<Known>, Problem> {
    known_of(&*registry.objects(project, freshness)?, caller, &ObjectKind::VIEWS)
}

fn known_of(objects: &ProjectObjects, caller: &Caller, kinds: &[ObjectKind]) -> Result<Vec<Known>, Problem> {
    let all = kinds.iter().flat_map(|kind| objects.of_kind(*kind));
    let permitted = those(all, |object| objects.rights.allow_describe(caller, object))?;
    Ok(permitted.into_iter().filter_map(|object| StoredObject::known(object)).collect())
}

/// The views of all kinds but label views that a caller may describe.
///
/// # Errors
/// When the registry cannot be read.
pub fn list_views(
    registry: &SharedRegistry,
    caller: &Caller,
    request: ViewRequest<'_>,
    freshness: Freshness,
) -> Result<Vec<Arc<StoredObject>>, Problem> {
    let ViewRequest { project, tags, filter, service, updated_since } = request;
    let wanted = ListRequest { kinds: &FEATURE_VIEWS, project, tags };
    let mut views = list(registry, caller, wanted, freshness)?;
    if let Some(since) = updated_since {
        views.retain(|view| view.last_updated().is_some_and(|updated| updated >= since));
    }
    let objects = registry.objects(project, Freshness::Kept)?;
    let selecting = objects.find(ObjectKind::FeatureService, service);
    let selecting = those(selecting, |service| objects.rights.allow_describe(caller, service))?;
    let selecting = selecting.into_iter().find_map(|service| service.known());
    if !service.is_empty() && selecting.is_none() {
        return Ok(Vec::new());
    }
    let filter = ViewFilter { service: selecting.as_ref(), ..filter };
    let is_plain = [filter.entity, filter.feature, filter.data_source].iter().all(|word| word.is_empty());
    if !is_plain || selecting.is_some() {
        views.retain(|view| view.known().is_some_and(|view| filter.matches(&view)));
    }
    Ok(views)
}

/// The feature services that a caller may describe, and that select from a view if one is named.
///
/// # Errors
/// When the registry cannot be read.
pub fn list_services(
    registry: &SharedRegistry,
    caller: &Caller,
    request: ListRequest<'_>,
    view: &str,
    freshness: Freshness,
) -> Result<Vec<Arc<StoredObject>>, Problem> {
    let mut services = list(registry, caller, request, freshness)?;
    if !view.is_empty() {
        services.retain(|service| service.known().is_some_and(|service| selects_from(&service, view)));
    }
    Ok(services)
}
