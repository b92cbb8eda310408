use super::{
    DataSource, Entity, FeatureService, FeatureView, Infra, LabelView, OnDemandFeatureView, Permission, Project,
    SavedDataset, StreamFeatureView, Timestamp, ValidationReference,
    json::{base64, messages},
};

messages! {
    /// `feast.core.Registry`: a whole file registry, all projects in one. The obsolete
    /// `feature_tables` (2) count as unknown.
    pub struct Registry {
        #[prost(message, repeated, tag = "1")]
        pub entities: Vec<Entity>,
        /// `1` in every version of Feast so far.
        #[prost(string, tag = "3")]
        pub registry_schema_version: String,
        /// A random UUID, new at every write.
        #[prost(string, tag = "4")]
        pub version_id: String,
        #[prost(message, optional, tag = "5")]
        pub last_updated: Option<Timestamp>,
        #[prost(message, repeated, tag = "6")]
        pub feature_views: Vec<FeatureView>,
        #[prost(message, repeated, tag = "7")]
        pub feature_services: Vec<FeatureService>,
        #[prost(message, repeated, tag = "8")]
        pub on_demand_feature_views: Vec<OnDemandFeatureView>,
        /// Of all projects together.
        #[prost(message, optional, tag = "10")]
        pub infra: Option<Infra>,
        #[prost(message, repeated, tag = "11")]
        pub saved_datasets: Vec<SavedDataset>,
        #[prost(message, repeated, tag = "12")]
        pub data_sources: Vec<DataSource>,
        #[prost(message, repeated, tag = "13")]
        pub validation_references: Vec<ValidationReference>,
        #[prost(message, repeated, tag = "14")]
        pub stream_feature_views: Vec<StreamFeatureView>,
        /// What Feast kept before there were `projects`.
        #[prost(message, repeated, tag = "15")]
        pub project_metadata: Vec<ProjectMetadata>,
        #[prost(message, repeated, tag = "16")]
        pub permissions: Vec<Permission>,
        #[prost(message, repeated, tag = "17")]
        pub projects: Vec<Project>,
        #[prost(message, optional, tag = "18")]
        pub feature_view_version_history: Option<FeatureViewVersionHistory>,
        #[prost(message, repeated, tag = "19")]
        pub label_views: Vec<LabelView>,
    }

    /// `feast.core.ProjectMetadata`.
    pub struct ProjectMetadata {
        #[prost(string, tag = "1")]
        pub project: String,
        #[prost(string, tag = "2")]
        pub project_uuid: String,
    }

    /// `feast.core.FeatureViewVersionHistory`.
    pub struct FeatureViewVersionHistory {
        #[prost(message, repeated, tag = "1")]
        pub records: Vec<FeatureViewVersionRecord>,
    }

    /// `feast.core.FeatureViewVersionRecord`: a view as it was at one version.
    pub struct FeatureViewVersionRecord {
        #[prost(string, tag = "1")]
        pub feature_view_name: String,
        /// The project's name.
        #[prost(string, tag = "2")]
        pub project_id: String,
        /// From 0.
        #[prost(int32, tag = "3")]
        pub version_number: i32,
        /// Which message `feature_view_proto` holds: `feature_view`, `stream_feature_view`,
        /// `on_demand_feature_view` or `label_view`.
        #[prost(string, tag = "4")]
        pub feature_view_type: String,
        /// The stored bytes of the view at that moment.
        #[prost(bytes = "vec", tag = "5")]
        #[serde(serialize_with = "base64")]
        pub feature_view_proto: Vec<u8>,
        #[prost(message, optional, tag = "6")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(string, tag = "7")]
        pub description: String,
        /// A random UUID.
        #[prost(string, tag = "8")]
        pub version_id: String,
    }
}
