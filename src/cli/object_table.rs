//! The columns of listed objects, by kind.

use crate::{
    feast::registry::{
        convert::{
            data_source_from_message, entity_from_message, label_view_from_message, materialized_from_message,
            on_demand_feature_view_from_message, permission_from_message, saved_dataset_from_message,
        },
        messages::{self, DecodeError, MapEntry, decode},
    },
    model::{
        CustomSource, DUMMY_ENTITY, DatasetStorage, ObjectKind, Permission, PermissionAction, PermissionType, Policy,
        PostgresSource, SourceKind, SparkSource, Ttl, WarehouseSource,
    },
    registry::Row,
};

/// What a cell shows when there is nothing to show.
const NONE: &str = "-";

pub fn headings(kind: ObjectKind) -> &'static [&'static str] {
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
pub fn cells(row: &Row) -> Result<Vec<String>, DecodeError> {
    Ok(match row.kind {
        ObjectKind::Project => {
            let spec = decode::<messages::Project>(&row.proto)?.spec.unwrap_or_default();
            vec![spec.name, spec.description, tags(&spec.tags), spec.owner]
        }
        ObjectKind::DataSource => {
            let source = data_source_from_message(&decode(&row.proto)?);
            vec![row.name.clone(), source.kind.to_string(), location(&source.kind)]
        }
        ObjectKind::Entity => {
            let entity = entity_from_message(&decode(&row.proto)?);
            let dtype = entity.value_type.map_or_else(|| NONE.to_owned(), |dtype| dtype.to_string());
            vec![entity.name, entity.join_key, dtype, entity.description]
        }
        ObjectKind::FeatureView => feature_view(decode(&row.proto)?),
        ObjectKind::StreamFeatureView => stream_feature_view(decode(&row.proto)?),
        ObjectKind::OnDemandFeatureView => {
            let message: messages::OnDemandFeatureView = decode(&row.proto)?;
            let language = if on_demand_feature_view_from_message(&message).is_ok() { "SQL" } else { "Python" };
            let spec = message.spec.unwrap_or_default();
            let sources = spec.sources.iter().map(messages::OnDemandSourceEntry::key);
            let features = spec.features.iter().map(|feature| feature.name.as_str());
            vec![spec.name.clone(), list(sources), list(features), language.to_owned()]
        }
        ObjectKind::LabelView => {
            let message: messages::LabelView = decode(&row.proto)?;
            let policy = label_view_from_message(&message).map(|view| view.conflict_policy.as_str()).unwrap_or(NONE);
            let spec = message.spec.unwrap_or_default();
            let labels = spec.features.iter().map(|label| label.name.as_str());
            let source = spec.source.as_ref().map_or(NONE, |source| &source.name);
            vec![spec.name.clone(), entities(&spec.entities), list(labels), source.to_owned(), policy.to_owned()]
        }
        ObjectKind::FeatureService => {
            let spec = decode::<messages::FeatureService>(&row.proto)?.spec.unwrap_or_default();
            let features = spec.features.iter().flat_map(|member| {
                let alias = &member.feature_view_name_alias;
                let view = if alias.is_empty() { &member.feature_view_name } else { alias };
                member.feature_columns.iter().map(move |column| format!("{view}:{}", column.name))
            });
            vec![spec.name.clone(), features.collect::<Vec<_>>().join(", ")]
        }
        ObjectKind::Permission => match permission_from_message(&decode(&row.proto)?) {
            Ok(permission) => permission_cells(&permission),
            Err(_) => unexpressed(row),
        },
        ObjectKind::SavedDataset => match saved_dataset_from_message(&decode(&row.proto)?) {
            Ok(dataset) => {
                let features = list(dataset.features.iter().map(String::as_str));
                let join_keys = list(dataset.join_keys.iter().map(String::as_str));
                vec![dataset.name, features, join_keys, storage(&dataset.storage), dataset.description]
            }
            Err(_) => unexpressed(row),
        },
        ObjectKind::ValidationReference => {
            let reference: messages::ValidationReference = decode(&row.proto)?;
            vec![reference.name, reference.reference_dataset_name, reference.description]
        }
    })
}

/// The cells of an object that says nothing that feastr knows.
fn unexpressed(row: &Row) -> Vec<String> {
    let unknown = headings(row.kind).iter().skip(1).map(|_| NONE.to_owned());
    std::iter::once(row.name.clone()).chain(unknown).collect()
}

fn feature_view(message: messages::FeatureView) -> Vec<String> {
    let until = materialized_until(message.meta.as_ref());
    let spec = message.spec.unwrap_or_default();
    let derived = spec.feature_transformation.is_some() || !spec.source_views.is_empty();
    vec![
        spec.name,
        if derived { "batch" } else { "plain" }.to_owned(),
        entities(&spec.entities),
        spec.features.len().to_string(),
        spec.ttl.map(Ttl::from).unwrap_or_default().to_string(),
        online(spec.online, spec.disabled),
        until,
    ]
}

fn stream_feature_view(message: messages::StreamFeatureView) -> Vec<String> {
    let until = materialized_until(message.meta.as_ref());
    let spec = message.spec.unwrap_or_default();
    let is_key = |name: &str| spec.entity_columns.iter().any(|key| key.name == name);
    vec![
        spec.name.clone(),
        "stream".to_owned(),
        entities(&spec.entities),
        spec.features.iter().filter(|feature| !is_key(&feature.name)).count().to_string(),
        spec.ttl.map(Ttl::from).unwrap_or_default().to_string(),
        online(spec.online, spec.disabled),
        until,
    ]
}

fn materialized_until(meta: Option<&messages::FeatureViewMeta>) -> String {
    let until = materialized_from_message(meta).intervals.iter().map(|interval| interval.end).max();
    until.map_or_else(|| NONE.to_owned(), |until| until.to_string())
}

fn online(online: bool, disabled: bool) -> String {
    match (disabled, online) {
        (true, _) => "disabled",
        (_, true) => "yes",
        (_, false) => "no",
    }
    .to_owned()
}

fn entities(names: &[String]) -> String {
    list(names.iter().map(String::as_str).filter(|name| *name != DUMMY_ENTITY))
}

/// Where the rows of a source are.
fn location(kind: &SourceKind) -> String {
    match kind {
        SourceKind::File(file) => file.path.clone(),
        SourceKind::Push(push) => {
            let batch = push.batch_source.as_ref().map_or(NONE, |batch| &batch.name);
            format!("history in {batch}")
        }
        SourceKind::Request(request) => list(request.schema.iter().map(|field| field.name.as_str())),
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
    let required = permission.required_tags.iter().map(|(key, value)| format!("{key}:{value}")).collect::<Vec<_>>();
    vec![
        permission.name.clone(),
        all(all_types, list(permission.types.iter().map(|kind| kind.as_str()))),
        list(permission.name_patterns.iter().map(String::as_str)),
        all(all_actions, list(permission.actions.iter().map(|action| action.as_str()))),
        policy,
        list(required.iter().map(String::as_str)),
    ]
}

fn tags(entries: &[MapEntry]) -> String {
    let tags = messages::to_map(entries).into_iter().map(|(key, value)| format!("{key}:{value}"));
    tags.collect::<Vec<_>>().join(", ")
}

fn list<'a>(items: impl Iterator<Item = &'a str>) -> String {
    let joined = items.collect::<Vec<_>>().join(", ");
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
