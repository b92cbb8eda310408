//! Writing rows.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    SqliteOnlineStore,
    tables::{create_table, has_numbers},
};
use crate::{
    clients::sqlite::SqliteFile,
    feast::values::value::Value,
    model::Timestamp,
    online::{
        view_layout::ViewLayout,
        writer::{EncodedRow, Replace, WriteCounts, Writer},
    },
    problem::Problem,
    sql_name::quoted,
};

pub(super) struct SqliteWriter {
    file: SqliteFile,
    turn: Arc<Mutex<()>>,
    connection: Connection,
    layout: ViewLayout,
    /// Whether the table has a column for numbers.
    numbers: bool,
    upsert: String,
}

impl SqliteWriter {
    pub(super) fn new(
        store: &SqliteOnlineStore,
        connection: Connection,
        table: &str,
        layout: ViewLayout,
        replace: Replace,
    ) -> rusqlite::Result<Self> {
        // Keys come in no order, so a larger page cache (KiB when negative) saves rereading.
        connection.pragma_update(None, "cache_size", -32_768)?;
        create_table(&connection, table, store.numbers)?;
        let numbers = has_numbers(&connection, table)?;
        let (file, turn) = (store.file.clone(), Arc::clone(&store.turn));
        Ok(Self { file, turn, connection, layout, numbers, upsert: upsert(table, numbers, replace) })
    }

    fn write_rows(&mut self, rows: &[EncodedRow<'_>]) -> rusqlite::Result<WriteCounts> {
        let mut counts = WriteCounts::default();
        let numbers = self.numbers;
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let transaction = self.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        {
            let mut upsert = transaction.prepare_cached(&self.upsert)?;
            for row in rows {
                let created = row.created.map(Timestamp::seconds);
                let mut taken = self.layout.features.is_empty();
                for (feature, bytes) in self.layout.features.iter().zip(&row.values) {
                    // The bytes were just encoded, so they always decode.
                    let value = Value::read(bytes).unwrap_or(Value::NULL);
                    let (text, event) = (value.to_text(), row.event.seconds());
                    let changed = match numbers {
                        false => upsert.execute(params![row.key, feature, bytes, text, event, created])?,
                        true => {
                            let number = value.to_number();
                            upsert.execute(params![row.key, feature, bytes, text, event, created, number])?
                        }
                    };
                    taken |= changed > 0;
                }
                if taken {
                    counts.written += 1;
                } else {
                    counts.skipped += 1;
                }
            }
        }
        transaction.commit()?;
        Ok(counts)
    }
}

impl Writer for SqliteWriter {
    fn write(&mut self, rows: &[EncodedRow<'_>]) -> Result<WriteCounts, Problem> {
        self.write_rows(rows).map_err(|error| self.file.explain(&error))
    }

    /// Each batch was committed when it was taken.
    fn flush(&mut self) -> Result<WriteCounts, Problem> {
        Ok(WriteCounts::default())
    }
}

/// Inserts a value, or replaces one that gives way. The table knows whole seconds only; within the
/// same second the creation time decides, and without one the later write.
fn upsert(table: &str, numbers: bool, replace: Replace) -> String {
    let condition = match replace {
        Replace::Everything => "",
        Replace::Outdated | Replace::NotNewer => {
            " WHERE stored.event_ts IS NULL
                 OR excluded.event_ts > stored.event_ts
                 OR (excluded.event_ts = stored.event_ts
                     AND coalesce(excluded.created_ts >= stored.created_ts, TRUE))"
        }
    };
    let (column, parameter, update) =
        if numbers { (", value_num", ", ?7", "value_num = excluded.value_num,") } else { ("", "", "") };
    format!(
        "INSERT INTO {} AS stored (entity_key, feature_name, value, value_text, event_ts, created_ts{column})
         VALUES (?1, ?2, ?3, ?4, ?5, ?6{parameter})
         ON CONFLICT (entity_key, feature_name) DO UPDATE SET
             value = excluded.value, value_text = excluded.value_text, {update} vector_value = NULL,
             event_ts = excluded.event_ts, created_ts = excluded.created_ts{condition}",
        quoted(table)
    )
}
