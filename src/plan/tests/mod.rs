//! Plans over model values: what is found to break, who is named, what is refused.

mod edits;
mod guards;
mod impact;
mod properties;

use std::collections::BTreeMap;

use super::*;
use crate::model::{
    DataSource, DataType, Entity, FeatureService, FeatureView, Field, FileSource, Interval, MaterializedView, ObjectId,
    ObjectKind, OnlineTables, Project, Projection, RegistryState, Repo, SourceKind, StreamFeatureView, Tags, Timestamp,
    Ttl, ViewVersion,
};

const DAY: i64 = 86_400_000_000;

fn source(name: &str) -> DataSource {
    DataSource {
        name: name.to_owned(),
        kind: SourceKind::File(FileSource { path: format!("data/{name}.parquet"), ..FileSource::default() }),
        timestamp_field: "event_timestamp".to_owned(),
        created_timestamp_column: String::new(),
        field_mapping: BTreeMap::new(),
        date_partition_column: String::new(),
        description: String::new(),
        owner: String::new(),
        tags: Tags::new(),
    }
}

fn entity(name: &str) -> Entity {
    Entity {
        join_key: format!("{name}_id"),
        name: name.to_owned(),
        value_type: Some(DataType::Int64),
        ..Entity::dummy()
    }
}

fn view(name: &str, features: &[&str]) -> FeatureView {
    FeatureView {
        entities: vec!["driver".to_owned()],
        entity_columns: vec![Field::new("driver_id", DataType::Int64)],
        features: features.iter().map(|name| Field::new(*name, DataType::Float32)).collect(),
        source: Some(source("stats")),
        ..FeatureView::new(name)
    }
}

fn stream(view: &FeatureView) -> StreamFeatureView {
    StreamFeatureView {
        name: view.name.clone(),
        entities: view.entities.clone(),
        entity_columns: view.entity_columns.clone(),
        features: view.features.clone(),
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

/// A service that selects all features of some views.
fn service(name: &str, views: &[&FeatureView]) -> FeatureService {
    let projection = |view: &&FeatureView| Projection {
        view: view.name.clone(),
        features: view.features.clone(),
        name_alias: None,
        join_key_map: BTreeMap::new(),
        source: view.source.clone(),
        labels: false,
    };
    FeatureService {
        name: name.to_owned(),
        features: views.iter().map(projection).collect(),
        logging_config: None,
        precompute_online: false,
        description: String::new(),
        owner: "models@example.com".to_owned(),
        tags: Tags::new(),
    }
}

/// A repo with one entity and one source.
fn repo(views: Vec<FeatureView>, services: Vec<FeatureService>) -> Repo {
    Repo {
        project: Project { name: "p".to_owned(), description: String::new(), owner: String::new(), tags: Tags::new() },
        data_sources: vec![source("stats")],
        entities: vec![entity("driver")],
        feature_views: views,
        on_demand_feature_views: Vec::new(),
        stream_feature_views: Vec::new(),
        label_views: Vec::new(),
        feature_services: services,
        permissions: Vec::new(),
        saved_datasets: Vec::new(),
        validation_references: Vec::new(),
        places: BTreeMap::new(),
    }
}

/// The state after this repo was applied and its views were materialized.
fn applied(repo: &Repo) -> RegistryState {
    let mut state = RegistryState { objects: repo.objects(), ..RegistryState::default() };
    for view in &repo.feature_views {
        state.online_tables.insert(format!("p_{}", view.name), "online.db".to_owned());
        let interval = Interval { start: Timestamp::from_micros(0), end: Timestamp::from_micros(DAY) };
        let later = Interval { start: interval.end, end: Timestamp::from_micros(3 * DAY) };
        state.materialized.insert(view.name.clone(), MaterializedView { intervals: vec![later, interval] });
    }
    state
}

fn setting(repo_name: Option<&str>) -> Setting<'_> {
    let online = OnlineTables { store: "sqlite", file: "online.db", name: |project, view| format!("{project}_{view}") };
    Setting { repo_name, online: Some(online) }
}

fn planned(state: &RegistryState, repo: &Repo) -> Plan {
    diff(state, repo, setting(None)).unwrap()
}

fn change<'a>(plan: &'a Plan, kind: ObjectKind, name: &str) -> &'a Change {
    let id = ObjectId::new(kind, name);
    plan.changes.iter().find(|change| change.id == id).unwrap_or_else(|| panic!("no change of {id}: {plan:#?}"))
}

/// What an apply does, on model values.
fn carried_out(mut state: RegistryState, plan: &Plan) -> RegistryState {
    for change in &plan.changes {
        if let Some(before) = change.before_id() {
            state.objects.remove(before);
            state.owners.remove(before);
        }
        if let Some(after) = change.action.after() {
            state.objects.insert(change.id.clone(), after.clone());
            state.owners.extend(plan.repo.clone().map(|repo| (change.id.clone(), repo)));
        }
    }
    for id in &plan.taken_over {
        state.owners.extend(plan.repo.clone().map(|repo| (id.clone(), repo)));
    }
    for table in &plan.tables {
        match table.action {
            TableAction::Create => drop(state.online_tables.insert(table.table.clone(), "online.db".to_owned())),
            TableAction::Delete => drop(state.online_tables.remove(&table.table)),
        }
    }
    state
}
