//! Requests. Those that differ in their name only are one struct here, which is the same on the wire.

use bytes::Bytes;

use crate::{
    feast::registry::messages::{MapEntry, Timestamp, from_map, to_map},
    model::{ObjectKind, Tags},
};

/// `Get…Request` of most kinds of objects.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Get {
    /// The name of the object.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The name of its project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// Whether what is kept in memory is right enough.
    #[prost(bool, tag = "3")]
    pub allow_cache: bool,
}

/// `GetProjectRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetProject {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub name: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
}

/// `GetInfraRequest` and `ListProjectMetadataRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct OfProject {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
}

/// `PaginationParams`: which page is wanted. Numbers below 1 ask for no page.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Pagination {
    /// From 1.
    #[prost(int32, tag = "1")]
    pub page: i32,
    /// How many entries a page has.
    #[prost(int32, tag = "2")]
    pub limit: i32,
}

/// `SortingParams`: which order is wanted.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Sorting {
    /// The path to a value, with dots.
    #[prost(string, tag = "1")]
    pub sort_by: String,
    /// `desc`, or anything else for the other way.
    #[prost(string, tag = "2")]
    pub sort_order: String,
}

/// `List…Request` of most kinds of objects.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListObjects {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
    /// Labels that objects have to have.
    #[prost(message, repeated, tag = "3")]
    pub tags: Vec<MapEntry>,
    /// Which page.
    #[prost(message, optional, tag = "4")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "5")]
    pub sorting: Option<Sorting>,
    /// `ListSavedDatasetsRequest` only: the namespace of the datasets, if it matters.
    #[prost(string, tag = "6")]
    pub namespace: String,
    /// `ListSavedDatasetsRequest` only: the collection of the datasets, if it matters.
    #[prost(string, tag = "7")]
    pub collection: String,
}

/// `ListFeatureServicesRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListFeatureServices {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
    /// Labels that services have to have.
    #[prost(message, repeated, tag = "3")]
    pub tags: Vec<MapEntry>,
    /// A view that services have to select from, if it matters.
    #[prost(string, tag = "4")]
    pub feature_view: String,
    /// Which page.
    #[prost(message, optional, tag = "5")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "6")]
    pub sorting: Option<Sorting>,
}

/// `ListProjectsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListProjects {
    /// As in [`Get`].
    #[prost(bool, tag = "1")]
    pub allow_cache: bool,
    /// Labels that projects have to have.
    #[prost(message, repeated, tag = "2")]
    pub tags: Vec<MapEntry>,
    /// Which page.
    #[prost(message, optional, tag = "3")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "4")]
    pub sorting: Option<Sorting>,
}

/// `ListAllFeatureViewsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListAllFeatureViews {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
    /// Labels that views have to have.
    #[prost(message, repeated, tag = "3")]
    pub tags: Vec<MapEntry>,
    /// An entity that views have to have, if it matters.
    #[prost(string, tag = "4")]
    pub entity: String,
    /// A feature that views have to have, if it matters.
    #[prost(string, tag = "5")]
    pub feature: String,
    /// A service that has to select from the views, if it matters.
    #[prost(string, tag = "6")]
    pub feature_service: String,
    /// A source that views have to have, if it matters.
    #[prost(string, tag = "7")]
    pub data_source: String,
    /// Which page.
    #[prost(message, optional, tag = "8")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "9")]
    pub sorting: Option<Sorting>,
    /// When views have to have been changed, or later, if it matters.
    #[prost(message, optional, tag = "10")]
    pub updated_since: Option<Timestamp>,
}

/// `Apply…Request` of most kinds of objects.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Apply {
    /// The message of the object.
    #[prost(bytes = "bytes", tag = "1")]
    pub object: Bytes,
    /// The name of its project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// Without effect: what is applied is stored.
    #[prost(bool, tag = "3")]
    pub commit: bool,
}

/// `ApplyFeatureViewRequest`: one of the views is there.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ApplyFeatureView {
    /// `feast.core.FeatureView`.
    #[prost(bytes = "bytes", optional, tag = "1")]
    pub feature_view: Option<Bytes>,
    /// `feast.core.OnDemandFeatureView`.
    #[prost(bytes = "bytes", optional, tag = "2")]
    pub on_demand_feature_view: Option<Bytes>,
    /// `feast.core.StreamFeatureView`.
    #[prost(bytes = "bytes", optional, tag = "3")]
    pub stream_feature_view: Option<Bytes>,
    /// The name of the project.
    #[prost(string, tag = "4")]
    pub project: String,
    /// As in [`Apply`].
    #[prost(bool, tag = "5")]
    pub commit: bool,
    /// `feast.core.LabelView`.
    #[prost(bytes = "bytes", optional, tag = "6")]
    pub label_view: Option<Bytes>,
}

/// `ApplyProjectRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ApplyProject {
    /// `feast.core.Project`.
    #[prost(bytes = "bytes", tag = "1")]
    pub project: Bytes,
    /// As in [`Apply`].
    #[prost(bool, tag = "2")]
    pub commit: bool,
}

/// `Delete…Request` of all kinds of objects but projects, whose second field is another one.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Delete {
    /// The name of the object.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The name of its project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// As in [`Apply`].
    #[prost(bool, tag = "3")]
    pub commit: bool,
}

/// `DeleteProjectRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DeleteProject {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub name: String,
    /// As in [`Apply`].
    #[prost(bool, tag = "2")]
    pub commit: bool,
}

/// `ApplyMaterializationRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ApplyMaterialization {
    /// `feast.core.FeatureView`.
    #[prost(bytes = "bytes", tag = "1")]
    pub feature_view: Bytes,
    /// The name of the project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// From when values were written.
    #[prost(message, optional, tag = "3")]
    pub start_date: Option<Timestamp>,
    /// Until when.
    #[prost(message, optional, tag = "4")]
    pub end_date: Option<Timestamp>,
    /// As in [`Apply`].
    #[prost(bool, tag = "5")]
    pub commit: bool,
}

/// `RefreshRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Refresh {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
}

/// `UpdateInfraRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct UpdateInfra {
    /// `feast.core.Infra`.
    #[prost(bytes = "bytes", tag = "1")]
    pub infra: Bytes,
    /// The name of the project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// As in [`Apply`].
    #[prost(bool, tag = "3")]
    pub commit: bool,
}

/// `ListFeaturesRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListFeatures {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The view of the features, if it matters.
    #[prost(string, tag = "2")]
    pub feature_view: String,
    /// The name of the features, if it matters.
    #[prost(string, tag = "3")]
    pub name: String,
    /// Which page.
    #[prost(message, optional, tag = "4")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "5")]
    pub sorting: Option<Sorting>,
    /// As in [`Get`].
    #[prost(bool, tag = "6")]
    pub allow_cache: bool,
    /// `feature` or `label`, if it matters.
    #[prost(string, tag = "7")]
    pub kind: String,
}

/// `GetFeatureRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetFeature {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The view of the feature.
    #[prost(string, tag = "2")]
    pub feature_view: String,
    /// The name of the feature.
    #[prost(string, tag = "3")]
    pub name: String,
    /// As in [`Get`].
    #[prost(bool, tag = "4")]
    pub allow_cache: bool,
}

/// `GetRegistryLineageRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetRegistryLineage {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// As in [`Get`].
    #[prost(bool, tag = "2")]
    pub allow_cache: bool,
    /// The type of an object that relationships have to be of, if it matters.
    #[prost(string, tag = "3")]
    pub filter_object_type: String,
    /// The name of that object.
    #[prost(string, tag = "4")]
    pub filter_object_name: String,
    /// Which page.
    #[prost(message, optional, tag = "5")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "6")]
    pub sorting: Option<Sorting>,
}

/// `GetObjectRelationshipsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetObjectRelationships {
    /// The name of the project.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The type of the object, such as `featureView`.
    #[prost(string, tag = "2")]
    pub object_type: String,
    /// The name of the object.
    #[prost(string, tag = "3")]
    pub object_name: String,
    /// Whether those through other objects count.
    #[prost(bool, tag = "4")]
    pub include_indirect: bool,
    /// As in [`Get`].
    #[prost(bool, tag = "5")]
    pub allow_cache: bool,
    /// Which page.
    #[prost(message, optional, tag = "6")]
    pub pagination: Option<Pagination>,
    /// Which order.
    #[prost(message, optional, tag = "7")]
    pub sorting: Option<Sorting>,
}

/// `CreateDatasetFromRetrievalRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct CreateDataset {
    /// The name of the dataset.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The name of its project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// The service whose features are wanted; empty if they are named.
    #[prost(string, tag = "3")]
    pub feature_service_name: String,
    /// Features as `view:feature`.
    #[prost(string, repeated, tag = "4")]
    pub features: Vec<String>,
    /// `inline`, or something else for rows in a file.
    #[prost(string, tag = "5")]
    pub entity_source_type: String,
    /// The file with rows of entities.
    #[prost(string, tag = "6")]
    pub entity_source_path: String,
    /// The columns of `entity_values`.
    #[prost(string, repeated, tag = "8")]
    pub entity_keys: Vec<String>,
    /// Values between commas, a row in each line.
    #[prost(string, tag = "9")]
    pub entity_values: String,
    /// The time of the first row, in ISO 8601.
    #[prost(string, tag = "10")]
    pub start_date: String,
    /// The time of the last row.
    #[prost(string, tag = "11")]
    pub end_date: String,
    /// Further columns, a line `column=value` for each.
    #[prost(string, tag = "12")]
    pub extra_columns: String,
    /// What takes the rows: `file`, or Feast's word for a database.
    #[prost(string, tag = "13")]
    pub storage_type: String,
    /// Where there.
    #[prost(string, tag = "14")]
    pub storage_path: String,
    /// Labels of the dataset.
    #[prost(message, repeated, tag = "15")]
    pub tags: Vec<MapEntry>,
    /// Whether what is there may be replaced.
    #[prost(bool, tag = "16")]
    pub allow_overwrite: bool,
}

/// `GetDatasetDataRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDatasetData {
    /// The name of the dataset.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The name of its project.
    #[prost(string, tag = "2")]
    pub project: String,
    /// How many rows at most; 10 where it is not above 0.
    #[prost(int32, tag = "3")]
    pub limit: i32,
}

/// `GetDatasetJobStatusRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct GetDatasetJobStatus {
    /// The id of the job.
    #[prost(string, tag = "1")]
    pub job_id: String,
}

/// `ListDatasetJobsRequest`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct ListDatasetJobs {
    /// The project, if it matters.
    #[prost(string, tag = "1")]
    pub project: String,
    /// The status, if it matters.
    #[prost(string, tag = "2")]
    pub status_filter: String,
}

impl CreateDataset {
    /// The same with labels.
    #[must_use]
    pub fn labelled(self, labels: &Tags) -> Self {
        Self { tags: from_map(labels), ..self }
    }

    /// The labels of the dataset.
    pub fn labels(&self) -> Tags {
        to_map(&self.tags)
    }
}

impl ApplyFeatureView {
    /// The view, and of which kind it is.
    pub fn view(&self) -> Option<(ObjectKind, &Bytes)> {
        let views = [
            (ObjectKind::FeatureView, &self.feature_view),
            (ObjectKind::OnDemandFeatureView, &self.on_demand_feature_view),
            (ObjectKind::StreamFeatureView, &self.stream_feature_view),
            (ObjectKind::LabelView, &self.label_view),
        ];
        views.into_iter().find_map(|(kind, view)| Some((kind, view.as_ref()?)))
    }
}

impl ListObjects {
    /// The labels that objects have to have.
    pub fn labels(&self) -> Tags {
        to_map(&self.tags)
    }
}

impl ListFeatureServices {
    /// The labels that services have to have.
    pub fn labels(&self) -> Tags {
        to_map(&self.tags)
    }
}

impl ListProjects {
    /// The labels that projects have to have.
    pub fn labels(&self) -> Tags {
        to_map(&self.tags)
    }
}

impl ListAllFeatureViews {
    /// The labels that views have to have.
    pub fn labels(&self) -> Tags {
        to_map(&self.tags)
    }
}
