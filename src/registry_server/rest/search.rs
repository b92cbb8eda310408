//! Where a text is found.

use serde_json::{Map, Value as Json, json};

use super::{answer::pagination_of_many, asked::Asked, refusal::Refusal};
use crate::{
    app::registered::{SortValue, Sorting},
    discovery::{self, Found, Sought},
    model::{ObjectKind, printable},
};

/// The objects and features in which a text is.
pub(super) fn search(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let text = asked.query.text("query");
    let all: Vec<String> = asked.projects()?.iter().map(|project| project.name.clone()).collect();
    let mut projects: Vec<String> = asked.query.texts("projects").map(str::to_owned).collect();
    let missing: Vec<String> =
        projects.iter().filter(|name| !all.contains(name)).map(|name| printable(name).into_owned()).collect();
    projects.retain(|name| all.contains(name));
    let mut errors = Vec::new();
    if !missing.is_empty() {
        errors.push(format!("there are no such projects: {}", missing.join(", ")));
    } else if projects.is_empty() {
        projects = all;
    }
    projects.sort();
    projects.dedup();
    let tags = asked.query.tags();
    let mut hits = Vec::new();
    for project in &projects {
        let known = asked.known(project)?;
        let has_tags = |found: &Found<'_>| tags.iter().all(|(key, value)| found.all_tags.get(key) == Some(value));
        hits.extend(
            discovery::search(&known, text)
                .iter()
                .filter(|found| has_tags(found))
                .filter_map(|found| hit(project, found)),
        );
    }
    let mut paging = asked.query.paging_of_many();
    let best = || Sorting { by: "match_score".to_owned(), is_descending: true };
    let is_descending = asked.query.text("sort_order") != "asc";
    paging.sorting = Some(paging.sorting.map_or_else(best, |sorting| Sorting { is_descending, ..sorting }));
    // The words are those of an answer, and not of a message.
    let page = paging.cut(hits, |hit: &Json, word| hit.get(word).map_or_else(SortValue::none, SortValue::from));
    let pagination = pagination_of_many(&page, paging.page.unwrap_or_default());
    Ok(json!({
        "query": text,
        "projects_searched": projects,
        "results": page.entries,
        "pagination": pagination,
        "errors": errors,
    }))
}

/// A hit; what Feast does not look for is left out.
fn hit(project: &str, found: &Found<'_>) -> Option<Json> {
    let (word, view) = match found.sought() {
        Sought::Object(ObjectKind::Entity) => ("entity", None),
        Sought::Object(ObjectKind::DataSource) => ("dataSource", None),
        Sought::Object(ObjectKind::FeatureView | ObjectKind::StreamFeatureView | ObjectKind::OnDemandFeatureView) => {
            ("featureView", None)
        }
        Sought::Object(ObjectKind::LabelView) => ("labelView", None),
        Sought::Object(ObjectKind::FeatureService) => ("featureService", None),
        Sought::Object(ObjectKind::SavedDataset) => ("savedDataset", None),
        Sought::Object(ObjectKind::Project | ObjectKind::Permission | ObjectKind::ValidationReference) => return None,
        Sought::Feature => ("feature", Some("featureView")),
        Sought::Label => ("label", Some("labelView")),
    };
    let mut hit = Map::new();
    let mut say = |name: &str, value: Json| hit.insert(name.to_owned(), value);
    say("type", word.into());
    say("name", found.name().into());
    say("description", found.description.into());
    say("project", project.into());
    if let Some(view) = view {
        say(view, found.object.id.name.as_str().into());
    }
    let tags: Map<String, Json> = found.tags.iter().map(|&(key, value)| (key.to_owned(), value.into())).collect();
    say("matched_tags", Json::Object(tags));
    if let Some(score) = found.score {
        // Whole numbers are written as such, as in Feast.
        let number = if score.fract() == 0.0 { (score as u64).into() } else { score.into() };
        say("match_score", number);
    }
    Some(Json::Object(hit))
}
