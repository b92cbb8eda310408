//! What lists show of a stored object.

use super::{
    convert::{
        data_source_from_message, entity_from_message, label_view_from_message, materialized_from_message,
        on_demand_feature_view_from_message, permission_from_message, project_from_message, saved_dataset_from_message,
        validation_reference_from_message,
    },
    layout::features,
    messages::{self, DecodeError, decode},
};
use crate::model::{
    ConflictPolicy, DataSource, Entity, ObjectKind, Permission, Project, SavedDataset, Timestamp, Ttl,
    ValidationReference,
};

/// What lists show of an object, also of a view that definitions cannot declare.
#[derive(Debug, Clone, PartialEq)]
pub enum Listed {
    /// A project.
    Project(Project),
    /// A data source of any kind.
    DataSource(DataSource),
    /// An entity.
    Entity(Entity),
    /// A view with values of a source: plain, batch or stream.
    FeatureView(ListedView),
    /// A view that is computed when it is asked for.
    OnDemandFeatureView {
        /// The names of its inputs.
        sources: Vec<String>,
        /// The names of its outputs.
        features: Vec<String>,
        /// Whether it is made of SQL expressions, not of a Python function.
        is_sql: bool,
    },
    /// A view of labels.
    LabelView {
        /// The names of its entities.
        entities: Vec<String>,
        /// The names of its labels.
        labels: Vec<String>,
        /// The name of its source, if it has one.
        source: Option<String>,
        /// What happens to labels that contradict each other; `None` if definitions cannot declare the view.
        conflict_policy: Option<ConflictPolicy>,
    },
    /// A feature service, with what it selects as `view:feature`, by the service's own names of views.
    FeatureService(Vec<String>),
    /// A permission.
    Permission(Permission),
    /// A saved dataset.
    SavedDataset(SavedDataset),
    /// A validation reference.
    ValidationReference(ValidationReference),
    /// An object that says nothing that feastr knows.
    Unknown,
}

/// A view with values of a source.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedView {
    /// What is done with the rows of the source.
    pub computed: Computed,
    /// The names of its entities.
    pub entities: Vec<String>,
    /// How many features it has.
    pub features: usize,
    /// How old values may be.
    pub ttl: Ttl,
    /// Whether it is materialized.
    pub online: bool,
    /// Whether it is served at all.
    pub enabled: bool,
    /// The latest end of a recorded interval.
    pub materialized_until: Option<Timestamp>,
}

/// Where the features of a view come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Computed {
    /// They are columns of its source.
    Plain,
    /// They are computed in batches, or of other views.
    Batch,
    /// They arrive in a stream.
    Stream,
}

impl Listed {
    /// Reads a stored message.
    ///
    /// # Errors
    /// When the bytes are not a message of this kind.
    pub fn read(kind: ObjectKind, proto: &[u8]) -> Result<Self, DecodeError> {
        Ok(match kind {
            ObjectKind::Project => Self::Project(project_from_message(&decode(proto)?)),
            ObjectKind::DataSource => Self::DataSource(data_source_from_message(&decode(proto)?)),
            ObjectKind::Entity => Self::Entity(entity_from_message(&decode(proto)?)),
            ObjectKind::FeatureView => {
                let messages::FeatureView { spec, meta } = decode(proto)?;
                let spec = spec.unwrap_or_default();
                let is_derived = spec.feature_transformation.is_some() || !spec.source_views.is_empty();
                Self::FeatureView(ListedView {
                    computed: if is_derived { Computed::Batch } else { Computed::Plain },
                    entities: spec.entities,
                    features: spec.features.len(),
                    ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
                    online: spec.online,
                    enabled: !spec.disabled,
                    materialized_until: materialized_until(meta.as_ref()),
                })
            }
            ObjectKind::StreamFeatureView => {
                let messages::StreamFeatureView { spec, meta } = decode(proto)?;
                let spec = spec.unwrap_or_default();
                Self::FeatureView(ListedView {
                    computed: Computed::Stream,
                    entities: spec.entities,
                    features: features(kind, proto)?.len(),
                    ttl: spec.ttl.map(Ttl::from).unwrap_or_default(),
                    online: spec.online,
                    enabled: !spec.disabled,
                    materialized_until: materialized_until(meta.as_ref()),
                })
            }
            ObjectKind::OnDemandFeatureView => {
                let message: messages::OnDemandFeatureView = decode(proto)?;
                let is_sql = on_demand_feature_view_from_message(&message).is_ok();
                let spec = message.spec.unwrap_or_default();
                Self::OnDemandFeatureView {
                    sources: spec.sources.iter().map(|source| source.key().to_owned()).collect(),
                    features: names(spec.features),
                    is_sql,
                }
            }
            ObjectKind::LabelView => {
                let message: messages::LabelView = decode(proto)?;
                let conflict_policy = label_view_from_message(&message).map(|view| view.conflict_policy).ok();
                let spec = message.spec.unwrap_or_default();
                Self::LabelView {
                    entities: spec.entities,
                    labels: names(spec.features),
                    source: spec.source.map(|source| source.name),
                    conflict_policy,
                }
            }
            ObjectKind::FeatureService => {
                let spec = decode::<messages::FeatureService>(proto)?.spec.unwrap_or_default();
                let features = spec.features.iter().flat_map(|member| {
                    let alias = &member.feature_view_name_alias;
                    let view = if alias.is_empty() { &member.feature_view_name } else { alias };
                    member.feature_columns.iter().map(move |column| format!("{view}:{}", column.name))
                });
                Self::FeatureService(features.collect())
            }
            ObjectKind::Permission => permission_from_message(&decode(proto)?).map_or(Self::Unknown, Self::Permission),
            ObjectKind::SavedDataset => {
                saved_dataset_from_message(&decode(proto)?).map_or(Self::Unknown, Self::SavedDataset)
            }
            ObjectKind::ValidationReference => {
                Self::ValidationReference(validation_reference_from_message(&decode(proto)?))
            }
        })
    }
}

fn materialized_until(meta: Option<&messages::FeatureViewMeta>) -> Option<Timestamp> {
    materialized_from_message(meta).intervals.iter().map(|interval| interval.end).max()
}

fn names(columns: Vec<messages::FeatureSpecV2>) -> Vec<String> {
    columns.into_iter().map(|column| column.name).collect()
}
