use std::collections::BTreeMap;

use serde::Serialize;

use super::{DataSource, Entity, FeatureService, FeatureView, Interval, Object, ObjectId, Tags};

/// The namespace of a team's objects and online data.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Project {
    pub name: String,
    pub description: String,
    pub owner: String,
    pub tags: Tags,
}

/// Everything the definitions of one repo declare, resolved: what the registry should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Repo {
    pub project: Project,
    pub data_sources: Vec<DataSource>,
    pub entities: Vec<Entity>,
    pub feature_views: Vec<FeatureView>,
    pub feature_services: Vec<FeatureService>,
}

impl Repo {
    /// The declared objects, by kind and name.
    pub fn objects(&self) -> BTreeMap<ObjectId, Object> {
        std::iter::once(Object::Project(self.project.clone()))
            .chain(self.data_sources.iter().cloned().map(Object::DataSource))
            .chain(self.entities.iter().cloned().map(Object::Entity))
            .chain(self.feature_views.iter().cloned().map(Object::FeatureView))
            .chain(self.feature_services.iter().cloned().map(Object::FeatureService))
            .map(|object| (object.id(), object))
            .collect()
    }
}

/// What a registry holds of one project at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct RegistryState {
    /// Identifies the content: two states with the same revision hold the same rows.
    pub revision: String,
    /// Objects of the kinds that definitions can declare, without the dummy entity.
    pub objects: BTreeMap<ObjectId, Object>,
    /// Objects that definitions cannot declare or feastr cannot read; they are left alone.
    pub foreign: Vec<ForeignObject>,
    /// Online tables that the project's apply created, by name, with the file they are in.
    pub online_tables: BTreeMap<String, String>,
    /// What was materialized, by feature view.
    pub materialized: BTreeMap<String, MaterializedView>,
}

/// An object feastr keeps as it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ForeignObject {
    pub id: ObjectId,
    /// Why feastr does not manage it, as a phrase after "because".
    pub reason: String,
}

/// Materialization as the registry records it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct MaterializedView {
    /// In the order they were recorded.
    pub intervals: Vec<Interval>,
}
