use super::{
    MapEntry, Timestamp,
    json::{map, messages},
};

messages! {
    /// `feast.core.Project`.
    pub struct Project {
        #[prost(message, optional, tag = "1")]
        pub spec: Option<ProjectSpec>,
        #[prost(message, optional, tag = "2")]
        pub meta: Option<ProjectMeta>,
    }

    /// `feast.core.ProjectSpec`.
    pub struct ProjectSpec {
        #[prost(string, tag = "1")]
        pub name: String,
        #[prost(string, tag = "2")]
        pub description: String,
        #[prost(message, repeated, tag = "3")]
        #[serde(serialize_with = "map")]
        pub tags: Vec<MapEntry>,
        #[prost(string, tag = "4")]
        pub owner: String,
    }

    /// `feast.core.ProjectMeta`.
    pub struct ProjectMeta {
        #[prost(message, optional, tag = "1")]
        pub created_timestamp: Option<Timestamp>,
        #[prost(message, optional, tag = "2")]
        pub last_updated_timestamp: Option<Timestamp>,
    }
}
