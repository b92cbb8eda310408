use super::{
    Answer, AnswerColumn, Answered, Status,
    keys::{KeyColumn, Keys},
};
use crate::{
    feast::values::{
        entity_key::{EntityKeyEncoder, EntityKeyError, KeyPart},
        value::Value,
    },
    model::{DUMMY_JOIN_KEY, Timestamp, Ttl},
    online::{OnlineStore, ReadRequest, StoredValue},
    problem::{self, Problem},
    retrieval::{Entities, Retrieval, SelectedView},
};

impl From<EntityKeyError> for Problem {
    fn from(error: EntityKeyError) -> Self {
        Self::new(problem::Kind::Invalid, error.to_string(), None)
    }
}

/// The stored features of each entity, as they stand at `now`.
///
/// # Errors
/// When a join key is missing, a value is none of its type, or the store cannot be read.
pub fn get_online(
    project: &str,
    retrieval: &Retrieval,
    entities: &Entities,
    store: &dyn OnlineStore,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let keys = Keys::read(retrieval, entities)?;
    let requests = retrieval.views.iter().map(|view| request(view, &keys)).collect::<Result<Vec<_>, _>>()?;
    let stored = store.read(project, &requests)?;
    let mut columns = keys.answers();
    let key_count = columns.len();
    for (view, values) in retrieval.views.iter().zip(stored) {
        for (index, feature) in view.features.iter().enumerate() {
            let values = values.iter().map(|row| answer(&row[index], view, &feature.field.name, now));
            columns.push(AnswerColumn { name: feature.output.clone(), values: values.collect::<Result<_, _>>()? });
        }
    }
    Ok(Answer { columns, keys: key_count })
}

fn request(selected: &SelectedView, keys: &Keys<'_>) -> Result<ReadRequest, Problem> {
    let names: Vec<&str> = match selected.join_keys.as_slice() {
        [] => vec![DUMMY_JOIN_KEY],
        some => some.iter().map(|key| key.field.name.as_str()).collect(),
    };
    let encoder = EntityKeyEncoder::new(&names)?;
    let columns: Vec<&KeyColumn<'_>> = selected.join_keys.iter().filter_map(|key| keys.of(key)).collect();
    // Without any join key the question is about the whole project: one answer.
    let rows = if keys.columns.is_empty() { keys.entities.max(1) } else { keys.entities };
    let key = |row: usize| {
        let mut parts = Vec::with_capacity(columns.len());
        for column in &columns {
            parts.push(KeyPart::from_value(&column.values[row])?);
        }
        if parts.is_empty() {
            parts.push(KeyPart::String(""));
        }
        let mut bytes = Vec::new();
        encoder.encode(&parts, &mut bytes)?;
        Ok::<_, Problem>(bytes)
    };
    Ok(ReadRequest {
        view: selected.view.name.clone(),
        features: selected.features.iter().map(|feature| feature.field.name.clone()).collect(),
        keys: (0..rows).map(key).collect::<Result<_, _>>()?,
    })
}

fn answer(stored: &StoredValue, selected: &SelectedView, feature: &str, now: Timestamp) -> Result<Answered, Problem> {
    let StoredValue::Found { value, event } = stored else {
        let event = Timestamp::from_micros(0);
        return Ok(Answered { value: Value::NULL, status: Status::NotFound, event });
    };
    let value = Value::read(&value).map_err(|error| {
        let name = format!("{}:{feature}", selected.view.name);
        Problem::new(
            problem::Kind::Internal,
            format!("the stored value of {name} is damaged: {error}"),
            "materialize the view again".to_owned(),
        )
    })?;
    let status = if expired(*event, selected.view.ttl, now) {
        Status::OutsideMaxAge
    } else if value.is_null() {
        Status::NullValue
    } else {
        Status::Present
    };
    Ok(Answered { value, status, event: *event })
}

/// Whether a value is older than the ttl; stores know whole seconds only, so seconds count.
fn expired(event: Timestamp, ttl: Ttl, now: Timestamp) -> bool {
    ttl.limit().is_some_and(|limit| now.seconds().saturating_sub(event.seconds()) > limit / 1_000_000)
}
