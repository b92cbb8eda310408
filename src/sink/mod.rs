//! Where streamed rows go, and in which format: files and pipes. Tables on the screen are drawn by a face, through
//! [`RowWriter`].
//!
//! A file appears under its name only when it is complete: rows are written to a hidden file beside
//! it, which takes the name at the end and vanishes on any error. Links lead to the file that is
//! replaced; pipes and devices are written as they are.

mod format;
mod json_floats;
mod rows;
mod target;
mod writer;

pub use format::Format;
pub use rows::RowSink;
pub use target::{Target, folder_of, follow_links};
pub use writer::{OpenWriter, RowWriter, SinkError};

#[cfg(test)]
mod tests;
