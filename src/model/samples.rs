//! Objects for tests of all rooms: each as plain as it can be, to be varied with `..`.

use std::collections::BTreeMap;

use super::{
    ConflictPolicy, DataSource, DataType, Entity, FeatureService, FeatureView, Field, FileSource, LabelView, Object,
    OnDemandFeatureView, Project, Projection, RegistryState, Repo, SourceKind, StreamFeatureView, Tags, Ttl,
    ViewVersion,
};

/// A project that says nothing but its name.
pub(crate) fn project(name: &str) -> Project {
    Project::undescribed(name)
}

/// The parquet file `data/NAME.parquet`.
pub(crate) fn source(name: &str) -> DataSource {
    let file = FileSource { path: format!("data/{name}.parquet"), ..FileSource::default() };
    DataSource { timestamp_field: "event_timestamp".to_owned(), ..DataSource::new(name, SourceKind::File(file)) }
}

/// An entity with the join key `NAME_id`.
pub(crate) fn entity(name: &str) -> Entity {
    Entity {
        join_key: format!("{name}_id"),
        name: name.to_owned(),
        value_type: Some(DataType::Int64),
        ..Entity::dummy()
    }
}

/// A view of the entity `driver` over the source `stats`, with features of 32 bit floats.
pub(crate) fn view(name: &str, features: &[&str]) -> FeatureView {
    FeatureView {
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: features.iter().map(|name| Field::new(*name, DataType::Float32)).collect(),
        source: Some(source("stats")),
        ..FeatureView::new(name)
    }
}

/// A stream view with the columns and the history of another view.
pub(crate) fn stream_view(view: &FeatureView) -> StreamFeatureView {
    StreamFeatureView {
        name: view.name.clone(),
        entities: view.entities.clone(),
        entity_columns: view.entity_columns.clone(),
        features: view.features.clone().into(),
        ttl: view.ttl,
        source: view.source.clone(),
        stream_source: None,
        aggregations: Vec::new(),
        timestamp_field: String::new(),
        enable_tiling: false,
        tiling_hop_size: None,
        online: view.online,
        enabled: true,
        enable_validation: false,
        mode: String::new(),
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    }
}

/// A label view of the entity `driver` without labels.
pub(crate) fn label_view(name: &str) -> LabelView {
    LabelView {
        name: name.to_owned(),
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: Vec::new(),
        ttl: Ttl::UNLIMITED,
        source: None,
        online: true,
        labeler_field: String::new(),
        conflict_policy: ConflictPolicy::default(),
        retain_history: false,
        reference_feature_view: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    }
}

/// An on-demand view of nothing.
pub(crate) fn on_demand_view(name: &str) -> OnDemandFeatureView {
    OnDemandFeatureView {
        name: name.to_owned(),
        entities: Vec::new(),
        entity_columns: Vec::new(),
        sources: Vec::new(),
        features: Vec::new(),
        expressions: Vec::new(),
        write_to_online_store: false,
        enabled: true,
        version: ViewVersion::Latest,
        description: String::new(),
        owner: String::new(),
        org: String::new(),
        tags: Tags::new(),
    }
}

/// All features of a view, as a service or an on-demand view selects them.
pub(crate) fn projection(view: &FeatureView) -> Projection {
    Projection {
        view: view.name.clone(),
        features: view.features.clone(),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: view.source.clone(),
        labels: false,
    }
}

/// A service that selects all features of some views.
pub(crate) fn service(name: &str, views: &[&FeatureView]) -> FeatureService {
    FeatureService {
        name: name.to_owned(),
        features: views.iter().map(|view| projection(view)).collect(),
        logging_config: None,
        precompute_online: false,
        description: String::new(),
        owner: "models@example.com".to_owned(),
        tags: Tags::new(),
    }
}

/// The repo of project `p` with the entity `driver` and the source `stats`, which the views of [`view`] need.
pub(crate) fn repo(views: Vec<FeatureView>, services: Vec<FeatureService>) -> Repo {
    Repo::new(project("p")).with([source("stats")]).with([entity("driver")]).with(views).with(services)
}

/// What a registry holds in which these objects are.
pub(crate) fn registered(objects: impl IntoIterator<Item = Object>) -> RegistryState {
    let objects = objects.into_iter().map(|object| (object.id(), object)).collect();
    RegistryState { objects, ..RegistryState::default() }
}
