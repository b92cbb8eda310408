//! Data sources: lowered, named, resolved among each other and compared with their files.

mod batch;
mod check;
mod declared;
mod stream;

pub use check::{InspectSource, SourceChecks};
pub use declared::{Found, Reference, Sources};

use super::raw::{RawAbout, RawTimeKeys};
use crate::{
    diagnostics::{Diagnostics, Span},
    model::{DataSource, SourceKind},
    yaml::Spanned,
};

/// A source with the places its parts were written at.
#[derive(Debug, Clone)]
pub struct LoweredSource {
    pub source: DataSource,
    /// Where the name was written, or what stands for it.
    pub name: Spanned<String>,
    /// What says where the rows are, such as the path; the name of sources that have no such place.
    pub place: Span,
    pub timestamp_field: Option<Span>,
    pub created_timestamp_column: Option<Span>,
    pub field_mapping: Option<Span>,
    /// The name it had before.
    pub renamed_from: Option<Spanned<String>>,
}

impl LoweredSource {
    /// Whether the source holds history, as files and tables do.
    pub fn is_batch(&self) -> bool {
        !self.source.kind.is_stream() && !matches!(self.source.kind, SourceKind::Request(_))
    }

    /// Whether rows have an event time in a column of the source's own.
    pub fn is_timed(&self) -> bool {
        !matches!(self.source.kind, SourceKind::Request(_) | SourceKind::Push(_))
    }

    /// A source without times of its own.
    fn timeless(name: Spanned<String>, kind: SourceKind, about: RawAbout) -> Self {
        Self {
            renamed_from: about.labels.renamed_from.clone(),
            source: DataSource {
                name: name.value.clone(),
                kind,
                timestamp_field: String::new(),
                created_timestamp_column: String::new(),
                field_mapping: crate::model::Tags::new(),
                date_partition_column: String::new(),
                description: about.description,
                owner: about.owner,
                tags: about.labels.into_tags(),
            },
            place: name.span.clone(),
            name,
            timestamp_field: None,
            created_timestamp_column: None,
            field_mapping: None,
        }
    }

    /// A source whose rows have times.
    fn timed(name: Spanned<String>, kind: SourceKind, times: RawTimeKeys, diagnostics: &mut Diagnostics) -> Self {
        let mut lowered = Self::timeless(name, kind, times.about);
        if let (Some(event), Some(created)) = (&times.timestamp_field, &times.created_timestamp_column)
            && event.value == created.value
        {
            diagnostics.error(&created.span, "`created_timestamp_column` is the same column as `timestamp_field`");
        }
        if let Some(mapping) = &times.field_mapping {
            check_mapping(mapping, diagnostics);
        }
        let split = |column: Option<Spanned<String>>| match column {
            Some(column) => (column.value, Some(column.span)),
            None => (String::new(), None),
        };
        (lowered.source.timestamp_field, lowered.timestamp_field) = split(times.timestamp_field);
        (lowered.source.created_timestamp_column, lowered.created_timestamp_column) =
            split(times.created_timestamp_column);
        if let Some(mapping) = times.field_mapping {
            (lowered.source.field_mapping, lowered.field_mapping) = (mapping.value, Some(mapping.span));
        }
        lowered
    }
}

/// Two columns cannot get the same name.
fn check_mapping(mapping: &Spanned<crate::model::Tags>, diagnostics: &mut Diagnostics) {
    let mut names: Vec<(&String, &String)> = Vec::with_capacity(mapping.value.len());
    for (column, name) in &mapping.value {
        if let Some((other, _)) = names.iter().find(|(_, taken)| *taken == name) {
            let message = format!("`field_mapping` calls both `{other}` and `{column}` `{name}`");
            diagnostics.error(&mapping.span, message);
        }
        names.push((column, name));
    }
}
