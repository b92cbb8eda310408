//! Where streamed rows go, and in which format: files, objects of buckets and pipes, folders of files, tables of PostgreSQL. Tables on the
//! screen are drawn by a face, through [`FormatWriter`].
//!
//! A file or folder appears under its name only when it is complete: rows are written to a hidden one beside
//! it, which takes the name at the end and vanishes on any error. Links lead to the file that is
//! replaced; pipes and devices are written as they are. Objects of buckets appear when they are complete, too, and say of
//! folders when they are.

mod file;
mod folder;
mod format;
mod json_floats;
mod object;
mod partitions;
mod postgres;
mod rows;
mod target;
mod unfinished;
mod writer;

pub use folder::{AddedFiles, Folder};
pub use format::{Compression, Format, ParquetOptions, json_objects};
pub use partitions::Partitions;
pub use postgres::{ExistingTable, PostgresTable};
pub use rows::RowSink;
pub use target::{Target, folder_of, follow_links};
pub use unfinished::remove_unfinished;
pub use writer::{Complete, FormatWriter, OpenFormat, OpenRows, RowWriter, SinkError};

#[cfg(test)]
mod tests;
