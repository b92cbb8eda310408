//! The two sides of a plan: what a repo declares, and what a registry holds of a project.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use super::{
    DataSource, Entity, FeatureService, FeatureView, Interval, LabelView, Object, ObjectId, OnDemandFeatureView,
    Permission, Project, SavedDataset, StreamFeatureView, ValidationReference,
};

/// Everything the definitions of one repo declare, resolved: what the registry should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Repo {
    /// The project that the repo is about.
    pub project: Project,
    /// Where rows come from.
    pub data_sources: Vec<DataSource>,
    /// What features describe.
    pub entities: Vec<Entity>,
    /// Feature views and batch feature views.
    pub feature_views: Vec<FeatureView>,
    /// On-demand feature views.
    pub on_demand_feature_views: Vec<OnDemandFeatureView>,
    /// Stream feature views.
    pub stream_feature_views: Vec<StreamFeatureView>,
    /// Label views.
    pub label_views: Vec<LabelView>,
    /// Feature services.
    pub feature_services: Vec<FeatureService>,
    /// Permissions.
    pub permissions: Vec<Permission>,
    /// Saved datasets.
    pub saved_datasets: Vec<SavedDataset>,
    /// Validation references.
    pub validation_references: Vec<ValidationReference>,
    /// Where each object is declared.
    pub places: BTreeMap<ObjectId, Place>,
}

/// Where an object is declared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// As shown to the person.
    pub file: PathBuf,
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file.display(), self.line, self.column)
    }
}

impl Repo {
    /// A repo that declares nothing but its project.
    pub fn new(project: Project) -> Self {
        Self {
            project,
            data_sources: Vec::new(),
            entities: Vec::new(),
            feature_views: Vec::new(),
            on_demand_feature_views: Vec::new(),
            stream_feature_views: Vec::new(),
            label_views: Vec::new(),
            feature_services: Vec::new(),
            permissions: Vec::new(),
            saved_datasets: Vec::new(),
            validation_references: Vec::new(),
            places: BTreeMap::new(),
        }
    }

    /// The declared objects, by kind and name.
    pub fn objects(&self) -> BTreeMap<ObjectId, Object> {
        std::iter::once(Object::Project(self.project.clone()))
            .chain(self.data_sources.iter().cloned().map(Object::DataSource))
            .chain(self.entities.iter().cloned().map(Object::Entity))
            .chain(self.feature_views.iter().cloned().map(Object::FeatureView))
            .chain(self.on_demand_feature_views.iter().cloned().map(Object::OnDemandFeatureView))
            .chain(self.stream_feature_views.iter().cloned().map(Object::StreamFeatureView))
            .chain(self.label_views.iter().cloned().map(Object::LabelView))
            .chain(self.feature_services.iter().cloned().map(Object::FeatureService))
            .chain(self.permissions.iter().cloned().map(Object::Permission))
            .chain(self.saved_datasets.iter().cloned().map(Object::SavedDataset))
            .chain(self.validation_references.iter().cloned().map(Object::ValidationReference))
            .map(|object| (object.id(), object))
            .collect()
    }
}

/// What a registry holds of one project at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegistryState {
    /// Identifies what plans are made from: two states with the same revision hold the same objects.
    /// Materialization does not change it.
    pub revision: String,
    /// Objects of the kinds that definitions can declare, without the dummy entity.
    pub objects: BTreeMap<ObjectId, Object>,
    /// Objects that definitions cannot declare or feastr cannot read; they are left alone.
    pub foreign: Vec<ForeignObject>,
    /// Online tables that the project's apply created, by name, with the file they are in.
    pub online_tables: BTreeMap<String, String>,
    /// Which repo applied an object, for objects of repos that have a name.
    pub owners: BTreeMap<ObjectId, String>,
    /// What was materialized, by feature view or stream feature view.
    pub materialized: BTreeMap<String, MaterializedView>,
}

/// An object feastr keeps as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForeignObject {
    /// Its kind and name.
    pub id: ObjectId,
    /// Why feastr does not manage it, as a phrase after "because".
    pub reason: String,
    /// Who is responsible for it; empty when nobody is named.
    pub owner: String,
    /// What it needs of other objects, as far as feastr can read it.
    pub uses: Vec<Use>,
}

/// Something that an object needs of another one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Use {
    /// An entity.
    Entity(String),
    /// A data source.
    DataSource(String),
    /// Features of a view of any kind.
    Features {
        /// The view.
        view: String,
        /// Their names.
        features: Vec<String>,
    },
    /// A feature service.
    FeatureService(String),
    /// A saved dataset.
    SavedDataset(String),
}

/// Materialization as the registry records it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MaterializedView {
    /// In the order they were recorded.
    pub intervals: Vec<Interval>,
}
