//! The two sides of a plan: what a repo declares, and what a registry holds of a project.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Serialize;

use super::{Interval, Object, ObjectId, OfKind, Project};

/// Everything the definitions of one repo declare, resolved: what the registry should hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Repo {
    project: String,
    objects: BTreeMap<ObjectId, Object>,
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
        let name = project.name.clone();
        Self { project: name, objects: BTreeMap::new(), places: BTreeMap::new() }.with([project])
    }

    /// The same with more objects; of two of one kind and name it keeps the later.
    #[must_use]
    pub fn with(mut self, objects: impl IntoIterator<Item = impl Into<Object>>) -> Self {
        let objects = objects.into_iter().map(Into::into);
        self.objects.extend(objects.map(|object: Object| (object.id(), object)));
        self
    }

    /// The name of the project that the repo is about.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The declared objects, the project among them.
    pub const fn objects(&self) -> &BTreeMap<ObjectId, Object> {
        &self.objects
    }

    /// The declared objects of one kind, in the order of their names.
    pub fn all<'a, T: OfKind + 'a>(&'a self) -> impl Iterator<Item = &'a T> {
        self.objects.values().filter_map(T::of)
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
    /// Which version of a feature view or stream feature view is the active one; 0 is the first.
    pub versions: BTreeMap<String, u32>,
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
    /// What definitions can say of it, where that is all but a Python function or what hangs on one: an object that is
    /// declared in its place changes it.
    #[serde(skip)]
    pub known: Option<Box<Object>>,
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
