use super::item::{Item, column_item};
use crate::{
    model::{
        CONNECTION_PREFIX, DataSource, FileSource, PostgresSource, SourceKind, SparkSource, StreamFormat, TableVersion,
        Tags, WarehouseSource,
    },
    yaml::Tree,
};

/// The definition of a source.
pub(crate) fn source_item(source: &DataSource) -> Tree {
    let item = Item::named(&source.name).text("type", &source.kind.to_string());
    let item = match &source.kind {
        SourceKind::File(file) => file_keys(item, file),
        SourceKind::Push(_) | SourceKind::Foreign(_) => item,
        SourceKind::Request(request) => {
            item.columns(request.schema.iter().map(|column| column_item(column).short()).collect())
        }
        SourceKind::Kafka(kafka) => {
            let item = item.text("kafka_bootstrap_servers", &kafka.bootstrap_servers).text("topic", &kafka.topic);
            let item = format_key(item, "message_format", kafka.message_format.as_ref());
            match kafka.watermark_delay_threshold {
                Some(threshold) => item.with("watermark_delay_threshold", Tree::Text(threshold.to_string())),
                None => item,
            }
        }
        SourceKind::Kinesis(kinesis) => {
            let item = item.text("region", &kinesis.region).text("stream_name", &kinesis.stream_name);
            format_key(item, "record_format", kinesis.record_format.as_ref())
        }
        SourceKind::Postgres(postgres) => postgres_keys(item, postgres),
        SourceKind::Spark(spark) => spark_keys(item, spark).text_unless(
            "date_partition_column_format",
            &spark.date_partition_column_format,
            "%Y-%m-%d",
        ),
        SourceKind::Warehouse(warehouse) => warehouse_keys(item, warehouse),
        SourceKind::Custom(custom) => {
            item.text("class_type", &custom.class_type).text("configuration", &custom.configuration)
        }
    };
    let item = match source.kind.batch_source() {
        Some(batch) => item.text("batch_source", &batch.name),
        None => item,
    };
    let item = item
        .text("timestamp_field", &source.timestamp_field)
        .text("created_timestamp_column", &source.created_timestamp_column)
        .map("field_mapping", &source.field_mapping)
        .text("date_partition_column", &source.date_partition_column);
    let (connection, tags) = connection(&source.tags);
    let item = if connection.is_empty() { item } else { item.with("connection_ref", Tree::Mapping(connection)) };
    item.labels(&source.description, &source.owner, &tags).done()
}

/// The keys of a file source or storage.
pub(crate) fn file_keys(item: Item, file: &FileSource) -> Item {
    let item = item
        .text("path", &file.path)
        .text("file_format", file.format.map_or("", |format| format.as_str()))
        .text("delimiter", &file.delimiter.map(FileSource::delimiter_word).unwrap_or_default())
        .text("timestamp_format", &file.timestamp_format);
    let item = match file.table_version {
        Some(TableVersion::Number(number)) => {
            item.with("delta_version", Tree::Integer(i64::try_from(number).unwrap_or(i64::MAX)))
        }
        Some(TableVersion::AsOf(moment)) => item.text("delta_timestamp", &moment.to_string()),
        None => item,
    };
    item.text("s3_endpoint_override", &file.s3_endpoint_override)
}

/// The keys of a PostgreSQL source or storage.
pub(crate) fn postgres_keys(item: Item, postgres: &PostgresSource) -> Item {
    item.text("table", &postgres.table).text("query", &postgres.query)
}

/// The keys of a Spark source or storage.
pub(crate) fn spark_keys(item: Item, spark: &SparkSource) -> Item {
    item.text("table", &spark.table)
        .text("query", &spark.query)
        .text("path", &spark.path)
        .text("file_format", &spark.file_format)
}

/// The keys of a warehouse source or storage.
pub(crate) fn warehouse_keys(item: Item, source: &WarehouseSource) -> Item {
    source.options.iter().fold(item, |item, (key, value)| item.text(key, value))
}

fn format_key(item: Item, key: &str, format: Option<&StreamFormat>) -> Item {
    let Some(format) = format else { return item };
    let keys = match format {
        StreamFormat::Avro { schema_json } => Item::default().text("type", "avro").text("schema_json", schema_json),
        StreamFormat::Json { schema_json } => Item::default().text("type", "json").text("schema_json", schema_json),
        StreamFormat::Proto { class_path } => Item::default().text("type", "proto").text("class_path", class_path),
    };
    item.with(key, keys.short())
}

/// The connection reference in a source's tags, and the other tags.
fn connection(tags: &Tags) -> (Vec<(String, Tree)>, Tags) {
    let mut keys = Vec::new();
    let mut parameters = Vec::new();
    let mut rest = Tags::new();
    for (tag, value) in tags {
        let value_tree = Tree::Text(value.clone());
        match tag.strip_prefix(CONNECTION_PREFIX) {
            Some(part) => match part.strip_prefix("param.") {
                Some(parameter) => parameters.push((parameter.to_owned(), value_tree)),
                None => keys.push((part.replace('-', "_"), value_tree)),
            },
            None => {
                rest.insert(tag.clone(), value.clone());
            }
        }
    }
    if !parameters.is_empty() {
        keys.push(("params".to_owned(), Tree::Mapping(parameters)));
    }
    (keys, rest)
}
