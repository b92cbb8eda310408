//! Results that are kept under a name: files, and an object of the registry that says what is in them.

mod create;
mod read;
mod timed_sink;

pub use create::{Created, Creation, Overwrite, check, create};
pub use read::export;
pub(super) use read::stored_in_files;
