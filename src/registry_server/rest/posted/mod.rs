//! Objects that come and go by the REST API, in the words of Feast's bodies.

mod data_source;
mod entity;
mod feature_service;
mod feature_view;
mod permission;
mod saved_dataset;

use std::sync::Arc;

use serde_json::{Value as Json, json};
use utoipa::PartialSchema;

use super::{asked::Asked, refusal::Refusal};
use crate::{
    app::registered::{self, Change, Freshness, StoredObject, Wanted},
    feast::values::data_types::from_wire,
    model::{DataType, Object, ObjectId, ObjectKind, Tags},
    problem::{Kind, Problem},
    registry_server::told,
};

pub(super) use data_source::{data_source, schema as data_source_schema};
pub(super) use entity::{entity, schema as entity_schema};
pub(super) use feature_service::{feature_service, schema as feature_service_schema};
pub(super) use feature_view::{feature_view, schema as feature_view_schema};
pub(super) use permission::{permission, schema as permission_schema};
pub(super) use saved_dataset::{saved_dataset, schema as saved_dataset_schema};

/// Removes an object of the route's collection.
pub(super) fn delete(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let kinds = asked.collection.map(|collection| collection.kinds).unwrap_or_default();
    let (name, project) = (asked.part("name"), asked.project());
    let gone = registered::delete(asked.registry(), asked.caller, asked.author, Wanted { kinds, name, project })?;
    tell(asked, project, &gone, Change::Deleted);
    // Feast has two words for it.
    let status = if gone.kind == ObjectKind::SavedDataset { "ok" } else { "deleted" };
    Ok(json!({"name": name, "project": project, "status": status}))
}

/// Puts an object into a project.
fn put(asked: &Asked<'_>, project: &str, object: &Object) -> Result<Json, Refusal> {
    let (id, change) = registered::declare(asked.registry(), asked.caller, asked.author, project, object)?;
    tell(asked, project, &id, change);
    Ok(json!({"name": id.name, "project": project, "status": "applied"}))
}

fn tell(asked: &Asked<'_>, project: &str, id: &ObjectId, change: Change) {
    told::tell(asked.caller, (asked.template, asked.id), project, id, change);
}

/// What bodies of a type look like.
pub(super) fn schema_of<T: PartialSchema>() -> Json {
    // Schemas consist of texts and numbers.
    serde_json::to_value(T::schema()).unwrap_or_default()
}

/// An object that a body names.
fn named(asked: &Asked<'_>, kinds: &[ObjectKind], name: &str, project: &str) -> Result<Arc<StoredObject>, Refusal> {
    let found = registered::get(asked.registry(), asked.caller, Wanted { kinds, name, project }, Freshness::Now);
    // What is missing is the body's mistake: the path is right.
    Ok(found.map_err(|problem| match problem.kind {
        Kind::NotFound => Problem { kind: Kind::Invalid, ..problem },
        _ => problem,
    })?)
}

/// The type that a number of Feast stands for.
fn data_type(number: i32) -> DataType {
    from_wire(number, &Tags::new()).0
}

/// Feast's number of the type of texts, which types are that nobody names.
const fn text_type() -> i32 {
    2
}
