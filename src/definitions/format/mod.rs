//! Definitions as they are written, every value with its place.
//!
//! These records are the format: the reader, the messages about unknown keys and the JSON Schema
//! are all made from them.

mod collected;
mod dataset;
mod permission;
mod service;
mod source;
pub mod tags;
mod text_file;
pub mod values;
mod view;

pub use collected::Collected;
pub use dataset::{RawSavedDataset, RawStorage, RawValidationReference};
pub use permission::{RawPermission, RawPolicy};
pub use service::{RawDestination, RawFeatureService, RawLoggingConfig, RawProjection};
pub use source::{RawBatchKeys, RawConnectionRef, RawFileSource, RawFormat, RawRequestSource, RawSource, RawTimeKeys};
pub use view::{
    RawAggregation, RawBatchFeatureView, RawExpression, RawFeatureView, RawField, RawLabelView, RawMaterialize,
    RawOnDemandFeatureView, RawStoredKeys, RawStreamFeatureView,
};

use tags::WrittenTags;
use values::{EntityValueType, Item};

use crate::yaml::{Spanned, record};

record! {
    /// A definition file of a feature repo.
    pub struct RawFile, "a definition file";
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
    pub struct RawProject, "the project";
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

record! {
    /// A thing that features describe, such as a driver or a customer.
    pub struct RawEntity, "an entity";
    required {
        /// Unique among the entities of the project.
        name: Spanned<String>,
    }
    optional {
        /// The column with the identity of the entity: exactly one; by default its name is the entity's.
        join_keys: Spanned<Vec<Spanned<String>>>,
        /// Type of the join key; by default taken from the view's schema or its source.
        value_type: Spanned<EntityValueType>,
    }
    flatten { about: RawAbout, }
}

record! {
    /// Keys of objects that somebody is responsible for.
    pub struct RawAbout, "an object";
    defaulted {
        /// What it is, in words.
        description: String,
        /// Who is responsible, usually an e-mail address.
        owner: String,
    }
    flatten { labels: RawLabels, }
}

record! {
    /// Keys of every object but the project.
    pub struct RawLabels, "an object";
    optional {
        /// The name it had before: plan shows a rename instead of a deletion and a new object.
        renamed_from: Spanned<String>,
    }
    defaulted {
        /// Free labels.
        tags: WrittenTags,
        /// Whether feastr refuses to delete or break it.
        protect: bool,
    }
}
