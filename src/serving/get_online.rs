use super::{Answer, AnswerColumn, Answered, EntityTable, Status};
use crate::{
    diagnostics::did_you_mean,
    feast::values::{
        entity_key::{EntityKeyEncoder, EntityKeyError, KeyPart},
        value::{Kind, Value, bytes_from_text},
    },
    model::{DUMMY_JOIN_KEY, DataType, Timestamp, Ttl},
    online::{OnlineStore, ReadRequest, StoredValue},
    problem::{self, Advice, Problem},
    retrieval::{JoinKey, Retrieval, SelectedView},
    sources::{TimeFormat, integer, moment},
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
    entities: &EntityTable,
    store: &dyn OnlineStore,
    now: Timestamp,
) -> Result<Answer, Problem> {
    let keys = key_columns(retrieval, entities)?;
    let requests = retrieval.views.iter().map(|view| request(view, entities, &keys)).collect::<Result<Vec<_>, _>>()?;
    let stored = store.read(project, &requests)?;
    let is_first = |index: usize, name: &str| keys[..index].iter().all(|key| key.key.column != name);
    let shown = keys.iter().enumerate().filter(|(index, key)| is_first(*index, &key.key.column));
    let mut columns: Vec<AnswerColumn> = shown.map(|(_, key)| key.answer()).collect();
    let key_count = columns.len();
    for (view, values) in retrieval.views.iter().zip(stored) {
        for (index, feature) in view.features.iter().enumerate() {
            let values = values.iter().map(|row| answer(&row[index], view, &feature.field.name, now));
            columns.push(AnswerColumn { name: feature.output.clone(), values: values.collect::<Result<_, _>>()? });
        }
    }
    Ok(Answer { columns, keys: key_count })
}

/// A join key column of the entities, typed.
struct KeyValues<'a> {
    key: &'a JoinKey,
    values: Vec<Value>,
}

impl KeyValues<'_> {
    fn answer(&self) -> AnswerColumn {
        let answered = |value: &Value| Answered {
            value: value.clone(),
            status: Status::Present,
            event: Timestamp::from_micros(0),
        };
        AnswerColumn { name: self.key.column.clone(), values: self.values.iter().map(answered).collect() }
    }
}

fn key_columns<'a>(retrieval: &'a Retrieval, entities: &EntityTable) -> Result<Vec<KeyValues<'a>>, Problem> {
    let wanted = retrieval.entity_columns();
    for column in &entities.columns {
        if !wanted.iter().any(|key| key.column == *column) {
            let help = did_you_mean(column, wanted.iter().map(|key| key.column.as_str()));
            return Err(Problem::new(
                problem::Kind::Invalid,
                format!("no requested feature has the join key `{column}`"),
                help,
            ));
        }
    }
    retrieval.typed_entity_columns().into_iter().map(|key| key_values(key, entities)).collect()
}

fn key_values<'a>(key: &'a JoinKey, entities: &EntityTable) -> Result<KeyValues<'a>, Problem> {
    let Some(position) = entities.columns.iter().position(|column| *column == key.column) else {
        let message = format!("the join key `{}` is missing", key.column);
        let advice = Advice::GiveJoinKey(key.column.clone());
        return Err(Problem::new(problem::Kind::Invalid, message, None).advise(advice));
    };
    let values = entities.rows.iter().enumerate().map(|(row, texts)| {
        let text = texts[position].as_deref().ok_or_else(|| {
            Problem::new(
                problem::Kind::Invalid,
                format!("the join key `{}` of {} is null", key.column, entities.row(row)),
                None,
            )
        })?;
        parse_key(text, &key.field.dtype).ok_or_else(|| {
            let what = match &key.field.dtype {
                DataType::Bytes => "base64".to_owned(),
                other => other.to_string(),
            };
            let message = format!("`{text}`, the join key `{}` of {}, is no {what}", key.column, entities.row(row));
            Problem::new(problem::Kind::Invalid, message, None)
        })
    });
    Ok(KeyValues { key, values: values.collect::<Result<_, _>>()? })
}

/// A join key value from its text, as texts of files are read: whole numbers also as `7.0`, times as
/// ISO 8601 or seconds since 1970, bytes as [`bytes_from_text`] reads them.
fn parse_key(text: &str, dtype: &DataType) -> Option<Value> {
    let kind = match dtype {
        DataType::String => Kind::String(text.to_owned()),
        DataType::Bytes => Kind::Bytes(bytes_from_text(text)?),
        DataType::Int32 => Kind::Int32(i32::try_from(integer(text)?).ok()?),
        DataType::Int64 => Kind::Int64(integer(text)?),
        DataType::UnixTimestamp => Kind::UnixTimestamp(match integer(text) {
            Some(seconds) => seconds,
            None => moment(text, &TimeFormat::Iso)?.seconds,
        }),
        _ => return None,
    };
    Some(Value::from(kind))
}

fn request(selected: &SelectedView, entities: &EntityTable, keys: &[KeyValues<'_>]) -> Result<ReadRequest, Problem> {
    let names: Vec<&str> = match selected.join_keys.as_slice() {
        [] => vec![DUMMY_JOIN_KEY],
        some => some.iter().map(|key| key.field.name.as_str()).collect(),
    };
    let encoder = EntityKeyEncoder::new(&names)?;
    let typed = |key: &JoinKey| {
        keys.iter().find(|known| known.key.column == key.column && known.key.field.dtype == key.field.dtype)
    };
    let columns: Vec<&KeyValues<'_>> = selected.join_keys.iter().filter_map(typed).collect();
    // Without any join key the question is about the whole project: one answer.
    let rows = if keys.is_empty() { entities.rows.len().max(1) } else { entities.rows.len() };
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
