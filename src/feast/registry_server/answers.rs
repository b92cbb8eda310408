//! Answers, made of the bytes of stored objects.

use bytes::Bytes;
use prost::Message as _;

use crate::{
    feast::{
        registry::{
            file::field_in_registry,
            messages::{MapEntry, ProjectMetadata, Timestamp, from_map},
            with_project,
        },
        wire::{OF_LENGTH, length_delimited, put_length_delimited},
    },
    model::{Field, ObjectKind},
};

/// `PaginationMetadata`: where a page is in a list.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct PageInfo {
    /// From 1; 0 if there are no pages.
    #[prost(int32, tag = "1")]
    pub page: i32,
    /// How many entries a page has; 0 if there are no pages.
    #[prost(int32, tag = "2")]
    pub limit: i32,
    /// How many entries there are.
    #[prost(int32, tag = "3")]
    pub total_count: i32,
    /// How many pages there are.
    #[prost(int32, tag = "4")]
    pub total_pages: i32,
    /// Whether there is a page after this.
    #[prost(bool, tag = "5")]
    pub has_next: bool,
    /// Whether there is a page before this.
    #[prost(bool, tag = "6")]
    pub has_previous: bool,
}

/// `List…Response` of all kinds: entries, and where they are among all.
#[derive(Debug, Default)]
pub struct List(Vec<u8>);

impl List {
    /// A list of these entries.
    pub fn of<'a>(entries: impl Iterator<Item = &'a [u8]> + Clone) -> Self {
        let mut list = Self(Vec::with_capacity(entries.clone().map(|entry| entry.len() + OF_LENGTH).sum()));
        entries.for_each(|entry| list.add(entry));
        list
    }

    /// One more entry.
    pub fn add(&mut self, entry: &[u8]) {
        put_length_delimited(1, entry, &mut self.0);
    }

    /// The whole answer.
    pub fn end(mut self, page: PageInfo) -> Bytes {
        put_length_delimited(2, &page.encode_to_vec(), &mut self.0);
        self.0.into()
    }
}

/// `AnyFeatureView` with a view of some kind; empty for what is no view.
pub fn any_view(kind: ObjectKind, proto: &[u8]) -> Vec<u8> {
    let number = match kind {
        ObjectKind::FeatureView => 1,
        ObjectKind::OnDemandFeatureView => 2,
        ObjectKind::StreamFeatureView => 3,
        ObjectKind::LabelView => 4,
        _ => return Vec::new(),
    };
    length_delimited(number, proto)
}

/// An answer that has nothing but a message in its first field, such as `GetAnyFeatureViewResponse`.
pub fn one_field(content: &[u8]) -> Bytes {
    length_delimited(1, content).into()
}

/// `ListProjectMetadataResponse` of one project.
pub fn project_metadata(project: &str, uuid: &str) -> Bytes {
    let metadata = ProjectMetadata { project: project.to_owned(), project_uuid: uuid.to_owned() };
    one_field(&metadata.encode_to_vec())
}

/// `feast.core.Registry` with objects of several projects.
#[derive(Debug, Default)]
pub struct WholeRegistry(Vec<u8>);

impl WholeRegistry {
    /// One more object.
    pub fn add(&mut self, project: &str, kind: ObjectKind, proto: &[u8]) {
        self.0.extend(length_delimited(field_in_registry(kind), &with_project(kind, proto, project)));
    }

    /// The whole answer.
    pub fn end(self) -> Bytes {
        self.0.into()
    }
}

/// `Feature`: a feature of a view, or a label.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Feature {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// The name of its view.
    #[prost(string, tag = "2")]
    pub feature_view: String,
    /// Its type in Python Feast's words, such as `Int64`.
    #[prost(string, tag = "3")]
    pub r#type: String,
    /// What it is.
    #[prost(string, tag = "4")]
    pub description: String,
    /// Feast never writes it.
    #[prost(string, tag = "5")]
    pub owner: String,
    /// Feast never writes it.
    #[prost(message, optional, tag = "6")]
    pub created_timestamp: Option<Timestamp>,
    /// Feast never writes it.
    #[prost(message, optional, tag = "7")]
    pub last_updated_timestamp: Option<Timestamp>,
    /// Its labels.
    #[prost(message, repeated, tag = "8")]
    pub tags: Vec<MapEntry>,
    /// `feature` or `label`.
    #[prost(string, tag = "9")]
    pub kind: String,
}

/// `EntityReference`: an object in a relationship.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Reference {
    /// Its type, such as `featureView`.
    #[prost(string, tag = "1")]
    pub r#type: String,
    /// Its name.
    #[prost(string, tag = "2")]
    pub name: String,
}

/// `EntityRelation`: the target uses the source.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Relation {
    /// What is used.
    #[prost(message, optional, tag = "1")]
    pub source: Option<Reference>,
    /// What uses it.
    #[prost(message, optional, tag = "2")]
    pub target: Option<Reference>,
}

/// `GetRegistryLineageResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct Lineage {
    /// Those without another object in between.
    #[prost(message, repeated, tag = "1")]
    pub relationships: Vec<Relation>,
    /// Those through other objects.
    #[prost(message, repeated, tag = "2")]
    pub indirect_relationships: Vec<Relation>,
    /// Where the page of `relationships` is.
    #[prost(message, optional, tag = "3")]
    pub relationships_pagination: Option<PageInfo>,
    /// Where the page of `indirect_relationships` is.
    #[prost(message, optional, tag = "4")]
    pub indirect_relationships_pagination: Option<PageInfo>,
}

/// `CreateDatasetFromRetrievalResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DatasetBegun {
    /// The id of the job.
    #[prost(string, tag = "1")]
    pub job_id: String,
    /// How far it is, as in [`DatasetJob`].
    #[prost(string, tag = "2")]
    pub status: String,
}

/// `TabularRow`: values of a row.
#[derive(Clone, PartialEq, prost::Message)]
pub struct TabularRow {
    /// Each in JSON.
    #[prost(string, repeated, tag = "1")]
    pub values: Vec<String>,
}

/// `GetDatasetDataResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DatasetData {
    /// The names of the columns; none if there is no row.
    #[prost(string, repeated, tag = "1")]
    pub columns: Vec<String>,
    /// The first rows.
    #[prost(message, repeated, tag = "2")]
    pub rows: Vec<TabularRow>,
    /// How many rows these are.
    #[prost(int32, tag = "3")]
    pub total_rows: i32,
    /// The same.
    #[prost(int32, tag = "4")]
    pub sample_size: i32,
}

/// `GetDatasetJobStatusResponse`.
#[derive(Clone, PartialEq, prost::Message, serde::Serialize)]
pub struct DatasetJob {
    /// The id of the job.
    #[prost(string, tag = "1")]
    pub job_id: String,
    /// The name of the dataset.
    #[prost(string, tag = "2")]
    pub dataset_name: String,
    /// The name of its project.
    #[prost(string, tag = "3")]
    pub project: String,
    /// `pending`, `running`, `completed` or `failed`.
    #[prost(string, tag = "4")]
    pub status: String,
    /// When it was wanted, in ISO 8601.
    #[prost(string, tag = "5")]
    pub created_at: String,
    /// When it ended; empty before.
    #[prost(string, tag = "6")]
    pub completed_at: String,
    /// Why it failed; empty if it did not.
    #[prost(string, tag = "7")]
    pub error: String,
}

/// `ListDatasetJobsResponse`.
#[derive(Clone, PartialEq, prost::Message)]
pub struct DatasetJobs {
    /// The newest first.
    #[prost(message, repeated, tag = "1")]
    pub jobs: Vec<DatasetJob>,
}

impl Feature {
    /// A feature of a view; `kind` is Feast's word, `feature` or `label`.
    pub fn of(view: &str, field: &Field, kind: &str) -> Self {
        Self {
            name: field.name.clone(),
            feature_view: view.to_owned(),
            r#type: field.dtype.to_string(),
            description: field.description.clone(),
            tags: from_map(&field.tags),
            kind: kind.to_owned(),
            ..Self::default()
        }
    }
}
