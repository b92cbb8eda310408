//! Entities of whom a view, or a data source, has rows.

use crate::{
    diagnostics::did_you_mean,
    model::{DataSource, FeatureView, Field, Interval, Object, ObjectId, ObjectKind, RegistryState, Timestamp},
    offline::{EntityQuery, EntitySource},
    problem::{Kind, Problem},
    retrieval::{JoinKey, view},
};

/// Those of a view or data source with this name who have rows in an interval: each at one moment, or at the times of their
/// rows. The rows have the keys that are wanted.
///
/// # Errors
/// When there is no such thing, or it lacks a key.
pub(super) fn entities_from(
    state: &RegistryState,
    name: &str,
    wanted: &[&JoinKey],
    (interval, at): (Interval, Option<Timestamp>),
) -> Result<EntityQuery, Problem> {
    let from = match named(state, name)? {
        Named::Source(source) => over_source(source, wanted),
        Named::View(view) => *view,
    };
    let keys: Vec<JoinKey> =
        from.join_keys().iter().map(|field| JoinKey { field: field.clone(), column: field.name.clone() }).collect();
    if let Some(missing) = wanted.iter().find(|key| !keys.iter().any(|known| known.column == key.column)) {
        let known: Vec<&str> = keys.iter().map(|key| key.column.as_str()).collect();
        let message = format!("`{name}` has no join key `{}`, which the features need", missing.column);
        let help =
            format!("name a view with that key, or a data source with such a column; it has {}", known.join(", "));
        return Err(Problem::new(Kind::Invalid, message, (!known.is_empty()).then_some(help)));
    }
    Ok(EntityQuery { sources: vec![EntitySource { view: from, keys, interval, by_created: false }], at })
}

/// The columns of the keys of a view with this name; `None` if it is a data source, which does not say what its keys are.
///
/// # Errors
/// When there is neither.
pub(super) fn keys_of(state: &RegistryState, name: &str) -> Result<Option<Vec<String>>, Problem> {
    Ok(match named(state, name)? {
        Named::Source(_) => None,
        Named::View(view) => Some(view.join_keys().iter().map(|key| key.name.clone()).collect()),
    })
}

enum Named<'a> {
    View(Box<FeatureView>),
    Source(&'a DataSource),
}

fn named<'a>(state: &'a RegistryState, name: &str) -> Result<Named<'a>, Problem> {
    let is_view = state.views().any(|view| view.id().name == name);
    match state.objects.get(&ObjectId::new(ObjectKind::DataSource, name)) {
        Some(Object::DataSource(source)) if !is_view => Ok(Named::Source(source)),
        _ if is_view => Ok(Named::View(Box::new(view(state, name)?))),
        _ => {
            let is_source = |id: &&ObjectId| id.kind.is_view() || id.kind == ObjectKind::DataSource;
            let known = state.objects.keys().filter(is_source).map(|id| id.name.as_str());
            let help = did_you_mean(name, known);
            Err(Problem::new(Kind::NotFound, format!("there is no feature view or data source `{name}`"), help))
        }
    }
}

/// The rows of a source as if they were those of a view with these keys and no features.
fn over_source(source: &DataSource, keys: &[&JoinKey]) -> FeatureView {
    let source = source.kind.batch_source().unwrap_or(source);
    FeatureView {
        entities: keys.iter().map(|key| key.column.clone()).collect(),
        entity_columns: keys.iter().map(|key| Field { name: key.column.clone(), ..key.field.clone() }).collect(),
        source: Some(source.clone()),
        ..FeatureView::new(&source.name)
    }
}
