//! What the service says of itself to those who ask by reflection.

use prost_types::{
    DescriptorProto, FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto,
    ServiceDescriptorProto,
    field_descriptor_proto::{Label, Type},
};

use super::messages::MESSAGES;
use crate::feast::registry::messages::described::{descriptions, enumerations, scalar, text_entry};

/// The name of the service.
pub const SERVICE: &str = "feast.registry.RegistryServer";

/// The remote procedures, and what they answer. What they are asked is called like them, with `Request` behind it, but for
/// [`WITHOUT_REQUEST`].
const RPCS: [(&str, &str); 55] = [
    ("ApplyEntity", "google.protobuf.Empty"),
    ("GetEntity", "feast.core.Entity"),
    ("ListEntities", "feast.registry.ListEntitiesResponse"),
    ("DeleteEntity", "google.protobuf.Empty"),
    ("ApplyDataSource", "google.protobuf.Empty"),
    ("GetDataSource", "feast.core.DataSource"),
    ("ListDataSources", "feast.registry.ListDataSourcesResponse"),
    ("DeleteDataSource", "google.protobuf.Empty"),
    ("ApplyFeatureView", "google.protobuf.Empty"),
    ("DeleteFeatureView", "google.protobuf.Empty"),
    ("GetAnyFeatureView", "feast.registry.GetAnyFeatureViewResponse"),
    ("ListAllFeatureViews", "feast.registry.ListAllFeatureViewsResponse"),
    ("GetFeatureView", "feast.core.FeatureView"),
    ("ListFeatureViews", "feast.registry.ListFeatureViewsResponse"),
    ("GetStreamFeatureView", "feast.core.StreamFeatureView"),
    ("ListStreamFeatureViews", "feast.registry.ListStreamFeatureViewsResponse"),
    ("GetOnDemandFeatureView", "feast.core.OnDemandFeatureView"),
    ("ListOnDemandFeatureViews", "feast.registry.ListOnDemandFeatureViewsResponse"),
    ("GetLabelView", "feast.core.LabelView"),
    ("ListLabelViews", "feast.registry.ListLabelViewsResponse"),
    ("ApplyFeatureService", "google.protobuf.Empty"),
    ("GetFeatureService", "feast.core.FeatureService"),
    ("ListFeatureServices", "feast.registry.ListFeatureServicesResponse"),
    ("DeleteFeatureService", "google.protobuf.Empty"),
    ("ApplySavedDataset", "google.protobuf.Empty"),
    ("GetSavedDataset", "feast.core.SavedDataset"),
    ("ListSavedDatasets", "feast.registry.ListSavedDatasetsResponse"),
    ("DeleteSavedDataset", "google.protobuf.Empty"),
    ("CreateDatasetFromRetrieval", "feast.registry.CreateDatasetFromRetrievalResponse"),
    ("GetDatasetData", "feast.registry.GetDatasetDataResponse"),
    ("GetDatasetJobStatus", "feast.registry.GetDatasetJobStatusResponse"),
    ("ListDatasetJobs", "feast.registry.ListDatasetJobsResponse"),
    ("ApplyValidationReference", "google.protobuf.Empty"),
    ("GetValidationReference", "feast.core.ValidationReference"),
    ("ListValidationReferences", "feast.registry.ListValidationReferencesResponse"),
    ("DeleteValidationReference", "google.protobuf.Empty"),
    ("ApplyPermission", "google.protobuf.Empty"),
    ("GetPermission", "feast.core.Permission"),
    ("ListPermissions", "feast.registry.ListPermissionsResponse"),
    ("DeletePermission", "google.protobuf.Empty"),
    ("ApplyProject", "google.protobuf.Empty"),
    ("GetProject", "feast.core.Project"),
    ("ListProjects", "feast.registry.ListProjectsResponse"),
    ("DeleteProject", "google.protobuf.Empty"),
    ("ApplyMaterialization", "google.protobuf.Empty"),
    ("ListProjectMetadata", "feast.registry.ListProjectMetadataResponse"),
    ("UpdateInfra", "google.protobuf.Empty"),
    ("GetInfra", "feast.core.Infra"),
    ("Commit", "google.protobuf.Empty"),
    ("Refresh", "google.protobuf.Empty"),
    ("Proto", "feast.core.Registry"),
    ("GetRegistryLineage", "feast.registry.GetRegistryLineageResponse"),
    ("GetObjectRelationships", "feast.registry.GetObjectRelationshipsResponse"),
    ("ListFeatures", "feast.registry.ListFeaturesResponse"),
    ("GetFeature", "feast.registry.Feature"),
];

/// Those that are asked nothing.
const WITHOUT_REQUEST: [&str; 2] = ["Commit", "Proto"];

/// The names of the remote procedures.
pub fn rpc_names() -> impl Iterator<Item = &'static str> {
    RPCS.into_iter().map(|(name, _)| name)
}

/// The description of the service and of all messages in it.
pub fn descriptor() -> FileDescriptorSet {
    let registry = FileDescriptorProto {
        name: Some("feast/registry/RegistryServer.proto".to_owned()),
        package: Some("feast.registry".to_owned()),
        dependency: [TIMESTAMP, DURATION, EMPTY, OBJECTS, TYPES].map(str::to_owned).into(),
        syntax: Some("proto3".to_owned()),
        message_type: MESSAGES.iter().map(|(name, fields)| message(name, fields)).collect(),
        service: vec![service()],
        ..FileDescriptorProto::default()
    };
    let googles = [
        google(TIMESTAMP, "Timestamp", &[("seconds", Type::Int64), ("nanos", Type::Int32)]),
        google(DURATION, "Duration", &[("seconds", Type::Int64), ("nanos", Type::Int32)]),
        google(WRAPPERS, "StringValue", &[("value", Type::String)]),
        google(EMPTY, "Empty", &[]),
    ];
    let [objects, types] = objects();
    FileDescriptorSet { file: googles.into_iter().chain([types, objects, registry]).collect() }
}

const TIMESTAMP: &str = "google/protobuf/timestamp.proto";
const DURATION: &str = "google/protobuf/duration.proto";
const WRAPPERS: &str = "google/protobuf/wrappers.proto";
const EMPTY: &str = "google/protobuf/empty.proto";
/// Feast has a file for each kind of object; whoever asks by name does not notice.
const OBJECTS: &str = "feast/core/Registry.proto";
const TYPES: &str = "feast/types/Value.proto";

fn google(file: &str, name: &str, fields: &[(&str, Type)]) -> FileDescriptorProto {
    let field = |(number, (name, kind)): (i32, &(&str, Type))| FieldDescriptorProto {
        name: Some((*name).to_owned()),
        number: Some(number),
        label: Some(Label::Optional.into()),
        r#type: Some((*kind).into()),
        ..FieldDescriptorProto::default()
    };
    let message = DescriptorProto {
        name: Some(name.to_owned()),
        field: (1..).zip(fields).map(field).collect(),
        ..DescriptorProto::default()
    };
    FileDescriptorProto {
        name: Some(file.to_owned()),
        package: Some("google.protobuf".to_owned()),
        syntax: Some("proto3".to_owned()),
        message_type: vec![message],
        ..FileDescriptorProto::default()
    }
}

/// The messages of objects, and the types of their columns.
fn objects() -> [FileDescriptorProto; 2] {
    let mut messages = descriptions();
    for (full, enumeration) in enumerations() {
        let Some((outer, _)) = full.rsplit_once('.') else { continue };
        match messages.get_mut(outer) {
            Some(message) => message.enum_type.push(enumeration),
            None => {
                let holder = messages.entry(outer.to_owned()).or_default();
                holder.enum_type.push(enumeration);
            }
        }
    }
    let file = |name: &str, package: &str, dependency: &[&str]| FileDescriptorProto {
        name: Some(name.to_owned()),
        package: Some(package.to_owned()),
        dependency: dependency.iter().map(|name| (*name).to_owned()).collect(),
        syntax: Some("proto3".to_owned()),
        ..FileDescriptorProto::default()
    };
    let mut objects = file(OBJECTS, CORE, &[TIMESTAMP, DURATION, WRAPPERS, TYPES]);
    let mut types = file(TYPES, "feast.types", &[]);
    // The inner ones have the longer names: they are put into the outer ones first.
    let mut names: Vec<String> = messages.keys().cloned().collect();
    names.sort_by_key(|name| std::cmp::Reverse(name.matches('.').count()));
    for name in names {
        let Some(mut message) = messages.remove(&name) else { continue };
        let Some((outer, own)) = name.rsplit_once('.') else { continue };
        message.name = Some(own.to_owned());
        match (outer, messages.get_mut(outer)) {
            (_, Some(holder)) if outer != CORE => holder.nested_type.push(message),
            (CORE, _) => objects.message_type.push(message),
            // Enumerations that are in no message.
            ("feast", _) => objects.enum_type.append(&mut message.enum_type),
            _ => types.message_type.push(message),
        }
    }
    [objects, types]
}

/// The package of objects.
const CORE: &str = "feast.core";

/// A message of the service, from its line in the table.
fn message(name: &str, fields: &str) -> DescriptorProto {
    let mut described = DescriptorProto { name: Some(name.to_owned()), ..DescriptorProto::default() };
    for line in fields.split(", ").filter(|line| !line.is_empty()) {
        let mut words = line.split(' ');
        let (Some(number), Some(field), Some(word)) = (words.next(), words.next(), words.next()) else { continue };
        let kind = word.trim_start_matches('*');
        let is_repeated = word.starts_with('*') || word == "map";
        let type_name = match kind {
            "map" => {
                let entry = text_entry(field);
                let type_name = format!(".{PACKAGE}.{name}.{}", entry.name());
                described.nested_type.push(entry);
                Some(type_name)
            }
            _ if scalar(kind).is_some() => None,
            _ if kind.contains('.') => Some(format!(".{kind}")),
            _ => Some(format!(".{PACKAGE}.{kind}")),
        };
        described.field.push(FieldDescriptorProto {
            name: Some(field.to_owned()),
            number: number.parse().ok(),
            label: Some(if is_repeated { Label::Repeated } else { Label::Optional }.into()),
            r#type: Some(scalar(kind).unwrap_or(Type::Message).into()),
            type_name,
            ..FieldDescriptorProto::default()
        });
    }
    described
}

/// The package of the service.
const PACKAGE: &str = "feast.registry";

fn service() -> ServiceDescriptorProto {
    let method = |(name, answer): (&str, &str)| {
        let request = match WITHOUT_REQUEST.contains(&name) {
            true => ".google.protobuf.Empty".to_owned(),
            false => format!(".feast.registry.{name}Request"),
        };
        MethodDescriptorProto {
            name: Some(name.to_owned()),
            input_type: Some(request),
            output_type: Some(format!(".{answer}")),
            ..MethodDescriptorProto::default()
        }
    };
    ServiceDescriptorProto {
        name: Some("RegistryServer".to_owned()),
        method: RPCS.into_iter().map(method).collect(),
        options: None,
    }
}
