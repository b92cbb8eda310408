use super::created;
use crate::{
    feast::messages as wire,
    model::{DataSource, FILE_FORMAT_TAG, FileFormat, FileSource, SourceKind, Tags, Timestamp},
};

/// What Feast writes into the copies of file sources in feature views.
const FILE_SOURCE_CLASS: &str = "feast.infra.offline_stores.file_source.FileSource";

pub fn data_source_from_message(message: &wire::DataSource) -> DataSource {
    let mut tags = wire::to_map(&message.tags);
    let kind = match &message.file_options {
        Some(options) => SourceKind::File(FileSource {
            path: options.uri.clone(),
            format: file_format(options, &mut tags),
            s3_endpoint_override: options.s3_endpoint_override.clone(),
        }),
        None => SourceKind::Foreign(foreign_kind(message)),
    };
    DataSource {
        name: message.name.clone(),
        kind,
        timestamp_field: message.timestamp_field.clone(),
        created_timestamp_column: message.created_timestamp_column.clone(),
        field_mapping: wire::to_map(&message.field_mapping),
        date_partition_column: message.date_partition_column.clone(),
        description: message.description.clone(),
        owner: message.owner.clone(),
        tags,
    }
}

fn file_format(options: &wire::FileOptions, tags: &mut Tags) -> Option<FileFormat> {
    let tagged = tags.get(FILE_FORMAT_TAG).and_then(|text| match text.as_str() {
        "csv" => Some(FileFormat::Csv),
        "json" => Some(FileFormat::Json),
        _ => None,
    });
    if tagged.is_some() {
        tags.remove(FILE_FORMAT_TAG);
        return tagged;
    }
    let format = options.file_format.as_ref()?;
    if format.delta_format.is_some() {
        Some(FileFormat::Delta)
    } else {
        format.parquet_format.as_ref().map(|_| FileFormat::Parquet)
    }
}

/// The type in words, such as `push source`.
fn foreign_kind(message: &wire::DataSource) -> String {
    use wire::SourceType::{
        BatchAthena, BatchBigQuery, BatchIceberg, BatchRedshift, BatchSnowflake, BatchSpark, BatchTrino, CustomSource,
        PushSource, RequestSource, StreamKafka, StreamKinesis,
    };
    let kind = match wire::SourceType::try_from(message.r#type) {
        Ok(PushSource) => "push",
        Ok(RequestSource) => "request",
        Ok(StreamKafka) => "kafka",
        Ok(StreamKinesis) => "kinesis",
        Ok(BatchSpark) => "spark",
        Ok(BatchBigQuery) => "bigquery",
        Ok(BatchRedshift) => "redshift",
        Ok(BatchSnowflake) => "snowflake",
        Ok(BatchTrino) => "trino",
        Ok(BatchAthena) => "athena",
        Ok(BatchIceberg) => "iceberg",
        Ok(CustomSource) => {
            let class = message.data_source_class_type.rsplit('.').next().unwrap_or_default();
            return if class == "PostgreSQLSource" { "postgres".to_owned() } else { format!("custom ({class})") };
        }
        Ok(wire::SourceType::Invalid | wire::SourceType::BatchFile) | Err(_) => "unknown",
    };
    kind.to_owned()
}

/// The row of a source that is new or changed at `now`.
pub fn data_source_to_message(
    source: &DataSource,
    stored: Option<wire::DataSource>,
    now: Timestamp,
) -> wire::DataSource {
    let mut message = stored.unwrap_or_default();
    let mut tags = source.tags.clone();
    if let SourceKind::File(file) = &source.kind {
        if let Some(format @ (FileFormat::Csv | FileFormat::Json)) = file.format {
            tags.insert(FILE_FORMAT_TAG.to_owned(), format.as_str().to_owned());
        }
        let stored_options = message.file_options.take();
        message.r#type = wire::SourceType::BatchFile as i32;
        message.file_options = Some(wire::FileOptions {
            file_format: file_format_message(file.format, stored_options.and_then(|options| options.file_format)),
            uri: file.path.clone(),
            s3_endpoint_override: file.s3_endpoint_override.clone(),
        });
    }
    let meta = message.meta.take().unwrap_or_default();
    wire::DataSource {
        name: source.name.clone(),
        timestamp_field: source.timestamp_field.clone(),
        created_timestamp_column: source.created_timestamp_column.clone(),
        field_mapping: wire::from_map(&source.field_mapping),
        date_partition_column: source.date_partition_column.clone(),
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

fn file_format_message(format: Option<FileFormat>, stored: Option<wire::FileFormat>) -> Option<wire::FileFormat> {
    match format? {
        FileFormat::Parquet => {
            Some(wire::FileFormat { parquet_format: Some(wire::ParquetFormat {}), delta_format: None })
        }
        FileFormat::Delta => {
            let delta = stored.and_then(|format| format.delta_format).unwrap_or_default();
            Some(wire::FileFormat { parquet_format: None, delta_format: Some(delta) })
        }
        FileFormat::Csv | FileFormat::Json => None,
    }
}

/// The copy of a source row inside another message: without the Python class.
pub fn plain_copy(row: &wire::DataSource) -> wire::DataSource {
    wire::DataSource { data_source_class_type: String::new(), ..row.clone() }
}

/// The copy of a source row inside a feature view: with the Python class.
pub fn copy_with_class(row: &wire::DataSource) -> wire::DataSource {
    wire::DataSource { data_source_class_type: FILE_SOURCE_CLASS.to_owned(), ..row.clone() }
}
