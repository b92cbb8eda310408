//! Feast's SQL registry: the same tables on every database.

mod schema;
mod sqlite;

pub use sqlite::SqliteRegistry;
