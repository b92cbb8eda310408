//! What the service says of itself to those who ask by reflection.

use prost_types::{FileDescriptorProto, FileDescriptorSet, MethodDescriptorProto, ServiceDescriptorProto};

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

/// The description of the service.
pub fn descriptor() -> FileDescriptorSet {
    let file = FileDescriptorProto {
        name: Some("feast/registry/RegistryServer.proto".to_owned()),
        package: Some("feast.registry".to_owned()),
        syntax: Some("proto3".to_owned()),
        service: vec![service()],
        ..FileDescriptorProto::default()
    };
    FileDescriptorSet { file: vec![file] }
}

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
