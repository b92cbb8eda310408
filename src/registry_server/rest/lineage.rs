//! What is made of what.

use serde_json::{Map, Value as Json, json};

use super::{
    answer::pagination,
    asked::{Asked, of_project, shown},
    features,
    refusal::Refusal,
    relations::{relation, relations},
};
use crate::{
    app::registered::{self, Page, SortValue},
    discovery::{self, Known, Lineage, Reference, Relation, Thing},
    feast::registry::to_json,
    model::{ObjectKind, Tags, printable},
};

/// All relationships of a project, or those of one thing in it.
pub(super) fn registry(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let known = known(asked, asked.project())?;
    let lineage = filtered(asked, Lineage::of(&known))?;
    let (direct, indirect) = (cut(asked, lineage.direct), cut(asked, lineage.indirect));
    Ok(json!({
        "relationships": relations(&direct.entries),
        "indirect_relationships": relations(&indirect.entries),
        "relationships_pagination": pagination(&direct),
        "indirect_relationships_pagination": pagination(&indirect),
    }))
}

/// The relationships of all projects.
pub(super) fn registry_of_all(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let (mut direct, mut indirect) = (Vec::new(), Vec::new());
    for project in asked.projects()? {
        let known = asked.known(&project.name)?;
        let lineage = filtered(asked, Lineage::of(&known))?;
        let told = |all: &[Relation<'_>]| -> Vec<Json> {
            all.iter().map(|one| of_project(relation(one), &project.name)).collect()
        };
        direct.extend(told(&lineage.direct));
        indirect.extend(told(&lineage.indirect));
    }
    Ok(json!({"relationships": direct, "indirect_relationships": indirect}))
}

/// The relationships of one thing.
pub(super) fn object(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let reference = Reference { thing: thing(asked.part("object_type"))?, name: asked.part("object_name") };
    let known = known(asked, asked.project())?;
    let Lineage { mut direct, indirect } = Lineage::of(&known).around(reference);
    if asked.query.wants("include_indirect") {
        direct.extend(indirect);
    }
    let page = cut(asked, direct);
    Ok(json!({"relationships": relations(&page.entries), "pagination": pagination(&page)}))
}

/// All objects of a project with all relationships.
pub(super) fn complete(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let project = asked.project();
    let known = known(asked, project)?;
    let (mut objects, mut pages) = (Map::new(), Map::new());
    for (key, kinds) in LISTED {
        let page = asked.query.paging().cut(asked.objects(project, kinds, &Tags::new())?, |object, path| match path {
            "name" => SortValue::text(&object.name),
            _ => registered::sort_value(&shown(object), path),
        });
        objects.insert(key.to_owned(), page.entries.iter().map(|object| wrapped(object, key)).collect());
        pages.insert(key.to_owned(), pagination(&page));
    }
    for (key, labels) in [("features", false), ("labels", true)] {
        let all = discovery::features(&known).filter(|feature| feature.is_label() == labels);
        let page =
            asked.query.paging().cut(all.map(|feature| features::shown(&feature)).collect(), registered::sort_value);
        pages.insert(key.to_owned(), pagination(&page));
        objects.insert(key.to_owned(), Json::Array(page.entries));
    }
    let Lineage { direct, indirect } = Lineage::of(&known);
    let (direct, indirect) = (cut(asked, direct), cut(asked, indirect));
    pages.insert("relationships".to_owned(), pagination(&direct));
    pages.insert("indirectRelationships".to_owned(), pagination(&indirect));
    Ok(json!({
        "project": project,
        "objects": objects,
        "relationships": relations(&direct.entries),
        "indirectRelationships": relations(&indirect.entries),
        "pagination": pages,
    }))
}

/// The same of all projects, without pages.
pub(super) fn complete_of_all(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let mut projects = Vec::new();
    for project in asked.projects()? {
        let known = asked.known(&project.name)?;
        let mut objects = Map::new();
        for (key, kinds) in LISTED {
            let all = asked.objects(&project.name, kinds, &Tags::new())?;
            let all = all.iter().map(|object| of_project(wrapped(object, key), &project.name));
            objects.insert(key.to_owned(), all.collect());
        }
        for (key, labels) in [("features", false), ("labels", true)] {
            let all = discovery::features(&known).filter(|feature| feature.is_label() == labels);
            let all = all.map(|feature| of_project(features::shown(&feature), &project.name));
            objects.insert(key.to_owned(), all.collect());
        }
        let Lineage { direct, indirect } = Lineage::of(&known);
        projects.push(json!({
            "project": project.name,
            "objects": objects,
            "relationships": relations(&direct),
            "indirectRelationships": relations(&indirect),
        }));
    }
    Ok(json!({"projects": projects}))
}

/// The objects of a complete answer, by its words for them.
const LISTED: [(&str, &[ObjectKind]); 6] = [
    ("entities", &[ObjectKind::Entity]),
    ("dataSources", &[ObjectKind::DataSource]),
    (VIEWS, &[ObjectKind::FeatureView, ObjectKind::StreamFeatureView, ObjectKind::OnDemandFeatureView]),
    ("labelViews", &[ObjectKind::LabelView]),
    ("featureServices", &[ObjectKind::FeatureService]),
    ("savedDatasets", &[ObjectKind::SavedDataset]),
];

/// The word for views, which are wrapped here as in Feast's protocol.
const VIEWS: &str = "featureViews";

fn wrapped(object: &registered::StoredObject, key: &str) -> Json {
    let json = to_json(object.kind, &object.proto).unwrap_or_default();
    match super::asked::view_type(object.kind) {
        Some(word) if key == VIEWS => json!({word: json}),
        _ => json,
    }
}

/// What is known of a project that who asks may describe; of one that does not exist nothing is.
fn known(asked: &Asked<'_>, project: &str) -> Result<Vec<Known>, Refusal> {
    Ok(registered::known(asked.registry(), asked.caller, project, asked.freshness())?)
}

fn cut<'a>(asked: &Asked<'_>, all: Vec<Relation<'a>>) -> Page<Relation<'a>> {
    asked.query.paging().cut(all, |one, path| registered::sort_value(&relation(one), path))
}

/// The relationships of the thing that the parameters name, or all.
fn filtered<'a>(asked: &Asked<'_>, lineage: Lineage<'a>) -> Result<Lineage<'a>, Refusal> {
    let (word, name) = (asked.query.text("filter_object_type"), asked.query.text("filter_object_name"));
    match word.is_empty() || name.is_empty() {
        true => Ok(lineage),
        false => Ok(lineage.around(Reference { thing: thing(word)?, name })),
    }
}

fn thing(word: &str) -> Result<Thing, Refusal> {
    Thing::of_word(word).ok_or_else(|| {
        let words: Vec<String> = Thing::ALL.iter().map(|thing| format!("`{}`", thing.as_str())).collect();
        Refusal::Wrong(format!("`{}` is no type of objects; there are {}", printable(word), words.join(", ")))
    })
}
