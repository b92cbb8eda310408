//! Reading values.

use std::{sync::Arc, time::Instant};

use rusqlite::Connection;

use crate::{
    clients::sqlite::SqlitePool,
    model::{Timestamp, ViewId},
    online::reader::{Found, PreparedRead, Reading, StoredValue, ViewFeatures},
    sql_name::quoted,
};

/// A read of some views, in one transaction, so that all values are of the same moment.
pub(super) struct SqliteRead {
    pub(super) readers: Arc<SqlitePool>,
    pub(super) views: Arc<[ViewRead]>,
}

pub(super) struct ViewRead {
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
    pub(super) fn new(project: &str, view: ViewFeatures) -> Self {
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
