use std::collections::BTreeMap;

use serde::Serialize;

use super::{DataSource, Field, Tags};

/// A named selection of features, usually what one model version needs.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureService {
    /// Unique among the services of a project.
    pub name: String,
    /// The selected views in declared order.
    pub features: Vec<Projection>,
    /// How what was served is logged; `None` when it is not.
    pub logging_config: Option<LoggingConfig>,
    /// Feast's wish to keep the whole answer online; feastr only keeps the mark.
    pub precompute_online: bool,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

/// Some features of one view, perhaps under another name or with other join keys.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Projection {
    /// The name of the view.
    pub view: String,
    /// The selected features, in selection order, as the view had them when the service was applied.
    pub features: Vec<Field>,
    /// The name used instead of the view's.
    pub name_alias: Option<String>,
    /// Join key of the view to column of the entity rows.
    pub join_key_map: BTreeMap<String, String>,
    /// Copy of the view's batch source, as Feast stores it; `None` for views without one.
    pub source: Option<DataSource>,
    /// Whether the view is a label view.
    pub labels: bool,
}

impl Projection {
    /// The name that qualifies feature names: the alias if there is one.
    pub fn name_to_use(&self) -> &str {
        self.name_alias.as_deref().unwrap_or(&self.view)
    }
}

/// Which share of requests is logged, and where to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoggingConfig {
    /// From 0 (none) to 1 (all).
    pub sample_rate: f32,
    /// Where the log goes.
    pub destination: LogDestination,
}

/// Where feature logs go.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum LogDestination {
    /// Parquet files.
    File {
        /// Where they are.
        path: String,
        /// Endpoint of an S3-compatible store; empty when there is none.
        s3_endpoint_override: String,
        /// Columns by which folders are made.
        partition_by: Vec<String>,
    },
    /// A destination that YAML definitions cannot express; the text is its kind in Feast.
    Foreign(String),
}
