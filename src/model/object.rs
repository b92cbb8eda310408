//! Objects of all kinds as one type, and how they are named.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::{
    DataSource, Entity, FeatureService, FeatureView, LabelView, OnDemandFeatureView, OnDemandSource, PROTECT_TAG,
    Permission, Project, SavedDataset, StreamFeatureView, Tags, ValidationReference, printable,
};

/// The kinds of objects a registry holds, in the order plans show them (Feast's order).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ObjectKind {
    /// A project.
    Project,
    /// A data source.
    DataSource,
    /// An entity.
    Entity,
    /// A feature view or batch feature view.
    FeatureView,
    /// An on-demand feature view.
    OnDemandFeatureView,
    /// A stream feature view.
    StreamFeatureView,
    /// A label view.
    LabelView,
    /// A feature service.
    FeatureService,
    /// A permission.
    Permission,
    /// A saved dataset.
    SavedDataset,
    /// A validation reference.
    ValidationReference,
}

impl ObjectKind {
    /// Every kind, in plan order.
    pub const ALL: [Self; 11] = [
        Self::Project,
        Self::DataSource,
        Self::Entity,
        Self::FeatureView,
        Self::OnDemandFeatureView,
        Self::StreamFeatureView,
        Self::LabelView,
        Self::FeatureService,
        Self::Permission,
        Self::SavedDataset,
        Self::ValidationReference,
    ];

    /// The kinds of views, whose names are unique together.
    pub const VIEWS: [Self; 4] =
        [Self::FeatureView, Self::OnDemandFeatureView, Self::StreamFeatureView, Self::LabelView];

    /// The word of the command line and of `--allow`, such as `feature-view`.
    pub fn slug(self) -> String {
        self.as_str().replace(' ', "-")
    }

    /// The words Feast's own messages use, such as `feature view`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::DataSource => "data source",
            Self::Entity => "entity",
            Self::FeatureView => "feature view",
            Self::OnDemandFeatureView => "on demand feature view",
            Self::StreamFeatureView => "stream feature view",
            Self::LabelView => "label view",
            Self::FeatureService => "feature service",
            Self::Permission => "permission",
            Self::SavedDataset => "saved dataset",
            Self::ValidationReference => "validation reference",
        }
    }

    /// The words for several of the kind, such as `feature views`.
    pub fn plural(self) -> String {
        match self {
            Self::Entity => "entities".to_owned(),
            other => format!("{other}s"),
        }
    }

    /// Feast's word for a kind of view in histories, such as `feature_view`.
    pub fn view_type(self) -> String {
        self.as_str().replace(' ', "_")
    }

    /// The kind of view that [`Self::view_type`] is the word for.
    pub fn of_view_type(word: &str) -> Option<Self> {
        Self::VIEWS.into_iter().find(|kind| kind.view_type() == word)
    }

    /// Whether the kind is a feature view of some sort; such names are unique together.
    pub fn is_view(self) -> bool {
        Self::VIEWS.contains(&self)
    }
}

impl fmt::Display for ObjectKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Which object: its kind and its name. The project is known from the context.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectId {
    /// What it is.
    pub kind: ObjectKind,
    /// Unique among the objects of its kind in a project.
    pub name: String,
}

impl ObjectId {
    /// The object of this kind and name.
    pub fn new(kind: ObjectKind, name: impl Into<String>) -> Self {
        Self { kind, name: name.into() }
    }
}

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind, printable(&self.name))
    }
}

/// Any object that definitions can declare.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Object {
    /// A project.
    Project(Project),
    /// A data source.
    DataSource(DataSource),
    /// An entity.
    Entity(Entity),
    /// A feature view or batch feature view.
    FeatureView(FeatureView),
    /// An on-demand feature view.
    OnDemandFeatureView(OnDemandFeatureView),
    /// A stream feature view.
    StreamFeatureView(StreamFeatureView),
    /// A label view.
    LabelView(LabelView),
    /// A feature service.
    FeatureService(FeatureService),
    /// A permission.
    Permission(Permission),
    /// A saved dataset.
    SavedDataset(SavedDataset),
    /// A validation reference.
    ValidationReference(ValidationReference),
}

/// The objects of one kind.
pub trait OfKind: Into<Object> {
    /// The object, if it is of this kind.
    fn of(object: &Object) -> Option<&Self>;
}

macro_rules! of_kind {
    ($($kind:ident),*) => {$(
        impl From<$kind> for Object {
            fn from(object: $kind) -> Self {
                Self::$kind(object)
            }
        }

        impl OfKind for $kind {
            fn of(object: &Object) -> Option<&Self> {
                if let Object::$kind(object) = object { Some(object) } else { None }
            }
        }
    )*};
}

of_kind!(
    Project,
    DataSource,
    Entity,
    FeatureView,
    OnDemandFeatureView,
    StreamFeatureView,
    LabelView,
    FeatureService,
    Permission,
    SavedDataset,
    ValidationReference
);

impl Object {
    /// Its kind and name.
    pub fn id(&self) -> ObjectId {
        let (kind, name) = match self {
            Self::Project(project) => (ObjectKind::Project, &project.name),
            Self::DataSource(source) => (ObjectKind::DataSource, &source.name),
            Self::Entity(entity) => (ObjectKind::Entity, &entity.name),
            Self::FeatureView(view) => (ObjectKind::FeatureView, &view.name),
            Self::OnDemandFeatureView(view) => (ObjectKind::OnDemandFeatureView, &view.name),
            Self::StreamFeatureView(view) => (ObjectKind::StreamFeatureView, &view.name),
            Self::LabelView(view) => (ObjectKind::LabelView, &view.name),
            Self::FeatureService(service) => (ObjectKind::FeatureService, &service.name),
            Self::Permission(permission) => (ObjectKind::Permission, &permission.name),
            Self::SavedDataset(dataset) => (ObjectKind::SavedDataset, &dataset.name),
            Self::ValidationReference(reference) => (ObjectKind::ValidationReference, &reference.name),
        };
        ObjectId::new(kind, name)
    }

    /// Whether it may neither be deleted nor broken.
    pub fn is_protected(&self) -> bool {
        self.tags().get(PROTECT_TAG).is_some_and(|value| value == "true")
    }

    /// The source that the object is, or the copies of sources that Feast keeps in it; of streams without their
    /// history.
    pub fn sources(&self) -> Vec<&DataSource> {
        match self {
            Self::DataSource(source) => vec![source],
            Self::FeatureView(view) => view.source.iter().chain(&view.stream_source).collect(),
            Self::StreamFeatureView(view) => view.source.iter().chain(&view.stream_source).collect(),
            Self::LabelView(view) => view.source.iter().collect(),
            Self::OnDemandFeatureView(view) => {
                let inputs = view.sources.iter().map(|input| match input {
                    OnDemandSource::View(projection) => projection.source.as_ref(),
                    OnDemandSource::Request(request) => Some(request),
                });
                inputs.flatten().collect()
            }
            Self::FeatureService(service) => {
                service.features.iter().filter_map(|member| member.source.as_ref()).collect()
            }
            Self::Project(_)
            | Self::Entity(_)
            | Self::Permission(_)
            | Self::SavedDataset(_)
            | Self::ValidationReference(_) => Vec::new(),
        }
    }

    /// The same, to be changed.
    pub fn sources_mut(&mut self) -> Vec<&mut DataSource> {
        match self {
            Self::DataSource(source) => vec![source],
            Self::FeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).collect(),
            Self::StreamFeatureView(view) => view.source.iter_mut().chain(&mut view.stream_source).collect(),
            Self::LabelView(view) => view.source.iter_mut().collect(),
            Self::OnDemandFeatureView(view) => {
                let inputs = view.sources.iter_mut().map(|input| match input {
                    OnDemandSource::View(projection) => projection.source.as_mut(),
                    OnDemandSource::Request(request) => Some(request),
                });
                inputs.flatten().collect()
            }
            Self::FeatureService(service) => {
                service.features.iter_mut().filter_map(|member| member.source.as_mut()).collect()
            }
            Self::Project(_)
            | Self::Entity(_)
            | Self::Permission(_)
            | Self::SavedDataset(_)
            | Self::ValidationReference(_) => Vec::new(),
        }
    }

    /// The labels of the object.
    pub fn tags(&self) -> &Tags {
        match self {
            Self::Project(project) => &project.tags,
            Self::DataSource(source) => &source.tags,
            Self::Entity(entity) => &entity.tags,
            Self::FeatureView(view) => &view.tags,
            Self::OnDemandFeatureView(view) => &view.tags,
            Self::StreamFeatureView(view) => &view.tags,
            Self::LabelView(view) => &view.tags,
            Self::FeatureService(service) => &service.tags,
            Self::Permission(permission) => &permission.tags,
            Self::SavedDataset(dataset) => &dataset.tags,
            Self::ValidationReference(reference) => &reference.tags,
        }
    }

    /// Who is responsible for the object; empty when nobody is named or the kind has no owners.
    pub fn owner(&self) -> &str {
        match self {
            Self::Project(project) => &project.owner,
            Self::DataSource(source) => &source.owner,
            Self::Entity(entity) => &entity.owner,
            Self::FeatureView(view) => &view.owner,
            Self::OnDemandFeatureView(view) => &view.owner,
            Self::StreamFeatureView(view) => &view.owner,
            Self::LabelView(view) => &view.owner,
            Self::FeatureService(service) => &service.owner,
            Self::Permission(_) | Self::SavedDataset(_) | Self::ValidationReference(_) => "",
        }
    }
}
