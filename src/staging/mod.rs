//! Folders that an engine fills and feastr reads: on a disk that both see, or in a bucket. A folder is whole when its manifest
//! is there, which is written last.

mod folder;
mod manifest;
mod place;
#[cfg(test)]
mod tests;

pub use folder::{Filling, StagedFolder};
pub use manifest::{MANIFEST, Manifest, StagedFile};
