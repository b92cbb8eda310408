use super::{
    DataSource, Duration, FeatureSpecV2, MapEntry, Timestamp,
    json::{enums, map, messages, name_of},
};

messages! {
    /// `feast.core.LabelView`.
    pub struct LabelView {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<LabelViewSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<LabelViewMeta>,
    }

    /// `feast.core.LabelViewSpec`.
    pub struct LabelViewSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub project: String,
        /// Entity names; `__dummy` alone for a view without entities.
        #[prost(string, repeated, tag = "3")]
        pub entities: Vec<String>,
        #[prost(message, repeated, tag = "4")]
        pub features: Vec<FeatureSpecV2>,
        #[prost(message, repeated, tag = "5")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        /// Zero and unset both mean without limit.
        #[prost(message, optional, tag = "6")]
        pub ttl: Option<Duration>,
        /// Copy of the source, usually a push source.
        #[prost(message, optional, tag = "7")]
        pub source: Option<DataSource>,
        #[prost(bool, tag = "8")]
        pub online: bool,
        #[prost(string, tag = "9")]
        pub description: String,
        #[prost(string, tag = "10")]
        pub owner: String,
        /// One column per join key, in the order of `entities`.
        #[prost(message, repeated, tag = "11")]
        pub entity_columns: Vec<FeatureSpecV2>,
        /// The column that says who gave a label.
        #[prost(string, tag = "12")]
        pub labeler_field: String,
        /// A [`ConflictResolutionPolicy`].
        #[prost(enumeration = "ConflictResolutionPolicy", tag = "13")]
        #[serde(serialize_with = "name_of::<ConflictResolutionPolicy, _>")]
        pub conflict_policy: i32,
        #[prost(bool, tag = "14")]
        pub retain_history: bool,
        /// The view whose rows are labelled.
        #[prost(string, tag = "15")]
        pub reference_feature_view: String,
    }

    /// `feast.core.LabelViewMeta`.
    pub struct LabelViewMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
    }
}

enums! {
    /// `feast.core.ConflictResolutionPolicy`: which of several labels counts.
    pub enum ConflictResolutionPolicy {
        LastWriteWins = 0 => "LAST_WRITE_WINS",
        LabelerPriority = 1 => "LABELER_PRIORITY",
        MajorityVote = 2 => "MAJORITY_VOTE",
    }
}
