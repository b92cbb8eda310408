//! What can be said behind the path of a request.

/// A parameter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parameter {
    /// Its name.
    pub(super) name: &'static str,
    /// What it is for.
    pub(super) about: &'static str,
    /// What it can be.
    pub(super) values: Values,
    /// Whether requests have to have it.
    pub(super) is_required: bool,
}

/// What a parameter can be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Values {
    /// A text.
    Text,
    /// Any number of texts, each given by itself.
    Texts,
    /// Labels as `key:value`, each given by itself.
    Tags,
    /// Yes or no; this if it is not said.
    Flag(bool),
    /// A number from 1 on, up to this.
    Number(u32),
    /// One of these words.
    Words(&'static [&'static str]),
}

impl Parameter {
    const fn new(name: &'static str, values: Values, about: &'static str) -> Self {
        Self { name, about, values, is_required: false }
    }

    const fn required(self) -> Self {
        Self { is_required: true, ..self }
    }
}

pub(super) const PROJECT: Parameter = ANY_PROJECT.required();
pub(super) const ANY_PROJECT: Parameter = Parameter::new("project", Values::Text, "The name of the project");
pub(super) const ALLOW_CACHE: Parameter =
    Parameter::new("allow_cache", Values::Flag(true), "Whether what the server has in memory is right enough");
pub(super) const RELATIONSHIPS: Parameter =
    Parameter::new("include_relationships", Values::Flag(false), "Whether to tell what is made of what");
pub(super) const INDIRECT: Parameter =
    Parameter::new("include_indirect", Values::Flag(false), "Whether to tell relationships through views, too");
pub(super) const TAGS: Parameter = Parameter::new("tags", Values::Tags, "Only what has these labels");
pub(super) const PAGE: Parameter = Parameter::new("page", Values::Number(u32::MAX), "Which page");
pub(super) const LIMIT: Parameter = Parameter::new("limit", Values::Number(100), "How many entries a page has");
pub(super) const SORT_BY: Parameter =
    Parameter::new("sort_by", Values::Text, "By what to sort, such as `name` or `meta.created_timestamp`");
pub(super) const SORT_ORDER: Parameter =
    Parameter::new("sort_order", Values::Words(&["asc", "desc"]), "Which way to sort");
pub(super) const ENTITY: Parameter = Parameter::new("entity", Values::Text, "Only views over this entity");
pub(super) const FEATURE: Parameter = Parameter::new("feature", Values::Text, "Only views that have this feature");
pub(super) const SERVICE: Parameter =
    Parameter::new("feature_service", Values::Text, "Only views from which this service selects");
pub(super) const SOURCE: Parameter = Parameter::new("data_source", Values::Text, "Only views of this source's rows");
pub(super) const UPDATED_SINCE: Parameter =
    Parameter::new("updated_since", Values::Text, "Only views that have changed since this moment, as in ISO 8601");
pub(super) const VIEW: Parameter = Parameter::new("feature_view", Values::Text, "Only what belongs to this view");
pub(super) const NAME: Parameter = Parameter::new("name", Values::Text, "Only those with this name");
pub(super) const NAMESPACE: Parameter = Parameter::new("namespace", Values::Text, "Only those of this namespace");
pub(super) const COLLECTION: Parameter = Parameter::new("collection", Values::Text, "Only those of this collection");
pub(super) const OBJECT_TYPE: Parameter =
    Parameter::new("filter_object_type", Values::Text, "With `filter_object_name`: only relationships of this object");
pub(super) const OBJECT_NAME: Parameter =
    Parameter::new("filter_object_name", Values::Text, "With `filter_object_type`: only relationships of this object");
pub(super) const QUERY: Parameter = Parameter::new("query", Values::Text, "What to look for").required();
pub(super) const PROJECTS: Parameter =
    Parameter::new("projects", Values::Texts, "Only in these projects; in all if none is named");
pub(super) const HIT_ORDER: Parameter =
    Parameter::new("sort_by", Values::Words(&["match_score", "name", "type"]), "By what to sort");
pub(super) const OBJECT: Parameter =
    Parameter::new("object", Values::Text, "Only visits of such objects, for example `entities`");
pub(super) const STATUS: Parameter = Parameter::new("status", Values::Text, "Only jobs with this status");
