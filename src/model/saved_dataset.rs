use serde::Serialize;

use super::{FileFormat, PostgresSource, SparkSource, Tags, WarehouseSource};

/// Training data that was stored under a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavedDataset {
    /// Unique among the saved datasets of a project.
    pub name: String,
    /// References such as `view:feature`.
    pub features: Vec<String>,
    /// The columns of the keys.
    pub join_keys: Vec<String>,
    /// Whether columns are named `view__feature`.
    pub full_feature_names: bool,
    /// Where the rows are.
    pub storage: DatasetStorage,
    /// The service whose features were stored; empty when they were named one by one.
    pub feature_service: String,
    /// Feast's namespace; empty if there is none.
    pub namespace: String,
    /// Feast's collection; empty if there is none.
    pub collection: String,
    /// What it is about; empty if not given.
    pub description: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

/// Where a saved dataset is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetStorage {
    /// Files.
    File {
        /// Where they are.
        path: String,
        /// How they are encoded; `None` when it is not declared.
        format: Option<FileFormat>,
        /// Endpoint of an S3-compatible store; empty when there is none.
        s3_endpoint_override: String,
    },
    /// A table of PostgreSQL.
    Postgres(PostgresSource),
    /// What Spark writes.
    Spark(SparkSource),
    /// A table of a warehouse.
    Warehouse(WarehouseSource),
}

/// A saved dataset that new data is compared with, by a profiler written in Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationReference {
    /// Unique among the validation references of a project.
    pub name: String,
    /// The saved dataset that new data is compared with.
    pub reference_dataset: String,
    /// What it is about; empty if not given.
    pub description: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}
