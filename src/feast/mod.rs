//! Feast's wire formats. No other room knows them.

pub mod flight;
pub mod registry;
pub mod values;
mod well_known;
mod wire;
