//! Who changed what in the registry.

use super::{Caller, Failure, FeatureStore};
use crate::{model::ChangeRecord, registry::WantedChanges};

/// The newest changes that are wanted, the newest first.
///
/// # Errors
/// When the registry cannot be read.
pub fn changes(store: &FeatureStore, _: &Caller, wanted: &WantedChanges) -> Result<Vec<ChangeRecord>, Failure> {
    Ok(store.registry_to_read().changes(store.project(), wanted)?)
}
