//! Objects of a collection: listed, one by one, and taken away.

use std::{collections::BTreeSet, sync::Arc};

use serde_json::{Map, Value as Json, json};

use super::{
    answer::{pagination, pagination_of_many},
    asked::{Asked, of_project, shown},
    collection::{Collection, FEATURE_VIEWS},
    refusal::Refusal,
    relations,
};
use crate::{
    app::registered::{self, ListRequest, SortValue, StoredObject, ViewRequest, Wanted, sort_value},
    discovery::{Lineage, Reference, Thing, ViewFilter},
    model::{ObjectKind, Tags, Timestamp},
    problem::{Kind, Problem},
};

/// The objects of the route's collection in one project.
pub(super) fn list(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let collection = collection(asked)?;
    let project = asked.project();
    let objects = listed(asked, collection, project)?;
    let page = asked.query.paging().cut(objects, value);
    let mut answer = Map::new();
    answer.insert(collection.key.to_owned(), page.entries.iter().map(|object| shown(object)).collect());
    answer.insert("pagination".to_owned(), pagination(&page));
    if asked.query.wants("include_relationships") {
        let names = page.entries.iter().map(|object| object.name.as_str());
        answer.insert("relationships".to_owned(), relationships(asked, project, collection.thing, names)?);
    }
    Ok(Json::Object(answer))
}

/// The same of all projects that who asks may know.
pub(super) fn list_all(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let collection = collection(asked)?;
    let (mut all, mut related) = (Vec::new(), Map::new());
    for project in asked.projects()? {
        let objects = listed(asked, collection, &project.name)?;
        if asked.query.wants("include_relationships") {
            let names = objects.iter().map(|object| object.name.as_str());
            if let Json::Object(found) = relationships(asked, &project.name, collection.thing, names)? {
                related.extend(found);
            }
        }
        all.extend(objects.into_iter().map(|object| (project.name.clone(), object)));
    }
    let paging = asked.query.paging_of_many();
    let page = paging.cut(all, |(project, object), path| match path {
        "project" => SortValue::text(project),
        _ => value(object, path),
    });
    let mut answer = Map::new();
    let entries = page.entries.iter().map(|(project, object)| of_project(shown(object), project));
    answer.insert(collection.key.to_owned(), entries.collect());
    answer.insert("pagination".to_owned(), pagination_of_many(&page, paging.page.unwrap_or_default()));
    if asked.query.wants("include_relationships") {
        answer.insert("relationships".to_owned(), Json::Object(related));
    }
    Ok(Json::Object(answer))
}

/// One object of the route's collection.
pub(super) fn get(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let collection = collection(asked)?;
    let (project, name) = (asked.project(), asked.part("name"));
    let wanted = Wanted { kinds: collection.kinds, name, project };
    let object = registered::get(asked.registry(), asked.caller, wanted, asked.freshness())?;
    let mut json = shown(&object);
    let wants_relationships = asked.query.wants("include_relationships");
    let is_entity = object.kind == ObjectKind::Entity;
    if let Json::Object(members) = &mut json {
        if wants_relationships || is_entity {
            let known = asked.known(project)?;
            let lineage = Lineage::of(&known);
            if is_entity {
                members.insert("dataSources".to_owned(), sources_of_entity(asked, &lineage, project, name)?);
            }
            if let (true, Some(thing)) = (wants_relationships, collection.thing) {
                members.insert("relationships".to_owned(), relations::of_one(&lineage, thing, name));
            }
        }
        if let Some(definition) = registered::definition(&object) {
            members.insert("featureDefinition".to_owned(), definition.into());
        }
    }
    asked.note_visit(project, name);
    Ok(json)
}

/// A project itself.
pub(super) fn get_project(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let name = asked.part("name");
    let wanted = Wanted { kinds: &[ObjectKind::Project], name, project: name };
    Ok(shown(&*registered::get(asked.registry(), asked.caller, wanted, asked.freshness())?))
}

/// The projects.
pub(super) fn list_projects(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let page = asked.query.paging().cut(asked.projects()?, value);
    let projects: Json = page.entries.iter().map(|project| shown(project)).collect();
    Ok(json!({"projects": projects, "pagination": pagination(&page)}))
}

/// The route's collection.
fn collection(asked: &Asked<'_>) -> Result<&'static Collection, Refusal> {
    // Every route that is answered here has one.
    let missing = || Problem::new(Kind::Internal, format!("{} is about no objects", asked.template), None);
    asked.collection.ok_or_else(|| missing().into())
}

/// What an object is compared by.
fn value(object: &Arc<StoredObject>, path: &str) -> SortValue {
    match path {
        "name" => SortValue::text(&object.name),
        _ => sort_value(&shown(object), path),
    }
}

/// The relationships of some things of a project, by their names.
pub(super) fn relationships<'n>(
    asked: &Asked<'_>,
    project: &str,
    thing: Option<Thing>,
    names: impl IntoIterator<Item = &'n str>,
) -> Result<Json, Refusal> {
    let Some(thing) = thing else { return Ok(json!({})) };
    let known = asked.known(project)?;
    Ok(relations::by_name(&Lineage::of(&known), thing, names))
}

/// The sources of the views over an entity, as they are registered.
fn sources_of_entity(asked: &Asked<'_>, lineage: &Lineage<'_>, project: &str, name: &str) -> Result<Json, Refusal> {
    let is_of_entity = |end: Reference<'_>| end.thing == Thing::Entity && end.name == name;
    let ends = lineage.indirect.iter().filter(|relation| is_of_entity(relation.source)).map(|relation| relation.target);
    let names: BTreeSet<&str> = ends.filter(|end| end.thing == Thing::DataSource).map(|end| end.name).collect();
    let sources = asked.objects(project, &[ObjectKind::DataSource], &Tags::new())?;
    Ok(sources.iter().filter(|source| names.contains(source.name.as_str())).map(|source| shown(source)).collect())
}

/// The objects of a collection in a project that the parameters of the route want.
fn listed(asked: &Asked<'_>, collection: &Collection, project: &str) -> Result<Vec<Arc<StoredObject>>, Refusal> {
    let (query, tags) = (asked.query, &asked.query.tags());
    let (registry, caller, freshness) = (asked.registry(), asked.caller, asked.freshness());
    if collection.kinds == FEATURE_VIEWS.kinds {
        let filter = ViewFilter {
            entity: query.text("entity"),
            feature: query.text("feature"),
            data_source: query.text("data_source"),
            service: None,
        };
        let (service, updated_since) = (query.text("feature_service"), since(query.text("updated_since"))?);
        let wanted = ViewRequest { project, tags, filter, service, updated_since };
        return Ok(registered::list_views(registry, caller, wanted, freshness)?);
    }
    let wanted = ListRequest { kinds: collection.kinds, project, tags };
    if collection.kinds == [ObjectKind::FeatureService] {
        return Ok(registered::list_services(registry, caller, wanted, query.text("feature_view"), freshness)?);
    }
    let mut objects = registered::list(registry, caller, wanted, freshness)?;
    let (namespace, group) = (query.text("namespace"), query.text("collection"));
    if !(namespace.is_empty() && group.is_empty()) {
        let is_wanted = |object: &StoredObject| {
            let json = shown(object);
            let says = |name: &str, wanted: &str| wanted.is_empty() || json["spec"][name] == wanted;
            says("namespace", namespace) && says("collection", group)
        };
        objects.retain(|object| is_wanted(object));
    }
    Ok(objects)
}

/// A moment as ISO 8601 has it; without a time zone in UTC.
fn since(text: &str) -> Result<Option<Timestamp>, Refusal> {
    match Timestamp::absolute(text) {
        None if text.is_empty() => Ok(None),
        None => Err(Refusal::parameter("updated_since", "it should be a moment such as `2026-01-31T12:00:00Z`")),
        moment => Ok(moment),
    }
}
