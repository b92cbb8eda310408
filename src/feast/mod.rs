//! Feast's wire formats. No other room knows them.

mod error;
pub mod flight;
pub mod registry;
pub mod registry_server;
pub mod values;
mod well_known;
mod wire;

pub use error::FeastError;
