//! The YAML definitions of a repo, read, checked and resolved into the model.
//!
//! Files are discovered ([`discover`]), read into records as they are written ([`raw`]) and lowered
//! into model values with every reference resolved ([`lower`]). All findings are collected, so one
//! run shows everything that is wrong.

mod discover;
mod entity;
mod feature_service;
mod feature_view;
mod load;
mod names;
mod raw;
mod source;
mod source_check;
mod values;

pub use load::{LoadOptions, load};
pub use source_check::InspectSource;
