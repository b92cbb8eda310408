//! Tags as written, and the names of those that keys of the format become.

use serde_json::Value;

use crate::{
    diagnostics::Diagnostics,
    model::{
        AGGREGATIONS_TAG, CHECKS_TAG, CONNECTION_PREFIX, DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG,
        FILE_FORMAT_TAG, PROTECT_TAG, RENAMED_FROM_TAG, SQL_TAG, TIMESTAMP_FORMAT_TAG, Tags,
    },
    yaml::{Content, Node, Read, Schemas},
};

/// Tag with which Feast marks on-demand views whose computation it measures.
pub(crate) const TRACK_METRICS_TAG: &str = "feast:track_metrics";

/// Tags that stand for keys of the format, each with what to write instead. Other tags under the
/// prefixes of Feast and feastr may be those of newer versions and are kept.
const RESERVED: [(&str, &str); 14] = [
    (PROTECT_TAG, "write `protect: true`"),
    (RENAMED_FROM_TAG, "write `renamed_from: OLD_NAME`"),
    (SQL_TAG, "write `sql:` in a batch or stream feature view"),
    (AGGREGATIONS_TAG, "write `aggregations:` in a batch feature view"),
    (CHECKS_TAG, "write `materialize: {checks: …}` in the view"),
    (FILE_FORMAT_TAG, "write `file_format:` in the file source"),
    (DELIMITER_TAG, "write `delimiter:` in the file source"),
    (TIMESTAMP_FORMAT_TAG, "write `timestamp_format:` in the file source"),
    (DELTA_VERSION_TAG, "write `delta_version:` in the file source"),
    (DELTA_TIMESTAMP_TAG, "write `delta_timestamp:` in the file source"),
    (TRACK_METRICS_TAG, "write `track_metrics: true` in the on demand feature view"),
    ("feast:struct_schema", "write the members in the column's `dtype`"),
    ("feast:nested_inner_type", "write the whole type in the column's `dtype`"),
    (CONNECTION_PREFIX, "write `connection_ref:` in the data source"),
];

/// Free labels that a person wrote.
#[derive(Debug, Clone, Default)]
pub(crate) struct WrittenTags(pub Tags);

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
