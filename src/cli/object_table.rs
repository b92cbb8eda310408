//! The columns of listed objects, by kind.

use crate::{
    app::catalogue::{Computed, Entry, Listed, ListedView},
    model::{
        CustomSource, DUMMY_ENTITY, DatasetStorage, ObjectKind, Permission, PermissionAction, PermissionType, Policy,
        PostgresSource, SourceKind, SparkSource, Tags, WarehouseSource,
    },
};

/// What a cell shows when there is nothing to show.
const NONE: &str = "-";

pub(crate) fn headings(kind: ObjectKind) -> &'static [&'static str] {
    match kind {
        ObjectKind::Project => &["NAME", "DESCRIPTION", "TAGS", "OWNER"],
        ObjectKind::DataSource => &["NAME", "TYPE", "LOCATION"],
        ObjectKind::Entity => &["NAME", "JOIN KEY", "TYPE", "DESCRIPTION"],
        ObjectKind::FeatureView | ObjectKind::StreamFeatureView => {
            &["NAME", "TYPE", "ENTITIES", "FEATURES", "TTL", "ONLINE", "MATERIALIZED UNTIL"]
        }
        ObjectKind::OnDemandFeatureView => &["NAME", "SOURCES", "FEATURES", "WRITTEN IN"],
        ObjectKind::LabelView => &["NAME", "ENTITIES", "LABELS", "SOURCE", "CONFLICTS"],
        ObjectKind::FeatureService => &["NAME", "FEATURES"],
        ObjectKind::Permission => &["NAME", "TYPES", "NAME PATTERNS", "ACTIONS", "POLICY", "REQUIRED TAGS"],
        ObjectKind::SavedDataset => &["NAME", "FEATURES", "JOIN KEYS", "STORAGE", "DESCRIPTION"],
        ObjectKind::ValidationReference => &["NAME", "DATASET", "DESCRIPTION"],
    }
}

/// The cells of a row, as many as its kind has headings.
pub(crate) fn cells(entry: &Entry) -> Vec<String> {
    let mut cells = vec![entry.name.clone()];
    cells.extend(match &entry.listed {
        Listed::Project(project) => vec![project.description.clone(), tags(&project.tags), project.owner.clone()],
        Listed::DataSource(source) => vec![source.kind.to_string(), location(&source.kind)],
        Listed::Entity(entity) => {
            let dtype = entity.value_type.as_ref().map_or_else(|| NONE.to_owned(), |dtype| dtype.to_string());
            vec![entity.join_key.clone(), dtype, entity.description.clone()]
        }
        Listed::FeatureView(view) => view_cells(view),
        Listed::OnDemandFeatureView { sources, features, is_sql } => {
            vec![list(sources), list(features), if *is_sql { "SQL" } else { "Python" }.to_owned()]
        }
        Listed::LabelView { entities, labels, source, conflict_policy } => vec![
            self::entities(entities),
            list(labels),
            source.clone().unwrap_or_else(|| NONE.to_owned()),
            conflict_policy.map_or(NONE, |policy| policy.as_str()).to_owned(),
        ],
        Listed::FeatureService(features) => vec![features.join(", ")],
        Listed::Permission(permission) => permission_cells(permission),
        Listed::SavedDataset(dataset) => {
            vec![
                list(&dataset.features),
                list(&dataset.join_keys),
                storage(&dataset.storage),
                dataset.description.clone(),
            ]
        }
        Listed::ValidationReference(reference) => {
            vec![reference.reference_dataset.clone(), reference.description.clone()]
        }
        Listed::Unknown => headings(entry.kind).iter().skip(1).map(|_| NONE.to_owned()).collect(),
    });
    cells
}

fn view_cells(view: &ListedView) -> Vec<String> {
    let computed = match view.computed {
        Computed::Plain => "plain",
        Computed::Batch => "batch",
        Computed::Stream => "stream",
    };
    let online = match (view.enabled, view.online) {
        (false, _) => "disabled",
        (true, true) => "yes",
        (true, false) => "no",
    };
    vec![
        computed.to_owned(),
        entities(&view.entities),
        view.features.to_string(),
        view.ttl.to_string(),
        online.to_owned(),
        view.materialized_until.map_or_else(|| NONE.to_owned(), |until| until.to_string()),
    ]
}

fn entities(names: &[String]) -> String {
    list(names.iter().filter(|name| *name != DUMMY_ENTITY))
}

/// Where the rows of a source are.
fn location(kind: &SourceKind) -> String {
    match kind {
        SourceKind::File(file) => file.path.clone(),
        SourceKind::Push(push) => {
            let batch = push.batch_source.as_ref().map_or(NONE, |batch| &batch.name);
            format!("history in {batch}")
        }
        SourceKind::Request(request) => list(request.schema.iter().map(|field| &field.name)),
        SourceKind::Kafka(kafka) => format!("{}/{}", kafka.bootstrap_servers, kafka.topic),
        SourceKind::Kinesis(kinesis) => format!("{}/{}", kinesis.region, kinesis.stream_name),
        SourceKind::Postgres(postgres) => postgres_location(postgres),
        SourceKind::Spark(spark) => spark_location(spark),
        SourceKind::Warehouse(warehouse) => warehouse_location(warehouse),
        SourceKind::Custom(CustomSource { class_type, .. }) => class_type.clone(),
        SourceKind::Foreign(_) => NONE.to_owned(),
    }
}

fn storage(storage: &DatasetStorage) -> String {
    match storage {
        DatasetStorage::File { path, .. } => path.clone(),
        DatasetStorage::Postgres(postgres) => format!("postgres {}", postgres_location(postgres)),
        DatasetStorage::Spark(spark) => format!("spark {}", spark_location(spark)),
        DatasetStorage::Warehouse(source) => format!("{} {}", source.warehouse.as_str(), warehouse_location(source)),
    }
}

fn postgres_location(source: &PostgresSource) -> String {
    first_of([&source.table, &one_line(&source.query)])
}

fn spark_location(source: &SparkSource) -> String {
    first_of([&source.table, &source.path, &one_line(&source.query)])
}

/// The table with what is around it, or the query.
fn warehouse_location(source: &WarehouseSource) -> String {
    let option = |name: &str| source.options.get(name).map(String::as_str).filter(|text| !text.is_empty());
    if option("table").is_none() {
        return first_of([&one_line(option("query").unwrap_or_default())]);
    }
    let parts: Vec<&str> = ["database", "schema", "table"].into_iter().filter_map(option).collect();
    parts.join(".")
}

fn permission_cells(permission: &Permission) -> Vec<String> {
    let all = |complete: bool, words: String| if complete { "all".to_owned() } else { words };
    let all_types = PermissionType::ALL.iter().all(|kind| permission.types.contains(kind));
    let all_actions = PermissionAction::ALL.iter().all(|action| permission.actions.contains(action));
    let policy = match &permission.policy {
        Policy::AllowAll => "everybody".to_owned(),
        Policy::Roles(roles) => format!("roles {}", roles.join(", ")),
        Policy::Groups(groups) => format!("groups {}", groups.join(", ")),
        Policy::Namespaces(namespaces) => format!("namespaces {}", namespaces.join(", ")),
        Policy::GroupsAndNamespaces { groups, namespaces } => {
            format!("groups {}; namespaces {}", groups.join(", "), namespaces.join(", "))
        }
    };
    let required = permission.required_tags.iter().map(|(key, value)| format!("{key}:{value}"));
    vec![
        all(all_types, list(permission.types.iter().map(|kind| kind.as_str()))),
        list(&permission.name_patterns),
        all(all_actions, list(permission.actions.iter().map(|action| action.as_str()))),
        policy,
        list(required),
    ]
}

fn tags(tags: &Tags) -> String {
    let tags = tags.iter().map(|(key, value)| format!("{key}:{value}"));
    tags.collect::<Vec<_>>().join(", ")
}

fn list(items: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let joined = items.into_iter().map(|item| item.as_ref().to_owned()).collect::<Vec<_>>().join(", ");
    if joined.is_empty() { NONE.to_owned() } else { joined }
}

fn first_of<const N: usize>(texts: [&str; N]) -> String {
    texts.into_iter().find(|text| !text.is_empty()).unwrap_or(NONE).to_owned()
}

/// A query as it fits into a table.
fn one_line(query: &str) -> String {
    const LONGEST: usize = 60;
    let line = query.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= LONGEST { line } else { line.chars().take(LONGEST - 1).chain(['…']).collect() }
}
