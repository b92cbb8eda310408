//! Answers: which value and which status a feature has, by what is stored and how old it is.

use std::{fmt, sync::Arc, time::Duration};

use arrow::array::ArrayRef;
use serde::Serialize;

use crate::{
    feast::values::{WireValue, value::Value},
    model::{Timestamp, Ttl},
    online::StoredValue,
    problem::{Kind, Problem},
    retrieval::{Retrieval, SelectedView, Shown},
};

/// How a value stands (`feast.serving.FieldStatus`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// A value that could not be computed.
    Invalid,
    /// A value that is valid now.
    Present,
    /// The newest row has no value here.
    NullValue,
    /// Nothing is stored for the entity.
    NotFound,
    /// What is stored is older than the view's ttl.
    OutsideMaxAge,
}

impl Status {
    /// All of them.
    const ALL: [Self; 5] = [Self::Invalid, Self::Present, Self::NullValue, Self::NotFound, Self::OutsideMaxAge];

    /// The status with this name of Feast's.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Feast's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invalid => "INVALID",
            Self::Present => "PRESENT",
            Self::NullValue => "NULL_VALUE",
            Self::NotFound => "NOT_FOUND",
            Self::OutsideMaxAge => "OUTSIDE_MAX_AGE",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invalid => "not computable",
            Self::Present => "present",
            Self::NullValue => "null",
            Self::NotFound => "not found",
            Self::OutsideMaxAge => "outside max age",
        })
    }
}

/// One value of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// The value as it is stored; null if there is none that counts.
    pub value: WireValue,
    /// Why.
    pub status: Status,
    /// Event time of the value; 1970 where there is none.
    pub event: Timestamp,
}

/// When something is that never happened, as Feast has it.
pub(super) const NO_EVENT: Timestamp = Timestamp::from_micros(0);

impl Answered {
    /// What is stored of a feature, as it stands at `now`.
    ///
    /// # Errors
    /// When the stored bytes are damaged.
    pub(super) fn of(
        stored: StoredValue,
        selected: &SelectedView,
        feature: &str,
        judge: Judge,
    ) -> Result<Self, Problem> {
        let StoredValue::Found { value, event } = stored else {
            let status = judge.seen(Status::NotFound);
            return Ok(Self { value: WireValue::NULL, status, event: NO_EVENT });
        };
        let value = WireValue::from(value);
        let status = match judge {
            Judge::At(now) if is_expired(event, selected.view.ttl, now) => Status::OutsideMaxAge,
            _ => match value.is_null() {
                Ok(true) => judge.seen(Status::NullValue),
                Ok(false) => Status::Present,
                Err(error) => return Err(damaged(&format!("{}:{feature}", selected.view.name), &error)),
            },
        };
        Ok(Self { value, status, event })
    }
}

/// How statuses are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// By what is stored, and how old it is at this moment.
    At(Timestamp),
    /// As Feast's server of features over Redis: everything is present, however old, and if it is not there.
    Feast,
}

impl Judge {
    /// The status that is told instead of another one.
    pub(super) const fn seen(self, status: Status) -> Status {
        match self {
            Self::At(_) => status,
            Self::Feast => Status::Present,
        }
    }
}

/// The problem of a stored value that is none.
fn damaged(name: &str, error: &dyn std::error::Error) -> Problem {
    Problem::new(
        Kind::Internal,
        format!("the stored value of {name} is damaged: {error}"),
        "materialize the view again".to_owned(),
    )
}

/// Whether a value is older than the ttl; stores know whole seconds only, so seconds count.
fn is_expired(event: Timestamp, ttl: Ttl, now: Timestamp) -> bool {
    ttl.limit().is_some_and(|limit| now.seconds().saturating_sub(event.seconds()) > limit / 1_000_000)
}

/// A named column of an answer: a join key or a feature, one value per entity.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerColumn {
    /// The join key, or the name of the feature in the answer.
    pub name: Arc<str>,
    /// A value for each entity, in their order.
    pub values: Vec<Answered>,
}

/// Join keys, then features, for each entity asked for, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The join keys, then the features.
    pub columns: Vec<AnswerColumn>,
    /// How many of the columns are join keys.
    pub keys: usize,
    /// The fields of the requests that something was computed of, with a value for each entity.
    pub request: Vec<(String, ArrayRef)>,
    /// The views that were read, and their versions.
    pub versions: Arc<[ViewVersion]>,
    /// The views that the features are of, in the order of the columns.
    pub views: Arc<[AnsweredView]>,
    /// How long it took to read what is stored.
    pub read: Duration,
}

/// A view of which features were answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AnsweredView {
    /// Its registered name.
    pub name: Arc<str>,
    /// How many columns next to each other are of it.
    pub columns: usize,
}

impl AnsweredView {
    /// The views of the columns that answers to a retrieval have.
    pub(super) fn all_of(retrieval: &Retrieval) -> Arc<[Self]> {
        let stored = retrieval.views.iter().map(|selected| {
            let shown = selected.features.iter().filter(|feature| feature.shown == Shown::Always);
            Self { name: selected.view.name.as_str().into(), columns: shown.count() }
        });
        let computed = retrieval
            .on_demand
            .iter()
            .map(|selected| Self { name: selected.view.name.as_str().into(), columns: selected.outputs.len() });
        stored.chain(computed).filter(|view| view.columns > 0).collect()
    }
}

/// A view of which something was answered, and which of its versions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ViewVersion {
    /// Its name, or the one that a feature service gives it.
    pub name: String,
    /// Its version; 0, the first one, is not written, as in Feast.
    #[serde(skip_serializing_if = "is_first")]
    pub version: u32,
}

const fn is_first(version: &u32) -> bool {
    *version == 0
}

impl AnswerColumn {
    /// The value of an entity.
    ///
    /// # Errors
    /// When the stored bytes are damaged.
    pub fn value(&self, entity: usize) -> Result<Value, Problem> {
        self.values[entity].value.read().map_err(|error| damaged(&self.name, &error))
    }

    /// Appends the value of an entity as JSON.
    pub(super) fn write_value(&self, answered: &Answered, out: &mut Vec<u8>) -> Result<(), Problem> {
        answered.value.write_json(out).map_err(|error| damaged(&self.name, &error))
    }
}
