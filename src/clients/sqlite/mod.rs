//! SQLite files: how they are opened, who reads them at once, and what goes wrong with them in words; for the registry
//! and the online store.

mod file;
mod pool;

pub use file::SqliteFile;
pub use pool::SqlitePool;
