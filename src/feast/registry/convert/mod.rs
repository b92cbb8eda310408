//! Between registry messages and the model.
//!
//! Reading (`…_from_message`) tells what an object is, or why feastr cannot manage it. Writing
//! (`…_to_message`) starts from the stored message, if there is one, and replaces what the model
//! knows: everything else that Feast keeps in the row stays as it is.

mod data_source;
mod entity;
mod feature_service;
mod feature_view;
mod field;
mod label_view;
mod materialization;
mod on_demand_feature_view;
mod permission;
mod project;
mod projection;
mod same_version;
mod saved_dataset;
mod source_kind;
mod stored_text;
mod stream_feature_view;
mod version;

pub use data_source::SourceRows;
pub(crate) use data_source::{data_source_from_message, data_source_to_message, name_of_source};
pub(crate) use entity::{entity_from_message, entity_to_message};
pub(crate) use feature_service::{feature_service_from_message, feature_service_to_message};
pub(crate) use feature_view::{feature_view_from_message, feature_view_to_message};
pub(crate) use field::fields_from_messages;
pub(crate) use label_view::{label_view_from_message, label_view_to_message};
pub(crate) use materialization::{materialized_from_message, record_materialization};
pub(crate) use on_demand_feature_view::{
    on_demand_feature_view_from_message, on_demand_feature_view_to_message, on_demand_feature_view_without_function,
    python_function,
};
pub(crate) use permission::{permission_from_message, permission_to_message};
pub(crate) use project::{project_from_message, project_to_message};
pub use same_version::is_same_version;
pub(crate) use saved_dataset::{
    saved_dataset_from_message, saved_dataset_to_message, validation_reference_from_message,
    validation_reference_to_message,
};
pub(crate) use stream_feature_view::{stream_feature_view_from_message, stream_feature_view_to_message};
pub use version::RowVersion;

use crate::{feast::registry::messages as wire, model::Timestamp};

/// Why feastr leaves an object alone, as a phrase that completes "because …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmanaged(pub String);

impl Unmanaged {
    /// A refusal, as a result.
    pub(super) fn because<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self(reason.into()))
    }
}

/// The time an object was created: as stored, or now for a new one.
fn created(stored: Option<wire::Timestamp>, now: Timestamp) -> Option<wire::Timestamp> {
    stored.or_else(|| Some(now.into()))
}
