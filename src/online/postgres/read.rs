//! Reading from PostgreSQL: all views of a request in one statement.

use std::{collections::HashMap, sync::Arc, time::Instant};

use tokio::time::timeout_at;
use tokio_postgres::{
    Row,
    error::SqlState,
    types::{ToSql, Type},
};

use super::{moment::Moment, tables::MISSING};
use crate::{
    clients::postgres::{Connection, Pool, PostgresError},
    model::{Timestamp, ViewId},
    online::reader::{Found, PreparedRead, Reading, StoredValue, ViewFeatures},
    problem::Problem,
    sql_name::quoted,
};

/// A read of some views: one question to the server, so that all values are of the same moment.
pub(crate) struct PostgresRead {
    pool: Arc<Pool>,
    views: Vec<ViewRead>,
    /// The question about all views.
    statement: String,
}

struct ViewRead {
    table: String,
    features: Vec<String>,
    /// Where the value of a feature goes, which may be asked for twice.
    columns: HashMap<String, Vec<usize>>,
    /// Which list of keys is its own.
    keys: usize,
}

impl PostgresRead {
    /// Reads through a pool of connections.
    pub(crate) fn new(pool: Arc<Pool>, project: &str, views: Vec<ViewFeatures>) -> Self {
        let views: Vec<ViewRead> = views.into_iter().map(|view| ViewRead::new(project, view)).collect();
        let statement = statement(views.iter().enumerate());
        Self { pool, views, statement }
    }

    async fn answer(&self, keys: &[Vec<Vec<u8>>]) -> Result<Found, Problem> {
        loop {
            let mut lent = self.pool.lend().await?;
            match self.ask(&mut lent, keys).await {
                Ok(rows) => {
                    let found = self.found(&rows, keys);
                    self.pool.give_back(lent);
                    return found.map_err(|error| self.pool.server().explain(&error.into()).into());
                }
                // It ended while nobody used it.
                Err(error) if error.is_closed() && !lent.is_new() => {}
                Err(error) => {
                    let problem = self.pool.server().explain(&error);
                    self.pool.give_back(lent);
                    return Err(problem.into());
                }
            }
        }
    }

    async fn ask(&self, connection: &mut Connection, keys: &[Vec<Vec<u8>>]) -> Result<Vec<Row>, PostgresError> {
        if self.views.is_empty() {
            return Ok(Vec::new());
        }
        let parameters = parameters(&self.views, keys);
        match connection.query_prepared(&self.statement, &parameters).await {
            // A view that was never materialized has no values.
            Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => self.ask_existing(connection, keys).await,
            answer => answer,
        }
    }

    async fn ask_existing(
        &self,
        connection: &mut Connection,
        keys: &[Vec<Vec<u8>>],
    ) -> Result<Vec<Row>, PostgresError> {
        let tables: Vec<&str> = self.views.iter().map(|view| view.table.as_str()).collect();
        let missing = connection.query_typed(MISSING, &[(&tables, Type::TEXT_ARRAY)]).await?;
        let missing: Vec<&str> = missing.iter().map(|row| row.try_get(0)).collect::<Result<_, _>>()?;
        let there = || self.views.iter().enumerate().filter(|(_, view)| !missing.contains(&view.table.as_str()));
        if there().next().is_none() {
            return Ok(Vec::new());
        }
        connection.query_typed(&statement(there()), &parameters(there().map(|(_, view)| view), keys)).await
    }

    /// The values in the order they were asked for.
    fn found(&self, rows: &[Row], keys: &[Vec<Vec<u8>>]) -> Result<Found, tokio_postgres::Error> {
        let nothing = |view: &ViewRead| vec![vec![StoredValue::NotFound; view.features.len()]; keys[view.keys].len()];
        let mut found: Found = self.views.iter().map(nothing).collect();
        let places: Vec<HashMap<&[u8], Vec<usize>>> = keys.iter().map(|keys| places(keys)).collect();
        for row in rows {
            let number = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(usize::MAX);
            let (Some(view), Some(found)) = (self.views.get(number), found.get_mut(number)) else { continue };
            let (key, feature): (&[u8], &str) = (row.try_get(1)?, row.try_get(2)?);
            let value = row.try_get::<_, Option<&[u8]>>(3)?.unwrap_or_default();
            let event = row.try_get::<_, Option<Moment>>(4)?.map_or(Timestamp::from_micros(0), |moment| moment.0);
            for &place in places[view.keys].get(key).into_iter().flatten() {
                for &column in view.columns.get(feature).into_iter().flatten() {
                    found[place][column] = StoredValue::Found { value: value.to_vec(), event };
                }
            }
        }
        Ok(found)
    }
}

impl PreparedRead for PostgresRead {
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], deadline: Instant) -> Reading<'a> {
        Box::pin(async move {
            let silent = || Err(self.pool.server().explain(&PostgresError::Silent).into());
            timeout_at(deadline.into(), self.answer(keys)).await.unwrap_or_else(|_| silent())
        })
    }
}

impl ViewRead {
    fn new(project: &str, view: ViewFeatures) -> Self {
        let mut columns: HashMap<String, Vec<usize>> = HashMap::new();
        for (column, feature) in view.features.iter().enumerate() {
            columns.entry(feature.clone()).or_default().push(column);
        }
        Self { table: ViewId { project, name: &view.view }.table(), features: view.features, columns, keys: view.keys }
    }
}

/// Asks for the values of views by their numbers, each from its table.
fn statement<'a>(views: impl Iterator<Item = (usize, &'a ViewRead)>) -> String {
    let select = |(place, (number, view)): (usize, (usize, &ViewRead))| {
        format!(
            "SELECT {number}, entity_key, feature_name, value, event_ts FROM {} \
             WHERE entity_key = ANY (${}) AND feature_name = ANY (${})",
            quoted(&view.table),
            2 * place + 1,
            2 * place + 2
        )
    };
    views.enumerate().map(select).collect::<Vec<_>>().join(" UNION ALL ")
}

fn parameters<'a>(
    views: impl IntoIterator<Item = &'a ViewRead>,
    keys: &'a [Vec<Vec<u8>>],
) -> Vec<(&'a (dyn ToSql + Sync), Type)> {
    let of = |view: &'a ViewRead| -> [(&'a (dyn ToSql + Sync), Type); 2] {
        [(&keys[view.keys], Type::BYTEA_ARRAY), (&view.features, Type::TEXT_ARRAY)]
    };
    views.into_iter().flat_map(of).collect()
}

/// Where each key is in its list.
fn places(keys: &[Vec<u8>]) -> HashMap<&[u8], Vec<usize>> {
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(keys.len());
    for (place, key) in keys.iter().enumerate() {
        places.entry(key).or_default().push(place);
    }
    places
}
