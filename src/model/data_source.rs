use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use super::{FILE_FORMAT_TAG, Field, Tags, Ttl};

/// Where the rows of feature views come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DataSource {
    /// Unique among the sources of a project, ignoring case.
    pub name: String,
    pub kind: SourceKind,
    /// Column with the time at which a row's values became true; empty when not known yet, and in
    /// push and request sources.
    pub timestamp_field: String,
    /// Column with the time at which a row was written; breaks ties. Empty when there is none.
    pub created_timestamp_column: String,
    /// Column name in the source to name in feature views.
    pub field_mapping: BTreeMap<String, String>,
    /// Column that partitions a table by date; empty when there is none.
    pub date_partition_column: String,
    pub description: String,
    pub owner: String,
    pub tags: Tags,
}

impl DataSource {
    /// The name under which views know a column of this source.
    pub fn mapped<'a>(&'a self, column: &'a str) -> &'a str {
        self.field_mapping.get(column).map_or(column, String::as_str)
    }

    /// What decides about the rows that are read from it; not its name and the words about it.
    pub fn rows(&self) -> impl PartialEq {
        (
            &self.kind,
            &self.timestamp_field,
            &self.created_timestamp_column,
            &self.field_mapping,
            &self.date_partition_column,
            self.tags.get(FILE_FORMAT_TAG),
        )
    }

    /// The column of this source that views know as `name`.
    pub fn unmapped<'a>(&'a self, name: &'a str) -> &'a str {
        self.field_mapping.iter().find(|(_, mapped)| *mapped == name).map_or(name, |(column, _)| column)
    }
}

/// The kind of a source with what only that kind has.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    File(FileSource),
    /// Rows that programs push; its columns are those of `batch_source`.
    Push(PushSource),
    /// Values that come with each request for on-demand features.
    Request(RequestSource),
    Kafka(KafkaSource),
    Kinesis(KinesisSource),
    Postgres(PostgresSource),
    Spark(SparkSource),
    /// A table or query of a data warehouse, which feastr shows and keeps but does not read.
    Warehouse(WarehouseSource),
    /// A source of a Python class that only Python can read.
    Custom(CustomSource),
    /// A source that YAML definitions cannot express; the text is its type in Feast.
    Foreign(String),
}

impl SourceKind {
    /// The history behind a push or stream source.
    pub fn batch_source(&self) -> Option<&DataSource> {
        match self {
            Self::Push(push) => push.batch_source.as_deref(),
            Self::Kafka(kafka) => kafka.batch_source.as_deref(),
            Self::Kinesis(kinesis) => kinesis.batch_source.as_deref(),
            _ => None,
        }
    }

    /// Whether rows arrive one by one, with another source for their history.
    pub fn is_stream(&self) -> bool {
        matches!(self, Self::Push(_) | Self::Kafka(_) | Self::Kinesis(_))
    }
}

impl fmt::Display for SourceKind {
    /// The word of the definitions format.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "file",
            Self::Push(_) => "push",
            Self::Request(_) => "request",
            Self::Kafka(_) => "kafka",
            Self::Kinesis(_) => "kinesis",
            Self::Postgres(_) => "postgres",
            Self::Spark(_) => "spark",
            Self::Warehouse(source) => source.warehouse.as_str(),
            Self::Custom(_) => "custom",
            Self::Foreign(kind) => kind,
        })
    }
}

/// Where programs push rows to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PushSource {
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// Fields of a request.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RequestSource {
    /// In declared order.
    pub schema: Vec<Field>,
}

/// A topic of a Kafka cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KafkaSource {
    /// Comma-separated `host:port` addresses.
    pub bootstrap_servers: String,
    pub topic: String,
    pub message_format: Option<StreamFormat>,
    /// How late rows may come; `None` when not declared.
    pub watermark_delay_threshold: Option<Ttl>,
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// A stream of Amazon Kinesis.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KinesisSource {
    pub region: String,
    pub stream_name: String,
    pub record_format: Option<StreamFormat>,
    /// Copy of the source that holds the history, as Feast stores it.
    pub batch_source: Option<Box<DataSource>>,
}

/// How messages of a stream are encoded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamFormat {
    Avro {
        schema_json: String,
    },
    Json {
        schema_json: String,
    },
    /// Protobuf messages of a generated class.
    Proto {
        class_path: String,
    },
}

/// A table or query of a PostgreSQL database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PostgresSource {
    /// Empty when the source is a query.
    pub table: String,
    /// Empty when the source is a table.
    pub query: String,
}

/// A table, query or path that Spark reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SparkSource {
    pub table: String,
    pub query: String,
    pub path: String,
    pub file_format: String,
    pub date_partition_column_format: String,
}

/// A table or query of a data warehouse.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WarehouseSource {
    pub warehouse: Warehouse,
    /// Settings by their name in Feast, such as `table`, `query`, `schema`, `database`; none is empty.
    pub options: Tags,
}

/// The data warehouses Feast has sources for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Warehouse {
    BigQuery,
    Redshift,
    Snowflake,
    Trino,
    Athena,
}

impl Warehouse {
    pub const ALL: [Self; 5] = [Self::BigQuery, Self::Redshift, Self::Snowflake, Self::Trino, Self::Athena];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BigQuery => "bigquery",
            Self::Redshift => "redshift",
            Self::Snowflake => "snowflake",
            Self::Trino => "trino",
            Self::Athena => "athena",
        }
    }

    /// The settings a source of this warehouse can have.
    pub fn options(self) -> &'static [&'static str] {
        match self {
            Self::BigQuery | Self::Trino => &["table", "query"],
            Self::Redshift | Self::Snowflake => &["table", "query", "schema", "database"],
            Self::Athena => &["table", "query", "database", "data_source"],
        }
    }
}

/// What a Python class makes of its configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomSource {
    /// Module and name of the class.
    pub class_type: String,
    /// Text that the class understands, usually JSON.
    pub configuration: String,
}

/// Files on disk: one file, a folder with hive partitions or a glob.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FileSource {
    /// As declared: relative to the repo folder, or absolute.
    pub path: String,
    /// `None` when not declared, which reads as parquet.
    pub format: Option<FileFormat>,
    /// Endpoint of an S3-compatible store; empty when there is none.
    pub s3_endpoint_override: String,
}

/// How the files of a source are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum FileFormat {
    Parquet,
    Delta,
    Csv,
    Json,
}

impl FileFormat {
    /// Every format, in the order they are offered in messages.
    pub const ALL: [Self; 4] = [Self::Parquet, Self::Delta, Self::Csv, Self::Json];

    /// The word of the definitions format.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Delta => "delta",
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}
