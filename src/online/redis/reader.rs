//! Reads the values of several views in one round trip.

use std::collections::HashMap;

use redis::Value;

use super::{
    calls::Calls,
    layout::{push_key, read_time, time_field},
    servers::{Refusal, Servers},
};
use crate::{
    feast::values::feature_hash::feature_field,
    online::store::{ReadRequest, StoredValue},
    problem::Problem,
};

/// A hash that is asked for, for one or several views.
struct Wanted<'a> {
    key: &'a [u8],
    /// Places among the requests, and of the key in each.
    by: Vec<(usize, usize)>,
}

/// The stored values: for each request, each key, each feature.
///
/// # Errors
/// When the servers cannot be reached or used.
pub fn read(
    servers: &mut Servers,
    project: &str,
    requests: &[ReadRequest],
) -> Result<Vec<Vec<Vec<StoredValue>>>, Problem> {
    let fields: Vec<Vec<Vec<u8>>> = requests.iter().map(fields).collect();
    let wanted = wanted(requests);
    let (mut calls, mut key) = (Calls::default(), Vec::new());
    for hash in &wanted {
        key.clear();
        push_key(&mut key, hash.key, project);
        let count: usize = hash.by.iter().map(|(request, _)| fields[*request].len()).sum();
        calls.begin(servers.slot(&key), 2 + count);
        calls.argument(b"HMGET");
        calls.argument(&key);
        hash.by.iter().flat_map(|(request, _)| &fields[*request]).for_each(|field| calls.argument(field));
    }
    let mut found: Vec<Vec<Vec<StoredValue>>> =
        requests.iter().map(|request| vec![Vec::new(); request.keys.len()]).collect();
    for (hash, answer) in wanted.iter().zip(servers.exchange(&calls, Refusal::Fails)?) {
        let mut values = if let Value::Array(values) = answer { values } else { Vec::new() }.into_iter();
        for (request, key) in &hash.by {
            let time = values.next();
            let features = requests[*request].features.len();
            found[*request][*key] = stored(time, values.by_ref().take(features), features);
        }
    }
    Ok(found)
}

/// The fields of a request, that of the time first.
fn fields(request: &ReadRequest) -> Vec<Vec<u8>> {
    let features = request.features.iter().map(|feature| feature_field(&request.view, feature).to_vec());
    std::iter::once(time_field(&request.view)).chain(features).collect()
}

/// Each key once, with who asks for it.
fn wanted(requests: &[ReadRequest]) -> Vec<Wanted<'_>> {
    let mut places = HashMap::new();
    let mut wanted: Vec<Wanted<'_>> = Vec::new();
    for (request, asked) in requests.iter().enumerate() {
        for (place, key) in asked.keys.iter().enumerate() {
            let index = *places.entry(key.as_slice()).or_insert_with(|| {
                wanted.push(Wanted { key, by: Vec::new() });
                wanted.len() - 1
            });
            wanted[index].by.push((request, place));
        }
    }
    wanted
}

fn stored(time: Option<Value>, values: impl Iterator<Item = Value>, features: usize) -> Vec<StoredValue> {
    let event = match &time {
        Some(Value::BulkString(bytes)) => read_time(bytes),
        _ => read_time(&[]),
    };
    let mut stored: Vec<StoredValue> = values
        .map(|value| match value {
            Value::BulkString(value) => StoredValue::Found { value, event },
            _ => StoredValue::NotFound,
        })
        .collect();
    stored.resize(features, StoredValue::NotFound);
    stored
}
