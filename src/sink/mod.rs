//! Where streamed rows go: files, pipes and the screen.
//!
//! A file appears under its name only when it is complete: rows are written to a hidden file beside
//! it, which takes the name at the end and vanishes on any error. Links lead to the file that is
//! replaced; pipes and devices are written as they are.

mod format;
mod json_floats;
mod rows;
mod target;

pub use format::OutputFormat;
pub use rows::{RowSink, SinkError};
pub use target::{Target, folder_of, follow_links};
