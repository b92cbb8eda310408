//! Feast's SQL registry: the same tables on every database.
//!
//! What a database must be able to do is in `session`, how it spells statements in `dialect`; a
//! database is a file that has both.

mod change_log;
mod changes;
mod dialect;
mod idle;
mod locks;
mod mysql;
mod postgres;
mod registry;
mod run_log;
mod schema;
mod session;
mod sqlite;
mod tables;
mod value;

pub(crate) use locks::DatabaseLocks;
pub(crate) use registry::SqlRegistry;
