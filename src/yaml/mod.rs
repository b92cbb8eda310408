//! YAML text into values that know where they stand. The only user of the YAML crates.
//!
//! A file is first read into a tree of [`Node`]s, each with its [`Span`]; typed values are then
//! taken from the tree by [`Read`]. Reading never stops at the first mistake: it records a
//! diagnostic, yields `None` for that node and goes on, so that one run reports everything. What is
//! accepted describes itself as JSON Schema, so that editors and the reader cannot disagree.

mod node;
mod parse;
mod read;
mod read_all;
mod record;
mod schema;
mod write;

pub use node::{Content, Node, Scalar};
pub use parse::parse;
pub use read::{Read, Spanned};
pub use read_all::read_all;
pub use record::{Fields, Record, read_word, split_type, word_schema};
pub(crate) use record::{record, tagged};
pub use schema::{ObjectSchema, Schemas, schema_of};
pub use write::{Tree, write_collection};

/// A value as YAML, for people to read.
///
/// # Errors
/// When the value has no YAML form.
pub fn to_string(value: &impl serde::Serialize) -> std::io::Result<String> {
    serde_yaml::to_string(value).map_err(std::io::Error::other)
}
