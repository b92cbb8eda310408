//! Finds the definition files of a repo and reads them.

mod discover;
mod repo;

pub use discover::{DefinitionFiles, definition_files};
pub use repo::load;
