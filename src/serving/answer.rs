//! Answers: which value and which status a feature has, by what is stored and how old it is.

use std::{fmt, sync::Arc};

use arrow::array::ArrayRef;
use serde_json::{Value as Json, json};

use crate::{
    feast::values::value::Value,
    model::{Timestamp, Ttl},
    online::StoredValue,
    problem::{Kind, Problem},
    retrieval::SelectedView,
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
#[derive(Debug, Clone, PartialEq)]
pub struct Answered {
    /// The value; null if there is none that counts.
    pub value: Value,
    /// Why.
    pub status: Status,
    /// Event time of the value; 1970 where there is none.
    pub event: Timestamp,
}

impl Answered {
    /// What is stored of a feature, as it stands at `now`.
    ///
    /// # Errors
    /// When the stored bytes are damaged.
    pub(super) fn of(
        stored: &StoredValue,
        selected: &SelectedView,
        feature: &str,
        now: Timestamp,
    ) -> Result<Self, Problem> {
        let StoredValue::Found { value, event } = stored else {
            return Ok(Self { value: Value::NULL, status: Status::NotFound, event: Timestamp::from_micros(0) });
        };
        let value = Value::read(value).map_err(|error| {
            let name = format!("{}:{feature}", selected.view.name);
            Problem::new(
                Kind::Internal,
                format!("the stored value of {name} is damaged: {error}"),
                "materialize the view again".to_owned(),
            )
        })?;
        let status = if is_expired(*event, selected.view.ttl, now) {
            Status::OutsideMaxAge
        } else if value.is_null() {
            Status::NullValue
        } else {
            Status::Present
        };
        Ok(Self { value, status, event: *event })
    }

    /// The value as JSON; the null that Feast writes for times is null here, too.
    fn to_json(&self) -> Json {
        if self.value.is_null() { Json::Null } else { self.value.to_json() }
    }
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
}

impl Answer {
    /// The answer in the shape of Feast's `/get-online-features`.
    pub fn to_json(&self) -> Json {
        let names: Vec<&str> = self.columns.iter().map(|column| &*column.name).collect();
        let results: Vec<Json> = self.columns.iter().map(AnswerColumn::to_json).collect();
        json!({ "metadata": { "feature_names": names }, "results": results })
    }
}

impl AnswerColumn {
    fn to_json(&self) -> Json {
        let values: Vec<Json> = self.values.iter().map(Answered::to_json).collect();
        let statuses: Vec<&str> = self.values.iter().map(|answered| answered.status.as_str()).collect();
        let events: Vec<String> = self.values.iter().map(|answered| answered.event.to_string()).collect();
        json!({ "values": values, "statuses": statuses, "event_timestamps": events })
    }
}
