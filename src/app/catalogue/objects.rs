//! Stored objects of one kind, those that feastr does not manage among them.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::{
    app::{Caller, Failure, FeatureStore},
    diagnostics::did_you_mean,
    feast::registry::{DecodeError, Listed, to_json},
    model::{DUMMY_ENTITY, ObjectKind, printable},
    problem::{Kind, Problem},
    registry::{Row, Snapshot},
};

/// Which objects are wanted.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Of this kind; stream views are feature views, too.
    pub kind: ObjectKind,
    /// Only those with all of these labels.
    pub tags: &'a BTreeMap<String, String>,
}

/// The objects, by name.
#[derive(Debug)]
pub struct Objects {
    /// Where the registry is, for messages.
    pub registry: String,
    /// How many of the kind there are, whatever their labels.
    pub total: usize,
    /// Those that are wanted.
    pub entries: Vec<Entry>,
}

/// A stored object.
#[derive(Debug)]
pub struct Entry {
    /// Its kind.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// What a list says of it.
    pub listed: Listed,
    /// The stored message as Feast's `describe` shows it.
    pub json: Value,
}

/// Objects of a kind; projects are those of the whole registry.
///
/// # Errors
/// When the registry cannot be read, or a row is damaged.
pub fn objects(store: &FeatureStore, _: &Caller, request: Request<'_>) -> Result<Objects, Failure> {
    let rows = rows(store, request.kind)?;
    let mut entries = Vec::new();
    for row in &rows {
        let json = json(row)?;
        if has_tags(&json, request.tags) {
            let listed = Listed::read(row.kind, &row.proto).map_err(|error| damaged(row, &error))?;
            entries.push(Entry { kind: row.kind, name: row.name.clone(), listed, json });
        }
    }
    Ok(Objects { registry: store.registry_to_read().location(), total: rows.len(), entries })
}

/// One object as it is stored.
///
/// # Errors
/// [`Kind::NotFound`] when there is none of this name; else as [`objects`].
pub fn object(store: &FeatureStore, _: &Caller, kind: ObjectKind, name: &str) -> Result<Value, Failure> {
    let rows = rows(store, kind)?;
    let Some(row) = rows.iter().find(|row| row.name == name) else {
        let help = did_you_mean(name, rows.iter().map(|row| row.name.as_str()));
        return Err(Problem::new(Kind::NotFound, format!("there is no {kind} `{name}` in the registry"), help).into());
    };
    Ok(json(row)?)
}

/// The rows of a kind, of every project for projects themselves.
fn rows(store: &FeatureStore, kind: ObjectKind) -> Result<Vec<Row>, Problem> {
    let registry = store.registry_to_read();
    let projects = match kind {
        ObjectKind::Project => registry.projects()?,
        _ => vec![store.project().to_owned()],
    };
    let is_wanted = |row: &Row| {
        let of_kind =
            row.kind == kind || (row.kind == ObjectKind::StreamFeatureView && kind == ObjectKind::FeatureView);
        of_kind && row.name != DUMMY_ENTITY
    };
    let mut rows = Vec::new();
    for project in projects {
        let Snapshot { rows: stored, .. } = registry.snapshot(&project)?;
        rows.extend(stored.into_iter().filter(is_wanted));
    }
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(rows)
}

fn json(row: &Row) -> Result<Value, Problem> {
    to_json(row.kind, &row.proto).map_err(|error| damaged(row, &error))
}

/// What is wrong with a row that cannot be read.
pub(in crate::app) fn damaged(row: &Row, error: &DecodeError) -> Problem {
    let message = format!("{} `{}` in the registry is damaged: {error}", row.kind, printable(&row.name));
    Problem::new(Kind::Internal, message, None)
}

fn has_tags(json: &Value, wanted: &BTreeMap<String, String>) -> bool {
    let tags = json.get("spec").unwrap_or(json).get("tags");
    wanted.iter().all(|(key, value)| tags.and_then(|tags| tags.get(key)).and_then(Value::as_str) == Some(value))
}
