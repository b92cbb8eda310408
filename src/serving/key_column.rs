//! A column of join keys, in the answer and where a value is none.

use super::answer::{AnswerColumn, Answered, NO_EVENT, Status};
use crate::{
    diagnostics::with_article,
    feast::values::{WireValue, value::Value},
    model::DataType,
    problem::{Advice, Kind, Problem},
    retrieval::JoinKey,
};

/// A join key column of the entities in one type.
pub(super) struct KeyColumn<'a> {
    pub key: &'a JoinKey,
    /// One of each entity.
    pub values: Vec<Value>,
}

impl KeyColumn<'_> {
    /// The column as it stands in an answer.
    pub(super) fn answer(&self) -> AnswerColumn {
        answer(&self.key.column, &self.values)
    }
}

/// Join keys as they stand in an answer.
pub(super) fn answer(name: &str, values: &[Value]) -> AnswerColumn {
    let answered = |value: &Value| Answered { value: WireValue::from(value), status: Status::Present, event: NO_EVENT };
    AnswerColumn { name: name.into(), values: values.iter().map(answered).collect() }
}

/// The problem of a join key that nobody gives.
pub(super) fn missing(key: &JoinKey) -> Problem {
    let message = format!("the join key `{}` is missing", key.column);
    Problem::new(Kind::Invalid, message, None).advise(Advice::GiveJoinKey(key.column.clone()))
}

/// The problem of a value, in words, that is null or none of its type.
pub(super) fn unfit(key: &JoinKey, text: Option<&str>, place: &str) -> Problem {
    let column = &key.column;
    let message = match (text, &key.field.dtype) {
        (None, _) => format!("the join key `{column}` of {place} is null"),
        (Some(text), dtype) => {
            let what = match dtype {
                DataType::Bytes => with_article("base64"),
                other => with_article(&other.to_string()),
            };
            format!("`{text}`, the join key `{column}` of {place}, is not {what}")
        }
    };
    Problem::new(Kind::Invalid, message, None)
}
