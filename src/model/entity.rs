use serde::Serialize;

use super::{DataType, Tags};

/// The entity of views that have none: Feast registers it in every project.
pub const DUMMY_ENTITY: &str = "__dummy";

/// The join key of [`DUMMY_ENTITY`]; its only value is the empty text.
pub const DUMMY_JOIN_KEY: &str = "__dummy_id";

/// A thing that features describe, identified by one join key column.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Entity {
    /// Unique among the entities of a project.
    pub name: String,
    /// The column that holds the identity of the entity in sources and entity rows.
    pub join_key: String,
    /// Type of the join key; `None` takes it from the view's schema or its source.
    pub value_type: Option<DataType>,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

impl Entity {
    /// The entity Feast expects in every project for its entity-less views.
    pub fn dummy() -> Self {
        Self {
            name: DUMMY_ENTITY.to_owned(),
            join_key: DUMMY_JOIN_KEY.to_owned(),
            value_type: None,
            description: String::new(),
            owner: String::new(),
            tags: Tags::new(),
        }
    }
}
