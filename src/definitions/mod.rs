//! The YAML definitions of a repo, read, checked and resolved into the model.
//!
//! Files are discovered ([`discover`]), read into records as they are written ([`raw`]) and lowered
//! into model values with every reference resolved ([`lower`]). All findings are collected, so one
//! run shows everything that is wrong.

mod discover;
mod entity;
mod expression;
mod feature_service;
mod load;
mod lower;
mod names;
mod permission;
mod raw;
mod saved_dataset;
mod source;
mod tags;
#[cfg(test)]
mod testing;
mod text_file;
mod values;
mod view;
mod write;

pub use discover::{DefinitionFiles, definition_files};
pub use load::{LoadOptions, load};
pub use source::InspectSource;
pub use write::{Definitions, write};

/// The JSON Schema of a definition file, made from the types that read it.
pub fn schema() -> serde_json::Value {
    crate::yaml::schema_of::<raw::RawFile>("Definitions of a feastr feature repo")
}
