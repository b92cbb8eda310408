//! The whole project in one value.

use serde_json::Value;

use crate::app::{Caller, Failure, FeatureStore};
use crate::{
    feast::registry::dump_json::registry_dump,
    problem::{Kind, Problem},
    registry::to_message,
};

/// The whole project as Feast prints it.
///
/// # Errors
/// When the registry cannot be read or is damaged.
pub fn dump(store: &FeatureStore, _: &Caller) -> Result<Value, Failure> {
    let snapshot = store.registry_to_read().snapshot(store.project())?;
    let damaged = |message: String| Problem::new(Kind::Internal, message, None);
    let message = to_message(&snapshot).map_err(|error| damaged(error.to_string()))?;
    Ok(registry_dump(store.project(), &message).map_err(|error| damaged(error.to_string()))?)
}
