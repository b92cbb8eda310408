use serde::Serialize;

use super::{AGGREGATIONS_TAG, Aggregation, DataSource, FeatureView, Field, Tags, Ttl, UnorderedFields, ViewVersion};

/// Features that arrive in a stream, with a source for their history.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StreamFeatureView {
    /// Unique among all views of a project, ignoring case.
    pub name: String,
    /// Entity names in declared order; only [`super::DUMMY_ENTITY`] for a view without entities.
    pub entities: Vec<String>,
    /// One column per join key, in the order of `entities`.
    pub entity_columns: Vec<Field>,
    /// The features, join keys not among them.
    pub features: UnorderedFields,
    /// How long a value stays valid after its event time.
    pub ttl: Ttl,
    /// Copy of the source that holds the history.
    pub source: Option<DataSource>,
    /// Copy of the push, Kafka or custom source that the rows come from.
    pub stream_source: Option<DataSource>,
    /// What is computed over windows of the stream.
    pub aggregations: Vec<Aggregation>,
    /// The event time that aggregations use; empty when there is none.
    pub timestamp_field: String,
    /// Whether aggregates are kept in tiles.
    pub enable_tiling: bool,
    /// Length of a tile; `None` when not declared.
    pub tiling_hop_size: Option<Ttl>,
    /// Whether materialization writes this view to the online store.
    pub online: bool,
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

impl StreamFeatureView {
    /// The plain view over the history: what can be read of the view without its stream.
    pub fn over_history(&self) -> FeatureView {
        let mut tags = self.tags.clone();
        if !self.aggregations.is_empty() {
            tags.insert(AGGREGATIONS_TAG.to_owned(), serde_json::to_string(&self.aggregations).unwrap_or_default());
        }
        FeatureView {
            name: self.name.clone(),
            entities: self.entities.clone(),
            entity_columns: self.entity_columns.clone(),
            features: self.features.to_vec(),
            ttl: self.ttl,
            source: self.source.clone(),
            stream_source: self.stream_source.clone(),
            online: self.online,
            offline: false,
            enabled: self.enabled,
            enable_validation: self.enable_validation,
            mode: self.mode.clone(),
            version: self.version,
            description: self.description.clone(),
            owner: self.owner.clone(),
            org: self.org.clone(),
            tags,
        }
    }
}
