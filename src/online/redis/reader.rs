//! Reads the values of several views in one round trip.

use std::{collections::HashMap, sync::Arc, time::Instant};

use redis::Value;
use tokio::time::timeout_at;

use super::{
    layout::{push_key, read_time, time_field},
    nodes::{Nodes, Question, Waiting},
};
use crate::{
    feast::values::feature_hash::feature_field,
    online::reader::{Found, PreparedRead, Reading, StoredValue, ViewFeatures},
    problem::{Kind, Problem},
};

/// A read of some views: one command for each hash, which all views over the same join keys share.
pub(crate) struct RedisRead {
    nodes: Arc<Nodes>,
    project: String,
    /// How many features are asked for of each view.
    features: Vec<usize>,
    hashes: Vec<Hashes>,
}

/// The hashes of one list of keys.
struct Hashes {
    keys: usize,
    /// The views that read them.
    views: Vec<usize>,
    /// Their fields, for each view that of the time first.
    fields: Vec<Vec<u8>>,
}

impl RedisRead {
    /// Reads through the connections of a store.
    pub(crate) fn new(nodes: Arc<Nodes>, project: &str, views: &[ViewFeatures]) -> Self {
        let mut hashes: Vec<Hashes> = Vec::new();
        for (index, view) in views.iter().enumerate() {
            let known = hashes.iter().position(|hashes| hashes.keys == view.keys).unwrap_or_else(|| {
                hashes.push(Hashes { keys: view.keys, views: Vec::new(), fields: Vec::new() });
                hashes.len() - 1
            });
            hashes[known].views.push(index);
            hashes[known].fields.push(time_field(&view.view));
            let fields = view.features.iter().map(|feature| feature_field(&view.view, feature).to_vec());
            hashes[known].fields.extend(fields);
        }
        let features = views.iter().map(|view| view.features.len()).collect();
        Self { nodes, project: project.to_owned(), features, hashes }
    }

    async fn answer(&self, keys: &[Vec<Vec<u8>>], waiting: &Waiting) -> Result<Found, Problem> {
        let mut questions = Vec::new();
        let mut asked = Vec::new();
        for hashes in &self.hashes {
            let mut known = HashMap::new();
            let places = keys[hashes.keys].iter().map(|key| {
                // Each hash is asked for once.
                *known.entry(key.as_slice()).or_insert_with(|| {
                    questions.push(self.question(key, &hashes.fields));
                    questions.len() - 1
                })
            });
            asked.push(places.collect::<Vec<usize>>());
        }
        let answers = self.nodes.exchange(&self.project, &questions, waiting).await?;
        let mut uses = vec![0_usize; answers.len()];
        asked.iter().flatten().for_each(|place| uses[*place] += 1);
        let mut answers: Vec<Option<Value>> = answers.into_iter().map(Some).collect();
        let mut found: Found = self.features.iter().map(|_| Vec::new()).collect();
        for (hashes, places) in self.hashes.iter().zip(asked) {
            for place in places {
                uses[place] -= 1;
                // The last one who uses it may have it.
                let answer = if uses[place] == 0 { answers[place].take() } else { answers[place].clone() };
                let mut values = if let Some(Value::Array(values)) = answer { values } else { Vec::new() }.into_iter();
                for view in &hashes.views {
                    let (time, features) = (values.next(), self.features[*view]);
                    found[*view].push(stored(time, values.by_ref().take(features), features));
                }
            }
        }
        Ok(found)
    }

    fn question(&self, entity: &[u8], fields: &[Vec<u8>]) -> Question {
        let mut key = Vec::with_capacity(entity.len() + self.project.len());
        push_key(&mut key, entity, &self.project);
        let bytes = fields.iter().map(|field| field.len()).sum::<usize>() + key.len() + 5;
        let mut command = redis::Cmd::with_capacity(2 + fields.len(), bytes);
        command.arg(b"HMGET").arg(&key);
        for field in fields {
            command.arg(field);
        }
        Question { key, command }
    }
}

impl PreparedRead for RedisRead {
    fn read<'a>(&'a self, keys: &'a [Vec<Vec<u8>>], deadline: Instant) -> Reading<'a> {
        Box::pin(async move {
            let waiting = Waiting::default();
            let answer = timeout_at(deadline.into(), self.answer(keys, &waiting)).await;
            answer.unwrap_or_else(|_| Err(silent(&waiting)))
        })
    }
}

fn silent(waiting: &Waiting) -> Problem {
    match waiting.place() {
        Some(place) => place.silent().error,
        None => Problem::new(Kind::Deadline, "Redis does not answer in time", None),
    }
}

fn stored(time: Option<Value>, values: impl Iterator<Item = Value>, features: usize) -> Vec<StoredValue> {
    let event = match &time {
        Some(Value::BulkString(bytes)) => read_time(bytes),
        _ => read_time(&[]),
    };
    let mut stored: Vec<StoredValue> = Vec::with_capacity(features);
    stored.extend(values.map(|value| match value {
        Value::BulkString(value) => StoredValue::Found { value, event },
        _ => StoredValue::NotFound,
    }));
    stored.resize(features, StoredValue::NotFound);
    stored
}
