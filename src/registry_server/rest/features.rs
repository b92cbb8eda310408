//! Features of views, and labels of label views.

use serde_json::{Map, Value as Json};

use super::{
    answer::{pagination, pagination_of_many},
    asked::{Asked, of_project},
    refusal::Refusal,
    relations,
};
use crate::{
    app::registered::{SortValue, sort_value},
    diagnostics::did_you_mean,
    discovery::{self, Known, KnownFeature, Lineage, Thing},
    model::printable,
    problem::{Kind, Problem},
};

/// The features of a project.
pub(super) fn list_features(asked: &Asked<'_>) -> Result<Json, Refusal> {
    list(asked, false)
}

/// The labels of a project.
pub(super) fn list_labels(asked: &Asked<'_>) -> Result<Json, Refusal> {
    list(asked, true)
}

/// The features of all projects.
pub(super) fn all_features(asked: &Asked<'_>) -> Result<Json, Refusal> {
    all(asked, false)
}

/// The labels of all projects.
pub(super) fn all_labels(asked: &Asked<'_>) -> Result<Json, Refusal> {
    all(asked, true)
}

/// One feature or label.
pub(super) fn get(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let (project, view, name) = (asked.project(), asked.part("feature_view"), asked.part("name"));
    let known = asked.known(project)?;
    let of_view: Vec<KnownFeature<'_>> =
        discovery::features(&known).filter(|feature| feature.view.id.name == view).collect();
    let Some(feature) = of_view.iter().find(|feature| feature.field.name == name) else {
        let help = did_you_mean(name, of_view.iter().map(|feature| feature.field.name.as_str()));
        let (name, view, project) = (printable(name), printable(view), printable(project));
        let message = format!("there is no feature `{name}` of a view `{view}` in project `{project}`");
        return Err(Problem::new(Kind::NotFound, message, help).into());
    };
    let mut json = shown(feature);
    if let (Json::Object(members), true) = (&mut json, asked.query.wants("include_relationships")) {
        let related = relations::of_one(&Lineage::of(&known), Thing::Feature, name);
        members.insert("relationships".to_owned(), related);
    }
    asked.note_visit(project, name);
    Ok(json)
}

/// A feature as the JSON of protobuf.
pub(super) fn shown(feature: &KnownFeature<'_>) -> Json {
    let mut json = Map::new();
    let mut text = |name: &str, text: &str| {
        if !text.is_empty() {
            json.insert(name.to_owned(), text.into());
        }
    };
    text("name", &feature.field.name);
    text("featureView", &feature.view.id.name);
    text("type", &feature.field.dtype.to_string());
    text("description", &feature.field.description);
    text("owner", &feature.view.card.owner);
    if !feature.field.tags.is_empty() {
        let tags: Map<String, Json> =
            feature.field.tags.iter().map(|(key, value)| (key.clone(), value.as_str().into())).collect();
        json.insert("tags".to_owned(), Json::Object(tags));
    }
    json.insert("kind".to_owned(), if feature.is_label() { "label" } else { "feature" }.into());
    Json::Object(json)
}

fn list(asked: &Asked<'_>, labels: bool) -> Result<Json, Refusal> {
    let known = asked.known(asked.project())?;
    let page = asked.query.paging().cut(wanted(asked, &known, labels), |feature, path| value(feature, path));
    let names = page.entries.iter().map(|feature| feature.field.name.as_str());
    let mut answer = Map::new();
    answer.insert(key(labels).to_owned(), page.entries.iter().map(shown).collect());
    answer.insert("pagination".to_owned(), pagination(&page));
    if asked.query.wants("include_relationships") {
        let related = relations::by_name(&Lineage::of(&known), Thing::Feature, names);
        answer.insert("relationships".to_owned(), related);
    }
    Ok(Json::Object(answer))
}

fn all(asked: &Asked<'_>, labels: bool) -> Result<Json, Refusal> {
    let (mut features, mut related) = (Vec::new(), Map::new());
    for project in asked.projects()? {
        let known = asked.known(&project.name)?;
        let of_project: Vec<KnownFeature<'_>> = wanted(asked, &known, labels);
        if asked.query.wants("include_relationships") {
            let names = of_project.iter().map(|feature| feature.field.name.as_str());
            if let Json::Object(found) = relations::by_name(&Lineage::of(&known), Thing::Feature, names) {
                related.extend(found);
            }
        }
        features.extend(of_project.iter().map(|feature| self::of_project(shown(feature), &project.name)));
    }
    let paging = asked.query.paging_of_many();
    let page = paging.cut(features, sort_value);
    let mut answer = Map::new();
    answer.insert("pagination".to_owned(), pagination_of_many(&page, paging.page.unwrap_or_default()));
    answer.insert(key(labels).to_owned(), Json::Array(page.entries));
    if asked.query.wants("include_relationships") {
        answer.insert("relationships".to_owned(), Json::Object(related));
    }
    Ok(Json::Object(answer))
}

const fn key(labels: bool) -> &'static str {
    if labels { "labels" } else { "features" }
}

fn wanted<'a>(asked: &Asked<'_>, known: &'a [Known], labels: bool) -> Vec<KnownFeature<'a>> {
    let (view, name) = (asked.query.text("feature_view"), asked.query.text("name"));
    discovery::features(known)
        .filter(|feature| feature.is_label() == labels)
        .filter(|feature| view.is_empty() || feature.view.id.name == view)
        .filter(|feature| name.is_empty() || feature.field.name == name)
        .collect()
}

fn value(feature: &KnownFeature<'_>, path: &str) -> SortValue {
    sort_value(&shown(feature), path)
}
