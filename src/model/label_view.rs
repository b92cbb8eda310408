use serde::Serialize;

use super::{DUMMY_ENTITY, DataSource, FeatureView, Field, Tags, Ttl};

/// Labels that people or programs give to entities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LabelView {
    /// Unique among all views of a project, ignoring case.
    pub name: String,
    /// Entity names in declared order; only [`super::DUMMY_ENTITY`] for a view without entities.
    pub entities: Vec<String>,
    /// One column per join key, in the order of `entities`.
    pub entity_columns: Vec<Field>,
    /// The labels in declared order.
    pub features: Vec<Field>,
    /// How long a label stays valid after its event time.
    pub ttl: Ttl,
    /// Copy of the source, usually a push source.
    pub source: Option<DataSource>,
    /// Whether labels are served online.
    pub online: bool,
    /// The column that says who gave a label.
    pub labeler_field: String,
    /// Which label counts where labelers disagree.
    pub conflict_policy: ConflictPolicy,
    /// Whether older labels are kept.
    pub retain_history: bool,
    /// The view whose rows are labelled; empty when there is none.
    pub reference_feature_view: String,
    /// What it is about; empty if not given.
    pub description: String,
    /// Whom to ask; empty if not given.
    pub owner: String,
    /// Labels, and what Feast has no field for.
    pub tags: Tags,
}

impl LabelView {
    /// The join key columns; none for a view without entities.
    pub fn join_keys(&self) -> &[Field] {
        if self.entities.iter().all(|name| name == DUMMY_ENTITY) { &[] } else { &self.entity_columns }
    }

    /// The plain view over the history of the labels: how they are stored.
    pub fn over_history(&self) -> FeatureView {
        let history = self.source.as_ref().map(|source| source.kind.batch_source().unwrap_or(source).clone());
        FeatureView {
            entities: self.entities.clone(),
            entity_columns: self.entity_columns.clone(),
            features: self.features.clone(),
            ttl: self.ttl,
            source: history,
            stream_source: self.source.clone(),
            online: self.online,
            description: self.description.clone(),
            owner: self.owner.clone(),
            tags: self.tags.clone(),
            ..FeatureView::new(&self.name)
        }
    }
}

/// Which of several labels counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ConflictPolicy {
    /// The latest.
    #[default]
    LastWriteWins,
    /// That of the labeler who ranks highest.
    LabelerPriority,
    /// That of most labelers.
    MajorityVote,
}

impl ConflictPolicy {
    /// All of them, in the order that messages offer them.
    pub const ALL: [Self; 3] = [Self::LastWriteWins, Self::LabelerPriority, Self::MajorityVote];

    /// The word of the definitions format, which is Feast's.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::LastWriteWins => "last_write_wins",
            Self::LabelerPriority => "labeler_priority",
            Self::MajorityVote => "majority_vote",
        }
    }
}
