//! Objects that are listed together.

use crate::{discovery::Thing, model::ObjectKind};

/// Objects of one kind, or of several that are listed together.
pub(super) struct Collection {
    /// The kinds, in the order of lists.
    pub(super) kinds: &'static [ObjectKind],
    /// The word for them in answers, and where visits of them are noted, in paths.
    pub(super) key: &'static str,
    /// What they are in relationships, if they are in any.
    pub(super) thing: Option<Thing>,
}

const fn of(kinds: &'static [ObjectKind], key: &'static str, thing: Option<Thing>) -> Collection {
    Collection { kinds, key, thing }
}

pub(super) static ENTITIES: Collection = of(&[ObjectKind::Entity], "entities", Some(Thing::Entity));
pub(super) static DATA_SOURCES: Collection = of(&[ObjectKind::DataSource], "dataSources", Some(Thing::DataSource));
pub(super) static FEATURE_VIEWS: Collection = of(
    &[ObjectKind::FeatureView, ObjectKind::StreamFeatureView, ObjectKind::OnDemandFeatureView],
    "featureViews",
    Some(Thing::FeatureView),
);
/// A view that is asked for by its name may be of any kind.
pub(super) static ANY_VIEW: Collection = of(
    &[ObjectKind::FeatureView, ObjectKind::StreamFeatureView, ObjectKind::OnDemandFeatureView, ObjectKind::LabelView],
    "featureViews",
    Some(Thing::FeatureView),
);
/// Feast answers with the word for all views.
pub(super) static LABEL_VIEWS: Collection = of(&[ObjectKind::LabelView], "featureViews", Some(Thing::LabelView));
pub(super) static FEATURE_SERVICES: Collection =
    of(&[ObjectKind::FeatureService], "featureServices", Some(Thing::FeatureService));
pub(super) static SAVED_DATASETS: Collection =
    of(&[ObjectKind::SavedDataset], "savedDatasets", Some(Thing::SavedDataset));
pub(super) static PERMISSIONS: Collection = of(&[ObjectKind::Permission], "permissions", None);
