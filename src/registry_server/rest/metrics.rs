//! How much there is, and what was looked at.

use serde_json::{Map, Value as Json, json};

use super::{
    answer::pagination,
    asked::{Asked, view_type},
    refusal::Refusal,
};
use crate::{
    app::registered::{self, Paging, Wanted, sort_value},
    discovery::{Counts, Known, counts, popular_tags, views},
    model::ObjectKind,
};

/// How many objects of which kinds a project has, or all projects have.
pub(super) fn resource_counts(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let project = asked.project();
    if !project.is_empty() {
        let known = asked.known(project)?;
        return Ok(json!({
            "project": project,
            "counts": counted(counts(&known)),
            "featureServices": services(&known, project),
            "featureViews": summaries(&known, project),
            "projects": [{"name": project}],
            "registryLastUpdated": updated(asked, &[project.to_owned()])?,
        }));
    }
    let (mut total, mut each, mut all_services, mut all_views) =
        (Counts::default(), Map::new(), Vec::new(), Vec::new());
    let (mut projects, mut names) = (Vec::new(), Vec::new());
    for project in asked.projects()? {
        let known = asked.known(&project.name)?;
        let of_project = counts(&known);
        total = total + of_project;
        each.insert(project.name.clone(), counted(of_project));
        all_services.extend(services(&known, &project.name));
        all_views.extend(summaries(&known, &project.name));
        let description = project.known().map(|known| known.card.description.clone()).unwrap_or_default();
        projects.push(json!({"name": project.name, "description": description}));
        names.push(project.name.clone());
    }
    Ok(json!({
        "total": counted(total),
        "perProject": each,
        "featureServices": all_services,
        "featureViews": all_views,
        "projects": projects,
        "registryLastUpdated": updated(asked, &names)?,
    }))
}

/// The labels that most views have.
pub(super) fn tags(asked: &Asked<'_>) -> Result<Json, Refusal> {
    const LIMIT: u32 = 4;
    let limit = asked.query.number("limit").unwrap_or(LIMIT);
    let names: Vec<String> = match asked.project() {
        "" => asked.projects()?.iter().map(|project| project.name.clone()).collect(),
        project => vec![project.to_owned()],
    };
    let mut projects: Vec<(&str, Vec<Known>)> = Vec::new();
    for name in &names {
        projects.push((name, asked.known(name)?));
    }
    let projects: Vec<(&str, &[Known])> = projects.iter().map(|(name, known)| (*name, known.as_slice())).collect();
    let tags = popular_tags(&projects);
    let shown = tags.iter().take(limit as usize).map(|tag| {
        let views: Json =
            tag.views.iter().map(|(project, view)| json!({"name": view.id.name, "project": project})).collect();
        json!({
            "tag_key": tag.key,
            "tag_value": tag.value,
            "feature_views": views,
            "total_feature_views": tag.views.len(),
        })
    });
    let all_views: usize = projects.iter().map(|(_, known)| counts(known).feature_views).sum();
    Ok(json!({
        "popular_tags": shown.collect::<Vec<_>>(),
        "metadata": {"totalFeatureViews": all_views, "totalTags": tags.len(), "limit": limit},
    }))
}

/// What who asks has looked at, as far as this server knows.
pub(super) fn recently_visited(asked: &Asked<'_>) -> Result<Json, Refusal> {
    if !asked.project().is_empty() {
        let wanted = Wanted { kinds: &[ObjectKind::Project], name: asked.project(), project: asked.project() };
        registered::get(asked.registry(), asked.caller, wanted, asked.freshness())?;
    }
    let visits = asked.state.visits.of(asked.caller, asked.project(), asked.query.text("object"));
    let paging: Paging = asked.query.paging();
    let is_whole = paging.page.is_none();
    let page = paging.cut(visits, sort_value);
    let pagination = if is_whole { json!({"totalCount": page.total}) } else { pagination(&page) };
    Ok(json!({"visits": page.entries, "pagination": pagination}))
}

fn counted(counts: Counts) -> Json {
    json!({
        "entities": counts.entities,
        "dataSources": counts.data_sources,
        "savedDatasets": counts.saved_datasets,
        "features": counts.features,
        "featureViews": counts.feature_views,
        "featureServices": counts.feature_services,
    })
}

fn services(known: &[Known], project: &str) -> Vec<Json> {
    let services = known.iter().filter(|known| known.id.kind == ObjectKind::FeatureService);
    services.map(|service| json!({"name": service.id.name, "project": project})).collect()
}

fn summaries(known: &[Known], project: &str) -> Vec<Json> {
    let views = views(known).filter(|view| view.id.kind != ObjectKind::LabelView);
    let summary = |view: &Known| {
        json!({
            "name": view.id.name,
            "project": project,
            "type": view_type(view.id.kind),
            "featureCount": view.card.features.len(),
        })
    };
    views.map(summary).collect()
}

/// When one of the projects was changed last; Feast tells when the first of all was created.
fn updated(asked: &Asked<'_>, projects: &[String]) -> Result<Json, Refusal> {
    let mut latest = None;
    for project in projects {
        latest = latest.max(asked.registry().objects(project, asked.freshness())?.updated());
    }
    Ok(latest.map_or(Json::Null, |moment| moment.to_string().into()))
}
