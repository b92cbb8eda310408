//! The registry in whole, for clients that decide themselves: what it holds of a project as far as who asks may know it,
//! changes that were decided on that, locks of views, and the history of runs.

mod permitted;
mod update;
mod visible;

use std::{sync::Arc, time::Duration};

pub use update::{Change, update};
use visible::Visible;

use super::{Freshness, ProjectObjects, Rights, SharedRegistry, rights::those};
use crate::{
    app::Caller,
    model::{ChangeRecord, ObjectId, ObjectKind, PermissionAction, RunRecord, ViewId, printable},
    problem::{Kind, Problem},
    registry::{Holder, Locking, Mark, Snapshot, VersionRow, ViewLock, WantedChanges},
};

/// What of a project is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent<'a> {
    /// Its name.
    pub project: &'a str,
    /// The view that is meant; `None` is the whole project.
    pub view: Option<&'a str>,
}

/// What the registry holds now, all of it, and what of it a caller may know.
///
/// # Errors
/// When the registry cannot be read.
pub fn snapshot(
    registry: &SharedRegistry,
    caller: &Caller,
    extent: Extent<'_>,
) -> Result<(Snapshot, Snapshot), Problem> {
    let store = registry.store().registry();
    let whole = match extent.view {
        None => store.snapshot(extent.project)?,
        Some(name) => store.view(ViewId { project: extent.project, name })?,
    };
    let known = known(registry, caller, extent, &whole)?;
    let visible = match known.as_deref() {
        Some(objects) => Visible { caller, objects }.part_of(&whole)?,
        None => whole.clone(),
    };
    Ok((whole, visible))
}

/// Who may know what of a snapshot; `None` for those who may know all.
fn known(
    registry: &SharedRegistry,
    caller: &Caller,
    extent: Extent<'_>,
    whole: &Snapshot,
) -> Result<Option<Arc<ProjectObjects>>, Problem> {
    match (caller, extent.view) {
        (Caller::Operator(_) | Caller::Internal, _) => Ok(None),
        (Caller::User(_), None) => {
            let store = registry.store();
            let kept = registry.at_hand(extent.project);
            let rights = Rights::in_project(store, extent.project, &whole.rows);
            Ok(Some(ProjectObjects::of(whole.clone(), rights, kept.as_deref()).into()))
        }
        // Permissions are not read with every view.
        (Caller::User(_), Some(_)) => Ok(Some(registry.objects(extent.project, Freshness::Kept)?)),
    }
}

/// The names of objects of some kinds that a caller may know, sorted.
///
/// # Errors
/// When the registry cannot be read.
pub fn names(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    kinds: &[ObjectKind],
) -> Result<Vec<ObjectId>, Problem> {
    let mut names = registry.store().registry().names(project, kinds)?;
    if let Caller::User(_) = caller {
        let objects = registry.objects(project, Freshness::Now)?;
        names = those(names, |id| Visible { caller, objects: &objects }.has(id))?;
    }
    Ok(names)
}

/// The history of the views that a caller may know.
///
/// # Errors
/// When the registry cannot be read.
pub fn versions(registry: &SharedRegistry, caller: &Caller, project: &str) -> Result<Vec<VersionRow>, Problem> {
    let mut versions = registry.store().registry().versions(project)?;
    if let Caller::User(_) = caller {
        let objects = registry.objects(project, Freshness::Now)?;
        versions = those(versions, |version| Visible { caller, objects: &objects }.has_view(&version.view))?;
    }
    Ok(versions)
}

/// What a project can be recognised by.
///
/// # Errors
/// When the registry cannot be read.
pub fn mark(registry: &SharedRegistry, project: &str) -> Result<Option<Mark>, Problem> {
    registry.store().registry().mark(project)
}

/// Who materializes a view now, for those who may know the view.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be read.
pub fn view_holder(registry: &SharedRegistry, caller: &Caller, view: ViewId<'_>) -> Result<Option<Holder>, Problem> {
    check_view(registry, caller, view, PermissionAction::Describe)?;
    registry.store().registry().view_holder(view)
}

/// The lock of a view for somebody who may write its values, or who has it. It is not waited for.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be read.
pub fn lock_view(
    registry: &SharedRegistry,
    caller: &Caller,
    view: ViewId<'_>,
    who: &str,
) -> Result<Result<ViewLock, Holder>, Problem> {
    check_view(registry, caller, view, PermissionAction::WriteOnline)?;
    let locking = Locking { who: called(caller, who), timeout: Duration::ZERO, on_wait: Box::new(|_| {}) };
    let locker = registry.store().registry_locked_by(locking);
    if let Some(holder) = locker.view_holder(view)? {
        return Ok(Err(holder));
    }
    match locker.lock_view(view) {
        Ok(lock) => Ok(Ok(lock)),
        // Somebody may have been faster.
        Err(problem) => match locker.view_holder(view)? {
            Some(holder) => Ok(Err(holder)),
            None => Err(problem),
        },
    }
}

/// How a client is called to others: as it calls itself, and as whom it has proved to be.
fn called(caller: &Caller, who: &str) -> String {
    const LENGTH: usize = 200;
    let who: String = printable(who).chars().take(LENGTH).collect();
    match caller {
        Caller::User(user) => format!("{who} as {}", printable(&user.name)),
        Caller::Operator(_) | Caller::Internal => who,
    }
}

/// Makes room for notes about runs.
///
/// # Errors
/// When the registry cannot be written.
pub fn create_run_log(registry: &SharedRegistry) -> Result<(), Problem> {
    registry.store().registry().create_run_log()
}

/// Notes how far a run of a view has come, for somebody who may write its values.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be written.
pub fn record_run(registry: &SharedRegistry, caller: &Caller, project: &str, run: &RunRecord) -> Result<(), Problem> {
    check_view(registry, caller, ViewId { project, name: &run.view }, PermissionAction::WriteOnline)?;
    registry.store().registry().record_run(project, run)
}

/// The newest runs of views that a caller may know.
///
/// # Errors
/// [`Kind::Denied`] where a view is named that the caller may not know, and when the registry cannot be read.
pub fn runs(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    views: &[String],
    limit: usize,
) -> Result<Vec<RunRecord>, Problem> {
    for name in views {
        check_view(registry, caller, ViewId { project, name }, PermissionAction::Describe)?;
    }
    let store = registry.store().registry();
    let Caller::User(_) = caller else { return store.runs(project, views, limit) };
    let objects = registry.objects(project, Freshness::Now)?;
    let runs = store.runs(project, views, usize::MAX)?;
    let mut runs = those(runs, |run| Visible { caller, objects: &objects }.has_view(&run.view))?;
    runs.truncate(limit);
    Ok(runs)
}

/// The newest changes of what a caller may know. What is gone is no secret to those who may know the project.
///
/// # Errors
/// [`Kind::Denied`] where the caller may not know the project, and when the registry cannot be read.
pub fn changes(
    registry: &SharedRegistry,
    caller: &Caller,
    project: &str,
    wanted: &WantedChanges,
) -> Result<Vec<ChangeRecord>, Problem> {
    let store = registry.store().registry();
    let Caller::User(_) = caller else { return store.changes(project, wanted) };
    let objects = registry.objects(project, Freshness::Now)?;
    if let Some(stored) = objects.find(ObjectKind::Project, project) {
        objects.rights.check(caller, stored, &[PermissionAction::Describe])?;
    }
    let visible = Visible { caller, objects: &objects };
    let mut records = store.changes(project, &WantedChanges { limit: usize::MAX, ..wanted.clone() })?;
    for record in &mut records {
        let all = record.changes.len();
        record.changes = those(std::mem::take(&mut record.changes), |change| {
            Ok(objects.find(change.id.kind, &change.id.name).is_none() || visible.has(&change.id)?)
        })?;
        if record.changes.len() < all {
            // The plan names what the caller may not know.
            record.plan = None;
        }
    }
    records.retain(|record| !record.changes.is_empty() && wanted.has(record));
    records.truncate(wanted.limit);
    Ok(records)
}

/// Removes the noted runs of a project, for somebody who may delete it.
///
/// # Errors
/// [`Kind::Denied`], and when the registry cannot be written.
pub fn forget_runs(registry: &SharedRegistry, caller: &Caller, project: &str) -> Result<(), Problem> {
    if let Caller::User(_) = caller {
        let objects = registry.objects(project, Freshness::Now)?;
        // Of a project that is gone everybody may remove what is left.
        if let Some(stored) = objects.find(ObjectKind::Project, project) {
            objects.rights.check(caller, stored, &[PermissionAction::Delete])?;
        }
    }
    registry.store().registry().forget_runs(project)
}

/// Lets a caller do something with a view, if there is one of this name.
fn check_view(
    registry: &SharedRegistry,
    caller: &Caller,
    view: ViewId<'_>,
    action: PermissionAction,
) -> Result<(), Problem> {
    let Caller::User(user) = caller else { return Ok(()) };
    let objects = registry.objects(view.project, Freshness::Now)?;
    let stored = ObjectKind::VIEWS.iter().find_map(|kind| objects.find(*kind, view.name));
    match stored {
        Some(stored) => objects.rights.check(caller, stored, &[action]),
        None => {
            let (user, name) = (printable(&user.name), printable(view.name));
            let message = format!("`{user}` is denied {} on view `{name}`: there is none", action.as_str());
            Err(Problem::new(Kind::Denied, message, None))
        }
    }
}
