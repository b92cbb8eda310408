use super::{
    Aggregation, DataSource, FeatureSpecV2, FeatureTransformationV2, FeatureView, FeatureViewProjection,
    FeatureViewState, MapEntry, OnDemandSourceEntry, Timestamp, UserDefinedFunction,
    json::{map, messages, name_of},
};

messages! {
    /// `feast.core.OnDemandFeatureView`.
    pub struct OnDemandFeatureView {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<OnDemandFeatureViewSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<OnDemandFeatureViewMeta>,
    }

    /// `feast.core.OnDemandFeatureViewSpec`.
    pub struct OnDemandFeatureViewSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        /// The project, or empty: Feast drops it on some rewrites.
        #[prost(string, tag = "2")]
        pub project: String,
        /// The outputs.
        #[prost(message, repeated, tag = "3")]
        pub features: Vec<FeatureSpecV2>,
        /// The inputs by name of the source view or request source.
        #[prost(message, repeated, tag = "4")]
        #[serde(serialize_with = "map")]
        pub sources: Vec<OnDemandSourceEntry>,
        /// Where older Feast versions kept the transformation.
        #[prost(message, optional, tag = "5")]
        pub user_defined_function: Option<UserDefinedFunction>,
        #[prost(string, tag = "6")]
        pub description: String,
        #[prost(message, repeated, tag = "7")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "8")]
        pub owner: String,
        #[prost(message, optional, tag = "10")]
        pub feature_transformation: Option<FeatureTransformationV2>,
        /// `pandas`, `python` or `substrait`.
        #[prost(string, tag = "11")]
        pub mode: String,
        #[prost(bool, tag = "12")]
        pub write_to_online_store: bool,
        /// Entity names; `__dummy` alone for a view without entities.
        #[prost(string, repeated, tag = "13")]
        pub entities: Vec<String>,
        /// One column per join key, in the order of `entities`.
        #[prost(message, repeated, tag = "14")]
        pub entity_columns: Vec<FeatureSpecV2>,
        /// The function takes one row at a time.
        #[prost(bool, tag = "15")]
        pub singleton: bool,
        /// Instead of a transformation.
        #[prost(message, repeated, tag = "16")]
        pub aggregations: Vec<Aggregation>,
        /// `latest`, or the version the definition is pinned to.
        #[prost(string, tag = "17")]
        pub version: String,
        #[prost(string, tag = "18")]
        pub org: String,
        /// Excludes the view from retrieval and materialization.
        #[prost(bool, tag = "19")]
        pub disabled: bool,
    }

    /// `feast.core.OnDemandFeatureViewMeta`.
    pub struct OnDemandFeatureViewMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
        /// 0 also when Feast forgot the number.
        #[prost(int32, tag = "3")]
        pub current_version_number: i32,
        /// Never written.
        #[prost(string, tag = "4")]
        pub version_id: String,
        /// A [`FeatureViewState`].
        #[prost(enumeration = "FeatureViewState", tag = "5")]
        #[serde(serialize_with = "name_of::<FeatureViewState, _>")]
        pub state: i32,
    }

    /// `feast.core.OnDemandSource`: exactly one field is set.
    pub struct OnDemandSource {
        /// Written by old versions only.
        #[prost(message, optional, tag = "1")]
        pub feature_view: Option<FeatureView>,
        #[prost(message, optional, tag = "2")]
        pub request_data_source: Option<DataSource>,
        #[prost(message, optional, tag = "3")]
        pub feature_view_projection: Option<FeatureViewProjection>,
    }
}
