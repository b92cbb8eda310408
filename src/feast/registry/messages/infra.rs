use super::json::{base64, messages};

messages! {
    /// `feast.core.Infra`: what applies created outside of the registry.
    pub struct Infra {
        #[prost(message, repeated, tag = "1")]
        pub infra_objects: Vec<InfraObject>,
    }

    /// `feast.core.InfraObject`: one of the last three fields is set.
    pub struct InfraObject {
        /// Path of the Python class.
        #[prost(string, tag = "1")]
        pub infra_object_class_type: String,
        #[prost(message, optional, tag = "3")]
        pub datastore_table: Option<DatastoreTable>,
        #[prost(message, optional, tag = "4")]
        pub sqlite_table: Option<SqliteTable>,
        #[prost(message, optional, tag = "100")]
        pub custom_infra: Option<CustomInfra>,
    }

    /// `feast.core.DatastoreTable`.
    pub struct DatastoreTable {
        #[prost(string, tag = "1")]
        pub project: String,
        #[prost(string, tag = "2")]
        pub name: String,
        #[prost(message, optional, tag = "3")]
        pub project_id: Option<String>,
        #[prost(message, optional, tag = "4")]
        pub namespace: Option<String>,
        #[prost(message, optional, tag = "5")]
        pub database: Option<String>,
    }

    /// `feast.core.SqliteTable`.
    pub struct SqliteTable {
        /// Absolute path of the database file.
        #[prost(string, tag = "1")]
        pub path: String,
        /// `<project>_<view>`.
        #[prost(string, tag = "2")]
        pub name: String,
    }

    /// `feast.core.InfraObject.CustomInfra`.
    pub struct CustomInfra {
        #[prost(bytes = "vec", tag = "1")]
        #[serde(serialize_with = "base64")]
        pub field: Vec<u8>,
    }
}
