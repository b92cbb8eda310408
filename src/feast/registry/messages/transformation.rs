use super::{
    Duration,
    json::{base64, messages},
};

messages! {
    /// `feast.core.FeatureTransformationV2`: at most one field is set.
    pub struct FeatureTransformationV2 {
        #[prost(message, optional, tag = "1")]
        pub user_defined_function: Option<UserDefinedFunctionV2>,
        #[prost(message, optional, tag = "2")]
        pub substrait_transformation: Option<SubstraitTransformationV2>,
    }

    /// `feast.core.UserDefinedFunctionV2`.
    pub struct UserDefinedFunctionV2 {
        #[prost(string, tag = "1")]
        pub name: String,
        /// A Python pickle.
        #[prost(bytes = "vec", tag = "2")]
        #[serde(serialize_with = "base64")]
        pub body: Vec<u8>,
        /// The source of the function, which Feast prefers to `body`.
        #[prost(string, tag = "3")]
        pub body_text: String,
        /// The mode of the view.
        #[prost(string, tag = "4")]
        pub mode: String,
    }

    /// `feast.core.SubstraitTransformationV2`.
    pub struct SubstraitTransformationV2 {
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "base64")]
        pub substrait_plan: Vec<u8>,
        /// A Python pickle.
        #[prost(bytes = "vec", tag = "2")]
        #[serde(serialize_with = "base64")]
        pub ibis_function: Vec<u8>,
    }

    /// `feast.core.UserDefinedFunction`, replaced by [`UserDefinedFunctionV2`].
    pub struct UserDefinedFunction {
        #[prost(string, tag = "1")]
        pub name: String,
        /// A Python pickle.
        #[prost(bytes = "vec", tag = "2")]
        #[serde(serialize_with = "base64")]
        pub body: Vec<u8>,
        /// The source of the function.
        #[prost(string, tag = "3")]
        pub body_text: String,
    }

    /// `feast.core.Aggregation`.
    pub struct Aggregation {
        #[prost(string, tag = "1")]
        pub column: String,
        /// For example `sum` or `count_distinct`.
        #[prost(string, tag = "2")]
        pub function: String,
        #[prost(message, optional, tag = "3")]
        pub time_window: Option<Duration>,
        /// Unset and zero mean the same as `time_window`.
        #[prost(message, optional, tag = "4")]
        pub slide_interval: Option<Duration>,
        /// Name of the output; empty derives it from function and column.
        #[prost(string, tag = "5")]
        pub name: String,
    }
}
