//! What Feast's registry server answers, and what it is asked beside what `feast::registry_server` has. Stored objects come
//! and go as the bytes that they are.

use bytes::Bytes;
use prost::Message;

use crate::{feast::registry_server::ApplyFeatureView, model::ObjectKind};

/// The objects that were listed, of whatever kind.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Listed {
    #[prost(bytes = "vec", repeated, tag = "1")]
    pub(super) objects: Vec<Vec<u8>>,
}

/// A project: `feast.core.Project`, whose fields are left as they are.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Project {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) spec: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) meta: Option<Vec<u8>>,
}

/// The view.
#[derive(Clone, PartialEq, Message)]
pub(super) struct GotView {
    #[prost(message, optional, tag = "1")]
    pub(super) view: Option<AnyView>,
}

/// One of these.
#[derive(Clone, PartialEq, Message)]
pub(super) struct AnyView {
    #[prost(bytes = "vec", optional, tag = "1")]
    pub(super) feature_view: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    pub(super) on_demand_feature_view: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "3")]
    pub(super) stream_feature_view: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "4")]
    pub(super) label_view: Option<Vec<u8>>,
}

impl AnyView {
    /// Its kind and its bytes.
    pub(super) fn into_object(self) -> Option<(ObjectKind, Vec<u8>)> {
        [
            (ObjectKind::FeatureView, self.feature_view),
            (ObjectKind::OnDemandFeatureView, self.on_demand_feature_view),
            (ObjectKind::StreamFeatureView, self.stream_feature_view),
            (ObjectKind::LabelView, self.label_view),
        ]
        .into_iter()
        .find_map(|(kind, bytes)| Some((kind, bytes?)))
    }
}

/// The record of online infrastructure, which comes as [`Listed`] objects.
#[derive(Clone, PartialEq, Message)]
pub(super) struct UpdateInfra {
    #[prost(bytes = "vec", tag = "1")]
    pub(super) infra: Vec<u8>,
    #[prost(string, tag = "2")]
    pub(super) project: String,
    #[prost(bool, tag = "3")]
    pub(super) commit: bool,
}

/// A view that comes or replaces another one.
pub(super) fn apply_view(kind: ObjectKind, view: Bytes, project: &str) -> ApplyFeatureView {
    let mut apply = ApplyFeatureView { project: project.to_owned(), commit: true, ..ApplyFeatureView::default() };
    *match kind {
        ObjectKind::OnDemandFeatureView => &mut apply.on_demand_feature_view,
        ObjectKind::StreamFeatureView => &mut apply.stream_feature_view,
        ObjectKind::LabelView => &mut apply.label_view,
        _ => &mut apply.feature_view,
    } = Some(view);
    apply
}

/// What is done.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Done {}

/// What calls about a kind are called: one of them, and all of them; of views those that list.
pub(super) const fn words(kind: ObjectKind) -> (&'static str, &'static str) {
    match kind {
        ObjectKind::Project => ("Project", "Projects"),
        ObjectKind::DataSource => ("DataSource", "DataSources"),
        ObjectKind::Entity => ("Entity", "Entities"),
        ObjectKind::FeatureView => ("FeatureView", "FeatureViews"),
        ObjectKind::OnDemandFeatureView => ("FeatureView", "OnDemandFeatureViews"),
        ObjectKind::StreamFeatureView => ("FeatureView", "StreamFeatureViews"),
        ObjectKind::LabelView => ("FeatureView", "LabelViews"),
        ObjectKind::FeatureService => ("FeatureService", "FeatureServices"),
        ObjectKind::Permission => ("Permission", "Permissions"),
        ObjectKind::SavedDataset => ("SavedDataset", "SavedDatasets"),
        ObjectKind::ValidationReference => ("ValidationReference", "ValidationReferences"),
    }
}
