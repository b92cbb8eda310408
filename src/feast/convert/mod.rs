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
mod infra;
mod project;

pub use data_source::{data_source_from_message, data_source_to_message};
pub use entity::{entity_from_message, entity_to_message};
pub use feature_service::{feature_service_from_message, feature_service_to_message};
pub use feature_view::{
    RowVersion, feature_view_from_message, feature_view_to_message, is_new_version, materialized_from_message,
    record_materialization,
};
pub use infra::{online_tables_from_message, online_tables_to_message};
pub use project::{project_from_message, project_to_message};

use crate::{feast::messages as wire, model::Timestamp};

/// Why feastr leaves an object alone, as a phrase that completes "because …".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmanaged(pub String);

impl Unmanaged {
    fn because<T>(reason: impl Into<String>) -> Result<T, Self> {
        Err(Self(reason.into()))
    }
}

/// The time an object was created: as stored, or now for a new one.
fn created(stored: Option<wire::Timestamp>, now: Timestamp) -> Option<wire::Timestamp> {
    stored.or_else(|| Some(now.into()))
}
