use serde::Serialize;

use super::{FileFormat, PostgresSource, SparkSource, Tags, WarehouseSource};

/// Training data that was stored under a name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SavedDataset {
    /// Unique among the saved datasets of a project.
    pub name: String,
    /// References such as `view:feature`.
    pub features: Vec<String>,
    pub join_keys: Vec<String>,
    /// Whether columns are named `view__feature`.
    pub full_feature_names: bool,
    pub storage: DatasetStorage,
    /// The service whose features were stored; empty when they were named one by one.
    pub feature_service: String,
    pub namespace: String,
    pub collection: String,
    pub description: String,
    pub tags: Tags,
}

/// Where a saved dataset is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DatasetStorage {
    File { path: String, format: Option<FileFormat>, s3_endpoint_override: String },
    Postgres(PostgresSource),
    Spark(SparkSource),
    Warehouse(WarehouseSource),
}

/// A saved dataset that new data is compared with, by a profiler written in Python.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ValidationReference {
    /// Unique among the validation references of a project.
    pub name: String,
    pub reference_dataset: String,
    pub description: String,
    pub tags: Tags,
}
