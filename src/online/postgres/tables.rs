//! Tables of the online store: how they are named and created, and where they are.

use std::{collections::BTreeMap, thread::sleep, time::Duration};

use tokio_postgres::{Row, error::SqlState, types::Type};

use super::session::PostgresSession;
use crate::{
    clients::{
        postgres::{Connection, PostgresError},
        runtime::wait,
    },
    problem::{Kind, Problem},
    sql_name::quoted,
};

/// PostgreSQL cuts names after this many bytes.
const LONGEST_NAME: usize = 63;

/// What PostgreSQL keeps of a name.
pub(crate) fn kept(name: &str) -> &str {
    &name[..name.floor_char_boundary(LONGEST_NAME)]
}

/// Refuses tables that would be the same one.
///
/// # Errors
/// When two names differ only behind what PostgreSQL keeps.
pub(crate) fn check_lengths(tables: &[String]) -> Result<(), Problem> {
    let mut names = BTreeMap::new();
    for table in tables {
        if let Some(other) = names.insert(kept(table), table).filter(|other| *other != table) {
            return Err(Problem::new(
                Kind::Conflict,
                format!(
                    "the tables `{other}` and `{table}` would be one: PostgreSQL keeps {LONGEST_NAME} bytes of a name"
                ),
                Some("give one of the views a shorter name".to_owned()),
            ));
        }
    }
    Ok(())
}

/// Asks which of some tables cannot be seen.
pub(crate) const MISSING: &str = "SELECT name FROM unnest($1) AS name WHERE to_regclass(quote_ident(name)) IS NULL";

/// Which of these tables cannot be seen.
pub(crate) fn missing(session: &mut PostgresSession, tables: &[&str]) -> Result<Vec<String>, Problem> {
    session.once(|connection| {
        let rows = wait(connection.query_typed(MISSING, &[(&tables, Type::TEXT_ARRAY)]))?;
        Ok(rows.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?)
    })
}

/// A table as it is.
pub(crate) struct Table {
    name: String,
    exists: bool,
    /// Whether it has a column for numbers.
    pub has_numbers: bool,
}

/// Creates the schema, tables and columns that are missing, and tells how the tables are. When
/// nothing is missing it only looks, once.
pub(crate) fn prepare(session: &mut PostgresSession, tables: &[String], numbers: bool) -> Result<Vec<Table>, Problem> {
    let mut unusable = 0;
    for _ in 0..MOST_ATTEMPTS {
        let schema = session.schema().to_owned();
        let (found, current_schema) = session.once(|connection| look(connection, &schema, tables))?;
        let statements = match current_schema {
            None => format!("CREATE SCHEMA IF NOT EXISTS {}", quoted(&schema)),
            Some(current) if current == schema => found.iter().map(|table| additions(table, numbers)).collect(),
            Some(_) => {
                // A schema that another program has made is there a moment before it can be used.
                unusable += 1;
                if unusable == UNUSABLE_LOOKS {
                    return Err(unusable_schema(session));
                }
                sleep(MOMENT);
                continue;
            }
        };
        if statements.is_empty() {
            return Ok(found);
        }
        session.once(|connection| match wait(connection.batch_execute(&statements)) {
            // `IF NOT EXISTS` does not help when two create the same thing at the same time.
            Err(error) if collided(&error) => Ok(()),
            outcome => outcome,
        })?;
    }
    Err(Problem::new(
        Kind::Conflict,
        format!("other programs keep changing tables of the online store {}", session.server().url()),
        Some("try again when they are done".to_owned()),
    ))
}

/// Schema, tables, a look at them, and collisions with others.
const MOST_ATTEMPTS: usize = 20;

/// After so many looks a schema is one that cannot be used, and so far they are apart.
const UNUSABLE_LOOKS: usize = 5;
const MOMENT: Duration = Duration::from_millis(100);

fn collided(error: &PostgresError) -> bool {
    const CODES: [SqlState; 5] = [
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_OBJECT,
        SqlState::T_R_DEADLOCK_DETECTED,
    ];
    error.code().is_some_and(|code| CODES.contains(code))
}

/// The tables, and the schema where new ones go: `None` when the wanted one is not there, and the
/// empty text when there is none to be used.
fn look(
    connection: &mut Connection,
    schema: &str,
    tables: &[String],
) -> Result<(Vec<Table>, Option<String>), PostgresError> {
    // Casting to `name` cuts a text as creating a table does.
    let rows = wait(connection.query_typed(
        "SELECT CASE WHEN EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1) \
                THEN coalesce(current_schema()::text, '') END, t.name, c.oid IS NOT NULL, \
         EXISTS (SELECT FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attname = 'value_num' \
                 AND NOT a.attisdropped) \
         FROM unnest($2) AS t (name) LEFT JOIN pg_catalog.pg_class c ON c.relname = t.name::name \
         AND c.relkind IN ('r', 'p', 'v', 'f') \
         AND c.relnamespace = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = current_schema())",
        &[(&schema, Type::TEXT), (&tables, Type::TEXT_ARRAY)],
    ))?;
    let current_schema = rows.first().map_or(Ok(None), |row| row.try_get(0))?;
    let table = |row: &Row| Ok(Table { name: row.try_get(1)?, exists: row.try_get(2)?, has_numbers: row.try_get(3)? });
    Ok((rows.iter().map(table).collect::<Result<_, tokio_postgres::Error>>()?, current_schema))
}

const NUMBERS: &str = "value_num DOUBLE PRECISION NULL";

/// The statements that create what is missing: Feast's table and index. Its index for full text
/// search is left out, because feastr has no use for it and it makes writing slow.
fn additions(table: &Table, numbers: bool) -> String {
    let (name, index) = (quoted(&table.name), quoted(&format!("{}_ek", table.name)));
    if table.exists {
        return match numbers && !table.has_numbers {
            true => format!("ALTER TABLE {name} ADD COLUMN IF NOT EXISTS {NUMBERS};\n"),
            false => String::new(),
        };
    }
    let numbers = if numbers { format!("{NUMBERS}, ") } else { String::new() };
    format!(
        "CREATE TABLE IF NOT EXISTS {name} (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT NULL, \
         {numbers}vector_value BYTEA NULL, event_ts TIMESTAMPTZ, created_ts TIMESTAMPTZ, \
         PRIMARY KEY (entity_key, feature_name));\n\
         CREATE INDEX IF NOT EXISTS {index} ON {name} (entity_key);\n"
    )
}

/// Tables would go somewhere else than the settings say.
fn unusable_schema(session: &PostgresSession) -> Problem {
    let (schema, url) = (session.schema(), session.server().url());
    let user = url.user.as_deref().unwrap_or("you");
    let lower = schema.to_lowercase();
    let help = match lower == schema {
        true => "grant it USAGE and CREATE on the schema".to_owned(),
        false => format!("Feast looks for schemas in lower case: write `db_schema: {lower}`"),
    };
    Problem::new(Kind::Unavailable, format!("`{user}` cannot use the schema `{schema}` of {url}"), Some(help))
}
