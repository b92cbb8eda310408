use serde::Serialize;

use super::{DataSource, FeatureView, Field, Projection, Tags, ViewVersion};

/// Features computed from other features and from values of the request, by SQL expressions.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OnDemandFeatureView {
    /// Unique among all views of a project, ignoring case.
    pub name: String,
    /// Entity names; only [`super::DUMMY_ENTITY`] when none is declared.
    pub entities: Vec<String>,
    /// One column per join key, in the order of `entities`.
    pub entity_columns: Vec<Field>,
    /// The inputs, sorted by name.
    pub sources: Vec<OnDemandSource>,
    /// The outputs in declared order.
    pub features: Vec<Field>,
    /// One SQL expression per output, in the order of `features`; none where a Python function computes the view.
    pub expressions: Vec<Expression>,
    /// Whether computed values are also written to the online store.
    pub write_to_online_store: bool,
    /// Whether the view is served at all.
    pub enabled: bool,
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

/// An output and how it is computed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Expression {
    /// Name of the output.
    pub name: String,
    /// A scalar expression of DuckDB's SQL over the inputs' names.
    pub sql: String,
}

/// Where an on-demand view gets inputs from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum OnDemandSource {
    /// Features of another view.
    View(Projection),
    /// A copy of a request source.
    Request(DataSource),
}

impl OnDemandFeatureView {
    /// The plain view that its values are stored as, if they are stored.
    pub fn as_stored(&self) -> FeatureView {
        FeatureView {
            entities: self.entities.clone(),
            entity_columns: self.entity_columns.clone(),
            features: self.features.clone(),
            online: self.write_to_online_store,
            enabled: self.enabled,
            owner: self.owner.clone(),
            ..FeatureView::new(&self.name)
        }
    }
}

impl OnDemandSource {
    /// The name under which Feast stores the input: of the view or of the request source.
    pub fn name(&self) -> &str {
        match self {
            Self::View(projection) => &projection.view,
            Self::Request(source) => &source.name,
        }
    }
}
