use super::{
    Aggregation, DataSource, Duration, FeatureSpecV2, FeatureTransformationV2, FeatureViewMeta, MapEntry,
    UserDefinedFunction,
    json::{map, messages},
};

messages! {
    /// `feast.core.StreamFeatureView`.
    pub struct StreamFeatureView {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<StreamFeatureViewSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<FeatureViewMeta>,
    }

    /// `feast.core.StreamFeatureViewSpec`.
    pub struct StreamFeatureViewSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// The project, or empty: Feast drops it on some rewrites.
        #[prost(string, tag = "2")]
        pub project: String,
        /// Entity names; `__dummy` alone for a view without entities.
        #[prost(string, repeated, tag = "3")]
        pub entities: Vec<String>,
        /// The whole schema with the join keys, in any order.
        #[prost(message, repeated, tag = "4")]
        pub features: Vec<FeatureSpecV2>,
        /// One column per join key, in the order of `entities`.
        #[prost(message, repeated, tag = "5")]
        pub entity_columns: Vec<FeatureSpecV2>,
        #[prost(string, tag = "6")]
        pub description: String,
        #[prost(message, repeated, tag = "7")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "8")]
        pub owner: String,
        /// Zero and unset both mean without limit.
        #[prost(message, optional, tag = "9")]
        pub ttl: Option<Duration>,
        #[prost(message, optional, tag = "10")]
        pub batch_source: Option<DataSource>,
        #[prost(message, optional, tag = "11")]
        pub stream_source: Option<DataSource>,
        #[prost(bool, tag = "12")]
        pub online: bool,
        /// Where older Feast versions kept the transformation. Still written.
        #[prost(message, optional, tag = "13")]
        pub user_defined_function: Option<UserDefinedFunction>,
        /// Kind of transformation.
        #[prost(string, tag = "14")]
        pub mode: String,
        #[prost(message, repeated, tag = "15")]
        pub aggregations: Vec<Aggregation>,
        /// The event time that aggregations use.
        #[prost(string, tag = "16")]
        pub timestamp_field: String,
        #[prost(message, optional, tag = "17")]
        pub feature_transformation: Option<FeatureTransformationV2>,
        /// Aggregates in tiles.
        #[prost(bool, tag = "18")]
        pub enable_tiling: bool,
        /// Length of a tile.
        #[prost(message, optional, tag = "19")]
        pub tiling_hop_size: Option<Duration>,
        #[prost(bool, tag = "20")]
        pub enable_validation: bool,
        /// `latest`, or the version the definition is pinned to.
        #[prost(string, tag = "21")]
        pub version: String,
        #[prost(string, tag = "22")]
        pub org: String,
        /// Excludes the view from retrieval and materialization.
        #[prost(bool, tag = "23")]
        pub disabled: bool,
    }
}
