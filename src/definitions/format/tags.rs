//! Tags as written, and the tags that keys of the format become.

use serde_json::Value;

use super::{RawConnectionRef, RawLabels};
use crate::{
    diagnostics::Diagnostics,
    model::{
        AGGREGATIONS_TAG, CHECKS_TAG, DELIMITER_TAG, FILE_FORMAT_TAG, PROTECT_TAG, RENAMED_FROM_TAG, SQL_TAG,
        TIMESTAMP_FORMAT_TAG, Tags,
    },
    yaml::{Content, Node, Read, Schemas},
};

/// Tag with which Feast marks on-demand views whose computation it measures.
const TRACK_METRICS_TAG: &str = "feast:track_metrics";

/// What the tags of Feast's connection references begin with.
const CONNECTION_PREFIX: &str = "feast.connection-ref.";

/// Tags that stand for keys of the format, each with what to write instead. Other tags under the
/// prefixes of Feast and feastr may be those of newer versions and are kept.
const RESERVED: [(&str, &str); 12] = [
    (PROTECT_TAG, "write `protect: true`"),
    (RENAMED_FROM_TAG, "write `renamed_from: OLD_NAME`"),
    (SQL_TAG, "write `sql:` in a batch or stream feature view"),
    (AGGREGATIONS_TAG, "write `aggregations:` in a batch feature view"),
    (CHECKS_TAG, "write `materialize: {checks: …}` in the view"),
    (FILE_FORMAT_TAG, "write `file_format:` in the file source"),
    (DELIMITER_TAG, "write `delimiter:` in the file source"),
    (TIMESTAMP_FORMAT_TAG, "write `timestamp_format:` in the file source"),
    (TRACK_METRICS_TAG, "write `track_metrics: true` in the on demand feature view"),
    ("feast:struct_schema", "write the members in the column's `dtype`"),
    ("feast:nested_inner_type", "write the whole type in the column's `dtype`"),
    (CONNECTION_PREFIX, "write `connection_ref:` in the data source"),
];

/// Free labels that a person wrote.
#[derive(Debug, Clone, Default)]
pub struct WrittenTags(pub Tags);

impl Read for WrittenTags {
    const EXPECTED: &'static str = Tags::EXPECTED;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        let mut tags = Tags::read(node, diagnostics)?;
        let Content::Mapping(entries) = &node.content else { return Some(Self(tags)) };
        for (key, _) in entries {
            let Some(name) = key.as_text() else { continue };
            let reserved = |(tag, _): &&(&str, &str)| name == *tag || (tag.ends_with('.') && name.starts_with(tag));
            if let Some((_, instead)) = RESERVED.iter().find(reserved) {
                let message = format!("the tag `{name}` belongs to a key of its own");
                diagnostics.error_with_help(&key.span, message, (*instead).to_owned());
                tags.remove(name);
            }
        }
        Some(Self(tags))
    }

    fn schema(schemas: &mut Schemas) -> Value {
        Tags::schema(schemas)
    }
}

impl RawLabels {
    /// The tags of the object, those of its keys among them.
    pub fn into_tags(self) -> Tags {
        let Self { tags: WrittenTags(mut tags), protect, renamed_from, .. } = self;
        if protect {
            tags.insert(PROTECT_TAG.to_owned(), "true".to_owned());
        }
        if let Some(old) = renamed_from {
            tags.insert(RENAMED_FROM_TAG.to_owned(), old.value);
        }
        tags
    }
}

impl RawConnectionRef {
    /// Adds the tags in which Feast keeps the reference.
    pub fn add_to(self, tags: &mut Tags) {
        let mut add = |key: &str, value: String| tags.insert(format!("{CONNECTION_PREFIX}{key}"), value);
        add("provider", self.provider.value);
        add("name", self.name.value);
        for (key, value) in [("namespace", self.namespace), ("connection-type", self.connection_type)] {
            if !value.is_empty() {
                add(key, value);
            }
        }
        // Feast leaves its default out.
        if !self.auth_type.is_empty() && self.auth_type != "secret" {
            add("auth-type", self.auth_type);
        }
        for (key, value) in self.params {
            add(&format!("param.{key}"), value);
        }
    }
}

/// Adds the tag with which Feast marks on-demand views whose computation it measures.
pub fn track_metrics(tags: &mut Tags) {
    tags.insert(TRACK_METRICS_TAG.to_owned(), "true".to_owned());
}
