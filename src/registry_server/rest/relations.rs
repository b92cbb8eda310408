//! Relationships as JSON.

use serde_json::{Map, Value as Json, json};

use crate::discovery::{Lineage, Reference, Relation, Thing};

/// A relationship.
pub(super) fn relation(relation: &Relation<'_>) -> Json {
    let end = |end: Reference<'_>| json!({"type": end.thing.as_str(), "name": end.name});
    json!({"source": end(relation.source), "target": end(relation.target)})
}

/// Relationships, in their order.
pub(super) fn relations<'a>(all: impl IntoIterator<Item = &'a Relation<'a>>) -> Json {
    all.into_iter().map(relation).collect()
}

/// All relationships of some things, by their names.
pub(super) fn by_name<'n>(lineage: &Lineage<'_>, thing: Thing, names: impl IntoIterator<Item = &'n str>) -> Json {
    let all = lineage.by_reference();
    let of_name = |name: &str| relations(all.get(&Reference { thing, name }).into_iter().flatten());
    let found: Map<String, Json> = names.into_iter().map(|name| (name.to_owned(), of_name(name))).collect();
    Json::Object(found)
}

/// All relationships of one thing.
pub(super) fn of_one(lineage: &Lineage<'_>, thing: Thing, name: &str) -> Json {
    let Lineage { direct, indirect } = lineage.around(Reference { thing, name });
    relations(direct.iter().chain(&indirect))
}
