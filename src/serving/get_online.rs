//! Reads features of entities: under which keys their values are asked for, and how the answer is put together.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    Answer, AnswerColumn, Answered, AnsweredView, Asked, ViewVersion, answer::Judge, computed::ComputedFeatures,
    key_column::KeyColumn, keys::Keys, registered_keys::RegisteredKeys,
};
use crate::{
    feast::values::entity_key::{EntityKeyEncoder, EntityKeyError, KeyPart},
    model::{DUMMY_JOIN_KEY, RegistryState, Timestamp},
    online::{Found, PreparedRead, Reader, ViewFeatures},
    problem::{self, Problem},
    retrieval::{JoinKey, Retrieval, SelectedView, Shown},
    transform::Engine,
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
    /// The positions of the views that are read: of some nothing is needed but the keys.
    views: Vec<usize>,
    keys: Vec<KeyList>,
    computed: ComputedFeatures,
    /// Whether a value that cannot be computed fails all of the answer.
    strict: bool,
    /// Whether statuses are those of Feast.
    feast_statuses: bool,
    registered: RegisteredKeys,
    versions: Arc<[ViewVersion]>,
    answered: Arc<[AnsweredView]>,
}

/// The join keys of views that share their entity keys.
struct KeyList {
    encoder: EntityKeyEncoder,
    /// Empty for views without entities.
    join_keys: Vec<JoinKey>,
}

impl OnlineFeatures {
    /// Prepares the features of a retrieval, and in `engine` what is computed of them. Asks no server.
    ///
    /// # Errors
    /// When the join keys of a view make no key, or an expression cannot be computed.
    pub fn new(
        project: &str,
        retrieval: Arc<Retrieval>,
        store: &dyn Reader,
        engine: &Arc<Engine>,
    ) -> Result<Self, Problem> {
        let mut keys: Vec<KeyList> = Vec::new();
        let (mut read, mut views) = (Vec::with_capacity(retrieval.views.len()), Vec::new());
        for (index, selected) in retrieval.views.iter().enumerate() {
            if selected.features.is_empty() {
                continue;
            }
            let known = keys.iter().position(|list| list.join_keys == selected.join_keys);
            let list = match known {
                Some(list) => list,
                None => {
                    keys.push(KeyList::new(&selected.join_keys)?);
                    keys.len() - 1
                }
            };
            let features = selected.features.iter().map(|feature| feature.field.name.clone()).collect();
            read.push(ViewFeatures { view: selected.view.name.clone(), features, keys: list });
            views.push(index);
        }
        let computed = ComputedFeatures::new(&retrieval, engine)?;
        let answered = AnsweredView::all_of(&retrieval);
        Ok(Self {
            read: store.prepare(project, read),
            views,
            retrieval,
            keys,
            computed,
            strict: false,
            feast_statuses: false,
            registered: RegisteredKeys::default(),
            versions: Arc::default(),
            answered,
        })
    }

    /// The same, whose answer fails where a value cannot be computed, if that is wanted; otherwise such a value is null.
    #[must_use]
    pub fn strict(self, strict: bool) -> Self {
        Self { strict, ..self }
    }

    /// The same with the statuses of Feast, if they are wanted: everything is present, however old, and if it is not there.
    #[must_use]
    pub fn feast_statuses(self, feast_statuses: bool) -> Self {
        Self { feast_statuses, ..self }
    }

    /// The same with what is registered besides: other join keys, which requests may have although nobody needs them, and
    /// the versions of the views.
    #[must_use]
    pub fn knowing(self, state: &RegistryState) -> Self {
        let versions = self.views.iter().map(|position| {
            let SelectedView { view, name, .. } = &self.retrieval.views[*position];
            ViewVersion { name: name.clone(), version: state.versions.get(&view.name).copied().unwrap_or(0) }
        });
        Self { versions: versions.collect(), registered: RegisteredKeys::of(state), ..self }
    }

    /// The stored features of each entity, as they stand at `now`.
    ///
    /// # Errors
    /// When a join key is missing, a value is not of its type, or the store cannot be read, or not before the deadline.
    pub async fn of<'a>(
        &self,
        asked: impl Into<Asked<'a>>,
        now: Timestamp,
        deadline: Instant,
    ) -> Result<Answer, Problem> {
        let asked = asked.into();
        let keys = Keys::read(&self.retrieval, asked, &self.registered)?;
        let serialized = self.keys.iter().map(|list| list.keys(&keys)).collect::<Result<Vec<_>, _>>()?;
        let began = Instant::now();
        let found = self.read.read(&serialized, deadline).await?;
        let read = began.elapsed();
        let judge = if self.feast_statuses { Judge::Feast } else { Judge::At(now) };
        Ok(Answer { read, ..self.answer((&keys, asked), found, judge)? })
    }

    fn answer(&self, (keys, asked): (&Keys<'_>, Asked<'_>), found: Found, judge: Judge) -> Result<Answer, Problem> {
        let mut columns = keys.answers().to_vec();
        let key_count = columns.len();
        let mut answered: Vec<Vec<AnswerColumn>> = self.retrieval.views.iter().map(|_| Vec::new()).collect();
        for (position, rows) in self.views.iter().zip(found) {
            let view = &self.retrieval.views[*position];
            let column =
                |name: &Arc<str>| AnswerColumn { name: Arc::clone(name), values: Vec::with_capacity(rows.len()) };
            let mut columns: Vec<AnswerColumn> = view.features.iter().map(|feature| column(&feature.output)).collect();
            for row in rows {
                for ((stored, feature), column) in row.into_iter().zip(&view.features).zip(&mut columns) {
                    column.values.push(Answered::of(stored, view, &feature.field.name, judge)?);
                }
            }
            answered[*position] = columns;
        }
        let strict = self.strict.then_some(asked);
        let computed = self.computed.of(&self.retrieval, keys, &answered, strict, judge)?;
        let shown = answered.into_iter().flatten().zip(self.retrieval.fetched());
        columns.extend(shown.filter(|(_, feature)| feature.shown == Shown::Always).map(|(column, _)| column));
        columns.extend(computed);
        Ok(Answer {
            columns,
            keys: key_count,
            request: keys.requests(),
            versions: Arc::clone(&self.versions),
            views: Arc::clone(&self.answered),
            read: Duration::ZERO,
        })
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
        let rows = asked.rows();
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
mod tests;
