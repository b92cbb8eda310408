//! Values that go, a page at a time.

use rusqlite::{Connection, TransactionBehavior};

use super::{SqliteOnlineStore, tables::table_exists};
use crate::{online::view_layout::ViewLayout, problem::Problem, sql_name::quoted};

impl SqliteOnlineStore {
    /// Removes the values of views that fulfil a condition each.
    pub(super) fn remove<'a>(
        &self,
        removals: impl Iterator<Item = (&'a ViewLayout, String)>,
        on_page: &mut dyn FnMut(u64),
    ) -> Result<u64, Problem> {
        if !self.file.path().exists() {
            return Ok(0);
        }
        let mut connection = self.file.open_for_writing()?;
        let mut entities = 0;
        for (view, condition) in removals {
            let table = view.id().table();
            loop {
                let page = remove_page(&mut connection, &table, &condition);
                match page.map_err(|error| self.file.explain(&error))? {
                    0 => break,
                    removed => entities += removed,
                }
                on_page(entities);
            }
        }
        Ok(entities)
    }
}

/// Entities whose values are removed in one transaction.
const PAGE: i64 = 1000;

/// Removes the values of one page of entities, and returns the number of entities.
fn remove_page(connection: &mut Connection, table: &str, condition: &str) -> rusqlite::Result<u64> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if !table_exists(&transaction, table)? {
        return Ok(0);
    }
    let table = quoted(table);
    let keys: Vec<Vec<u8>> = transaction
        .prepare(&format!("SELECT DISTINCT entity_key FROM {table} WHERE {condition} LIMIT {PAGE}"))?
        .query_map([], |row| row.get(0))?
        .collect::<rusqlite::Result<_>>()?;
    {
        let mut delete = transaction.prepare(&format!("DELETE FROM {table} WHERE {condition} AND entity_key = ?1"))?;
        for key in &keys {
            delete.execute([key])?;
        }
    }
    transaction.commit()?;
    Ok(keys.len() as u64)
}

/// Whether a row is of an entity over the view's join keys.
pub(super) fn under_join_keys(view: &ViewLayout) -> String {
    // Names that make no key have no values either.
    let Ok(prefix) = view.key_prefix() else { return "FALSE".to_owned() };
    let hex: String = prefix.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("substr(entity_key, 1, {}) = x'{hex}'", prefix.len())
}
