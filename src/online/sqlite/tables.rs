//! The tables of the store: a file's record of them, and making them.

use rusqlite::{Connection, TransactionBehavior};

use super::SqliteOnlineStore;
use crate::{
    sql_name::quoted,
    {model::OnlineTables, online::admin::RecordedTables, problem::Problem},
};

pub(super) fn table_exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    // Statements find tables in any case of letters.
    let mut statement =
        connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE")?;
    statement.exists([table])
}

/// Feast's table and index (`feast/infra/online_stores/sqlite.py`).
pub(super) fn create_table(connection: &Connection, table: &str, numbers: bool) -> rusqlite::Result<()> {
    let (name, index) = (quoted(table), quoted(&format!("{table}_ek")));
    let column = if numbers { "value_num REAL," } else { "" };
    connection.execute_batch(&format!(
        "CREATE TABLE IF NOT EXISTS {name} (
            entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, {column} vector_value BLOB,
            event_ts timestamp, created_ts timestamp, PRIMARY KEY(entity_key, feature_name));
         CREATE INDEX IF NOT EXISTS {index} ON {name} (entity_key);"
    ))?;
    if numbers && !has_numbers(connection, table)? {
        connection.execute_batch(&format!("ALTER TABLE {name} ADD COLUMN value_num REAL"))?;
    }
    Ok(())
}

/// Whether a table has the column for numbers, which Feast adds when it is told to.
pub(super) fn has_numbers(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.prepare("SELECT 1 FROM pragma_table_info(?1) WHERE name = 'value_num'")?.exists([table])
}

impl RecordedTables for SqliteOnlineStore {
    fn layout(&self) -> OnlineTables<'_> {
        OnlineTables { store: "sqlite", file: &self.recorded }
    }

    fn is_same(&self, one: &str, other: &str) -> bool {
        one.eq_ignore_ascii_case(other)
    }

    fn existing(&self, tables: &[&str]) -> Result<Vec<String>, Problem> {
        let Some(connection) = self.file.open_for_reading()? else { return Ok(Vec::new()) };
        let list = || -> rusqlite::Result<Vec<String>> {
            let mut statement = connection.prepare("SELECT name FROM sqlite_master WHERE type = 'table'")?;
            statement.query_map([], |row| row.get(0))?.collect()
        };
        let all = list().map_err(|error| self.file.explain(&error))?;
        let exists = |table: &&&str| all.iter().any(|there| self.is_same(there, table));
        Ok(tables.iter().filter(exists).map(|table| (*table).to_owned()).collect())
    }

    fn create(&self, tables: &[&str]) -> Result<(), Problem> {
        if tables.is_empty() {
            return Ok(());
        }
        let mut connection = self.file.open_for_writing()?;
        let mut create = || -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for table in tables {
                create_table(&transaction, table, self.numbers)?;
            }
            transaction.commit()
        };
        create().map_err(|error| self.file.explain(&error))
    }

    fn remove(&self, tables: &[&str]) -> Result<(), Problem> {
        if tables.is_empty() || !self.file.path().exists() {
            return Ok(());
        }
        let mut connection = self.file.open_for_writing()?;
        let mut remove = || -> rusqlite::Result<()> {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for table in tables {
                transaction.execute(&format!("DROP TABLE IF EXISTS {}", quoted(table)), [])?;
            }
            transaction.commit()
        };
        remove().map_err(|error| self.file.explain(&error))
    }
}
