use super::{
    dataset::{RawSavedDataset, RawValidationReference},
    entity::RawEntity,
    on_demand::RawOnDemandFeatureView,
    permission::RawPermission,
    service::RawFeatureService,
    source::RawSource,
    tags::WrittenTags,
    values::Item,
    view::{RawBatchFeatureView, RawFeatureView, RawLabelView, RawStreamFeatureView},
};
use crate::yaml::{Spanned, record};

record! {
    /// A definition file of a feature repo.
    pub(crate) struct RawFile, "a definition file";
    optional {
        /// What the repo is about; at most once in a repo.
        project: RawProject,
    }
    defaulted {
        /// The things that features describe.
        entities: Vec<Item<RawEntity>>,
        /// Where rows come from.
        data_sources: Vec<Item<RawSource>>,
        /// Features that are read from a source as they are.
        feature_views: Vec<Item<RawFeatureView>>,
        /// Features that are computed from a source in batches.
        batch_feature_views: Vec<Item<RawBatchFeatureView>>,
        /// Features that arrive in a stream.
        stream_feature_views: Vec<Item<RawStreamFeatureView>>,
        /// Features computed from other features and from values of the request.
        on_demand_feature_views: Vec<Item<RawOnDemandFeatureView>>,
        /// Labels that people or programs give to entities.
        label_views: Vec<Item<RawLabelView>>,
        /// Selections of features, usually what one model version needs.
        feature_services: Vec<Item<RawFeatureService>>,
        /// Who may do what with which objects.
        permissions: Vec<Item<RawPermission>>,
        /// Training data stored under a name.
        saved_datasets: Vec<Item<RawSavedDataset>>,
        /// Saved datasets that new data is compared with.
        validation_references: Vec<Item<RawValidationReference>>,
    }
}

record! {
    /// What the repo is about.
    pub(crate) struct RawProject, "the project";
    required {
        /// The name in feature_store.yaml.
        name: Spanned<String>,
    }
    defaulted {
        /// What the project is for.
        description: String,
        /// Who is responsible, usually an e-mail address.
        owner: String,
        /// Free labels.
        tags: WrittenTags,
    }
}
