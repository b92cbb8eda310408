use std::ops::Add;

use super::{
    features::features,
    known::{Known, views},
};
use crate::model::ObjectKind;

/// How many objects there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Entities, with the one that stands for none, as Feast counts.
    pub entities: usize,
    /// Data sources.
    pub data_sources: usize,
    /// Saved datasets.
    pub saved_datasets: usize,
    /// Features of all views, labels among them.
    pub features: usize,
    /// Views that are no label views, as Feast counts.
    pub feature_views: usize,
    /// Feature services.
    pub feature_services: usize,
}

impl Add for Counts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            entities: self.entities + other.entities,
            data_sources: self.data_sources + other.data_sources,
            saved_datasets: self.saved_datasets + other.saved_datasets,
            features: self.features + other.features,
            feature_views: self.feature_views + other.feature_views,
            feature_services: self.feature_services + other.feature_services,
        }
    }
}

/// Counts objects.
pub fn counts(known: &[Known]) -> Counts {
    let of = |kind| known.iter().filter(|known| known.is(kind)).count();
    Counts {
        entities: of(ObjectKind::Entity),
        data_sources: of(ObjectKind::DataSource),
        saved_datasets: of(ObjectKind::SavedDataset),
        features: features(known).count(),
        feature_views: views(known).filter(|view| !view.is(ObjectKind::LabelView)).count(),
        feature_services: of(ObjectKind::FeatureService),
    }
}
