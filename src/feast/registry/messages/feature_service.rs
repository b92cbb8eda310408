use super::{
    DataSource, FeatureSpecV2, MapEntry, Timestamp,
    json::{float, map, messages},
};

messages! {
    /// `feast.core.FeatureService`.
    pub struct FeatureService {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<FeatureServiceSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<FeatureServiceMeta>,
    }

    /// `feast.core.FeatureServiceSpec`.
    pub struct FeatureServiceSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// Empty in SQL rows, set in a file registry.
        #[prost(string, tag = "2")]
        pub project: String,
        /// The members in declared order.
        #[prost(message, repeated, tag = "3")]
        pub features: Vec<FeatureViewProjection>,
        #[prost(message, repeated, tag = "4")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "5")]
        pub description: String,
        #[prost(string, tag = "6")]
        pub owner: String,
        #[prost(message, optional, tag = "7")]
        pub logging_config: Option<LoggingConfig>,
        #[prost(bool, tag = "8")]
        pub precompute_online: bool,
    }

    /// `feast.core.FeatureServiceMeta`.
    pub struct FeatureServiceMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
    }

    /// `feast.core.FeatureViewProjection`: features of one view, selected by a service or an on-demand
    /// view.
    pub struct FeatureViewProjection {
        #[prost(string, tag = "1")]
        pub feature_view_name: String,
        /// In selection order and without join keys, as the view had them when this was applied.
        #[prost(message, repeated, tag = "2")]
        pub feature_columns: Vec<FeatureSpecV2>,
        /// Used instead of the view's name.
        #[prost(string, tag = "3")]
        pub feature_view_name_alias: String,
        /// Join key of the view to column of the entity rows.
        #[prost(message, repeated, tag = "4")]
        #[serde(serialize_with = "map")]
        pub join_key_map: Vec<MapEntry>,
        /// Feast writes the created timestamp column here, too: not the event time.
        #[prost(string, tag = "5")]
        pub timestamp_field: String,
        #[prost(string, tag = "6")]
        pub date_partition_column: String,
        #[prost(string, tag = "7")]
        pub created_timestamp_column: String,
        /// Copy of the source of a view that has one.
        #[prost(message, optional, tag = "8")]
        pub batch_source: Option<DataSource>,
        /// Never written.
        #[prost(message, optional, tag = "9")]
        pub stream_source: Option<DataSource>,
        /// The version of a member pinned to one.
        #[prost(int32, optional, tag = "10")]
        pub version_tag: Option<i32>,
        /// `featureView` (also for on-demand views) or `labelView`.
        #[prost(string, tag = "11")]
        pub view_type: String,
    }

    /// `feast.core.LoggingConfig`: at most one destination is set.
    pub struct LoggingConfig {
        /// From 0 (none) to 1 (all).
        #[prost(float, tag = "1")]
        #[serde(serialize_with = "float")]
        pub sample_rate: f32,
        #[prost(message, optional, tag = "3")]
        pub file_destination: Option<FileDestination>,
        #[prost(message, optional, tag = "4")]
        pub bigquery_destination: Option<BigQueryDestination>,
        #[prost(message, optional, tag = "5")]
        pub redshift_destination: Option<RedshiftDestination>,
        #[prost(message, optional, tag = "6")]
        pub snowflake_destination: Option<SnowflakeDestination>,
        #[prost(message, optional, tag = "7")]
        pub custom_destination: Option<CustomDestination>,
        #[prost(message, optional, tag = "8")]
        pub athena_destination: Option<AthenaDestination>,
        #[prost(message, optional, tag = "9")]
        pub couchbase_columnar_destination: Option<CouchbaseColumnarDestination>,
    }

    /// `feast.core.LoggingConfig.FileDestination`.
    pub struct FileDestination {
        #[prost(string, tag = "1")]
        pub path: String,
        #[prost(string, tag = "2")]
        pub s3_endpoint_override: String,
        #[prost(string, repeated, tag = "3")]
        pub partition_by: Vec<String>,
    }

    /// `feast.core.LoggingConfig.BigQueryDestination`.
    pub struct BigQueryDestination {
        #[prost(string, tag = "1")]
        pub table_ref: String,
    }

    /// `feast.core.LoggingConfig.RedshiftDestination`.
    pub struct RedshiftDestination {
        #[prost(string, tag = "1")]
        pub table_name: String,
    }

    /// `feast.core.LoggingConfig.SnowflakeDestination`.
    pub struct SnowflakeDestination {
        #[prost(string, tag = "1")]
        pub table_name: String,
    }

    /// `feast.core.LoggingConfig.CustomDestination`.
    pub struct CustomDestination {
        #[prost(string, tag = "1")]
        pub kind: String,
        #[prost(message, repeated, tag = "2")]
        #[serde(serialize_with = "map")]
        pub config: Vec<MapEntry>,
    }

    /// `feast.core.LoggingConfig.AthenaDestination`.
    pub struct AthenaDestination {
        #[prost(string, tag = "1")]
        pub table_name: String,
    }

    /// `feast.core.LoggingConfig.CouchbaseColumnarDestination`.
    pub struct CouchbaseColumnarDestination {
        #[prost(string, tag = "1")]
        pub database: String,
        #[prost(string, tag = "2")]
        pub scope: String,
        #[prost(string, tag = "3")]
        pub collection: String,
    }
}
