use super::{
    DataSource, Duration, FeatureSpecV2, FeatureTransformationV2, MapEntry, Timestamp,
    json::{enums, map, messages, name_of},
};

messages! {
    /// `feast.core.FeatureView`.
    pub struct FeatureView {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<FeatureViewSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<FeatureViewMeta>,
    }

    /// `feast.core.FeatureViewSpec`.
    pub struct FeatureViewSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// The project, or empty: Feast drops it on some rewrites.
        #[prost(string, tag = "2")]
        pub project: String,
        /// Entity names; `__dummy` alone for a view without entities.
        #[prost(string, repeated, tag = "3")]
        pub entities: Vec<String>,
        /// Columns that are not join keys, in declared order.
        #[prost(message, repeated, tag = "4")]
        pub features: Vec<FeatureSpecV2>,
        #[prost(message, repeated, tag = "5")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        /// Zero and unset both mean without limit.
        #[prost(message, optional, tag = "6")]
        pub ttl: Option<Duration>,
        /// Copy of the source.
        #[prost(message, optional, tag = "7")]
        pub batch_source: Option<DataSource>,
        #[prost(bool, tag = "8")]
        pub online: bool,
        /// Copy of the push or stream source in front of `batch_source`.
        #[prost(message, optional, tag = "9")]
        pub stream_source: Option<DataSource>,
        #[prost(string, tag = "10")]
        pub description: String,
        #[prost(string, tag = "11")]
        pub owner: String,
        /// One column per join key, in the order of `entities`.
        #[prost(message, repeated, tag = "12")]
        pub entity_columns: Vec<FeatureSpecV2>,
        #[prost(bool, tag = "13")]
        pub offline: bool,
        /// Copies of the views this one is derived from.
        #[prost(message, repeated, tag = "14")]
        pub source_views: Vec<FeatureViewSpec>,
        #[prost(message, optional, tag = "15")]
        pub feature_transformation: Option<FeatureTransformationV2>,
        /// Kind of transformation.
        #[prost(string, tag = "16")]
        pub mode: String,
        /// Checks the schema at materialization.
        #[prost(bool, tag = "17")]
        pub enable_validation: bool,
        /// `latest`, or the version the definition is pinned to.
        #[prost(string, tag = "18")]
        pub version: String,
        #[prost(string, tag = "19")]
        pub org: String,
        /// Excludes the view from retrieval and materialization.
        #[prost(bool, tag = "20")]
        pub disabled: bool,
    }

    /// `feast.core.FeatureViewMeta`.
    pub struct FeatureViewMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
        /// In the order they were recorded.
        #[prost(message, repeated, tag = "3")]
        pub materialization_intervals: Vec<MaterializationInterval>,
        /// 0 also when Feast forgot the number.
        #[prost(int32, tag = "4")]
        pub current_version_number: i32,
        /// Never written.
        #[prost(string, tag = "5")]
        pub version_id: String,
        /// A [`FeatureViewState`].
        #[prost(enumeration = "FeatureViewState", tag = "6")]
        #[serde(serialize_with = "name_of::<FeatureViewState, _>")]
        pub state: i32,
    }

    /// `feast.core.MaterializationInterval`: a materialized stretch of time. Feast also records
    /// reversed ones.
    pub struct MaterializationInterval {
        #[prost(message, optional, tag = "1")]
        pub start_time: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub end_time: Option<Timestamp>,
    }
}

enums! {
    /// `feast.core.FeatureViewState`.
    pub enum FeatureViewState {
        Unspecified = 0 => "STATE_UNSPECIFIED",
        Created = 1 => "CREATED",
        Generated = 2 => "GENERATED",
        Materializing = 3 => "MATERIALIZING",
        AvailableOnline = 4 => "AVAILABLE_ONLINE",
    }
}
