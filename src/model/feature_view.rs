use std::collections::BTreeMap;

use serde::Serialize;

use super::{DUMMY_ENTITY, DataSource, DataType, Field, Tags, Transformation, Ttl, ViewVersion};

/// Features of the same entities that come from one source.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FeatureView {
    /// Unique among all views of a project, ignoring case.
    pub name: String,
    /// Entity names in declared order; only [`DUMMY_ENTITY`] for a view without entities.
    pub entities: Vec<String>,
    /// One column per join key, in the order of `entities`.
    pub entity_columns: Vec<Field>,
    /// The features in declared (or inferred) order.
    pub features: Vec<Field>,
    /// How long a value stays valid after its event time.
    pub ttl: Ttl,
    /// Where the rows come from: a copy of the source, as Feast stores it inside the view.
    pub source: Option<DataSource>,
    /// Copy of the push or stream source in front of `source`, if the view was declared over one.
    pub stream_source: Option<DataSource>,
    /// Whether materialization writes this view to the online store.
    pub online: bool,
    /// Whether pushed rows go to the offline store.
    pub offline: bool,
    /// Whether the view is served and materialized at all.
    pub enabled: bool,
    /// Whether the schema is checked at materialization.
    pub enable_validation: bool,
    /// Kept for Feast, never run; empty when not declared.
    pub mode: String,
    /// The version it is pinned to.
    pub version: ViewVersion,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// The organisation that it belongs to; empty if not given.
    pub org: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

impl FeatureView {
    /// A view without columns or a source, and with Feast's defaults.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            entities: Vec::new(),
            entity_columns: Vec::new(),
            features: Vec::new(),
            ttl: Ttl::UNLIMITED,
            source: None,
            stream_source: None,
            online: true,
            offline: false,
            enabled: true,
            enable_validation: false,
            mode: String::new(),
            version: ViewVersion::Latest,
            description: String::new(),
            owner: String::new(),
            org: String::new(),
            tags: Tags::new(),
        }
    }

    /// Whether the view describes no entity: one row of values for the whole project.
    pub fn is_entityless(&self) -> bool {
        self.entities.iter().all(|name| name == DUMMY_ENTITY)
    }

    /// The join key columns that entity rows must bring; none for an entity-less view.
    pub fn join_keys(&self) -> &[Field] {
        if self.is_entityless() { &[] } else { &self.entity_columns }
    }

    /// Whether the view's values are more than columns of its source.
    pub fn is_transformed(&self) -> bool {
        Transformation::TAGS.iter().any(|tag| self.tags.contains_key(*tag))
    }

    /// Whether both views write the same values: columns of the same types, read from the same rows.
    pub fn same_values(&self, other: &Self) -> bool {
        fn columns(fields: &[Field]) -> BTreeMap<&str, &DataType> {
            fields.iter().map(|field| (field.name.as_str(), &field.dtype)).collect()
        }
        columns(self.join_keys()) == columns(other.join_keys())
            && columns(&self.features) == columns(&other.features)
            && self.source.as_ref().map(DataSource::rows) == other.source.as_ref().map(DataSource::rows)
            && Transformation::TAGS.iter().all(|tag| self.tags.get(*tag) == other.tags.get(*tag))
    }
}
