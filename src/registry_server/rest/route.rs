//! A path that can be asked, and what is answered.

use serde_json::Value as Json;

use super::{asked::Asked, collection::Collection, parameters::Parameter, refusal::Refusal};

/// What can be asked at a path.
pub(super) struct Route {
    /// How.
    pub(super) verb: Verb,
    /// Where, without a prefix; parts in braces are names.
    pub(super) path: &'static str,
    /// What is answered, in a sentence.
    pub(super) about: &'static str,
    /// What can be said behind the path.
    pub(super) parameters: &'static [&'static [Parameter]],
    /// The objects that it is about, if it is about those of some kinds.
    pub(super) collection: Option<&'static Collection>,
    /// The JSON Schema of the body, if it wants one.
    pub(super) body: Option<fn() -> Json>,
    /// Answers it; may wait for the registry.
    pub(super) answer: fn(&Asked<'_>) -> Result<Json, Refusal>,
}

/// What is done with what is at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    /// It is told.
    Get,
    /// It is changed, or something comes to it.
    Post,
    /// The same, and it is told that it came to be.
    Create,
    /// It goes away.
    Delete,
}

impl Route {
    /// Something that is told.
    pub(super) const fn get(
        path: &'static str,
        about: &'static str,
        answer: fn(&Asked<'_>) -> Result<Json, Refusal>,
    ) -> Self {
        Self { verb: Verb::Get, path, about, parameters: &[], collection: None, body: None, answer }
    }

    /// The same with something else done.
    pub(super) const fn by(self, verb: Verb) -> Self {
        Self { verb, ..self }
    }

    /// The same with these parameters.
    pub(super) const fn with(self, parameters: &'static [&'static [Parameter]]) -> Self {
        Self { parameters, ..self }
    }

    /// The same about these objects.
    pub(super) const fn of(self, collection: &'static Collection) -> Self {
        Self { collection: Some(collection), ..self }
    }

    /// The same with a body.
    pub(super) const fn taking(self, body: fn() -> Json) -> Self {
        Self { body: Some(body), ..self }
    }

    /// All parameters.
    pub(super) fn parameters(&self) -> impl Iterator<Item = &'static Parameter> + Clone {
        self.parameters.iter().flat_map(|group| group.iter())
    }

    /// The names within the path.
    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
