//! The databases that can hold an index: one connection of each, as those who ask see it.

mod postgres;
mod sqlite;
mod value;

use arrow::array::{Int64Array, StringArray};

pub(super) use value::{Cell, Value};

use self::{postgres::Postgres, sqlite::Sqlite};
use crate::{
    config::{EntityIndexConfig, RegistryConfig, RegistryDatabase},
    problem::{Kind, Problem},
};

/// A database. Nothing is opened before a session is.
pub(super) trait Database: Send + Sync {
    /// How it spells what databases spell in their own ways.
    fn dialect(&self) -> &'static Dialect;

    /// A new connection.
    fn open(&self) -> Result<Box<dyn Session>, Problem>;

    /// Whether there is something to read; a file may not be there.
    fn is_there(&self) -> bool;

    /// Where it is, without a password.
    fn place(&self) -> String;
}

/// A connection.
pub(super) trait Session: Send {
    /// Whether it can be asked again.
    fn is_usable(&self) -> bool;

    /// Carries out statements without values.
    fn execute(&mut self, statements: &str) -> Result<(), Problem>;

    /// The rows that one statement answers.
    fn run(&mut self, statement: &str, values: &[Value<'_>]) -> Result<Vec<Vec<Cell>>, Problem>;

    /// Adds rows of entities to a table.
    fn add(&mut self, table: &str, rows: &mut NextRows<'_>) -> Result<(), Problem>;
}

/// Where rows of entities come from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin<'a> {
    pub(super) view: &'a str,
    pub(super) path: &'a str,
}

/// Rows of an entity: who it is, when something was known of it (microseconds), and when that was written.
#[derive(Debug)]
pub(super) struct EntityRows {
    /// Without nulls.
    pub(super) ids: StringArray,
    /// Without nulls.
    pub(super) events: Int64Array,
    /// Which rows of the file they are, from 0, without nulls: those of several entities in one row belong together.
    pub(super) file_rows: Int64Array,
    pub(super) created: Option<Int64Array>,
}

/// Gives the next rows, with where they are from; none at the end.
pub(super) type NextRows<'a> = dyn FnMut() -> Result<Option<(Origin<'a>, EntityRows)>, Problem> + 'a;

/// How a database spells what differs.
pub(super) struct Dialect {
    /// The type of moments.
    pub(super) moment: &'static str,
    /// A column that numbers rows and is the primary key.
    pub(super) numbered: &'static str,
    /// The present moment.
    pub(super) now: &'static str,
    /// The moment so many seconds from now.
    pub(super) later: fn(u64) -> String,
    /// The moment so many seconds ago.
    pub(super) earlier: fn(u64) -> String,
    /// Begins a transaction that writes, and is stored when it has ended.
    pub(super) begin: &'static str,
    /// Begins one that writes what can be done again: it may be lost where the database crashes.
    pub(super) begin_again: &'static str,
    /// Begins one that reads, and sees everything as it is now.
    pub(super) begin_reading: &'static str,
    /// Lets one transaction after the other through from here on, if `begin` does not.
    pub(super) take_turns: &'static str,
    /// Creates a schema of a name, if there are any.
    pub(super) create_schema: fn(&str) -> String,
    /// A table of a schema by its name, not quoted.
    pub(super) in_schema: fn(&str, &str) -> String,
    /// Whether there is a table or view of a schema (first value) and a name (second value).
    pub(super) has_table: &'static str,
    /// Replaces a view, or creates it.
    pub(super) create_view: &'static str,
}

/// The database of the settings.
///
/// # Errors
/// When they name none.
pub(super) fn open(config: &EntityIndexConfig, registry: &RegistryConfig) -> Result<Box<dyn Database>, Problem> {
    match config.database(registry)? {
        RegistryDatabase::Postgres(url) => Ok(Box::new(Postgres::new(url))),
        RegistryDatabase::Sqlite { path } => Ok(Box::new(Sqlite::new(path))),
        RegistryDatabase::MySql(_) => Err(Problem::new(Kind::Unsupported, "the entity index cannot be in MySQL", None)),
    }
}
