//! What is known of a project as a whole, and of the whole registry.

use std::sync::Arc;

use bytes::Bytes;

use super::{Freshness, SharedRegistry, StoredObject, list_projects, rights::those};
use crate::{
    app::Caller,
    model::{ObjectKind, PermissionAction, Tags, printable},
    problem::{Kind, Problem},
};

/// Feast's note with the random id of a project.
const UUID: &str = "project_uuid";

/// The record of online infrastructure of a project (`feast.core.Infra`); empty if there is none.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be read.
pub fn infra(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    freshness: Freshness,
) -> Result<Bytes, Problem> {
    let objects = registry.objects(project, freshness)?;
    match objects.find(ObjectKind::Project, project) {
        Some(stored) => objects.rights.check(caller, stored, &[PermissionAction::Describe])?,
        // Whoever plans a new project asks for it before there is one.
        None => objects.rights.check_project(caller, project, None)?,
    }
    Ok(objects.infra.clone().unwrap_or_default())
}

/// The random id of a project; `None` if it has none.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be read.
pub fn project_uuid(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    freshness: Freshness,
) -> Result<Option<String>, Problem> {
    let objects = registry.objects(project, freshness)?;
    if let Some(stored) = objects.find(ObjectKind::Project, project) {
        objects.rights.check(caller, stored, &[PermissionAction::Describe])?;
    }
    Ok(objects.metadata.get(UUID).cloned())
}

/// Looks at a project, so that what is kept of it is right from now on.
///
/// # Errors
/// [`Kind::Denied`] for those who may neither create nor change the project, and when the registry cannot be read.
pub fn refresh(registry: &SharedRegistry, caller: &Caller, project: &str) -> Result<(), Problem> {
    let objects = registry.objects(project, Freshness::Now)?;
    let described = objects.find(ObjectKind::Project, project);
    objects.rights.check_project(caller, project, described.map(|project| &**project))
}

/// Confirms changes, which are stored already.
///
/// # Errors
/// [`Kind::Denied`] for those who may neither create nor change any project, and when the registry cannot be read.
pub fn commit(registry: &SharedRegistry, caller: &Caller) -> Result<(), Problem> {
    let Caller::User(user) = caller else { return Ok(()) };
    let projects = registry.projects(Freshness::Kept)?;
    for project in projects.iter() {
        let objects = registry.objects(&project.name, Freshness::Kept)?;
        let may = |action| objects.rights.allow(caller, project, &[action]);
        if may(PermissionAction::Update)? || may(PermissionAction::Create)? {
            return Ok(());
        }
    }
    if projects.is_empty() {
        return Ok(());
    }
    let message = format!("`{}` may neither create nor update a project", printable(&user.name));
    Err(Problem::new(Kind::Denied, message, None))
}

/// All objects that a caller may describe in the projects that the caller may describe, with the names of their projects.
///
/// # Errors
/// When the registry cannot be read.
pub fn everything(registry: &SharedRegistry, caller: &Caller) -> Result<Vec<(String, Arc<StoredObject>)>, Problem> {
    let mut all = Vec::new();
    for project in list_projects(registry, caller, &Tags::new(), Freshness::Now)? {
        let objects = registry.objects(&project.name, Freshness::Now)?;
        let describable = |object: &&Arc<StoredObject>| {
            Ok(object.kind == ObjectKind::Project || objects.rights.allow_describe(caller, object)?)
        };
        let of_project = those(ObjectKind::ALL.into_iter().flat_map(|kind| objects.of_kind(kind)), describable)?;
        all.extend(of_project.into_iter().map(|object| (project.name.clone(), Arc::clone(object))));
    }
    Ok(all)
}
