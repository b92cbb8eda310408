//! Objects as definitions have them, put into a project and found in it.

use std::collections::BTreeMap;

use super::{Change, Freshness, ProjectObjects, Sent, SharedRegistry, StoredObject, apply};
use crate::{
    app::{Caller, Failure},
    definitions,
    feast::registry::{self, RowVersion, SourceRows, Unmanaged},
    model::{Author, Object, ObjectId, ObjectKind, Timestamp},
    problem::{Kind, Problem},
    registry::object,
};

/// Puts an object into its project, with copies of the sources that are registered.
///
/// # Errors
/// As [`apply`].
pub fn declare(
    registry: &SharedRegistry,
    caller: &Caller,
    author: &Author,
    project: &str,
    object: &Object,
) -> Result<(ObjectId, Change), Failure> {
    let objects = registry.objects(project, Freshness::Now)?;
    let mut sources = SourceRows::default();
    for source in objects.of_kind(ObjectKind::DataSource) {
        let damaged = |error| Problem::new(Kind::Internal, format!("{} is damaged: {error}", source.id()), None);
        sources.insert(&source.proto).map_err(damaged)?;
    }
    let now = registry.store().now();
    let change = registry::Change { sources: &sources, project, now, version: RowVersion::Same, forget_values: false };
    let unwritten = |error| Problem::new(Kind::Internal, format!("{}: {error}", object.id()), None);
    let proto = registry::write(object, None, change).map_err(unwritten)?;
    apply(registry, caller, author, Sent { kind: object.id().kind, proto: &proto, project: Some(project) })
}

/// A stored object as definitions have it.
///
/// # Errors
/// [`Kind::Unsupported`] when they cannot express it.
pub fn model_of(stored: &StoredObject) -> Result<Object, Problem> {
    object(&stored.row())
        .map_err(|Unmanaged(reason)| Problem::new(Kind::Unsupported, format!("{}: {reason}", stored.id()), None))
}

/// What one would write in a definition file for a stored object; `None` where definitions cannot express it.
pub fn definition(stored: &StoredObject) -> Option<String> {
    let object = model_of(stored).ok()?;
    let written = definitions::write(&BTreeMap::from([(object.id(), object)]));
    let texts: Vec<String> = written.texts().map(|(_, text)| text).filter(|text| !text.is_empty()).collect();
    Some(texts.join("\n"))
}

impl ProjectObjects {
    /// When the project was changed last, to the second; `None` if nobody noted it.
    pub fn updated(&self) -> Option<Timestamp> {
        let seconds: i64 = self.metadata.get("last_updated_timestamp")?.parse().ok()?;
        Some(Timestamp::from_micros(seconds.checked_mul(1_000_000)?))
    }
}
