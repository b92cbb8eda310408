//! Values that go: of whole views, of single features, and what has expired; a page at a time.

use std::time::Duration;

use tokio_postgres::{
    Row,
    types::{ToSql, Type},
};

use super::{moment::Moment, session::PostgresSession, tables::missing};
use crate::{
    clients::{
        postgres::{Connection, PostgresError},
        runtime::wait,
    },
    model::Timestamp,
    online::view_layout::ViewLayout,
    problem::Problem,
    sql_name::quoted,
};

/// How long a statement may take that looks through a whole table.
const SCAN_LIMIT: Duration = Duration::from_secs(3600);

/// Entities whose values are removed in one transaction.
const PAGE: i64 = 1000;

/// Removes the values of views under their join keys, and tells how many entities had some. A table
/// without others is dropped.
pub(crate) fn views(
    session: &mut PostgresSession,
    views: &[ViewLayout],
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    let mut existing = existing(session, views)?;
    let mut entities = 0;
    for view in views {
        let table = view.id().table();
        if !existing.contains(&table) {
            continue;
        }
        let prefix = view.key_prefix()?;
        let dropped = session.once(|connection| drop_unshared(connection, &quoted(&table), &prefix))?;
        match dropped {
            Some(removed) => {
                entities += removed;
                existing.retain(|other| *other != table);
            }
            None => entities += remove(session, &table, &Removed::Keys(prefix), &mut |page| on_page(entities + page))?,
        }
        on_page(entities);
    }
    Ok(entities)
}

/// Drops a table unless it has rows of other join keys, which a view has that changed them. Tells how
/// many entities it had.
fn drop_unshared(connection: &mut Connection, table: &str, prefix: &[u8]) -> Result<Option<u64>, PostgresError> {
    wait(connection.batch_execute("BEGIN"))?;
    let dropped = drop_in_transaction(connection, table, prefix);
    let end = if let Ok(Some(_)) = dropped { "COMMIT" } else { "ROLLBACK" };
    let ended = wait(connection.batch_execute(end));
    dropped.and_then(|dropped| ended.map(|()| dropped))
}

fn drop_in_transaction(connection: &mut Connection, table: &str, prefix: &[u8]) -> Result<Option<u64>, PostgresError> {
    let others = format!("SELECT EXISTS (SELECT FROM {table} WHERE substring(entity_key FROM 1 FOR length($1)) <> $1)");
    let others = wait(connection.query_typed(&others, &[(&prefix, Type::BYTEA)]))?;
    if others.first().map_or(Ok(false), |row| row.try_get(0))? {
        return Ok(None);
    }
    let count = format!("SELECT count(*) FROM (SELECT DISTINCT entity_key FROM {table}) AS entities");
    let entities: i64 = wait(connection.query_typed(&count, &[]))?.first().map_or(Ok(0), |row| row.try_get(0))?;
    wait(connection.batch_execute(&format!("DROP TABLE {table}")))?;
    Ok(Some(u64::try_from(entities).unwrap_or(0)))
}

/// Removes the values of some features of views.
pub(crate) fn features(
    session: &mut PostgresSession,
    views: &[ViewLayout],
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    let existing = existing(session, views)?;
    let mut entities = 0;
    for view in views {
        let table = view.id().table();
        if existing.contains(&table) {
            let removed = Removed::Features(view.features.clone(), view.key_prefix()?);
            entities += remove(session, &table, &removed, &mut |page| on_page(entities + page))?;
        }
    }
    Ok(entities)
}

/// The tables of views that are there.
fn existing<'a>(
    session: &mut PostgresSession,
    views: impl IntoIterator<Item = &'a ViewLayout>,
) -> Result<Vec<String>, Problem> {
    let mut tables: Vec<String> = views.into_iter().map(|view| view.id().table()).collect();
    let missing = missing(session, &tables.iter().map(String::as_str).collect::<Vec<_>>())?;
    tables.retain(|table| !missing.contains(table));
    // What follows looks through them.
    session.set_limit(SCAN_LIMIT);
    Ok(tables)
}

/// Removes the values whose event is before a moment.
pub(crate) fn expired(
    session: &mut PostgresSession,
    views: &[(ViewLayout, Timestamp)],
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    let existing = existing(session, views.iter().map(|(view, _)| view))?;
    let mut entities = 0;
    for (view, before) in views {
        let table = view.id().table();
        if existing.contains(&table) {
            entities += remove(session, &table, &Removed::Before(*before), &mut |page| on_page(entities + page))?;
        }
    }
    Ok(entities)
}

/// Which values of a table are removed.
enum Removed {
    /// Those whose event is before a moment.
    Before(Timestamp),
    /// Those of entities whose keys start so.
    Keys(Vec<u8>),
    /// Those of some features, of entities whose keys start so.
    Features(Vec<String>, Vec<u8>),
}

impl Removed {
    /// What holds for such a row, with parameters from the second.
    const fn condition(&self) -> &'static str {
        match self {
            Self::Before(_) => "stored.event_ts < $2",
            Self::Keys(_) => "substring(stored.entity_key FROM 1 FOR length($2)) = $2",
            Self::Features(..) => {
                "substring(stored.entity_key FROM 1 FOR length($2)) = $2 AND stored.feature_name = ANY($3)"
            }
        }
    }
}

/// Removes values of a table in the order of keys, and returns how many entities had some.
fn remove(
    session: &mut PostgresSession,
    table: &str,
    removed: &Removed,
    on_page: &mut dyn FnMut(u64),
) -> Result<u64, Problem> {
    let (mut entities, mut last) = (0, Vec::new());
    while let Some((page, end)) = remove_page(session, table, removed, &last)? {
        entities += page;
        last = end;
        on_page(entities);
    }
    Ok(entities)
}

/// Removes values of the first entities behind a key; returns their number and the last key.
fn remove_page(
    session: &mut PostgresSession,
    table: &str,
    removed: &Removed,
    after: &[u8],
) -> Result<Option<(u64, Vec<u8>)>, Problem> {
    let (table, condition) = (quoted(table), removed.condition());
    // Whatever was written meanwhile is looked at again, and stays when it is newer.
    let statement = format!(
        "WITH page AS (SELECT DISTINCT entity_key FROM {table} AS stored WHERE entity_key > $1 AND {condition} \
                       ORDER BY entity_key LIMIT {PAGE}), \
         gone AS (DELETE FROM {table} AS stored USING page WHERE stored.entity_key = page.entity_key \
                  AND {condition} RETURNING stored.entity_key) \
         SELECT (SELECT count(DISTINCT entity_key) FROM gone), entity_key FROM page ORDER BY entity_key DESC LIMIT 1"
    );
    let moment = if let Removed::Before(before) = removed { Some(Moment(*before)) } else { None };
    session.insist(|connection| {
        let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = vec![(&after, Type::BYTEA)];
        match removed {
            Removed::Before(_) => parameters.push((&moment, Type::TIMESTAMPTZ)),
            Removed::Keys(prefix) => parameters.push((prefix, Type::BYTEA)),
            Removed::Features(names, prefix) => {
                parameters.extend([(prefix as _, Type::BYTEA), (names as _, Type::TEXT_ARRAY)]);
            }
        }
        let rows = wait(connection.query_typed(&statement, &parameters))?;
        let page = |row: &Row| {
            Ok::<_, PostgresError>((u64::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0), row.try_get(1)?))
        };
        rows.first().map(page).transpose()
    })
}
