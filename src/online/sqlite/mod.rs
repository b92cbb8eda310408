//! The online store in an SQLite file, with Feast's tables.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use rusqlite::{Connection, TransactionBehavior, params};

use super::{
    admin::{Admin, RecordedTables},
    reader::{Found, PreparedRead, Reader, Reading, StoredValue, ViewFeatures},
    store::OnlineStore,
    view_layout::ViewLayout,
    writer::{EncodedRow, Replace, WriteCounts, Writer},
};
use crate::{
    clients::sqlite::{SqliteFile, SqlitePool},
    feast::values::value::Value,
    model::{OnlineTables, Timestamp, ViewId},
    problem::Problem,
};

/// Feast's SQLite online store: a table per view, a row per entity and feature.
pub(crate) struct SqliteOnlineStore {
    file: SqliteFile,
    readers: Arc<SqlitePool>,
    /// The file's path as Feast records it in the registry.
    recorded: String,
    /// Whether tables get a column for numbers.
    numbers: bool,
    /// Held by the writer of this process that writes: the file has one at a time, and SQLite makes the
    /// others look again and again whether it is their turn, which may never come.
    turn: Arc<Mutex<()>>,
}

impl SqliteOnlineStore {
    /// The store in the file at `path` (absolute), which need not exist yet; with a column for
    /// numbers in its tables, or without.
    pub(crate) fn new(path: PathBuf, numbers: bool) -> Self {
        let recorded = path.display().to_string();
        let file = SqliteFile::new("online store", path);
        Self { readers: SqlitePool::new(file.clone()), file, recorded, numbers, turn: Arc::default() }
    }
}

impl SqliteOnlineStore {
    /// Removes the values of views that fulfil a condition each.
    fn remove<'a>(
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

/// Removes values of some entities, and returns of how many.
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
fn under_join_keys(view: &ViewLayout) -> String {
    // Names that make no key have no values either.
    let Ok(prefix) = view.key_prefix() else { return "FALSE".to_owned() };
    let hex: String = prefix.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("substr(entity_key, 1, {}) = x'{hex}'", prefix.len())
}

fn table_exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    // Statements find tables in any case of letters.
    let mut statement =
        connection.prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?1 COLLATE NOCASE")?;
    statement.exists([table])
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Feast's table and index (`feast/infra/online_stores/sqlite.py`).
fn create_table(connection: &Connection, table: &str, numbers: bool) -> rusqlite::Result<()> {
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
fn has_numbers(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
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

impl Reader for SqliteOnlineStore {
    fn prepare(&self, project: &str, views: Vec<ViewFeatures>) -> Box<dyn PreparedRead> {
        let views = views.into_iter().map(|view| ViewRead::new(project, view)).collect();
        Box::new(SqliteRead { readers: Arc::clone(&self.readers), views })
    }
}

impl Admin for SqliteOnlineStore {
    fn reach(&self) -> Result<(), Problem> {
        self.file.open_for_reading().map(|_| ())
    }

    fn recorded_tables(&self) -> Option<&dyn RecordedTables> {
        Some(self)
    }

    /// Capitals make no difference to SQLite.
    fn table(&self, view: ViewId<'_>) -> Option<String> {
        Some(view.table().to_ascii_lowercase())
    }

    fn prepare_views(&self, project: &str, views: &[&str]) -> Result<(), Problem> {
        let tables: Vec<String> = views.iter().map(|&name| ViewId { project, name }.table()).collect();
        self.create(&tables.iter().map(String::as_str).collect::<Vec<_>>())
    }

    fn remove_views(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        self.remove(views.iter().map(|view| (view, under_join_keys(view))), on_page)
    }

    fn remove_features(&self, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let removals = views.iter().map(|view| {
            let names = view.features.iter().map(|feature| format!("'{}'", feature.replace('\'', "''")));
            let names = names.collect::<Vec<_>>().join(", ");
            (view, format!("feature_name IN ({names}) AND {}", under_join_keys(view)))
        });
        self.remove(removals, on_page)
    }

    fn remove_expired(&self, views: &[(ViewLayout, Timestamp)], on_page: &mut dyn FnMut(u64)) -> Result<u64, Problem> {
        let removals = views.iter().map(|(view, before)| (view, format!("event_ts < {}", before.seconds())));
        self.remove(removals, on_page)
    }
}

impl OnlineStore for SqliteOnlineStore {
    fn writer(&self, layout: ViewLayout, replace: Replace) -> Result<Box<dyn Writer>, Problem> {
        let connection = self.file.open_for_writing()?;
        let table = layout.id().table();
        let writer = SqliteWriter::new(self, connection, &table, layout, replace);
        Ok(Box::new(writer.map_err(|error| self.file.explain(&error))?))
    }
}

struct SqliteWriter {
    file: SqliteFile,
    turn: Arc<Mutex<()>>,
    connection: Connection,
    layout: ViewLayout,
    /// Whether the table has a column for numbers.
    numbers: bool,
    upsert: String,
}

impl SqliteWriter {
    fn new(
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

/// A read of some views, in one transaction, so that all values are of the same moment.
struct SqliteRead {
    readers: Arc<SqlitePool>,
    views: Arc<[ViewRead]>,
}

struct ViewRead {
    select: String,
    features: Vec<String>,
    /// Which list of keys is its own.
    keys: usize,
}

impl PreparedRead for SqliteRead {
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], deadline: Instant) -> Reading<'a> {
        let (views, asked) = (Arc::clone(&self.views), keys.to_vec());
        Box::pin(async move {
            let read = move |connection: &mut Connection| {
                let transaction = connection.transaction()?;
                views.iter().map(|view| view.read(&transaction, &asked[view.keys])).collect()
            };
            let found = self.readers.read(deadline, read).await?;
            Ok(found.unwrap_or_else(|| self.views.iter().map(|view| view.nothing(&keys[view.keys])).collect::<Found>()))
        })
    }
}

impl ViewRead {
    fn new(project: &str, view: ViewFeatures) -> Self {
        let table = quoted(&ViewId { project, name: &view.view }.table());
        let select = format!("SELECT feature_name, value, event_ts FROM {table} WHERE entity_key = ?1");
        Self { select, features: view.features, keys: view.keys }
    }

    fn nothing(&self, keys: &[Vec<u8>]) -> Vec<Vec<StoredValue>> {
        vec![vec![StoredValue::NotFound; self.features.len()]; keys.len()]
    }

    /// The values of each key; none of a view whose table is not there.
    fn read(&self, connection: &Connection, keys: &[Vec<u8>]) -> rusqlite::Result<Vec<Vec<StoredValue>>> {
        let mut found = self.nothing(keys);
        match self.fill(connection, keys, &mut found) {
            Err(error) if is_missing_table(&error) => Ok(self.nothing(keys)),
            outcome => outcome.map(|()| found),
        }
    }

    fn fill(&self, connection: &Connection, keys: &[Vec<u8>], found: &mut [Vec<StoredValue>]) -> rusqlite::Result<()> {
        let mut select = connection.prepare_cached(&self.select)?;
        for (key, values) in keys.iter().zip(found) {
            let mut rows = select.query([key])?;
            while let Some(row) = rows.next()? {
                let feature = row.get_ref(0)?.as_str()?;
                let wanted = self.features.iter().zip(&mut *values).filter(|(wanted, _)| *wanted == feature);
                for (_, place) in wanted {
                    let value = row.get_ref(1)?.as_blob_or_null()?.unwrap_or_default().to_vec();
                    *place = StoredValue::Found { value, event: event_time(row.get_ref(2)?) };
                }
            }
        }
        Ok(())
    }
}

fn is_missing_table(error: &rusqlite::Error) -> bool {
    let text = match error {
        rusqlite::Error::SqliteFailure(_, text) => text.as_deref(),
        rusqlite::Error::SqlInputError { msg, .. } => Some(msg.as_str()),
        _ => None,
    };
    text.is_some_and(|text| text.starts_with("no such table: "))
}

/// Feast stores whole seconds; other clients leave texts such as `2026-01-01 00:00:00`.
fn event_time(value: rusqlite::types::ValueRef<'_>) -> Timestamp {
    const EPOCH: Timestamp = Timestamp::from_micros(0);
    match value {
        rusqlite::types::ValueRef::Integer(seconds) => Timestamp::from_micros(seconds.saturating_mul(1_000_000)),
        rusqlite::types::ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).unwrap_or_default();
            Timestamp::parse(text, EPOCH).unwrap_or(EPOCH)
        }
        _ => EPOCH,
    }
}
