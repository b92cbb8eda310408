//! The database in which expressions are computed.

use std::sync::{Mutex, PoisonError};

use duckdb::{Config, Connection};

use super::input_rows::{FUNCTION, InputRows};
use crate::problem::{Kind, Problem};

/// A DuckDB in memory that starts with the first expression, which takes about 20 ms. It has no files, no network and no
/// threads of its own: who computes does so on his own thread, side by side with others.
#[derive(Default)]
pub struct Engine {
    /// Others are made from it; nothing is asked through it.
    started: Mutex<Option<Connection>>,
}

impl Engine {
    /// A connection of its own.
    ///
    /// # Errors
    /// When DuckDB does not start.
    pub(super) fn connection(&self) -> Result<Connection, Problem> {
        let mut started = self.started.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *started {
            Some(started) => started.try_clone(),
            none => start().and_then(|connection| none.insert(connection).try_clone()),
        };
        let connection = connection.and_then(|connection| {
            // It takes what several expressions have in common out of their TRY, where it fails (DuckDB 2.0.0).
            connection.execute_batch("PRAGMA disable_optimizer")?;
            Ok(connection)
        });
        connection.map_err(|error| Problem::new(Kind::Internal, format!("cannot start DuckDB: {error}"), None))
    }
}

fn start() -> duckdb::Result<Connection> {
    let config = Config::default()
        .enable_external_access(false)?
        .with("autoinstall_known_extensions", "false")?
        .with("autoload_known_extensions", "false")?
        .with("arrow_large_buffer_size", "true")?
        .threads(1)?;
    let connection = Connection::open_in_memory_with_flags(config)?;
    connection.register_table_function::<InputRows>(FUNCTION)?;
    Ok(connection)
}
