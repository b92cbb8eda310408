//! Which features are asked for, found among what is registered.

use super::{Caller, Failure, FeatureStore};
use crate::{
    model::RegistryState,
    problem::{Advice, Kind, Problem},
    retrieval::{FeatureRequest, Purpose, Retrieval, resolve},
};

/// What is fetched from where, under which name.
///
/// # Errors
/// When something does not exist or cannot be served, two features would have one name, or the registry cannot be
/// read.
pub fn retrieval(
    store: &FeatureStore,
    _: &Caller,
    request: &FeatureRequest,
    purpose: Purpose,
) -> Result<Retrieval, Failure> {
    Ok(resolved(store, &*store.registered()?, request, purpose)?)
}

/// The same in a state that was read.
pub(super) fn resolved(
    store: &FeatureStore,
    state: &RegistryState,
    request: &FeatureRequest,
    purpose: Purpose,
) -> Result<Retrieval, Problem> {
    if state.objects.is_empty() && state.foreign.is_empty() {
        let message = format!("the registry {} is empty", store.registry_to_read().location());
        return Err(Problem::new(Kind::NotFound, message, None).advise(Advice::Apply));
    }
    resolve(state, &request.selection, request.full_feature_names, purpose)
}
