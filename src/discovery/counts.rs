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
