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
    entity_index::{IndexedView, Seen, indexed_views},
    model::{Entity, Interval, Object, ObjectId, ObjectKind, RegistryState},
    problem::{Kind, Problem},
    retrieval::{Collecting, EVENT_TIMESTAMP, Entities, JoinKey, Retrieval},
};

/// More bytes of ids are kept in a temporary file.
const IN_MEMORY: usize = 16 << 20;

/// What messages call them.
const SHOWN: &str = "the entities of the index";

/// Entities that are looked for in the index.
pub(in crate::app) struct Sought<'a> {
    /// Their names, and the columns that they become.
    entities: Vec<(&'a str, String)>,
    /// Views whose events count.
    views: Vec<String>,
}

impl<'a> Sought<'a> {
    /// Those that features need, of whom some of the views that are asked has an event.
    ///
    /// # Errors
    /// When there is no such entity, or the features need other keys.
    pub(in crate::app) fn by(
        state: &'a RegistryState,
        retrieval: &Retrieval,
        names: &[String],
    ) -> Result<Self, Problem> {
        let entities = entities(state, names)?;
        let needed = retrieval.entity_columns();
        let key = |entity: &&Entity| needed.iter().find(|key| key.field.name == entity.join_key);
        let keys: Vec<&JoinKey> = entities.iter().filter_map(|entity| key(entity).copied()).collect();
        if keys.len() != entities.len() || keys.len() != needed.len() {
            return Err(other_keys(&entities, &needed));
        }
        let has_all =
            |of_view: &[JoinKey]| keys.iter().all(|key| of_view.iter().any(|known| known.column == key.column));
        let views = retrieval.views.iter().filter(|selected| has_all(&selected.join_keys));
        let mut views: Vec<String> = views.map(|selected| selected.view.name.clone()).collect();
        views.sort_unstable();
        views.dedup();
        let columns = entities.iter().zip(&keys).map(|(entity, key)| (entity.name.as_str(), key.column.clone()));
        Self { entities: columns.collect(), views }.checked()
    }

    /// Those of whom any view has an event that has all of them.
    ///
    /// # Errors
    /// When there is no such entity, or no view of them in the index.
    pub(in crate::app) fn anywhere(state: &'a RegistryState, names: &[String]) -> Result<Self, Problem> {
        let entities = entities(state, names)?;
        let has_all = |view: &IndexedView| {
            entities.iter().all(|entity| view.entities.iter().any(|known| known.name == entity.name))
        };
        let views = indexed_views(state).into_iter().filter(has_all).map(|view| view.name).collect();
        let columns = entities.iter().map(|entity| (entity.name.as_str(), entity.join_key.clone()));
        Self { entities: columns.collect(), views }.checked()
    }

    /// The columns that they become.
    pub(in crate::app) fn columns(&self) -> impl Iterator<Item = &str> {
        self.entities.iter().map(|(_, column)| column.as_str())
    }

    fn checked(self) -> Result<Self, Problem> {
        if !self.views.is_empty() {
            return Ok(self);
        }
        let names: Vec<String> = self.entities.iter().map(|(name, _)| format!("`{name}`")).collect();
        let message = format!("no view that is asked has {} together", names.join(" and "));
        let help = "the index knows who belongs together from the rows of views with all of these entities".to_owned();
        Err(Problem::new(Kind::Invalid, message, help))
    }

    /// As rows: with the moments of their events in a range, or each once.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(in crate::app) fn seen(
        &self,
        store: &FeatureStore,
        (interval, with_moments): (Interval, bool),
    ) -> Result<Entities, Problem> {
        let mut fields: Vec<Field> = self.columns().map(|column| Field::new(column, DataType::Utf8, false)).collect();
        if with_moments {
            let moment = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
            fields.push(Field::new(EVENT_TIMESTAMP, moment, false));
        }
        let schema: SchemaRef = Arc::new(Schema::new(fields));
        let mut rows = Collecting::new(Arc::clone(&schema), SHOWN, IN_MEMORY);
        let names: Vec<&str> = self.entities.iter().map(|(name, _)| *name).collect();
        let views: Vec<&str> = self.views.iter().map(String::as_str).collect();
        opened(store)?.seen(&names, &views, (interval, with_moments), &mut |seen| rows.add(batch(&schema, seen)?))?;
        rows.finish()
    }
}

fn batch(schema: &SchemaRef, seen: Seen) -> Result<RecordBatch, Problem> {
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(schema.fields().len());
    columns.extend(seen.ids.into_iter().map(|ids| Arc::new(StringArray::from(ids)) as ArrayRef));
    if columns.len() < schema.fields().len() {
        let moments = seen.moments.iter().map(|moment| moment.micros());
        columns.push(Arc::new(TimestampMicrosecondArray::from_iter_values(moments).with_timezone("UTC")));
    }
    RecordBatch::try_new(Arc::clone(schema), columns)
        .map_err(|error| Problem::new(Kind::Internal, error.to_string(), None))
}

fn entities<'a>(state: &'a RegistryState, names: &[String]) -> Result<Vec<&'a Entity>, Problem> {
    let entity = |name: &String| match state.objects.get(&ObjectId::new(ObjectKind::Entity, name)) {
        Some(Object::Entity(entity)) => Ok(entity),
        _ => {
            let known = state.objects.keys().filter(|id| id.kind == ObjectKind::Entity).map(|id| id.name.as_str());
            Err(Problem::new(Kind::NotFound, format!("there is no entity `{name}`"), did_you_mean(name, known)))
        }
    };
    names.iter().map(entity).collect()
}

fn other_keys(entities: &[&Entity], needed: &[&JoinKey]) -> Problem {
    let given: Vec<String> =
        entities.iter().map(|entity| format!("`{}` of entity `{}`", entity.join_key, entity.name)).collect();
    let names: Vec<String> = needed.iter().map(|key| format!("`{}`", key.column)).collect();
    let needed = if names.is_empty() { "no key".to_owned() } else { names.join(", ") };
    let message = format!("the index gives {}, and the features need {needed}", given.join(" and "));
    let help =
        "name all entities that the features need, with commas: index:driver,car; or ask for features of other views";
    Problem::new(Kind::Invalid, message, help.to_owned())
}
