//! Copying a project from one registry to another.

use super::{Caller, Failure, FeatureStore};
use crate::{
    apply,
    model::{RegistryState, Timestamp},
    problem::{Advice, Kind, Problem},
    registry::{self, Copied, CopyFrom, CopyTo, Registry},
};

/// What is copied, and where to.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// Where the project is.
    pub from: &'a dyn Registry,
    /// Its name there.
    pub project: &'a str,
    /// Where it is to be.
    pub to: &'a dyn Registry,
    /// Its name there.
    pub to_project: &'a str,
    /// Whether what the project holds at the target is replaced.
    pub replace: bool,
    /// The time that is recorded.
    pub now: Timestamp,
}

/// Copies the project in one transaction.
///
/// # Errors
/// When both are one, the target has objects that may not be replaced, or a registry cannot be read or written.
pub fn copy(caller: &Caller, request: Request<'_>) -> Result<Copied, Failure> {
    let Request { from, project, to, to_project, replace, now } = request;
    if from.location() == to.location() && to_project == project {
        let message = format!("{} is the registry the project is in already", to.location());
        return Err(Problem::new(Kind::Invalid, message, None).advise(Advice::CopyElsewhere).into());
    }
    let values = &|state: &RegistryState| apply::values(to_project, state);
    let source = CopyFrom { registry: from, project };
    Ok(registry::copy(
        &source,
        &CopyTo { registry: to, project: to_project, replace, author: &caller.author("registry copy"), values },
        now,
    )?)
}

/// Creates the tables (or the file) of the registry that are missing, and changes nothing else.
///
/// # Errors
/// When the registry cannot be written.
pub fn create_schema(store: &FeatureStore, _: &Caller) -> Result<(), Failure> {
    Ok(registry::create_schema(store.registry(), store.project())?)
}
