//! Looking around: views by what they are made of, features, and what is made of what.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message as _;

use super::{
    asked::{Asked, freshness},
    objects::{answer, info, paging, value},
};
use crate::{
    app::{
        Failure,
        registered::{self, ListRequest, Page, SortValue, StoredObject, ViewRequest},
    },
    discovery::{KnownFeature, Lineage, Reference, Relation, Thing, ViewFilter, features},
    feast::registry_server as wire,
    model::{ObjectKind, printable},
    problem::{Kind, Problem},
};

/// The views of all kinds but label views, or some of them.
pub(super) fn list_all_views(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ListAllFeatureViews = asked.request(body)?;
    let filter = ViewFilter {
        entity: &request.entity,
        feature: &request.feature,
        data_source: &request.data_source,
        service: None,
    };
    let wanted = ViewRequest {
        project: &request.project,
        tags: &request.labels(),
        filter,
        service: &request.feature_service,
        updated_since: request.updated_since.map(Into::into),
    };
    let views = registered::list_views(&asked.state.registry, asked.caller, wanted, freshness(request.allow_cache))?;
    let page: Page<Arc<StoredObject>> = paging(request.pagination, request.sorting).cut(views, value);
    let mut list = wire::List::default();
    for view in &page.entries {
        list.add(&wire::any_view(view.kind, &view.proto));
    }
    Ok(list.end(info(&page)))
}

/// The feature services, or those over a view.
pub(super) fn list_services(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ListFeatureServices = asked.request(body)?;
    let wanted =
        ListRequest { kinds: &[ObjectKind::FeatureService], project: &request.project, tags: &request.labels() };
    let (registry, freshness) = (&asked.state.registry, freshness(request.allow_cache));
    let services = registered::list_services(registry, asked.caller, wanted, &request.feature_view, freshness)?;
    Ok(answer(&paging(request.pagination, request.sorting).cut(services, value)))
}

/// The features of all views, or some of them.
pub(super) fn list_features(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::ListFeatures = asked.request(body)?;
    let (registry, freshness) = (&asked.state.registry, freshness(request.allow_cache));
    let views = registered::known_views(registry, asked.caller, &request.project, freshness)?;
    let fits = |wanted: &str, word: &str| wanted.is_empty() || wanted == word;
    let found = features(&views).filter(|feature| {
        fits(&request.feature_view, &feature.view.id.name)
            && fits(&request.name, &feature.field.name)
            && fits(&request.kind, word(feature))
    });
    let found: Vec<wire::Feature> = found.map(message).collect();
    let page = paging(request.pagination, request.sorting).cut(found, |feature, path| match path {
        "name" => SortValue::text(&feature.name),
        "feature_view" => SortValue::text(&feature.feature_view),
        "type" => SortValue::text(&feature.r#type),
        "description" => SortValue::text(&feature.description),
        "kind" => SortValue::text(&feature.kind),
        _ => SortValue::none(),
    });
    let mut list = wire::List::default();
    page.entries.iter().for_each(|feature| list.add(&feature.encode_to_vec()));
    Ok(list.end(info(&page)))
}

/// One feature of a view.
pub(super) fn get_feature(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let wire::GetFeature { project, feature_view, name, allow_cache } = asked.request(body)?;
    let views = registered::known_views(&asked.state.registry, asked.caller, &project, freshness(allow_cache))?;
    let is_it = |feature: &KnownFeature<'_>| feature.view.id.name == feature_view && feature.field.name == name;
    let found = features(&views).find(is_it).map(message);
    let found = found.ok_or_else(|| {
        let [name, view, project] = [&name, &feature_view, &project].map(|text| printable(text));
        let message = format!("there is no feature `{name}` of view `{view}` in project `{project}`");
        Problem::new(Kind::NotFound, message, None)
    })?;
    Ok(found.encode_to_vec().into())
}

fn word(feature: &KnownFeature<'_>) -> &'static str {
    if feature.is_label() { "label" } else { "feature" }
}

fn message(feature: KnownFeature<'_>) -> wire::Feature {
    let KnownFeature { field, view } = feature;
    wire::Feature::of(&view.id.name, field, word(&feature))
}

/// What is made of what in a project.
pub(super) fn lineage(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::GetRegistryLineage = asked.request(body)?;
    let (registry, freshness) = (&asked.state.registry, freshness(request.allow_cache));
    let known = registered::known(registry, asked.caller, &request.project, freshness)?;
    let all = Lineage::of(&known);
    let (word, name) = (&request.filter_object_type, &request.filter_object_name);
    let lineage = match word.is_empty() || name.is_empty() {
        true => all,
        false => all.around(Reference { thing: thing(word)?, name }),
    };
    let paging = paging(request.pagination, request.sorting);
    let [direct, indirect] = [lineage.direct, lineage.indirect].map(|relations| paging.cut(relations, end));
    let answer = wire::Lineage {
        relationships: direct.entries.iter().map(relation).collect(),
        indirect_relationships: indirect.entries.iter().map(relation).collect(),
        relationships_pagination: Some(info(&direct)),
        indirect_relationships_pagination: Some(info(&indirect)),
    };
    Ok(answer.encode_to_vec().into())
}

/// What is made of an object, and what it is made of.
pub(super) fn relationships(asked: &Asked<'_>, body: &[u8]) -> Result<Bytes, Failure> {
    let request: wire::GetObjectRelationships = asked.request(body)?;
    let (registry, freshness) = (&asked.state.registry, freshness(request.allow_cache));
    let known = registered::known(registry, asked.caller, &request.project, freshness)?;
    let thing = thing(&request.object_type)?;
    let Lineage { mut direct, indirect } = Lineage::of(&known).around(Reference { thing, name: &request.object_name });
    if request.include_indirect {
        direct.extend(indirect);
    }
    let page = paging(request.pagination, request.sorting).cut(direct, end);
    let mut list = wire::List::default();
    page.entries.iter().for_each(|one| list.add(&relation(one).encode_to_vec()));
    Ok(list.end(info(&page)))
}

fn thing(word: &str) -> Result<Thing, Problem> {
    Thing::of_word(word).ok_or_else(|| {
        let known = Thing::ALL.map(Thing::as_str).join(", ");
        Problem::new(
            Kind::Invalid,
            format!("`{}` is no type of object", printable(word)),
            format!("write one of {known}"),
        )
    })
}

fn relation(relation: &Relation<'_>) -> wire::Relation {
    let reference =
        |end: Reference<'_>| Some(wire::Reference { r#type: end.thing.as_str().to_owned(), name: end.name.to_owned() });
    wire::Relation { source: reference(relation.source), target: reference(relation.target) }
}

/// What relationships are compared by.
fn end(relation: &Relation<'_>, path: &str) -> SortValue {
    match path {
        "source.type" => SortValue::text(relation.source.thing.as_str()),
        "source.name" => SortValue::text(relation.source.name),
        "target.type" => SortValue::text(relation.target.thing.as_str()),
        "target.name" => SortValue::text(relation.target.name),
        _ => SortValue::none(),
    }
}
