use super::{
    names::{check_object_name, not_yet},
    raw::RawFileSource,
};
use crate::{
    diagnostics::{Diagnostics, Span, did_you_mean},
    model::{DataSource, FileFormat, FileSource, SourceKind},
    yaml::{Node, Read, Spanned},
};

/// A source with the places its parts were written at.
#[derive(Debug, Clone)]
pub struct LoweredSource {
    pub source: DataSource,
    /// Where the name was written, or the whole source when it has none.
    pub name: Spanned<String>,
    pub path: Span,
    pub timestamp_field: Option<Span>,
    pub created_timestamp_column: Option<Span>,
    pub field_mapping: Option<Span>,
}

/// Kinds of sources Feast has and this version does not.
const LATER_KINDS: [&str; 14] = [
    "push",
    "request",
    "kafka",
    "kinesis",
    "postgres",
    "spark",
    "custom",
    "bigquery",
    "redshift",
    "snowflake",
    "trino",
    "athena",
    "iceberg",
    "mssql",
];

/// The source a definition declares; nothing after an error that leaves no usable source.
pub fn lower_source(node: &Node, diagnostics: &mut Diagnostics) -> Option<LoweredSource> {
    check_kind(node, diagnostics)?;
    let raw = RawFileSource::read(node, diagnostics)?;
    // Feast names an anonymous file source by its path.
    let name = raw.name.unwrap_or_else(|| raw.path.clone());
    check_object_name(&name, "a data source", diagnostics);
    for (written, key) in
        [(&raw.protect, "protect"), (&raw.renamed_from, "renamed_from"), (&raw.connection_ref, "connection_ref")]
    {
        not_yet(written.as_ref(), key, diagnostics);
    }
    let format = raw.file_format.as_ref().and_then(|format| lower_format(format, diagnostics));
    if let (Some(event), Some(created)) = (&raw.timestamp_field, &raw.created_timestamp_column)
        && event.value == created.value
    {
        diagnostics.error(&created.span, "`created_timestamp_column` is the same column as `timestamp_field`");
    }
    let source = DataSource {
        name: name.value.clone(),
        kind: SourceKind::File(FileSource {
            path: raw.path.value,
            format,
            s3_endpoint_override: raw.s3_endpoint_override.unwrap_or_default(),
        }),
        timestamp_field: raw.timestamp_field.as_ref().map(|column| column.value.clone()).unwrap_or_default(),
        created_timestamp_column: raw
            .created_timestamp_column
            .as_ref()
            .map(|column| column.value.clone())
            .unwrap_or_default(),
        field_mapping: raw.field_mapping.as_ref().map(|mapping| mapping.value.clone()).unwrap_or_default(),
        date_partition_column: String::new(),
        description: raw.description.unwrap_or_default(),
        owner: raw.owner.unwrap_or_default(),
        tags: raw.tags.unwrap_or_default(),
    };
    Some(LoweredSource {
        source,
        name,
        path: raw.path.span,
        timestamp_field: raw.timestamp_field.map(|column| column.span),
        created_timestamp_column: raw.created_timestamp_column.map(|column| column.span),
        field_mapping: raw.field_mapping.map(|mapping| mapping.span),
    })
}

/// Looks at `type` before the other keys, because each kind has its own keys.
fn check_kind(node: &Node, diagnostics: &mut Diagnostics) -> Option<()> {
    let written = node.entries().and_then(|entries| entries.iter().find(|(key, _)| key.as_text() == Some("type")));
    let Some((_, value)) = written else {
        if node.entries().is_some() {
            diagnostics.error_with_help(&node.span, "`type` is missing", "write `type: file`".to_owned());
            return None;
        }
        // Not a mapping at all: the record says so.
        return Some(());
    };
    let kind = Spanned::<String>::read(value, diagnostics)?;
    match kind.value.as_str() {
        "file" => Some(()),
        later if LATER_KINDS.contains(&later) => {
            diagnostics.error(&kind.span, format!("data sources of type `{later}` are not supported yet"));
            None
        }
        other => {
            let help = did_you_mean(other, ["file"].into_iter().chain(LATER_KINDS));
            diagnostics.error_with_help(&kind.span, format!("there is no data source type `{other}`"), help);
            None
        }
    }
}

fn lower_format(format: &Spanned<String>, diagnostics: &mut Diagnostics) -> Option<FileFormat> {
    let found = FileFormat::ALL.into_iter().find(|candidate| candidate.as_str() == format.value);
    if found.is_none() {
        let help = did_you_mean(&format.value, FileFormat::ALL.map(FileFormat::as_str));
        diagnostics.error_with_help(&format.span, format!("there is no file format `{}`", format.value), help);
    }
    found
}
