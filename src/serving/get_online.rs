//! Reads features of entities: under which keys their values are asked for, and how the answer is put together.

use std::{sync::Arc, time::Instant};

use super::{
    Answer, AnswerColumn, Answered,
    keys::{KeyColumn, Keys},
};
use crate::{
    feast::values::entity_key::{EntityKeyEncoder, EntityKeyError, KeyPart},
    model::{DUMMY_JOIN_KEY, Timestamp},
    online::{Found, PreparedRead, Reader, ViewFeatures},
    problem::{self, Problem},
    retrieval::{Entities, JoinKey, Retrieval},
};

impl From<EntityKeyError> for Problem {
    fn from(error: EntityKeyError) -> Self {
        Self::new(problem::Kind::Invalid, error.to_string(), None)
    }
}

/// Features to be served from the online store: what does not depend on the entities is prepared once.
pub struct OnlineFeatures {
    retrieval: Arc<Retrieval>,
    read: Box<dyn PreparedRead>,
    keys: Vec<KeyList>,
}

/// The join keys of views that share their entity keys.
struct KeyList {
    encoder: EntityKeyEncoder,
    /// Empty for views without entities.
    join_keys: Vec<JoinKey>,
}

impl OnlineFeatures {
    /// Prepares the features of a retrieval. Asks no server.
    ///
    /// # Errors
    /// When the join keys of a view make no key.
    pub fn new(project: &str, retrieval: Arc<Retrieval>, store: &dyn Reader) -> Result<Self, Problem> {
        let mut keys: Vec<KeyList> = Vec::new();
        let mut views = Vec::with_capacity(retrieval.views.len());
        for selected in &retrieval.views {
            let known = keys.iter().position(|list| list.join_keys == selected.join_keys);
            let list = match known {
                Some(list) => list,
                None => {
                    keys.push(KeyList::new(&selected.join_keys)?);
                    keys.len() - 1
                }
            };
            let features = selected.features.iter().map(|feature| feature.field.name.clone()).collect();
            views.push(ViewFeatures { view: selected.view.name.clone(), features, keys: list });
        }
        let read = store.prepare(project, views);
        Ok(Self { retrieval, read, keys })
    }

    /// The stored features of each entity, as they stand at `now`.
    ///
    /// # Errors
    /// When a join key is missing, a value is not of its type, or the store cannot be read, or not before the deadline.
    pub async fn of(&self, entities: &Entities, now: Timestamp, deadline: Instant) -> Result<Answer, Problem> {
        let asked = Keys::read(&self.retrieval, entities)?;
        let keys = self.keys.iter().map(|list| list.keys(&asked)).collect::<Result<Vec<_>, _>>()?;
        let found = self.read.read(&keys, deadline).await?;
        self.answer(&asked, &found, now)
    }

    fn answer(&self, asked: &Keys<'_>, found: &Found, now: Timestamp) -> Result<Answer, Problem> {
        let mut columns = asked.answers();
        let key_count = columns.len();
        for (view, values) in self.retrieval.views.iter().zip(found) {
            for (index, feature) in view.features.iter().enumerate() {
                let values = values.iter().map(|row| Answered::of(&row[index], view, &feature.field.name, now));
                columns.push(AnswerColumn { name: feature.output.clone(), values: values.collect::<Result<_, _>>()? });
            }
        }
        Ok(Answer { columns, keys: key_count })
    }
}

impl KeyList {
    fn new(join_keys: &[JoinKey]) -> Result<Self, Problem> {
        let names: Vec<&str> = match join_keys {
            [] => vec![DUMMY_JOIN_KEY],
            some => some.iter().map(|key| key.field.name.as_str()).collect(),
        };
        Ok(Self { encoder: EntityKeyEncoder::new(&names)?, join_keys: join_keys.to_vec() })
    }

    /// The serialized key of each entity.
    fn keys(&self, asked: &Keys<'_>) -> Result<Vec<Vec<u8>>, Problem> {
        let columns: Vec<&KeyColumn<'_>> = self.join_keys.iter().filter_map(|key| asked.of(key)).collect();
        // Without any join key the question is about the whole project: one answer.
        let rows = if asked.columns.is_empty() { asked.entities.max(1) } else { asked.entities };
        let key = |row: usize| {
            let mut parts = Vec::with_capacity(columns.len().max(1));
            for column in &columns {
                parts.push(KeyPart::from_value(&column.values[row])?);
            }
            if parts.is_empty() {
                parts.push(KeyPart::String(""));
            }
            let mut bytes = Vec::new();
            self.encoder.encode(&parts, &mut bytes)?;
            Ok::<_, Problem>(bytes)
        };
        (0..rows).map(key).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use prost::Message as _;

    use super::*;
    use crate::{
        feast::values::value::{Kind, Value},
        model::{DataType, FeatureView, Field, Object, RegistryState, Ttl},
        online::{EncodedRow, MemoryOnlineStore, OnlineStore, Replace, ViewLayout},
        problem::Kind as ProblemKind,
        retrieval::{FeatureReference, Selection, resolve},
        serving::Status,
    };

    const NOW: Timestamp = Timestamp::from_micros(1_000_000_000);

    fn view(name: &str, key: Option<DataType>) -> FeatureView {
        let mut view = FeatureView::new(name.to_owned());
        view.features = vec![Field::new("f".to_owned(), DataType::Int64)];
        if let Some(dtype) = key {
            view.entities = vec!["driver".to_owned()];
            view.entity_columns = vec![Field::new("k".to_owned(), dtype)];
        }
        view
    }

    fn at(seconds_ago: i64) -> Timestamp {
        Timestamp::from_micros(NOW.micros() - seconds_ago * 1_000_000)
    }

    /// Stores one value of a view.
    fn put(store: &MemoryOnlineStore, view: &FeatureView, key: KeyPart<'_>, value: Value, event: Timestamp) {
        let layout = ViewLayout::of("p", view);
        let mut bytes = Vec::new();
        EntityKeyEncoder::new(&layout.join_keys).unwrap().encode(&[key], &mut bytes).unwrap();
        let value = value.encode_to_vec();
        let row = EncodedRow { key: &bytes, event, created: None, values: vec![&value] };
        assert_eq!(store.put(&layout, Replace::Outdated, &[row]).unwrap().written, 1);
    }

    /// The features `f` of some views for some values of the key `k`.
    fn answer(store: &MemoryOnlineStore, views: &[FeatureView], keys: &[&str]) -> Result<Answer, Problem> {
        let objects = views.iter().cloned().map(Object::FeatureView).map(|object| (object.id(), object)).collect();
        let state = RegistryState { objects, ..RegistryState::default() };
        let reference = |view: &FeatureView| FeatureReference { view: view.name.clone(), feature: "f".to_owned() };
        let selection = Selection::References(views.iter().map(reference).collect());
        let retrieval = Arc::new(resolve(&state, &selection, true)?);
        let entities = keys.iter().map(|key| vec![("k".to_owned(), (*key).to_owned())]);
        let entities = Entities::of_texts(&entities.collect::<Vec<_>>())?;
        let features = OnlineFeatures::new("p", retrieval, store)?;
        let reading = features.of(&entities, NOW, Instant::now() + Duration::from_secs(60));
        tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(reading)
    }

    fn statuses(column: &AnswerColumn) -> Vec<Status> {
        column.values.iter().map(|answered| answered.status).collect()
    }

    #[test]
    fn values_have_the_status_of_what_is_stored() {
        let store = MemoryOnlineStore::default();
        let mut drivers = view("drivers", Some(DataType::Int64));
        drivers.ttl = Ttl::from_micros(60_000_000);
        put(&store, &drivers, KeyPart::Int64(1), Kind::Int64(7).into(), at(60));
        put(&store, &drivers, KeyPart::Int64(2), Kind::Int64(8).into(), at(61));
        put(&store, &drivers, KeyPart::Int64(3), Value::NULL, at(0));
        let answer = answer(&store, &[drivers], &["1", "2", "3", "4"]).unwrap();
        let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!((names, answer.keys), (vec!["k", "drivers__f"], 1));
        let expected = [Status::Present, Status::OutsideMaxAge, Status::NullValue, Status::NotFound];
        assert_eq!(statuses(&answer.columns[1]), expected);
        // An old value is told all the same.
        assert_eq!(answer.columns[1].values[1].value, Kind::Int64(8).into());
    }

    #[test]
    fn views_with_other_types_of_a_key_and_without_any_are_read_together() {
        let store = MemoryOnlineStore::default();
        let views =
            [view("numbers", Some(DataType::Int64)), view("texts", Some(DataType::String)), view("whole", None)];
        put(&store, &views[0], KeyPart::Int64(7), Kind::Int64(1).into(), at(1));
        put(&store, &views[1], KeyPart::String("7"), Kind::Int64(2).into(), at(1));
        put(&store, &views[2], KeyPart::String(""), Kind::Int64(3).into(), at(1));
        let answer = answer(&store, &views, &["7", "7"]).unwrap();
        for (column, value) in answer.columns[1..].iter().zip(1..) {
            assert_eq!(statuses(column), [Status::Present, Status::Present]);
            assert_eq!(column.values[1].value, Kind::Int64(value).into());
        }
    }

    #[test]
    fn a_wrong_question_is_told_from_a_store_that_is_away() {
        let views = [view("drivers", Some(DataType::Int64))];
        let problem = answer(&MemoryOnlineStore::default(), &views, &["x"]).unwrap_err();
        assert_eq!(problem.kind, ProblemKind::Invalid);
        assert_eq!(problem.message, "`x`, the join key `k` of entity 1, is not an Int64");
    }
}
