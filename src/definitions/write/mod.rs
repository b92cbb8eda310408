//! From objects of the model to the YAML that declares them.

mod item;
mod service;
mod sketch;
mod source;
#[cfg(test)]
mod tests;
mod view;

use std::collections::{BTreeMap, BTreeSet};

use item::Item;
pub use sketch::Sketch;
use source::{file_keys, postgres_keys, source_item, spark_keys, warehouse_keys};

use crate::{
    feast::values::data_types,
    model::{
        DataSource, DatasetStorage, Entity, Field, FileSource, Object, ObjectId, ObjectKind, OnDemandSource,
        Permission, PermissionAction, PermissionType, Policy, Project, SavedDataset, ValidationReference,
    },
    yaml::{Tree, write_collection},
};

/// Definitions in the order people read them: one collection each of project, entities and so on.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Definitions {
    /// Names of collections with their items; no collection is empty.
    pub collections: Vec<(&'static str, Tree)>,
    /// Comments about on-demand views, behind their collection.
    sketches: Vec<String>,
}

impl Definitions {
    /// The text of each collection by itself, with its name.
    pub fn texts(&self) -> impl Iterator<Item = (&'static str, String)> {
        self.files().map(|(name, items)| {
            let collection = items.map(|items| write_collection(name, items));
            (name, self.with_sketches(name, collection))
        })
    }

    /// How many objects each collection has, with its name.
    pub fn counts(&self) -> impl Iterator<Item = (&'static str, usize)> {
        self.files().map(|(name, items)| match items {
            Some(Tree::List(items)) => (name, items.len()),
            Some(_) => (name, 1),
            None => (name, 0),
        })
    }

    /// The same with comments about views that Python computes, over these objects.
    #[must_use]
    pub fn with_comments(mut self, sketches: &[Sketch<'_>], objects: &BTreeMap<ObjectId, Object>) -> Self {
        self.sketches = sketches.iter().map(|sketch| sketch.text(SKETCHED, objects)).collect();
        self
    }

    /// The collections, and the one that has only comments.
    fn files(&self) -> impl Iterator<Item = (&'static str, Option<&Tree>)> {
        let is_missing = !self.sketches.is_empty() && self.collections.iter().all(|(name, _)| *name != SKETCHED);
        let collections = self.collections.iter().map(|(name, items)| (*name, Some(items)));
        collections.chain(is_missing.then_some((SKETCHED, None)))
    }

    fn with_sketches(&self, name: &str, collection: Option<String>) -> String {
        let mut text = collection.unwrap_or_else(|| format!("#{name}:\n"));
        if name == SKETCHED {
            for sketch in &self.sketches {
                text.push('\n');
                text.push_str(sketch);
            }
        }
        text
    }

    /// Everything as one mapping.
    pub fn into_tree(self) -> Tree {
        Tree::Mapping(self.collections.into_iter().map(|(name, items)| (name.to_owned(), items)).collect())
    }
}

/// The collection that comments are about.
const SKETCHED: &str = Collection::OnDemandFeatureViews.key();

/// The definitions of `objects`. Sources that exist only as copies inside others are declared, too.
pub fn write(objects: &BTreeMap<ObjectId, Object>) -> Definitions {
    let objects = with_embedded_sources(objects);
    let writer = Writer { objects: &objects };
    let mut collections: BTreeMap<Collection, Vec<Tree>> = BTreeMap::new();
    for object in objects.values() {
        if let Some((collection, item)) = writer.item(object) {
            collections.entry(collection).or_default().push(item);
        }
    }
    let named = collections.into_iter().map(|(collection, mut items)| {
        let tree = if collection == Collection::Project { items.remove(0) } else { Tree::List(items) };
        (collection.key(), tree)
    });
    Definitions { collections: named.collect(), sketches: Vec::new() }
}

/// The collections of the format, in the order they are written.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Collection {
    Project,
    Entities,
    DataSources,
    FeatureViews,
    BatchFeatureViews,
    StreamFeatureViews,
    OnDemandFeatureViews,
    LabelViews,
    FeatureServices,
    Permissions,
    SavedDatasets,
    ValidationReferences,
}

impl Collection {
    const fn key(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Entities => "entities",
            Self::DataSources => "data_sources",
            Self::FeatureViews => "feature_views",
            Self::BatchFeatureViews => "batch_feature_views",
            Self::StreamFeatureViews => "stream_feature_views",
            Self::OnDemandFeatureViews => "on_demand_feature_views",
            Self::LabelViews => "label_views",
            Self::FeatureServices => "feature_services",
            Self::Permissions => "permissions",
            Self::SavedDatasets => "saved_datasets",
            Self::ValidationReferences => "validation_references",
        }
    }
}

/// Writes objects among others, which decide what has to be said.
struct Writer<'a> {
    objects: &'a BTreeMap<ObjectId, Object>,
}

impl<'a> Writer<'a> {
    fn item(&self, object: &Object) -> Option<(Collection, Tree)> {
        Some(match object {
            Object::Project(project) => (Collection::Project, project_item(project)?),
            Object::Entity(entity) => (Collection::Entities, entity_item(entity)),
            Object::DataSource(source) => (Collection::DataSources, source_item(source)),
            Object::FeatureView(view) if view.is_transformed() => {
                (Collection::BatchFeatureViews, self.feature_view(view))
            }
            Object::FeatureView(view) => (Collection::FeatureViews, self.feature_view(view)),
            Object::StreamFeatureView(view) => (Collection::StreamFeatureViews, self.stream_feature_view(view)),
            Object::OnDemandFeatureView(view) => (Collection::OnDemandFeatureViews, self.on_demand_feature_view(view)),
            Object::LabelView(view) => (Collection::LabelViews, self.label_view(view)),
            Object::FeatureService(service) => (Collection::FeatureServices, self.feature_service(service)),
            Object::Permission(permission) => (Collection::Permissions, permission_item(permission)),
            Object::SavedDataset(dataset) => (Collection::SavedDatasets, dataset_item(dataset)),
            Object::ValidationReference(reference) => (Collection::ValidationReferences, reference_item(reference)),
        })
    }

    fn entity(&self, name: &str) -> Option<&'a Entity> {
        match self.objects.get(&ObjectId::new(ObjectKind::Entity, name)) {
            Some(Object::Entity(entity)) => Some(entity),
            _ => None,
        }
    }

    /// The features of a view of any kind, if it is declared here.
    fn features_of(&self, view: &str) -> Option<&'a [Field]> {
        let objects = ObjectKind::VIEWS.into_iter().filter_map(|kind| self.objects.get(&ObjectId::new(kind, view)));
        objects.filter_map(Object::view).map(|view| view.features).next()
    }
}

/// The objects with the sources that no row declares, as the views that hold copies of them know them.
fn with_embedded_sources(objects: &BTreeMap<ObjectId, Object>) -> BTreeMap<ObjectId, Object> {
    let mut all = objects.clone();
    let mut waiting: Vec<&DataSource> = objects.values().flat_map(embedded).collect();
    let mut seen = BTreeSet::new();
    while let Some(source) = waiting.pop() {
        if seen.insert(&source.name) {
            waiting.extend(source.kind.batch_source());
            let id = ObjectId::new(ObjectKind::DataSource, &source.name);
            all.entry(id).or_insert_with(|| Object::DataSource(source.clone()));
        }
    }
    all
}

/// The copies of sources inside an object, those last that are only the history of another one.
fn embedded(object: &Object) -> Vec<&DataSource> {
    match object {
        Object::DataSource(source) => source.kind.batch_source().into_iter().collect(),
        Object::FeatureView(view) => view.source.iter().chain(&view.stream_source).collect(),
        Object::StreamFeatureView(view) => view.source.iter().chain(&view.stream_source).collect(),
        Object::LabelView(view) => view.source.iter().collect(),
        Object::OnDemandFeatureView(view) => {
            let requests = view.sources.iter().filter_map(|source| match source {
                OnDemandSource::Request(request) => Some(request),
                OnDemandSource::View(_) => None,
            });
            requests.collect()
        }
        _ => Vec::new(),
    }
}

/// `None` for a project of which only the name is known: that is in the settings.
fn project_item(project: &Project) -> Option<Tree> {
    let item = Item::named(&project.name).text("description", &project.description).text("owner", &project.owner);
    let is_described = !project.description.is_empty() || !project.owner.is_empty() || !project.tags.is_empty();
    is_described.then(|| item.map("tags", &project.tags).done())
}

fn entity_item(entity: &Entity) -> Tree {
    let item = Item::named(&entity.name);
    let item = if entity.join_key == entity.name {
        item
    } else {
        item.texts("join_keys", std::slice::from_ref(&entity.join_key))
    };
    let value_type = entity.value_type.as_ref().map(data_types::value_type_name).unwrap_or_default();
    item.text("value_type", &value_type).labels(&entity.description, &entity.owner, &entity.tags).done()
}

fn permission_item(permission: &Permission) -> Tree {
    let types: Vec<String> = permission.types.iter().map(|kind| kind.as_str().to_owned()).collect();
    let actions = if permission.actions == PermissionAction::ALL {
        Tree::texts(["ALL"])
    } else {
        Tree::texts(permission.actions.iter().map(|action| action.as_str()))
    };
    let item = Item::named(&permission.name);
    let item = if permission.types == PermissionType::ALL { item } else { item.texts("types", &types) };
    let item = item
        .texts("name_patterns", &permission.name_patterns)
        .map("required_tags", &permission.required_tags)
        .with("actions", actions);
    let policy = Item::default();
    let policy = match &permission.policy {
        Policy::AllowAll => None,
        Policy::Roles(roles) => Some(policy.with("roles", Tree::texts(roles))),
        Policy::Groups(groups) => Some(policy.with("groups", Tree::texts(groups))),
        Policy::Namespaces(namespaces) => Some(policy.with("namespaces", Tree::texts(namespaces))),
        Policy::GroupsAndNamespaces { groups, namespaces } => {
            Some(policy.with("groups", Tree::texts(groups)).with("namespaces", Tree::texts(namespaces)))
        }
    };
    let item = match policy {
        Some(policy) => item.with("policy", policy.short()),
        None => item,
    };
    item.tags(&permission.tags).done()
}

fn dataset_item(dataset: &SavedDataset) -> Tree {
    let storage = match &dataset.storage {
        DatasetStorage::File { path, format, s3_endpoint_override } => {
            let (path, s3_endpoint_override) = (path.clone(), s3_endpoint_override.clone());
            let file = FileSource { path, format: *format, s3_endpoint_override, ..FileSource::default() };
            file_keys(Item::default().text("type", "file"), &file)
        }
        DatasetStorage::Postgres(postgres) => postgres_keys(Item::default().text("type", "postgres"), postgres),
        DatasetStorage::Spark(spark) => spark_keys(Item::default().text("type", "spark"), spark)
            .text("date_partition_column_format", &spark.date_partition_column_format),
        DatasetStorage::Warehouse(source) => {
            warehouse_keys(Item::default().text("type", source.warehouse.as_str()), source)
        }
    };
    Item::named(&dataset.name)
        .texts("features", &dataset.features)
        .texts("join_keys", &dataset.join_keys)
        .with("storage", storage.short())
        .flag("full_feature_names", dataset.full_feature_names, false)
        .text("feature_service_name", &dataset.feature_service)
        .text("namespace", &dataset.namespace)
        .text("collection", &dataset.collection)
        .text("description", &dataset.description)
        .tags(&dataset.tags)
        .done()
}

fn reference_item(reference: &ValidationReference) -> Tree {
    Item::named(&reference.name)
        .text("dataset_name", &reference.reference_dataset)
        .text("description", &reference.description)
        .tags(&reference.tags)
        .done()
}
