use super::{
    AthenaOptions, BigQueryOptions, CustomSourceOptions, FileOptions, MapEntry, RedshiftOptions, SnowflakeOptions,
    SparkOptions, Timestamp, TrinoOptions,
    json::{base64, map, messages},
};

messages! {
    /// `feast.core.SavedDataset`.
    pub struct SavedDataset {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<SavedDatasetSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<SavedDatasetMeta>,
    }

    /// `feast.core.SavedDatasetSpec`.
    pub struct SavedDatasetSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// Empty in SQL rows, set in a file registry.
        #[prost(string, tag = "2")]
        pub project: String,
        /// References such as `view:feature`.
        #[prost(string, repeated, tag = "3")]
        pub features: Vec<String>,
        #[prost(string, repeated, tag = "4")]
        pub join_keys: Vec<String>,
        #[prost(bool, tag = "5")]
        pub full_feature_names: bool,
        #[prost(message, optional, tag = "6")]
        pub storage: Option<SavedDatasetStorage>,
        #[prost(message, repeated, tag = "7")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "8")]
        pub feature_service_name: String,
        #[prost(string, tag = "9")]
        pub namespace: String,
        #[prost(string, tag = "10")]
        pub collection: String,
        #[prost(string, tag = "11")]
        pub description: String,
        #[prost(message, repeated, tag = "12")]
        pub columns: Vec<SavedDatasetColumn>,
    }

    /// `feast.core.SavedDatasetMeta`.
    pub struct SavedDatasetMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
        /// Of the entity rows.
        #[prost(message, optional, tag = "3")]
        pub min_event_timestamp: Option<Timestamp>,
        /// Of the entity rows.
        #[prost(message, optional, tag = "4")]
        pub max_event_timestamp: Option<Timestamp>,
    }

    /// `feast.core.SavedDatasetStorage`: at most one field is set.
    pub struct SavedDatasetStorage {
        #[prost(message, optional, tag = "4")]
        pub file_storage: Option<FileOptions>,
        #[prost(message, optional, tag = "5")]
        pub bigquery_storage: Option<BigQueryOptions>,
        #[prost(message, optional, tag = "6")]
        pub redshift_storage: Option<RedshiftOptions>,
        #[prost(message, optional, tag = "7")]
        pub snowflake_storage: Option<SnowflakeOptions>,
        #[prost(message, optional, tag = "8")]
        pub trino_storage: Option<TrinoOptions>,
        #[prost(message, optional, tag = "9")]
        pub spark_storage: Option<SparkOptions>,
        #[prost(message, optional, tag = "10")]
        pub custom_storage: Option<CustomSourceOptions>,
        #[prost(message, optional, tag = "11")]
        pub athena_storage: Option<AthenaOptions>,
    }

    /// `feast.core.SavedDatasetColumn`.
    pub struct SavedDatasetColumn {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub r#type: String,
        #[prost(string, tag = "3")]
        pub description: String,
        #[prost(bool, optional, tag = "4")]
        pub nullable: Option<bool>,
    }

    /// `feast.core.ValidationReference`.
    pub struct ValidationReference {
        #[prost(string, tag = "1")]
        pub name: String,
        /// The saved dataset that new data is compared with.
        #[prost(string, tag = "2")]
        pub reference_dataset_name: String,
        /// Empty in SQL rows, set in a file registry.
        #[prost(string, tag = "3")]
        pub project: String,
        #[prost(string, tag = "4")]
        pub description: String,
        #[prost(message, repeated, tag = "5")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(message, optional, tag = "6")]
        pub ge_profiler: Option<GEValidationProfiler>,
        #[prost(message, optional, tag = "7")]
        pub ge_profile: Option<GEValidationProfile>,
    }

    /// `feast.core.GEValidationProfiler`.
    pub struct GEValidationProfiler {
        #[prost(message, optional, tag = "1")]
        pub profiler: Option<UserDefinedProfiler>,
    }

    /// `feast.core.GEValidationProfiler.UserDefinedProfiler`.
    pub struct UserDefinedProfiler {
        /// A Python pickle.
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "base64")]
        pub body: Vec<u8>,
    }

    /// `feast.core.GEValidationProfile`.
    pub struct GEValidationProfile {
        /// JSON.
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "base64")]
        pub expectation_suite: Vec<u8>,
    }
}
