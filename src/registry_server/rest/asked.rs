//! A request that is answered, and what answers are made of.

use std::sync::Arc;

use bytes::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use super::{collection::Collection, query::Query, refusal::Refusal};
use crate::{
    app::{
        Caller,
        registered::{self, Freshness, ListRequest, SharedRegistry, StoredObject},
    },
    discovery::Known,
    feast::registry::to_json,
    model::{Author, HIDDEN_PROJECT_TAG, ObjectKind, Tags},
    problem::Problem,
    registry_server::{state::State, visits::Visit},
};

/// A request.
pub(super) struct Asked<'a> {
    /// What the server has.
    pub(super) state: &'a State,
    /// Who asks.
    pub(super) caller: &'a Caller,
    /// Who is noted where something is changed.
    pub(super) author: &'a Author,
    /// The id of the request, for the log.
    pub(super) id: &'a str,
    /// The path that it asks for, with braces around what it names.
    pub(super) template: &'static str,
    /// The objects that it is about.
    pub(super) collection: Option<&'static Collection>,
    /// What it says within its path, by names.
    pub(super) path: &'a [(String, String)],
    /// What it says behind its path.
    pub(super) query: &'a Query,
    /// Its body.
    pub(super) body: &'a Bytes,
}

impl Asked<'_> {
    /// The registry that is served.
    pub(super) fn registry(&self) -> &SharedRegistry {
        &self.state.registry
    }

    /// A part of the path.
    pub(super) fn part(&self, name: &str) -> &str {
        self.path.iter().find(|(part, _)| part == name).map_or("", |(_, value)| value)
    }

    /// The project that is named.
    pub(super) fn project(&self) -> &str {
        self.query.text("project")
    }

    /// How right the answer has to be.
    pub(super) fn freshness(&self) -> Freshness {
        self.query.freshness()
    }

    /// The body.
    ///
    /// # Errors
    /// When it is not what is wanted.
    pub(super) fn body<T: DeserializeOwned>(&self) -> Result<T, Refusal> {
        let mut deserializer = serde_json::Deserializer::from_slice(self.body);
        let wrong = |place: String, error: &serde_json::Error| {
            let place = if place == "." { String::new() } else { format!(" at `{place}`") };
            Refusal::Wrong(format!("the body is wrong{place}: {error}"))
        };
        let value = serde_path_to_error::deserialize(&mut deserializer)
            .map_err(|error| wrong(error.path().to_string(), error.inner()))?;
        deserializer.end().map_err(|error| wrong(".".to_owned(), &error))?;
        Ok(value)
    }

    /// The objects of some kinds in a project that who asks may know.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) fn objects(
        &self,
        project: &str,
        kinds: &[ObjectKind],
        tags: &Tags,
    ) -> Result<Vec<Arc<StoredObject>>, Problem> {
        registered::list(self.registry(), self.caller, ListRequest { kinds, project, tags }, self.freshness())
    }

    /// What all objects of a project say of themselves, as far as who asks may know them. Of what cannot be read nothing
    /// is known.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) fn known(&self, project: &str) -> Result<Vec<Known>, Problem> {
        let objects = self.objects(project, &ObjectKind::ALL, &Tags::new())?;
        Ok(objects.iter().filter_map(|object| object.known()).collect())
    }

    /// The projects that who asks may know, but for those that Feast hides.
    ///
    /// # Errors
    /// When the registry cannot be read.
    pub(super) fn projects(&self) -> Result<Vec<Arc<StoredObject>>, Problem> {
        let mut projects = registered::list_projects(self.registry(), self.caller, &Tags::new(), self.freshness())?;
        projects.retain(|project| project.tags.get(HIDDEN_PROJECT_TAG).is_none_or(|value| value != "true"));
        Ok(projects)
    }

    /// Remembers that who asks has seen what it asks for, called so in a project.
    pub(super) fn note_visit(&self, project: &str, name: &str) {
        let fill = |path: String, (part, value): &(String, String)| path.replace(&format!("{{{part}}}"), value);
        let visit = Visit {
            path: format!("/api/v1{}", self.path.iter().fold(self.template.to_owned(), fill)),
            moment: self.registry().store().now(),
            project: project.to_owned(),
            object: self.template.split('/').nth(1).unwrap_or_default().to_owned(),
            name: name.to_owned(),
        };
        self.state.visits.note(self.caller, visit);
    }
}

/// An object as the JSON of protobuf; a view with the word for its kind. Nothing is said of one that cannot be read.
pub(super) fn shown(object: &StoredObject) -> Json {
    let mut json = to_json(object.kind, &object.proto).unwrap_or_default();
    if let (Some(word), Json::Object(members)) = (view_type(object.kind), &mut json) {
        members.shift_insert(0, "type".to_owned(), word.into());
    }
    json
}

/// Feast's word for a kind of view.
pub(super) const fn view_type(kind: ObjectKind) -> Option<&'static str> {
    match kind {
        ObjectKind::FeatureView => Some("featureView"),
        ObjectKind::StreamFeatureView => Some("streamFeatureView"),
        ObjectKind::OnDemandFeatureView => Some("onDemandFeatureView"),
        ObjectKind::LabelView => Some("labelView"),
        _ => None,
    }
}

/// The same with the name of its project.
pub(super) fn of_project(mut json: Json, project: &str) -> Json {
    if let Json::Object(members) = &mut json {
        members.insert("project".to_owned(), project.into());
    }
    json
}
