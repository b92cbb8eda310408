//! What one can do with a feature store, one file per use case: a request in, a result out.
//!
//! The command line and servers are faces of it. Nothing here knows a terminal, an environment variable or a file
//! descriptor; every use case is told who asks, and fails with a [`Failure`] that has a kind.

mod access;
pub mod add_history;
pub mod add_to_log;
pub mod apply;
mod asked_rows;
mod caller;
pub mod catalogue;
pub mod change_log;
pub mod cleanup;
pub mod copy;
pub mod datasets;
pub mod definitions;
pub mod discovery;
pub mod drift;
pub mod engine_check;
mod entities_from;
pub mod entity_index;
mod event;
pub mod export;
mod failure;
mod feature_store;
pub mod freshness;
mod gate;
pub mod get_historical;
pub mod get_online;
pub mod history;
pub mod import;
mod kept_permissions;
mod kept_rows;
pub mod log_served;
pub mod look_at_source;
pub mod materialize;
pub mod permissions;
pub mod persist;
pub mod plan;
mod prepared;
pub mod push;
mod python_views;
pub mod readiness;
pub mod redis_acl;
pub mod registered;
mod registered_source;
mod remembered;
pub mod retrieval;
mod reviewed;
pub mod saved_datasets;
pub mod teardown;
pub mod transform;

pub use asked_rows::{AskedRows, SourceColumns};
pub use caller::Caller;
pub use event::{Event, Observer};
pub use failure::Failure;
pub use feature_store::{FeatureStore, Opening};
pub use gate::{Gate, Notice};

#[cfg(test)]
mod tests;
