use super::{
    Duration, FeatureSpecV2, FileFormat, MapEntry, StreamFormat, TableFormat, Timestamp, ValueTypeEntry,
    json::{base64, enums, map, messages, name_of},
};

messages! {
    /// `feast.core.DataSource`: at most one of the `…_options` is set.
    pub struct DataSource {
        /// A [`SourceType`].
        #[prost(enumeration = "SourceType", tag = "1")]
        #[serde(serialize_with = "name_of::<SourceType, _>")]
        pub r#type: i32,
        /// Column of the source to name in feature views.
        #[prost(message, repeated, tag = "2")]
        #[serde(serialize_with = "map")]
        pub field_mapping: Vec<MapEntry>,
        #[prost(string, tag = "3")]
        pub timestamp_field: String,
        #[prost(string, tag = "4")]
        pub date_partition_column: String,
        #[prost(string, tag = "5")]
        pub created_timestamp_column: String,
        #[prost(message, optional, tag = "11")]
        pub file_options: Option<FileOptions>,
        #[prost(message, optional, tag = "12")]
        pub bigquery_options: Option<BigQueryOptions>,
        #[prost(message, optional, tag = "13")]
        pub kafka_options: Option<KafkaOptions>,
        #[prost(message, optional, tag = "14")]
        pub kinesis_options: Option<KinesisOptions>,
        #[prost(message, optional, tag = "15")]
        pub redshift_options: Option<RedshiftOptions>,
        #[prost(message, optional, tag = "16")]
        pub custom_options: Option<CustomSourceOptions>,
        /// Path of the Python class; readers need it for custom sources only.
        #[prost(string, tag = "17")]
        pub data_source_class_type: String,
        #[prost(message, optional, tag = "18")]
        pub request_data_options: Option<RequestDataOptions>,
        #[prost(message, optional, tag = "19")]
        pub snowflake_options: Option<SnowflakeOptions>,
        #[prost(string, tag = "20")]
        pub name: String,
        /// Empty in SQL rows and in copies inside other messages.
        #[prost(string, tag = "21")]
        pub project: String,
        #[prost(message, optional, tag = "22")]
        pub push_options: Option<PushOptions>,
        #[prost(string, tag = "23")]
        pub description: String,
        #[prost(message, repeated, tag = "24")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "25")]
        pub owner: String,
        /// Copy of the source that holds the history of a push or stream source.
        #[prost(message, optional, boxed, tag = "26")]
        pub batch_source: Option<Box<DataSource>>,
        #[prost(message, optional, tag = "27")]
        pub spark_options: Option<SparkOptions>,
        #[prost(string, tag = "28")]
        pub timestamp_field_type: String,
        #[prost(message, optional, tag = "30")]
        pub trino_options: Option<TrinoOptions>,
        #[prost(message, optional, tag = "35")]
        pub athena_options: Option<AthenaOptions>,
        #[prost(message, optional, tag = "50")]
        pub meta: Option<SourceMeta>,
    }

    /// `feast.core.DataSource.SourceMeta`.
    pub struct SourceMeta {
        #[prost(message, optional, tag = "1")]
        pub earliest_event_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub latest_event_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "3")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "4")]
        pub last_updated_timestamp: Option<Timestamp>,
    }

    /// `feast.core.DataSource.FileOptions`.
    pub struct FileOptions {
        /// Unset reads as parquet.
        #[prost(message, optional, tag = "1")]
        pub file_format: Option<FileFormat>,
        /// As declared: a relative path stays relative.
        #[prost(string, tag = "2")]
        pub uri: String,
        #[prost(string, tag = "3")]
        pub s3_endpoint_override: String,
    }

    /// `feast.core.DataSource.BigQueryOptions`.
    pub struct BigQueryOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
    }

    /// `feast.core.DataSource.KafkaOptions`.
    pub struct KafkaOptions {
        /// Comma-separated addresses.
        #[prost(string, tag = "1")]
        pub kafka_bootstrap_servers: String,
        #[prost(string, tag = "2")]
        pub topic: String,
        #[prost(message, optional, tag = "3")]
        pub message_format: Option<StreamFormat>,
        #[prost(message, optional, tag = "4")]
        pub watermark_delay_threshold: Option<Duration>,
    }

    /// `feast.core.DataSource.KinesisOptions`.
    pub struct KinesisOptions {
        #[prost(string, tag = "1")]
        pub region: String,
        #[prost(string, tag = "2")]
        pub stream_name: String,
        #[prost(message, optional, tag = "3")]
        pub record_format: Option<StreamFormat>,
    }

    /// `feast.core.DataSource.RedshiftOptions`.
    pub struct RedshiftOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
        #[prost(string, tag = "3")]
        pub schema: String,
        #[prost(string, tag = "4")]
        pub database: String,
    }

    /// `feast.core.DataSource.CustomSourceOptions`.
    pub struct CustomSourceOptions {
        /// Only the class named in the source can read it; JSON for PostgreSQL sources.
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "base64")]
        pub configuration: Vec<u8>,
    }

    /// `feast.core.DataSource.RequestDataOptions`.
    pub struct RequestDataOptions {
        #[prost(message, repeated, tag = "2")]
        #[serde(serialize_with = "map")]
        pub deprecated_schema: Vec<ValueTypeEntry>,
        /// In declared order.
        #[prost(message, repeated, tag = "3")]
        pub schema: Vec<FeatureSpecV2>,
    }

    /// `feast.core.DataSource.SnowflakeOptions`.
    pub struct SnowflakeOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
        #[prost(string, tag = "3")]
        pub schema: String,
        #[prost(string, tag = "4")]
        pub database: String,
    }

    /// `feast.core.DataSource.PushOptions`, which Feast never writes.
    pub struct PushOptions {}

    /// `feast.core.DataSource.SparkOptions`.
    pub struct SparkOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
        #[prost(string, tag = "3")]
        pub path: String,
        #[prost(string, tag = "4")]
        pub file_format: String,
        #[prost(string, tag = "5")]
        pub date_partition_column_format: String,
        #[prost(message, optional, tag = "6")]
        pub table_format: Option<TableFormat>,
    }

    /// `feast.core.DataSource.TrinoOptions`.
    pub struct TrinoOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
    }

    /// `feast.core.DataSource.AthenaOptions`.
    pub struct AthenaOptions {
        #[prost(string, tag = "1")]
        pub table: String,
        #[prost(string, tag = "2")]
        pub query: String,
        #[prost(string, tag = "3")]
        pub database: String,
        #[prost(string, tag = "4")]
        pub data_source: String,
    }
}

enums! {
    /// `feast.core.DataSource.SourceType`.
    pub enum SourceType {
        Invalid = 0 => "INVALID",
        BatchFile = 1 => "BATCH_FILE",
        BatchBigQuery = 2 => "BATCH_BIGQUERY",
        StreamKafka = 3 => "STREAM_KAFKA",
        StreamKinesis = 4 => "STREAM_KINESIS",
        BatchRedshift = 5 => "BATCH_REDSHIFT",
        CustomSource = 6 => "CUSTOM_SOURCE",
        RequestSource = 7 => "REQUEST_SOURCE",
        BatchSnowflake = 8 => "BATCH_SNOWFLAKE",
        PushSource = 9 => "PUSH_SOURCE",
        BatchTrino = 10 => "BATCH_TRINO",
        BatchSpark = 11 => "BATCH_SPARK",
        BatchAthena = 12 => "BATCH_ATHENA",
        BatchIceberg = 13 => "BATCH_ICEBERG",
    }
}
