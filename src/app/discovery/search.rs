use serde::Serialize;

use super::known;
use crate::{
    app::{Caller, Failure, FeatureStore},
    diagnostics::{closest, did_you_mean},
    discovery::{self, Found, Sought},
    model::{DUMMY_ENTITY, ObjectKind, Tags, printable},
    problem::{Kind, Problem},
};

/// What is looked for.
#[derive(Debug, Clone, Copy)]
pub struct SearchRequest<'a> {
    /// One or several words.
    pub text: &'a str,
    /// Only in these projects; in all of the registry if none is named.
    pub projects: &'a [String],
    /// Only things of these kinds; of all if none is named.
    pub kinds: &'a [Sought],
}

/// What was found.
#[derive(Debug)]
pub struct Searched {
    /// Where the registry is, for messages.
    pub registry: String,
    /// The projects that were looked through, sorted.
    pub projects: Vec<String>,
    /// The best first.
    pub hits: Vec<Hit>,
    /// A name that may have been meant, where nothing was found.
    pub meant: Option<String>,
}

/// An object or a feature.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Hit {
    /// The project.
    pub project: String,
    /// The kind of the object, or of the view that has the feature.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// The view that has the feature, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// What it is.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Who is responsible for the object, or for the view.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub owner: String,
    /// The labels in which the text is.
    #[serde(skip_serializing_if = "Tags::is_empty")]
    pub tags: Tags,
    /// How good it is, up to 100.
    pub score: f64,
}

/// Looks for a text in names, descriptions, labels and owners.
///
/// # Errors
/// [`Kind::NotFound`] for a project that does not exist; when the registry cannot be read, or a row is damaged.
pub fn search(store: &FeatureStore, _: &Caller, request: SearchRequest<'_>) -> Result<Searched, Failure> {
    let registry = store.registry_to_read();
    let all = registry.projects()?;
    let mut projects: Vec<String> = request.projects.to_vec();
    for project in &projects {
        if !all.contains(project) {
            let help = did_you_mean(project, all.iter().map(String::as_str));
            let message = format!("there is no project `{}` in the registry", printable(project));
            return Err(Problem::new(Kind::NotFound, message, help).into());
        }
    }
    if projects.is_empty() {
        projects = all;
    }
    projects.sort();
    projects.dedup();
    let (mut hits, mut meant) = (Vec::new(), None);
    for project in &projects {
        let known = known(&registry.snapshot(project)?.rows)?;
        let found = discovery::search(&known, request.text);
        let wanted = found.iter().filter(|found| request.kinds.is_empty() || request.kinds.contains(&found.sought()));
        hits.extend(wanted.map(|found| hit(project, found)));
        let names = known.iter().map(|known| known.id.name.as_str()).filter(|name| *name != DUMMY_ENTITY);
        meant = meant.or_else(|| closest(request.text, names).map(str::to_owned));
    }
    hits.sort_by(|a, b| b.score.total_cmp(&a.score));
    let meant = meant.filter(|_| hits.is_empty());
    Ok(Searched { registry: registry.location(), projects, hits, meant })
}

fn hit(project: &str, found: &Found<'_>) -> Hit {
    Hit {
        project: project.to_owned(),
        kind: found.object.id.kind,
        name: found.name().to_owned(),
        view: found.feature.map(|_| found.object.id.name.clone()),
        description: found.description.to_owned(),
        owner: found.object.card.owner.clone(),
        tags: found.tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect(),
        score: found.score.unwrap_or_default(),
    }
}
