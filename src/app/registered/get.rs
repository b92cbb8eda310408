//! One object.

use std::sync::Arc;

use super::{Freshness, ProjectObjects, SharedRegistry, StoredObject};
use crate::{
    app::Caller,
    diagnostics::did_you_mean,
    model::{DUMMY_ENTITY, ObjectKind, PermissionAction, printable},
    problem::{Kind, Problem},
};

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// Of one of these kinds.
    pub kinds: &'a [ObjectKind],
    /// Its name.
    pub name: &'a str,
    /// The project; for a project itself the same name.
    pub project: &'a str,
}

/// An object, for those who may describe it.
///
/// # Errors
/// [`Kind::NotFound`], [`Kind::Denied`], and when the registry cannot be read.
pub fn get(
    registry: &SharedRegistry,
    caller: &Caller,
    wanted: Wanted<'_>,
    freshness: Freshness,
) -> Result<Arc<StoredObject>, Problem> {
    wanted.of(&*registry.objects(wanted.project, freshness)?, caller)
}

impl Wanted<'_> {
    /// The object among those of its project, for a caller who may describe it.
    ///
    /// # Errors
    /// [`Kind::NotFound`] and [`Kind::Denied`].
    pub fn of(self, objects: &ProjectObjects, caller: &Caller) -> Result<Arc<StoredObject>, Problem> {
        let found = self.kinds.iter().find_map(|kind| objects.find(*kind, self.name));
        let found = found.ok_or_else(|| self.missing(objects, caller))?;
        objects.rights.check(caller, found, &[PermissionAction::Describe])?;
        Ok(Arc::clone(found))
    }

    /// That there is none; only names are suggested that the caller may know.
    pub(in crate::app) fn missing(self, objects: &ProjectObjects, caller: &Caller) -> Problem {
        let may_know =
            |object: &&Arc<StoredObject>| objects.rights.allow_describe(caller, object).is_ok_and(|allowed| allowed);
        let others = self.kinds.iter().flat_map(|kind| objects.of_kind(*kind)).filter(may_know);
        // Nobody has declared it, and Feast does not show it.
        let others = others.filter(|object| object.name != DUMMY_ENTITY);
        let help = did_you_mean(self.name, others.map(|object| object.name.as_str()));
        let kind = match self.kinds {
            [kind] => *kind,
            _ => ObjectKind::FeatureView,
        };
        let (name, project) = (printable(self.name), printable(self.project));
        let message = match kind {
            ObjectKind::Project => format!("there is no project `{name}`"),
            kind => format!("there is no {kind} `{name}` in project `{project}`"),
        };
        Problem::new(Kind::NotFound, message, help)
    }
}
