//! Who computes and materializes, and what was materialized.

use serde_json::{Value as Json, json};

use super::{
    asked::{Asked, shown},
    refusal::Refusal,
};
use crate::{
    app::registered::{StoredObject, sort_value},
    model::{ObjectKind, Tags},
};

/// The engine of a project, and its views with what was materialized of them.
pub(super) fn engine(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let project = asked.project();
    let mut views = Vec::new();
    for (kind, word) in [(ObjectKind::FeatureView, "Batch"), (ObjectKind::StreamFeatureView, "Stream")] {
        views.extend(asked.objects(project, &[kind], &Tags::new())?.iter().map(|view| materialized(view, word)));
    }
    Ok(json!({"engine": of_project(project, views.len()), "featureViews": views}))
}

/// The engines of all projects.
pub(super) fn engines(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let mut engines = Vec::new();
    for project in asked.projects()? {
        let views = asked.objects(&project.name, &[ObjectKind::FeatureView], &Tags::new())?.len();
        engines.push(of_project(&project.name, views));
    }
    let paging = asked.query.paging_of_many();
    let page = paging.cut(engines, sort_value);
    let (number, limit) = paging.page.unwrap_or_default();
    Ok(json!({
        "engines": page.entries,
        "pagination": {"page": number, "limit": limit, "total": page.total},
    }))
}

/// The intervals of which values are stored, the latest first; each is a job that is done.
pub(super) fn jobs(asked: &Asked<'_>) -> Result<Json, Refusal> {
    const DONE: &str = "SUCCEEDED";
    let (view, status) = (asked.query.text("feature_view"), asked.query.text("status"));
    let mut jobs = Vec::new();
    let kinds = [ObjectKind::FeatureView, ObjectKind::StreamFeatureView];
    for object in asked.objects(asked.project(), &kinds, &Tags::new())? {
        if (!view.is_empty() && object.name != view) || !(status.is_empty() || status.eq_ignore_ascii_case(DONE)) {
            continue;
        }
        let json = shown(&object);
        for (number, interval) in json["meta"]["materializationIntervals"].as_array().into_iter().flatten().enumerate()
        {
            jobs.push(json!({
                "id": format!("{}-{number}", object.name),
                "featureView": object.name,
                "status": DONE,
                "startTime": interval["startTime"],
                "endTime": interval["endTime"],
            }));
        }
    }
    // Times that are written alike are sorted as texts.
    jobs.sort_by(|a, b| b["startTime"].as_str().cmp(&a["startTime"].as_str()));
    let paging = asked.query.paging_of_many();
    let page = paging.cut(jobs, sort_value);
    let (number, limit) = paging.page.unwrap_or_default();
    Ok(json!({"jobs": page.entries, "pagination": {"page": number, "limit": limit, "total": page.total}}))
}

/// What Feast calls the engine of somebody who computes in its own process, as feastr does.
fn of_project(project: &str, views: usize) -> Json {
    json!({
        "engineType": "local",
        "engineClass": "LocalComputeEngine",
        "config": {"type": "local"},
        "featureViewCount": views,
        "project": project,
    })
}

fn materialized(view: &StoredObject, word: &str) -> Json {
    let json = shown(view);
    let intervals = json["meta"]["materializationIntervals"].as_array().cloned().unwrap_or_default();
    json!({
        "name": view.name,
        "type": word,
        "online": json["spec"]["online"].as_bool().unwrap_or_default(),
        "lastMaterialized": intervals.last().map(|interval| &interval["endTime"]),
        "hasOverride": false,
        "overrides": null,
        "materializationIntervals": intervals,
    })
}
