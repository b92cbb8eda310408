use serde::Serialize;

use super::{DataType, Tags};

/// A named, typed column of a view: a feature or a join key.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Field {
    /// Unique in its view, ignoring case.
    pub name: String,
    /// The type of its values.
    pub dtype: DataType,
    /// What it is about; empty if not given.
    pub description: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
    /// Settings of similarity search; `None` when the column has none.
    pub vector: Option<VectorIndex>,
}

impl Field {
    /// A column without description, tags or vector settings.
    pub fn new(name: impl Into<String>, dtype: DataType) -> Self {
        Self { name: name.into(), dtype, description: String::new(), tags: Tags::new(), vector: None }
    }
}

/// How a vector column is indexed in online stores that can search.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
pub struct VectorIndex {
    /// Whether there is an index over the vectors.
    pub index: bool,
    /// Number of elements of each vector; 0 when not declared.
    pub length: i32,
    /// For example `cosine` or `l2`; empty when not declared.
    pub search_metric: String,
}
