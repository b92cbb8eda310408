use std::collections::HashMap;

use tokio_postgres::{
    Row,
    error::SqlState,
    types::{ToSql, Type},
};

use super::{
    moment::Moment,
    session::Session,
    tables::{missing, quoted, table_name},
};
use crate::{
    clients::{
        postgres::{Connection, PostgresError},
        runtime::wait,
    },
    model::Timestamp,
    online::store::{ReadRequest, StoredValue},
    problem::Problem,
};

/// The stored values of several views, all of the same moment: one question to the server.
pub fn read(
    session: &mut Session,
    project: &str,
    requests: &[ReadRequest],
) -> Result<Vec<Vec<Vec<StoredValue>>>, Problem> {
    let tables: Vec<String> = requests.iter().map(|request| table_name(project, &request.view)).collect();
    let all: Vec<(usize, &str)> = tables.iter().map(String::as_str).enumerate().collect();
    let rows = match session.once(|connection| found(ask(connection, &all, requests)))? {
        Some(rows) => rows,
        None => {
            // A view that was never materialized has no values.
            let names: Vec<&str> = tables.iter().map(String::as_str).collect();
            let missing = missing(session, &names)?;
            let there: Vec<_> =
                all.into_iter().filter(|(_, table)| !missing.iter().any(|name| name == table)).collect();
            session.once(|connection| ask(connection, &there, requests))?
        }
    };
    let mut answer: Vec<Vec<Vec<StoredValue>>> = requests.iter().map(nothing_found).collect();
    let places: Vec<HashMap<&[u8], Vec<usize>>> = requests.iter().map(places).collect();
    session.once(|_| {
        for row in &rows {
            let number = usize::try_from(row.try_get::<_, i32>(0)?).unwrap_or(usize::MAX);
            if let (Some(request), Some(answer)) = (requests.get(number), answer.get_mut(number)) {
                fill(answer, request, &places[number], row)?;
            }
        }
        Ok(())
    })?;
    Ok(answer)
}

/// Nothing when a table is not there.
fn found<T>(outcome: Result<T, PostgresError>) -> Result<Option<T>, PostgresError> {
    match outcome {
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(None),
        outcome => outcome.map(Some),
    }
}

/// Asks for the values of requests by their numbers, each from its table.
fn ask(
    connection: &mut Connection,
    tables: &[(usize, &str)],
    requests: &[ReadRequest],
) -> Result<Vec<Row>, PostgresError> {
    if tables.is_empty() {
        return Ok(Vec::new());
    }
    let mut selects = Vec::with_capacity(tables.len());
    let mut parameters: Vec<(&(dyn ToSql + Sync), Type)> = Vec::with_capacity(2 * tables.len());
    for (number, table) in tables {
        let first = parameters.len() + 1;
        selects.push(format!(
            "SELECT {number}, entity_key, feature_name, value, event_ts FROM {} \
             WHERE entity_key = ANY (${first}) AND feature_name = ANY (${})",
            quoted(table),
            first + 1
        ));
        parameters.push((&requests[*number].keys, Type::BYTEA_ARRAY));
        parameters.push((&requests[*number].features, Type::TEXT_ARRAY));
    }
    wait(connection.query_typed(&selects.join(" UNION ALL "), &parameters))
}

fn nothing_found(request: &ReadRequest) -> Vec<Vec<StoredValue>> {
    vec![vec![StoredValue::NotFound; request.features.len()]; request.keys.len()]
}

/// Where each key is in a request.
fn places(request: &ReadRequest) -> HashMap<&[u8], Vec<usize>> {
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::with_capacity(request.keys.len());
    for (place, key) in request.keys.iter().enumerate() {
        places.entry(key).or_default().push(place);
    }
    places
}

/// Puts a row where it belongs in the answer to a request.
fn fill(
    answer: &mut [Vec<StoredValue>],
    request: &ReadRequest,
    places: &HashMap<&[u8], Vec<usize>>,
    row: &Row,
) -> Result<(), PostgresError> {
    let (key, feature): (&[u8], &str) = (row.try_get(1)?, row.try_get(2)?);
    let value = row.try_get::<_, Option<&[u8]>>(3)?.unwrap_or_default();
    let event = row.try_get::<_, Option<Moment>>(4)?.map_or(Timestamp::from_micros(0), |moment| moment.0);
    let features = request.features.iter().enumerate().filter(|(_, wanted)| *wanted == feature);
    for (column, _) in features {
        for &place in places.get(key).into_iter().flatten() {
            answer[place][column] = StoredValue::Found { value: value.to_vec(), event };
        }
    }
    Ok(())
}
