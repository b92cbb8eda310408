//! Data sources between message and model, and the copies of them that Feast keeps in other messages.

use std::collections::HashMap;

use super::{
    created,
    source_kind::{class, kind_from_message, own_class, tags_of_kind, write_kind},
};
use crate::{
    feast::registry::messages as wire,
    model::{DataSource, SourceKind, Timestamp},
};

/// A stored source; what definitions cannot express becomes [`SourceKind::Foreign`].
pub(crate) fn data_source_from_message(message: &wire::DataSource) -> DataSource {
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

/// The name of a source. One that an old Feast stored without a name is called by its path or table, as later versions
/// do; empty when it has none of them.
pub(crate) fn name_of_source(message: &wire::DataSource) -> String {
    if message.name.is_empty() {
        data_source_from_message(message).kind.place().unwrap_or_default().to_owned()
    } else {
        message.name.clone()
    }
}

/// The row of a source that is new or changed at `now`; `rows` has the row of its batch source.
pub(crate) fn data_source_to_message(
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
    tags.extend(tags_of_kind(&source.kind));
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
    /// Adds the row of a source, or replaces it.
    ///
    /// # Errors
    /// When the bytes are not the message of a source.
    pub fn insert(&mut self, proto: &[u8]) -> Result<(), wire::DecodeError> {
        let row: wire::DataSource = wire::decode(proto)?;
        self.0.insert(row.name.clone(), row);
        Ok(())
    }

    /// Whether there is a row of a source called so.
    pub fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    /// The copy inside another source, a projection or an on-demand view. It has the times of the
    /// row; a source without a row that says the same is written anew.
    pub(super) fn copy(&self, source: &DataSource, now: Timestamp) -> wire::DataSource {
        let row = self.0.get(&source.name).filter(|row| data_source_from_message(row) == *source);
        let row = row.cloned().unwrap_or_else(|| data_source_to_message(source, None, self, now));
        wire::DataSource { data_source_class_type: own_class(&source.kind).to_owned(), project: String::new(), ..row }
    }

    /// The copy inside a view, which names the Python class. One that is stored alike stays.
    pub(super) fn copy_in_view(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{
        DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG, FILE_FORMAT_TAG, FileFormat, FileSource,
        TIMESTAMP_FORMAT_TAG, TableVersion, Tags,
    };

    fn source(file: FileSource) -> DataSource {
        let message = wire::DataSource { name: "s".to_owned(), ..wire::DataSource::default() };
        DataSource { kind: SourceKind::File(file), ..data_source_from_message(&message) }
    }

    fn tags(message: &wire::DataSource) -> Tags {
        wire::to_map(&message.tags)
    }

    #[test]
    fn what_feast_has_no_fields_for_is_kept_in_tags() {
        let now = Timestamp::from_micros(0);
        let file = FileSource {
            path: "x".to_owned(),
            format: Some(FileFormat::Csv),
            delimiter: Some('\t'),
            timestamp_format: "%d.%m.%Y".to_owned(),
            ..FileSource::default()
        };
        let csv = source(file.clone());
        let message = data_source_to_message(&csv, None, &SourceRows::default(), now);
        let expected = [(DELIMITER_TAG, "tab"), (FILE_FORMAT_TAG, "csv"), (TIMESTAMP_FORMAT_TAG, "%d.%m.%Y")];
        assert_eq!(tags(&message), expected.map(|(tag, value)| (tag.to_owned(), value.to_owned())).into());
        assert_eq!(data_source_from_message(&message), csv);
        // They go when the definition no longer has them.
        let plain = source(FileSource { delimiter: None, timestamp_format: String::new(), ..file.clone() });
        let message = data_source_to_message(&plain, Some(message), &SourceRows::default(), now);
        assert_eq!(tags(&message).len(), 1);
        assert_eq!(data_source_from_message(&message), plain);
        let counted =
            source(FileSource { format: None, delimiter: None, timestamp_format: "epoch_millis".to_owned(), ..file });
        let message = data_source_to_message(&counted, None, &SourceRows::default(), now);
        assert_eq!(data_source_from_message(&message), counted);
    }

    #[test]
    fn versions_of_tables_are_kept_in_tags() {
        let now = Timestamp::from_micros(1_500);
        let delta = FileSource { path: "x".to_owned(), format: Some(FileFormat::Delta), ..FileSource::default() };
        for (version, tag, text) in [
            (TableVersion::Number(7), DELTA_VERSION_TAG, "7"),
            (TableVersion::AsOf(now), DELTA_TIMESTAMP_TAG, "1970-01-01T00:00:00.001500Z"),
        ] {
            let fixed = source(FileSource { table_version: Some(version), ..delta.clone() });
            let message = data_source_to_message(&fixed, None, &SourceRows::default(), now);
            assert_eq!(tags(&message), Tags::from([(tag.to_owned(), text.to_owned())]));
            assert_eq!(data_source_from_message(&message), fixed);
            // They go when the definition no longer has them.
            let latest = source(delta.clone());
            let message = data_source_to_message(&latest, Some(message), &SourceRows::default(), now);
            assert_eq!(tags(&message), Tags::new());
            assert_eq!(data_source_from_message(&message), latest);
        }
    }

    #[test]
    fn tags_that_mean_nothing_to_the_format_stay_tags() {
        let file = FileSource { path: "x".to_owned(), ..FileSource::default() };
        let odd = DataSource {
            tags: Tags::from([(DELIMITER_TAG.to_owned(), ";".to_owned())]),
            ..source(FileSource { format: Some(FileFormat::Json), ..file.clone() })
        };
        let now = Timestamp::from_micros(0);
        let read = data_source_from_message(&data_source_to_message(&odd, None, &SourceRows::default(), now));
        assert_eq!(read, odd);
        let wrong = DataSource {
            tags: Tags::from([(DELIMITER_TAG.to_owned(), ";;".to_owned())]),
            ..source(FileSource { format: Some(FileFormat::Csv), ..file })
        };
        let read = data_source_from_message(&data_source_to_message(&wrong, None, &SourceRows::default(), now));
        assert_eq!(read, wrong);
    }
}
