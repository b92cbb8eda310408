//! The YAML definitions of a repo, read, checked and resolved into the model.
//!
//! Files are found and read ([`load`]) into records as they are written ([`format`]) and lowered
//! into model values with every reference resolved ([`lower`]). All findings are collected, so one
//! run shows everything that is wrong. [`write`] is the way back.

mod format;
mod load;
mod lower;
mod options;
#[cfg(test)]
mod testing;
mod write;

pub use load::{DefinitionFiles, definition_files, load};
pub use options::{CheckTransformation, FindMisfits, InspectSource, LoadOptions, LooksAt};
pub use write::{Definitions, Sketch, write};

/// The JSON Schema of a definition file, made from the types that read it.
pub fn schema() -> serde_json::Value {
    crate::yaml::schema_of::<format::RawFile>("Definitions of a feastr feature repo")
}
