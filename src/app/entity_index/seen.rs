//! Entities whose ids nobody knows: those that the index has seen in a range of time, as rows that features are asked for.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, RecordBatch, StringArray, TimestampMicrosecondArray},
    datatypes::{DataType, Field, Schema, SchemaRef, TimeUnit},
};

use super::opened;
use crate::{
    app::FeatureStore,
    diagnostics::did_you_mean,
    entity_index::Seen,
    model::{Entity, Interval, Object, ObjectId, ObjectKind, RegistryState},
    problem::{Kind, Problem},
    retrieval::{Collecting, EVENT_TIMESTAMP, Entities, JoinKey, Retrieval},
};

/// More bytes of ids are kept in a temporary file.
const IN_MEMORY: usize = 16 << 20;

/// What messages call them.
const SHOWN: &str = "the entities of the index";

/// The entities of a name of whom some of the views that are asked has an event in a range: with the moments of their
/// events, or each once.
///
/// # Errors
/// When there is no such entity, the features need other keys, or the index cannot be read.
pub(in crate::app) fn seen(
    store: &FeatureStore,
    state: &RegistryState,
    retrieval: &Retrieval,
    (name, interval, with_moments): (&str, Interval, bool),
) -> Result<Entities, Problem> {
    let entity = entity(state, name)?;
    let key = key(retrieval, entity)?;
    let has_key = |keys: &[JoinKey]| keys.iter().any(|known| known.column == key.column);
    let views = retrieval.views.iter().filter(|selected| has_key(&selected.join_keys));
    let mut views: Vec<&str> = views.map(|selected| selected.view.name.as_str()).collect();
    views.sort_unstable();
    views.dedup();
    let mut fields = vec![Field::new(&key.column, DataType::Utf8, false)];
    if with_moments {
        let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
        fields.push(Field::new(EVENT_TIMESTAMP, moment, false));
    }
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let mut rows = Collecting::new(Arc::clone(&schema), SHOWN, IN_MEMORY);
    opened(store)?.seen(name, &views, (interval, with_moments), &mut |seen| rows.add(batch(&schema, seen)?))?;
    rows.finish()
}

fn batch(schema: &SchemaRef, seen: Seen) -> Result<RecordBatch, Problem> {
    let mut columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(seen.ids))];
    if schema.fields().len() > 1 {
        let moments = seen.moments.iter().map(|moment| moment.micros());
        columns.push(Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC")));
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
}

fn entity<'a>(state: &'a RegistryState, name: &str) -> Result<&'a Entity, Problem> {
    if let Some(Object::Entity(entity)) = state.objects.get(&ObjectId::new(ObjectKind::Entity, name)) {
        return Ok(entity);
    }
    let known = state.objects.keys().filter(|id| id.kind == ObjectKind::Entity).map(|id| id.name.as_str());
    Err(Problem::new(Kind::NotFound, format!("there is no entity `{name}`"), did_you_mean(name, known)))
}

/// The one column that features need, if it is that of the entity.
fn key<'a>(retrieval: &'a Retrieval, entity: &Entity) -> Result<&'a JoinKey, Problem> {
    match retrieval.entity_columns().as_slice() {
        [key] if key.field.name == entity.join_key => Ok(key),
        others => {
            let names: Vec<String> = others.iter().map(|key| format!("`{}`", key.column)).collect();
            let needed = if names.is_empty() { "no key".to_owned() } else { names.join(", ") };
            let message = format!(
                "the index gives `{}` of entity `{}`, and the features need {needed}",
                entity.join_key, entity.name
            );
            let help = "ask for features of views with this entity alone; entities with several keys are in the source of \
                        a view, or in rows of yours";
            Err(Problem::new(Kind::Invalid, message, help.to_owned()))
        }
    }
}
