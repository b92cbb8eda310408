//! What only one kind of data source has.

use super::{
    data_source::data_source_from_message,
    field::{fields_from_messages, fields_to_messages},
    stored_text::{json_object, json_text},
};
use crate::{
    feast::registry::messages::{self as wire, SourceType},
    model::{
        CustomSource, DELIMITER_TAG, DELTA_TIMESTAMP_TAG, DELTA_VERSION_TAG, DataSource, FILE_FORMAT_TAG, FileFormat,
        FileSource, KafkaSource, KinesisSource, PostgresSource, PushSource, RequestSource, SourceKind, SparkSource,
        StreamFormat, TIMESTAMP_FORMAT_TAG, TableVersion, Tags, Timestamp, Ttl, Warehouse, WarehouseSource,
    },
};

const POSTGRES_CLASS: &str =
    "feast.infra.offline_stores.contrib.postgres_offline_store.postgres_source.PostgreSQLSource";
const SPARK_CLASS: &str = "feast.infra.offline_stores.contrib.spark_offline_store.spark_source.SparkSource";

/// The kind of a source. Takes the tags that stand for parts of it out of `tags`.
pub(crate) fn kind_from_message(message: &wire::DataSource, tags: &mut Tags) -> SourceKind {
    managed_kind(message, tags).unwrap_or_else(|| SourceKind::Foreign(foreign_kind(message)))
}

/// `None` for a source that definitions cannot express without loss.
fn managed_kind(message: &wire::DataSource, tags: &mut Tags) -> Option<SourceKind> {
    if !message.timestamp_field_type.is_empty() {
        return None;
    }
    Some(match SourceType::try_from(message.r#type).ok()? {
        SourceType::BatchFile => SourceKind::File(file(message.file_options.as_ref()?, tags)),
        SourceType::PushSource => SourceKind::Push(PushSource { batch_source: batch_source(message).ok()? }),
        SourceType::RequestSource => SourceKind::Request(request(message.request_data_options.as_ref()?)?),
        SourceType::StreamKafka => {
            let options = message.kafka_options.as_ref()?;
            SourceKind::Kafka(KafkaSource {
                bootstrap_servers: options.kafka_bootstrap_servers.clone(),
                topic: options.topic.clone(),
                message_format: stream_format(options.message_format.as_ref()).ok()?,
                watermark_delay_threshold: options.watermark_delay_threshold.map(Ttl::from),
                batch_source: batch_source(message).ok()?,
            })
        }
        SourceType::StreamKinesis => {
            let options = message.kinesis_options.as_ref()?;
            SourceKind::Kinesis(KinesisSource {
                region: options.region.clone(),
                stream_name: options.stream_name.clone(),
                record_format: stream_format(options.record_format.as_ref()).ok()?,
                batch_source: batch_source(message).ok()?,
            })
        }
        SourceType::BatchSpark => SourceKind::Spark(spark_from_message(message.spark_options.as_ref()?)?),
        SourceType::CustomSource if message.data_source_class_type == POSTGRES_CLASS => {
            let options = message.custom_options.as_ref()?;
            SourceKind::Postgres(postgres(&options.configuration, &message.name)?)
        }
        SourceType::CustomSource => SourceKind::Custom(CustomSource {
            class_type: message.data_source_class_type.clone(),
            configuration: String::from_utf8(message.custom_options.as_ref()?.configuration.clone()).ok()?,
        }),
        SourceType::BatchBigQuery
        | SourceType::BatchRedshift
        | SourceType::BatchSnowflake
        | SourceType::BatchTrino
        | SourceType::BatchAthena => SourceKind::Warehouse(read_warehouse(message)?),
        SourceType::Invalid | SourceType::BatchIceberg => return None,
    })
}

fn file(options: &wire::FileOptions, tags: &mut Tags) -> FileSource {
    let format = tagged_format(tags).or_else(|| file_format_from_message(options.file_format.as_ref()));
    FileSource {
        path: options.uri.clone(),
        format,
        s3_endpoint_override: options.s3_endpoint_override.clone(),
        delimiter: if format == Some(FileFormat::Csv) { tagged_delimiter(tags) } else { None },
        timestamp_format: if format == Some(FileFormat::Delta) { String::new() } else { tagged_times(tags) },
        table_version: if format == Some(FileFormat::Delta) { tagged_version(tags) } else { None },
    }
}

/// The tags that stand for the parts of a source that Feast has no fields for.
pub(crate) fn tags_of_kind(kind: &SourceKind) -> Tags {
    let SourceKind::File(file) = kind else { return Tags::new() };
    let format = file.format.filter(|format| matches!(format, FileFormat::Csv | FileFormat::Json));
    let times = Some(&file.timestamp_format).filter(|format| !format.is_empty());
    [
        (FILE_FORMAT_TAG, format.map(|format| format.as_str().to_owned())),
        (DELIMITER_TAG, file.delimiter.map(FileSource::delimiter_word)),
        (TIMESTAMP_FORMAT_TAG, times.cloned()),
        match file.table_version {
            Some(TableVersion::AsOf(moment)) => (DELTA_TIMESTAMP_TAG, Some(moment.to_string())),
            Some(TableVersion::Number(number)) => (DELTA_VERSION_TAG, Some(number.to_string())),
            None => (DELTA_VERSION_TAG, None),
        },
    ]
    .into_iter()
    .filter_map(|(tag, value)| Some((tag.to_owned(), value?)))
    .collect()
}

fn tagged_delimiter(tags: &mut Tags) -> Option<char> {
    let delimiter = FileSource::parse_delimiter(tags.get(DELIMITER_TAG)?)?;
    tags.remove(DELIMITER_TAG);
    Some(delimiter)
}

fn tagged_version(tags: &mut Tags) -> Option<TableVersion> {
    let number = |tags: &Tags| Some(TableVersion::Number(tags.get(DELTA_VERSION_TAG)?.parse().ok()?));
    let moment = |tags: &Tags| Some(TableVersion::AsOf(Timestamp::absolute(tags.get(DELTA_TIMESTAMP_TAG)?)?));
    if let Some(version) = number(tags) {
        tags.remove(DELTA_VERSION_TAG);
        return Some(version);
    }
    let version = moment(tags)?;
    tags.remove(DELTA_TIMESTAMP_TAG);
    Some(version)
}

fn tagged_times(tags: &mut Tags) -> String {
    tags.remove(TIMESTAMP_FORMAT_TAG).unwrap_or_default()
}

/// The format that Feast has no field for.
pub(crate) fn tagged_format(tags: &mut Tags) -> Option<FileFormat> {
    let tagged = [FileFormat::Csv, FileFormat::Json];
    let text = tags.get(FILE_FORMAT_TAG)?;
    let format = tagged.into_iter().find(|format| format.as_str() == text)?;
    tags.remove(FILE_FORMAT_TAG);
    Some(format)
}

/// The format that a message names; `None` if it names none that Feast has a field for.
pub(crate) fn file_format_from_message(format: Option<&wire::FileFormat>) -> Option<FileFormat> {
    let format = format?;
    if format.delta_format.is_some() {
        Some(FileFormat::Delta)
    } else {
        format.parquet_format.as_ref().map(|_| FileFormat::Parquet)
    }
}

/// The format as Feast stores it; of Delta the stored settings are kept.
pub(crate) fn file_format_to_message(
    format: Option<FileFormat>,
    stored: Option<wire::FileFormat>,
) -> Option<wire::FileFormat> {
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

/// A part of a source that definitions have no words for.
struct Foreign;

/// The history behind a stream; `None` for a stream without one.
fn batch_source(message: &wire::DataSource) -> Result<Option<Box<DataSource>>, Foreign> {
    let Some(batch) = &message.batch_source else { return Ok(None) };
    let batch = data_source_from_message(batch);
    if matches!(batch.kind, SourceKind::Foreign(_)) { Err(Foreign) } else { Ok(Some(Box::new(batch))) }
}

fn request(options: &wire::RequestDataOptions) -> Option<RequestSource> {
    options.deprecated_schema.is_empty().then(|| RequestSource { schema: fields_from_messages(&options.schema) })
}

/// How the messages of a stream are encoded; `None` for a stream that does not say so.
fn stream_format(message: Option<&wire::StreamFormat>) -> Result<Option<StreamFormat>, Foreign> {
    let Some(message) = message else { return Ok(None) };
    match (&message.avro_format, &message.proto_format, &message.json_format) {
        (Some(avro), None, None) => Ok(Some(StreamFormat::Avro { schema_json: avro.schema_json.clone() })),
        (None, Some(proto), None) => Ok(Some(StreamFormat::Proto { class_path: proto.class_path.clone() })),
        (None, None, Some(json)) => Ok(Some(StreamFormat::Json { schema_json: json.schema_json.clone() })),
        _ => Err(Foreign),
    }
}

fn stream_format_to_message(format: Option<&StreamFormat>) -> Option<wire::StreamFormat> {
    let mut message = wire::StreamFormat::default();
    match format? {
        StreamFormat::Avro { schema_json } => {
            message.avro_format = Some(wire::AvroFormat { schema_json: schema_json.clone() });
        }
        StreamFormat::Json { schema_json } => {
            message.json_format = Some(wire::JsonFormat { schema_json: schema_json.clone() });
        }
        StreamFormat::Proto { class_path } => {
            message.proto_format = Some(wire::ProtoFormat { class_path: class_path.clone() });
        }
    }
    Some(message)
}

/// `None` for a table format, which definitions have no word for.
pub(crate) fn spark_from_message(options: &wire::SparkOptions) -> Option<SparkSource> {
    options.table_format.is_none().then(|| SparkSource {
        table: options.table.clone(),
        query: options.query.clone(),
        path: options.path.clone(),
        file_format: options.file_format.clone(),
        date_partition_column_format: options.date_partition_column_format.clone(),
    })
}

/// The options of a Spark source or storage, without a table format.
pub(crate) fn spark_to_message(spark: &SparkSource) -> wire::SparkOptions {
    wire::SparkOptions {
        table: spark.table.clone(),
        query: spark.query.clone(),
        path: spark.path.clone(),
        file_format: spark.file_format.clone(),
        date_partition_column_format: spark.date_partition_column_format.clone(),
        table_format: None,
    }
}

/// The settings of a PostgreSQL source, if they are the ones Feast writes and no others.
fn postgres(configuration: &[u8], source: &str) -> Option<PostgresSource> {
    let mut settings = json_object(configuration)?;
    let (name, table, query) = (settings.remove("name")?, settings.remove("table")?, settings.remove("query")?);
    let named = name.is_empty() || name == source;
    (named && settings.is_empty()).then_some(PostgresSource { table, query })
}

/// The settings of the warehouse that `message` has options of.
pub(crate) fn read_warehouse(message: &wire::DataSource) -> Option<WarehouseSource> {
    let (warehouse, options) = if let Some(wire::BigQueryOptions { table, query }) = &message.bigquery_options {
        (Warehouse::BigQuery, vec![("table", table), ("query", query)])
    } else if let Some(wire::TrinoOptions { table, query }) = &message.trino_options {
        (Warehouse::Trino, vec![("table", table), ("query", query)])
    } else if let Some(wire::RedshiftOptions { table, query, schema, database }) = &message.redshift_options {
        (Warehouse::Redshift, vec![("table", table), ("query", query), ("schema", schema), ("database", database)])
    } else if let Some(wire::SnowflakeOptions { table, query, schema, database }) = &message.snowflake_options {
        (Warehouse::Snowflake, vec![("table", table), ("query", query), ("schema", schema), ("database", database)])
    } else {
        let wire::AthenaOptions { table, query, database, data_source } = message.athena_options.as_ref()?;
        let options = vec![("table", table), ("query", query), ("database", database), ("data_source", data_source)];
        (Warehouse::Athena, options)
    };
    let set = options.into_iter().filter(|(_, value)| !value.is_empty());
    Some(WarehouseSource { warehouse, options: set.map(|(name, value)| (name.to_owned(), value.clone())).collect() })
}

/// The type in words, such as `iceberg`.
fn foreign_kind(message: &wire::DataSource) -> String {
    let kind = match SourceType::try_from(message.r#type) {
        Ok(SourceType::BatchFile) => "file",
        Ok(SourceType::PushSource) => "push",
        Ok(SourceType::RequestSource) => "request",
        Ok(SourceType::StreamKafka) => "kafka",
        Ok(SourceType::StreamKinesis) => "kinesis",
        Ok(SourceType::BatchSpark) => "spark",
        Ok(SourceType::BatchBigQuery) => "bigquery",
        Ok(SourceType::BatchRedshift) => "redshift",
        Ok(SourceType::BatchSnowflake) => "snowflake",
        Ok(SourceType::BatchTrino) => "trino",
        Ok(SourceType::BatchAthena) => "athena",
        Ok(SourceType::BatchIceberg) => "iceberg",
        Ok(SourceType::CustomSource) if message.data_source_class_type == POSTGRES_CLASS => "postgres",
        Ok(SourceType::CustomSource) => {
            let class = message.data_source_class_type.rsplit('.').next().unwrap_or_default();
            return format!("custom ({class})");
        }
        Ok(SourceType::Invalid) | Err(_) => "unknown",
    };
    kind.to_owned()
}

/// Writes a kind into a message that has nothing of any kind yet.
pub(crate) fn write_kind(source: &DataSource, message: &mut wire::DataSource, stored_format: Option<wire::FileFormat>) {
    match &source.kind {
        SourceKind::File(file) => {
            message.r#type = SourceType::BatchFile as i32;
            message.file_options = Some(wire::FileOptions {
                file_format: file_format_to_message(file.format, stored_format),
                uri: file.path.clone(),
                s3_endpoint_override: file.s3_endpoint_override.clone(),
            });
        }
        SourceKind::Push(_) => message.r#type = SourceType::PushSource as i32,
        SourceKind::Request(request) => {
            message.r#type = SourceType::RequestSource as i32;
            let schema = fields_to_messages(&request.schema, &[]);
            message.request_data_options = Some(wire::RequestDataOptions { deprecated_schema: Vec::new(), schema });
        }
        SourceKind::Kafka(kafka) => {
            message.r#type = SourceType::StreamKafka as i32;
            message.kafka_options = Some(wire::KafkaOptions {
                kafka_bootstrap_servers: kafka.bootstrap_servers.clone(),
                topic: kafka.topic.clone(),
                message_format: stream_format_to_message(kafka.message_format.as_ref()),
                watermark_delay_threshold: kafka.watermark_delay_threshold.map(Into::into),
            });
        }
        SourceKind::Kinesis(kinesis) => {
            message.r#type = SourceType::StreamKinesis as i32;
            message.kinesis_options = Some(wire::KinesisOptions {
                region: kinesis.region.clone(),
                stream_name: kinesis.stream_name.clone(),
                record_format: stream_format_to_message(kinesis.record_format.as_ref()),
            });
        }
        SourceKind::Postgres(postgres) => {
            message.r#type = SourceType::CustomSource as i32;
            // A source called like its table has no name of its own in Feast.
            let name = if source.name == postgres.table { "" } else { source.name.as_str() };
            let settings = [("name", name), ("query", &postgres.query), ("table", &postgres.table)];
            message.custom_options = Some(wire::CustomSourceOptions { configuration: json_text(&settings) });
        }
        SourceKind::Spark(spark) => {
            message.r#type = SourceType::BatchSpark as i32;
            message.spark_options = Some(spark_to_message(spark));
        }
        SourceKind::Warehouse(warehouse) => write_warehouse(warehouse, message),
        SourceKind::Custom(custom) => {
            message.r#type = SourceType::CustomSource as i32;
            let configuration = custom.configuration.clone().into_bytes();
            message.custom_options = Some(wire::CustomSourceOptions { configuration });
        }
        // Nothing can be said about it; definitions cannot declare one.
        SourceKind::Foreign(_) => {}
    }
    message.data_source_class_type = own_class(&source.kind).to_owned();
}

/// Writes type and options of a warehouse.
pub(crate) fn write_warehouse(source: &WarehouseSource, message: &mut wire::DataSource) {
    let option = |name: &str| source.options.get(name).cloned().unwrap_or_default();
    let (table, query) = (option("table"), option("query"));
    match source.warehouse {
        Warehouse::BigQuery => {
            message.r#type = SourceType::BatchBigQuery as i32;
            message.bigquery_options = Some(wire::BigQueryOptions { table, query });
        }
        Warehouse::Trino => {
            message.r#type = SourceType::BatchTrino as i32;
            message.trino_options = Some(wire::TrinoOptions { table, query });
        }
        Warehouse::Redshift => {
            message.r#type = SourceType::BatchRedshift as i32;
            let (schema, database) = (option("schema"), option("database"));
            message.redshift_options = Some(wire::RedshiftOptions { table, query, schema, database });
        }
        Warehouse::Snowflake => {
            message.r#type = SourceType::BatchSnowflake as i32;
            let (schema, database) = (option("schema"), option("database"));
            message.snowflake_options = Some(wire::SnowflakeOptions { table, query, schema, database });
        }
        Warehouse::Athena => {
            message.r#type = SourceType::BatchAthena as i32;
            let (database, data_source) = (option("database"), option("data_source"));
            message.athena_options = Some(wire::AthenaOptions { table, query, database, data_source });
        }
    }
}

/// The Python class that Feast names in every message of the kind: where its reader needs it, and in
/// Spark sources.
pub(crate) fn own_class(kind: &SourceKind) -> &str {
    match kind {
        SourceKind::Postgres(_) => POSTGRES_CLASS,
        SourceKind::Spark(_) => SPARK_CLASS,
        SourceKind::Custom(custom) => &custom.class_type,
        _ => "",
    }
}

/// The Python class of a kind, which Feast names in the copies of sources inside views.
pub(crate) fn class(kind: &SourceKind) -> &str {
    match kind {
        SourceKind::File(_) => "feast.infra.offline_stores.file_source.FileSource",
        SourceKind::Push(_) => "feast.data_source.PushSource",
        SourceKind::Request(_) => "feast.data_source.RequestSource",
        SourceKind::Kafka(_) => "feast.data_source.KafkaSource",
        SourceKind::Kinesis(_) => "feast.data_source.KinesisSource",
        SourceKind::Warehouse(source) => match source.warehouse {
            Warehouse::BigQuery => "feast.infra.offline_stores.bigquery_source.BigQuerySource",
            Warehouse::Redshift => "feast.infra.offline_stores.redshift_source.RedshiftSource",
            Warehouse::Snowflake => "feast.infra.offline_stores.snowflake_source.SnowflakeSource",
            Warehouse::Trino => "feast.infra.offline_stores.contrib.trino_offline_store.trino_source.TrinoSource",
            Warehouse::Athena => "feast.infra.offline_stores.contrib.athena_offline_store.athena_source.AthenaSource",
        },
        SourceKind::Postgres(_) | SourceKind::Spark(_) | SourceKind::Custom(_) | SourceKind::Foreign(_) => {
            own_class(kind)
        }
    }
}
