use serde::Deserialize;
use serde_json::Value as Json;
use utoipa::ToSchema;

use super::{put, schema_of};
use crate::{
    model::{
        CustomSource, DataSource, FileFormat, FileSource, KafkaSource, KinesisSource, Object, PushSource,
        RequestSource, SourceKind, SparkSource, Tags, Warehouse, WarehouseSource,
    },
    registry_server::rest::{asked::Asked, refusal::Refusal},
};

/// A data source; one of the options says where its rows are.
#[derive(Debug, Deserialize, ToSchema)]
struct Body {
    /// Its name.
    #[schema(example = "driver_stats")]
    name: String,
    /// The name of its project.
    #[schema(example = "my_project")]
    project: String,
    /// Feast's number of the type: 7 for values of requests and 9 for pushed rows, which have no options.
    r#type: Option<i32>,
    /// The column with the time at which a row became true.
    #[schema(example = "event_timestamp")]
    timestamp_field: Option<String>,
    /// The column with the time at which a row was written.
    created_timestamp_column: Option<String>,
    /// The column that partitions a table by date.
    date_partition_column: Option<String>,
    /// What it is.
    description: Option<String>,
    /// Who is responsible.
    owner: Option<String>,
    /// Labels.
    #[schema(value_type = Option<std::collections::BTreeMap<String, String>>)]
    tags: Option<Tags>,
    /// Files.
    #[schema(inline, example = json!({"uri": "data/driver_stats.parquet"}))]
    file_options: Option<FileOptions>,
    /// Google BigQuery.
    #[schema(inline)]
    bigquery_options: Option<TableOptions>,
    /// Snowflake.
    #[schema(inline)]
    snowflake_options: Option<TableOptions>,
    /// Amazon Redshift.
    #[schema(inline)]
    redshift_options: Option<TableOptions>,
    /// Trino.
    #[schema(inline)]
    trino_options: Option<TableOptions>,
    /// Amazon Athena.
    #[schema(inline)]
    athena_options: Option<TableOptions>,
    /// A topic of Kafka.
    #[schema(inline)]
    kafka_options: Option<KafkaOptions>,
    /// What Spark reads.
    #[schema(inline)]
    spark_options: Option<SparkOptions>,
    /// A stream of Amazon Kinesis.
    #[schema(inline)]
    kinesis_options: Option<KinesisOptions>,
    /// What a Python class reads.
    #[schema(inline)]
    custom_options: Option<CustomOptions>,
    /// Module and name of that class.
    data_source_class_type: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
struct FileOptions {
    /// Where they are.
    uri: String,
    /// `parquet` or `delta`.
    file_format: Option<String>,
    /// The endpoint of an S3-compatible store.
    s3_endpoint_override: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct TableOptions {
    /// The table.
    table: String,
    /// Or a query.
    query: Option<String>,
    /// The database.
    database: String,
    /// The schema.
    #[serde(alias = "schema")]
    schema_: String,
    /// Athena's data source.
    data_source: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct KafkaOptions {
    /// Comma-separated addresses.
    kafka_bootstrap_servers: String,
    /// The topic.
    topic: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct SparkOptions {
    /// The table.
    table: String,
    /// Or a path.
    path: String,
    /// Or a query.
    query: Option<String>,
    /// Spark's name of the format of the path.
    file_format: Option<String>,
    /// How the column that partitions by date is written.
    date_partition_column_format: Option<String>,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct KinesisOptions {
    /// The region.
    region: String,
    /// The stream.
    stream_name: String,
}

#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(default)]
struct CustomOptions {
    /// What the class understands.
    configuration: Option<String>,
    /// Module and name of the class.
    class_name: Option<String>,
}

/// Puts a data source into a project.
pub(in crate::registry_server::rest) fn data_source(asked: &Asked<'_>) -> Result<Json, Refusal> {
    let body: Body = asked.body()?;
    let project = body.project.clone();
    put(asked, &project, &Object::DataSource(body.source()?))
}

/// What the body looks like.
pub(in crate::registry_server::rest) fn schema() -> Json {
    schema_of::<Body>()
}

impl Body {
    fn source(self) -> Result<DataSource, Refusal> {
        let kind = self.kind()?;
        Ok(DataSource {
            timestamp_field: self.timestamp_field.unwrap_or_default(),
            created_timestamp_column: self.created_timestamp_column.unwrap_or_default(),
            date_partition_column: self.date_partition_column.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            owner: self.owner.unwrap_or_default(),
            tags: self.tags.unwrap_or_default(),
            ..DataSource::new(self.name, kind)
        })
    }

    fn kind(&self) -> Result<SourceKind, Refusal> {
        const REQUEST: i32 = 7;
        const PUSH: i32 = 9;
        let warehouses = [
            (&self.bigquery_options, Warehouse::BigQuery),
            (&self.snowflake_options, Warehouse::Snowflake),
            (&self.redshift_options, Warehouse::Redshift),
            (&self.trino_options, Warehouse::Trino),
            (&self.athena_options, Warehouse::Athena),
        ];
        if let Some(file) = &self.file_options {
            return file.kind();
        }
        if let Some((options, warehouse)) =
            warehouses.iter().find_map(|(options, warehouse)| Some((options.as_ref()?, *warehouse)))
        {
            return Ok(options.kind(warehouse));
        }
        Ok(if let Some(kafka) = &self.kafka_options {
            SourceKind::Kafka(KafkaSource {
                bootstrap_servers: kafka.kafka_bootstrap_servers.clone(),
                topic: kafka.topic.clone(),
                message_format: None,
                watermark_delay_threshold: None,
                batch_source: None,
            })
        } else if let Some(spark) = &self.spark_options {
            SourceKind::Spark(SparkSource {
                table: spark.table.clone(),
                query: spark.query.clone().unwrap_or_default(),
                path: spark.path.clone(),
                file_format: spark.file_format.clone().unwrap_or_default(),
                date_partition_column_format: spark.date_partition_column_format.clone().unwrap_or_default(),
            })
        } else if let Some(kinesis) = &self.kinesis_options {
            SourceKind::Kinesis(KinesisSource {
                region: kinesis.region.clone(),
                stream_name: kinesis.stream_name.clone(),
                record_format: None,
                batch_source: None,
            })
        } else if let Some(custom) = &self.custom_options {
            let class_type = self.data_source_class_type.clone().or_else(|| custom.class_name.clone());
            SourceKind::Custom(CustomSource {
                class_type: class_type.unwrap_or_default(),
                configuration: custom.configuration.clone().unwrap_or_default(),
            })
        } else {
            match self.r#type {
                Some(REQUEST) => SourceKind::Request(RequestSource { schema: Vec::new() }),
                Some(PUSH) => SourceKind::Push(PushSource { batch_source: None }),
                _ => {
                    return Err(Refusal::Wrong(
                        "the body says nowhere where the rows are; one of the options has to".to_owned(),
                    ));
                }
            }
        })
    }
}

impl FileOptions {
    fn kind(&self) -> Result<SourceKind, Refusal> {
        let format = match self.file_format.as_deref() {
            None | Some("" | "parquet") => None,
            Some("delta") => Some(FileFormat::Delta),
            Some(other) => {
                let other = crate::model::printable(other);
                return Err(Refusal::Wrong(format!(
                    "`{other}` is no format of files here; there are `parquet` and `delta`"
                )));
            }
        };
        let s3_endpoint_override = self.s3_endpoint_override.clone().unwrap_or_default();
        Ok(SourceKind::File(FileSource {
            path: self.uri.clone(),
            format,
            s3_endpoint_override,
            ..FileSource::default()
        }))
    }
}

impl TableOptions {
    fn kind(&self, warehouse: Warehouse) -> SourceKind {
        let all = [
            ("table", &self.table),
            ("query", self.query.as_ref().unwrap_or(&String::new())),
            ("database", &self.database),
            ("schema", &self.schema_),
            ("data_source", self.data_source.as_ref().unwrap_or(&String::new())),
        ]
        .map(|(name, value)| (name.to_owned(), value.clone()));
        let is_said =
            |(name, value): &(String, String)| !value.is_empty() && warehouse.options().contains(&name.as_str());
        let options = all.into_iter().filter(is_said).collect();
        SourceKind::Warehouse(WarehouseSource { warehouse, options })
    }
}
