//! Data sources by their names.

use std::sync::Arc;

use super::{Caller, FeatureStore, access::Access};
use crate::{
    diagnostics::did_you_mean,
    model::{DataSource, Object, ObjectId, ObjectKind, PermissionAction, RegistryState, printable},
    problem::{Kind, Problem, Subject},
};

/// The data source that is registered under a name, with which the caller may do this.
///
/// # Errors
/// When the caller may not, there is none, or it is one that feastr cannot read.
pub(super) fn registered_source(
    (store, caller): (&FeatureStore, &Caller),
    state: &Arc<RegistryState>,
    name: &str,
    action: PermissionAction,
) -> Result<DataSource, Problem> {
    let id = ObjectId::new(ObjectKind::DataSource, name);
    if let Some(object @ Object::DataSource(source)) = state.objects.get(&id) {
        Access::of(store, caller, state).check(&[action], [object])?;
        return Ok(source.clone());
    }
    if let Some(foreign) = state.foreign.iter().find(|foreign| foreign.id == id) {
        return Err(Problem::new(Kind::Unsupported, format!("{id} cannot be read: {}", foreign.reason), None));
    }
    let known = state.objects.keys().filter(|id| id.kind == ObjectKind::DataSource).map(|id| id.name.as_str());
    let message = format!("there is no data source `{}`", printable(name));
    Err(Problem::new(Kind::NotFound, message, did_you_mean(name, known)).about(Subject::DataSource))
}
