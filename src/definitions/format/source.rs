//! Data sources of every type as they are written, and the ways to refer to one.

use serde_json::{Value, json};

use super::{
    about::RawAbout,
    delta::{TableMoment, TableNumber},
    field::RawField,
    text_file::{Delimiter, TimestampFormat},
    values::{Item, Timespan},
};
use crate::{
    diagnostics::Diagnostics,
    model::{FileFormat, Tags},
    yaml::{Content, Node, Read, Scalar, Schemas, Spanned, record, tagged},
};

tagged! {
    /// Where rows come from.
    pub(crate) enum RawSource, "a data source" {
        "file" => File(RawFileSource),
        "push" => Push(RawPushSource),
        "request" => Request(RawRequestSource),
        "kafka" => Kafka(RawKafkaSource),
        "kinesis" => Kinesis(RawKinesisSource),
        "postgres" => Postgres(RawPostgresSource),
        "spark" => Spark(RawSparkSource),
        "bigquery" => BigQuery(RawBigQuerySource),
        "redshift" => Redshift(RawRedshiftSource),
        "snowflake" => Snowflake(RawSnowflakeSource),
        "trino" => Trino(RawTrinoSource),
        "athena" => Athena(RawAthenaSource),
        "custom" => Custom(RawCustomSource),
    }
}

/// A reference to a source.
#[derive(Debug, Clone, Default)]
pub(crate) enum SourceRef {
    /// By name.
    Named(Spanned<String>),
    /// The source itself, which counts like those of the collection.
    InPlace(Box<Item<RawSource>>),
    /// Said to be none.
    #[default]
    None,
}

impl Read for SourceRef {
    const EXPECTED: &'static str = "the name of a data source, or a data source";
    const TAKES_NULL: bool = true;

    fn read(node: &Node, diagnostics: &mut Diagnostics) -> Option<Self> {
        match &node.content {
            Content::Scalar(Scalar::Null) => Some(Self::None),
            Content::Mapping(_) => Item::read(node, diagnostics).map(|item| Self::InPlace(Box::new(item))),
            Content::Scalar(_) => Spanned::read(node, diagnostics).map(Self::Named),
            Content::List(_) => {
                diagnostics.error(&node.span, format!("expected {}, found {}", Self::EXPECTED, node.describe()));
                None
            }
        }
    }

    fn schema(schemas: &mut Schemas) -> Value {
        json!({ "anyOf": [{ "type": ["string", "null"] }, RawSource::schema(schemas)] })
    }
}

record! {
    /// Keys of sources whose rows have times.
    pub(crate) struct RawTimeKeys, "a data source";
    optional {
        /// The column with the time at which a row's values became true; by default the only timestamp there is.
        timestamp_field: Spanned<String>,
        /// The column with the time at which a row was written; breaks ties.
        created_timestamp_column: Spanned<String>,
        /// Column of the source to name in feature views.
        field_mapping: Spanned<Tags>,
    }
    flatten { about: RawAbout, }
}

record! {
    /// Keys of sources that hold history.
    pub(crate) struct RawBatchKeys, "a data source";
    optional {
        /// Where the credentials come from.
        connection_ref: RawConnectionRef,
    }
    defaulted {
        /// Column that partitions the data by date.
        date_partition_column: String,
    }
    flatten { times: RawTimeKeys, }
}

record! {
    /// Where the credentials of a source are. feastr reads those of PostgreSQL sources with the provider `env`; the rest
    /// is for Python Feast.
    pub(crate) struct RawConnectionRef, "a connection reference";
    required {
        /// For example `kubernetes`, `vault` or `env`.
        provider: Spanned<String>,
        /// The name of the secret there; with `env` the environment variable that has the URL of the database.
        name: Spanned<String>,
    }
    defaulted {
        /// Where the name is looked for, such as a Kubernetes namespace.
        namespace: String,
        /// Kind of the store, such as `snowflake.offline`; by default that of the source.
        connection_type: String,
        /// How to authenticate.
        auth_type: String = "secret".to_owned(),
        /// Settings of the connection that are not secrets.
        params: Tags,
    }
}

record! {
    /// One file, a folder with hive partitions, or a pattern.
    pub(crate) struct RawFileSource, "a file source";
    required {
        /// Relative to the repo, or a URL such as s3://bucket/folder.
        path: Spanned<String>,
    }
    optional {
        /// Unique among the sources of the project; by default the path.
        name: Spanned<String>,
        /// How the files are encoded; parquet when left out.
        file_format: FileFormat,
        /// What separates the fields of CSV files: one character such as `;`, or `tab`.
        delimiter: Spanned<Delimiter>,
        /// How times are written in columns of text or whole numbers: `iso` (ISO 8601, the default),
        /// `epoch_seconds`, `epoch_millis`, `epoch_micros`, `epoch_nanos`, or a pattern such as `%d.%m.%Y %H:%M`.
        timestamp_format: Spanned<TimestampFormat>,
        /// Which version of a Delta table is read, by its number; the latest when left out.
        delta_version: Spanned<TableNumber>,
        /// Which version of a Delta table is read, by a moment such as 2026-01-31T12:00:00Z: the latest there was then.
        delta_timestamp: Spanned<TableMoment>,
    }
    defaulted {
        /// Endpoint of an S3-compatible store.
        s3_endpoint_override: String,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// Rows that programs push.
    pub(crate) struct RawPushSource, "a push source";
    required {
        /// Unique among the sources of the project.
        name: Spanned<String>,
    }
    optional {
        /// The source with the history: its name, or the source itself.
        batch_source: SourceRef,
    }
    flatten { about: RawAbout, }
}

record! {
    /// Values that come with each request for on-demand features.
    pub(crate) struct RawRequestSource, "a request source";
    required {
        /// Unique among the sources of the project.
        name: Spanned<String>,
        /// The values, each with its type.
        schema: Spanned<Vec<RawField>>,
    }
    flatten { about: RawAbout, }
}

record! {
    /// A topic of a Kafka cluster.
    pub(crate) struct RawKafkaSource, "a kafka source";
    required {
        /// Unique among the sources of the project.
        name: Spanned<String>,
    }
    optional {
        /// How messages are encoded.
        message_format: RawFormat,
        /// How late rows may come.
        watermark_delay_threshold: Timespan,
        /// The source with the history: its name, or the source itself.
        batch_source: SourceRef,
    }
    defaulted {
        /// Comma-separated addresses such as `localhost:9092`.
        kafka_bootstrap_servers: String,
        /// The topic to read.
        topic: String,
    }
    flatten { times: RawTimeKeys, }
}

record! {
    /// A stream of Amazon Kinesis.
    pub(crate) struct RawKinesisSource, "a kinesis source";
    required {
        /// Unique among the sources of the project.
        name: Spanned<String>,
    }
    optional {
        /// How records are encoded.
        record_format: RawFormat,
        /// The source with the history: its name, or the source itself.
        batch_source: SourceRef,
    }
    defaulted {
        /// For example `eu-west-1`.
        region: String,
        /// The stream to read.
        stream_name: String,
    }
    flatten { times: RawTimeKeys, }
}

tagged! {
    /// How messages of a stream are encoded.
    pub(crate) enum RawFormat, "a message format" {
        "avro" => Avro(RawAvroFormat),
        "json" => Json(RawJsonFormat),
        "proto" => Proto(RawProtoFormat),
    }
}

record! {
    /// Avro messages.
    pub(crate) struct RawAvroFormat, "an avro format";
    defaulted {
        /// The Avro schema as JSON text.
        schema_json: String,
    }
}

record! {
    /// JSON messages.
    pub(crate) struct RawJsonFormat, "a json format";
    defaulted {
        /// The schema, such as `driver_id integer, event_timestamp timestamp`.
        schema_json: String,
    }
}

record! {
    /// Protobuf messages.
    pub(crate) struct RawProtoFormat, "a proto format";
    defaulted {
        /// The generated class.
        class_path: String,
    }
}

record! {
    /// A table or query of a PostgreSQL database.
    pub(crate) struct RawPostgresSource, "a postgres source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table, with its schema if needed.
        table: Spanned<String>,
        /// A query instead of a table.
        query: Spanned<String>,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table, query or path that Spark reads.
    pub(crate) struct RawSparkSource, "a spark source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// A table of the catalog.
        table: Spanned<String>,
        /// A query of Spark SQL.
        query: Spanned<String>,
        /// Files, together with `file_format`.
        path: Spanned<String>,
    }
    defaulted {
        /// How the files under `path` are encoded, as Spark calls it.
        file_format: String,
        /// How that column writes dates.
        date_partition_column_format: String = "%Y-%m-%d".to_owned(),
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table or query of BigQuery.
    pub(crate) struct RawBigQuerySource, "a bigquery source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table as `project:dataset.table`.
        table: Spanned<String>,
        /// A query; with a table beside it, the table is where rows are written.
        query: Spanned<String>,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table or query of Redshift.
    pub(crate) struct RawRedshiftSource, "a redshift source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table.
        table: Spanned<String>,
        /// A query instead of a table.
        query: Spanned<String>,
        /// Schema of the table; `public` when left out.
        schema: String,
    }
    defaulted {
        /// Database of the table.
        database: String,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table or query of Snowflake.
    pub(crate) struct RawSnowflakeSource, "a snowflake source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table.
        table: Spanned<String>,
        /// A query instead of a table.
        query: Spanned<String>,
        /// Schema of the table; `PUBLIC` when left out and a database is given.
        schema: String,
    }
    defaulted {
        /// Database of the table.
        database: String,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table or query of Trino.
    pub(crate) struct RawTrinoSource, "a trino source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table.
        table: Spanned<String>,
        /// A query instead of a table.
        query: Spanned<String>,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A table or query of Amazon Athena.
    pub(crate) struct RawAthenaSource, "an athena source";
    optional {
        /// Unique among the sources of the project; by default the table.
        name: Spanned<String>,
        /// The table.
        table: Spanned<String>,
        /// A query instead of a table.
        query: Spanned<String>,
        /// Database of the table; `default` when left out.
        database: String,
    }
    defaulted {
        /// Athena's name for the catalog.
        data_source: String,
    }
    flatten { batch: RawBatchKeys, }
}

record! {
    /// A source of a Python class, which only Python can read.
    pub(crate) struct RawCustomSource, "a custom source";
    required {
        /// Unique among the sources of the project.
        name: Spanned<String>,
        /// Module and name of the class.
        class_type: Spanned<String>,
    }
    defaulted {
        /// Text that the class understands, usually JSON.
        configuration: String,
    }
    flatten { batch: RawBatchKeys, }
}
