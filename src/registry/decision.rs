//! Updates that give what their decision found out.

use super::objects::{Objects, Snapshot, Write};
use crate::{
    model::{ObjectId, ViewId},
    problem::{Kind, Problem},
};

/// What becomes of an update, and what else was found out while that was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<T> {
    /// These are carried out, in one transaction.
    Write(Vec<Write>, T),
    /// Everything stays as it is.
    Leave(T),
}

/// Changes a project as [`Objects::update`] does, and gives what `decide` found out when what it decided was carried
/// out. It may be asked several times and must depend on the snapshot alone.
///
/// # Errors
/// Those of `decide`, and those of [`Objects::update`]; then nothing has changed.
pub fn update<T, E: From<Problem>>(
    registry: &(impl Objects + ?Sized),
    project: &str,
    decide: impl FnMut(&Snapshot) -> Result<Decision<T>, E>,
) -> Result<T, E> {
    finding(decide, |decide| registry.update(project, decide))
}

/// The same of one object, as [`Objects::update_object`] does it.
///
/// # Errors
/// Those of `decide`, and those of [`Objects::update_object`]; then nothing has changed.
pub fn update_object<T, E: From<Problem>>(
    registry: &(impl Objects + ?Sized),
    project: &str,
    object: &ObjectId,
    decide: impl FnMut(&Snapshot) -> Result<Decision<T>, E>,
) -> Result<T, E> {
    finding(decide, |decide| registry.update_object(project, object, decide))
}

/// The same of one view, as [`Objects::update_view`] does it.
///
/// # Errors
/// Those of `decide`, and those of [`Objects::update_view`]; then nothing has changed.
pub fn update_view<T, E: From<Problem>>(
    registry: &(impl Objects + ?Sized),
    view: ViewId<'_>,
    decide: impl FnMut(&Snapshot) -> Result<Decision<T>, E>,
) -> Result<T, E> {
    finding(decide, |decide| registry.update_view(view, decide))
}

fn finding<T, E: From<Problem>>(
    mut decide: impl FnMut(&Snapshot) -> Result<Decision<T>, E>,
    change: impl FnOnce(&mut dyn FnMut(&Snapshot) -> Option<Vec<Write>>) -> Result<(), Problem>,
) -> Result<T, E> {
    let mut found = None;
    change(&mut |snapshot| match decide(snapshot) {
        Ok(Decision::Write(writes, it)) => {
            found = Some(Ok(it));
            Some(writes)
        }
        Ok(Decision::Leave(it)) => {
            found = Some(Ok(it));
            None
        }
        Err(error) => {
            found = Some(Err(error));
            None
        }
    })?;
    found.unwrap_or_else(|| Err(Problem::new(Kind::Internal, "the registry was not read for an update", None).into()))
}
