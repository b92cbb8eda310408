use std::collections::HashMap;

use super::{
    created,
    source_kind::{class, kind_from_message, own_class, write_kind},
};
use crate::{
    feast::messages as wire,
    model::{DataSource, FILE_FORMAT_TAG, FileFormat, SourceKind, Timestamp},
};

pub fn data_source_from_message(message: &wire::DataSource) -> DataSource {
    let mut tags = wire::to_map(&message.tags);
    let kind = kind_from_message(message, &mut tags);
    let mut source = DataSource {
        name: message.name.clone(),
        kind,
        timestamp_field: message.timestamp_field.clone(),
        created_timestamp_column: message.created_timestamp_column.clone(),
        field_mapping: wire::to_map(&message.field_mapping),
        date_partition_column: message.date_partition_column.clone(),
        description: message.description.clone(),
        owner: message.owner.clone(),
        tags,
    };
    if let SourceKind::Push(_) = source.kind {
        // Those of the batch source, which Feast writes here, too.
        source.timestamp_field.clear();
        source.created_timestamp_column.clear();
        source.field_mapping.clear();
        source.date_partition_column.clear();
    }
    source
}

/// The row of a source that is new or changed at `now`; `rows` has the row of its batch source.
pub fn data_source_to_message(
    source: &DataSource,
    stored: Option<wire::DataSource>,
    rows: &SourceRows,
    now: Timestamp,
) -> wire::DataSource {
    let message = stored.unwrap_or_default();
    let mut message = if data_source_from_message(&message).kind == source.kind {
        message
    } else {
        with_kind(source, message, rows, now)
    };
    let mut tags = source.tags.clone();
    if let SourceKind::File(file) = &source.kind
        && let Some(format @ (FileFormat::Csv | FileFormat::Json)) = file.format
    {
        tags.insert(FILE_FORMAT_TAG.to_owned(), format.as_str().to_owned());
    }
    // A push source has the columns of its batch source.
    let columns = match &source.kind {
        SourceKind::Push(push) => push.batch_source.as_deref().unwrap_or(source),
        _ => source,
    };
    let meta = message.meta.take().unwrap_or_default();
    wire::DataSource {
        name: source.name.clone(),
        timestamp_field: columns.timestamp_field.clone(),
        created_timestamp_column: columns.created_timestamp_column.clone(),
        field_mapping: wire::from_map(&columns.field_mapping),
        date_partition_column: columns.date_partition_column.clone(),
        description: source.description.clone(),
        owner: source.owner.clone(),
        tags: wire::from_map(&tags),
        meta: Some(wire::SourceMeta {
            created_timestamp: created(meta.created_timestamp, now),
            last_updated_timestamp: Some(now.into()),
            ..meta
        }),
        ..message
    }
}

/// The message with another kind; what goes with every kind stays.
fn with_kind(source: &DataSource, stored: wire::DataSource, rows: &SourceRows, now: Timestamp) -> wire::DataSource {
    let mut message = wire::DataSource {
        project: stored.project,
        batch_source: source.kind.batch_source().map(|batch| Box::new(rows.copy(batch, now))),
        meta: stored.meta,
        ..wire::DataSource::default()
    };
    write_kind(source, &mut message, stored.file_options.and_then(|options| options.file_format));
    if message.r#type == stored.r#type && message.data_source_class_type.is_empty() {
        message.data_source_class_type = stored.data_source_class_type;
    }
    message
}

/// The rows of data sources as a change leaves them: what copies inside other messages are made of.
#[derive(Debug, Default)]
pub struct SourceRows(HashMap<String, wire::DataSource>);

impl SourceRows {
    pub fn insert(&mut self, row: wire::DataSource) {
        self.0.insert(row.name.clone(), row);
    }

    /// The copy inside another source, a projection or an on-demand view. It has the times of the
    /// row; a source without a row that says the same is written anew.
    pub fn copy(&self, source: &DataSource, now: Timestamp) -> wire::DataSource {
        let row = self.0.get(&source.name).filter(|row| data_source_from_message(row) == *source);
        let row = row.cloned().unwrap_or_else(|| data_source_to_message(source, None, self, now));
        wire::DataSource { data_source_class_type: own_class(&source.kind).to_owned(), project: String::new(), ..row }
    }

    /// The copy inside a view, which names the Python class. One that is stored alike stays.
    pub fn copy_in_view(
        &self,
        source: Option<&DataSource>,
        stored: Option<wire::DataSource>,
        now: Timestamp,
    ) -> Option<wire::DataSource> {
        let source = source?;
        let same = stored.filter(|stored| data_source_from_message(stored) == *source);
        Some(same.unwrap_or_else(|| {
            let class = class(&source.kind).to_owned();
            wire::DataSource { data_source_class_type: class, ..self.copy(source, now) }
        }))
    }
}
