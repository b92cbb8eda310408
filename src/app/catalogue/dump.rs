//! The whole project in one value.

use serde_json::Value;

use crate::app::{Caller, Failure, FeatureStore};
use crate::{
    feast::registry::dump_json::{registry_dump, to_registry},
    problem::{Kind, Problem},
};

/// The whole project as Feast prints it.
///
/// # Errors
/// When the registry cannot be read or is damaged.
pub fn dump(store: &FeatureStore, _: &Caller) -> Result<Value, Failure> {
    let snapshot = store.registry_to_read().snapshot(store.project())?;
    let damaged = |message: String| Problem::new(Kind::Internal, message, None);
    let objects = snapshot.rows.iter().map(|row| (row.kind, row.proto.as_slice()));
    let message = to_registry(objects, snapshot.infra.as_deref()).map_err(|error| damaged(error.to_string()))?;
    Ok(registry_dump(store.project(), &message).map_err(|error| damaged(error.to_string()))?)
}
