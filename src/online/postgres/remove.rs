use postgres::types::Type;

use super::{
    moment::Moment,
    session::Session,
    tables::{missing, quoted, table_name},
};
use crate::{
    model::Timestamp,
    online::store::{OnlineError, ViewLayout},
};

/// Entities whose values are removed in one transaction.
const PAGE: i64 = 1000;

/// Removes tables with their values.
pub fn drop_tables(session: &mut Session, tables: &[&str]) -> Result<(), OnlineError> {
    let statements: String = tables.iter().map(|table| format!("DROP TABLE IF EXISTS {};\n", quoted(table))).collect();
    session.once(|client| client.batch_execute(&statements))
}

/// Drops the tables of views, one after the other, and tells how many entities had values there.
pub fn views(session: &mut Session, views: &[ViewLayout], on_page: &mut dyn FnMut(u64)) -> Result<u64, OnlineError> {
    let mut entities = 0;
    for table in existing(session, views)? {
        let name = quoted(&table);
        entities += session.once(|client| {
            let mut transaction = client.transaction()?;
            let count = format!("SELECT count(*) FROM (SELECT DISTINCT entity_key FROM {name}) AS entities");
            let entities: i64 = transaction.query_one(&count, &[])?.try_get(0)?;
            transaction.batch_execute(&format!("DROP TABLE {name}"))?;
            transaction.commit()?;
            Ok(u64::try_from(entities).unwrap_or(0))
        })?;
        on_page(entities);
    }
    Ok(entities)
}

/// The tables of views that are there.
fn existing<'a>(
    session: &mut Session,
    views: impl IntoIterator<Item = &'a ViewLayout>,
) -> Result<Vec<String>, OnlineError> {
    let mut tables: Vec<String> = views.into_iter().map(|view| table_name(&view.project, &view.view)).collect();
    let missing = missing(session, &tables.iter().map(String::as_str).collect::<Vec<_>>())?;
    tables.retain(|table| !missing.contains(table));
    Ok(tables)
}

/// Removes the values whose event is before a moment, in the order of keys.
pub fn expired(
    session: &mut Session,
    views: &[(ViewLayout, Timestamp)],
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, OnlineError> {
    let existing = existing(session, views.iter().map(|(view, _)| view))?;
    let mut entities = 0;
    for (view, before) in views {
        let table = table_name(&view.project, &view.view);
        if !existing.contains(&table) {
            continue;
        }
        let mut last = Vec::new();
        while let Some((removed, end)) = remove_page(session, &table, *before, &last)? {
            entities += removed;
            last = end;
            on_page(entities);
        }
    }
    Ok(entities)
}

/// Removes outdated values of the first entities behind a key; tells of how many, and the last key.
fn remove_page(
    session: &mut Session,
    table: &str,
    before: Timestamp,
    after: &[u8],
) -> Result<Option<(u64, Vec<u8>)>, OnlineError> {
    let table = quoted(table);
    // Whatever was written meanwhile is looked at again, and stays when it is newer.
    let statement = format!(
        "WITH page AS (SELECT DISTINCT entity_key FROM {table} WHERE entity_key > $1 AND event_ts < $2 \
                       ORDER BY entity_key LIMIT {PAGE}), \
         gone AS (DELETE FROM {table} AS stored USING page WHERE stored.entity_key = page.entity_key \
                  AND stored.event_ts < $2 RETURNING stored.entity_key) \
         SELECT (SELECT count(DISTINCT entity_key) FROM gone), entity_key FROM page ORDER BY entity_key DESC LIMIT 1"
    );
    session.insist(|client| {
        let parameters: [(&(dyn postgres::types::ToSql + Sync), Type); 2] =
            [(&after, Type::BYTEA), (&Moment(before), Type::TIMESTAMPTZ)];
        let rows = client.query_typed(&statement, &parameters)?;
        let page = |row: &postgres::Row| Ok((u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0), row.try_get(1)?));
        rows.first().map(page).transpose()
    })
}
