//! Values of a request's JSON as those of join keys.

use std::sync::Arc;

use arrow::array::{ArrayRef, StringArray};
use serde_json::Value as Json;

use super::{
    AnswerColumn,
    key_column::{answer, unfit},
};
use crate::{
    feast::values::value::{Kind, Value, bytes_from_text},
    model::{DataType, Field, Timestamp},
    problem::Problem,
    retrieval::JoinKey,
    sources::integer,
};

/// Values as those of a join key. Texts may stand for numbers and moments, as in Feast; fractions and booleans do not.
///
/// # Errors
/// When one is null or not of the type.
pub(super) fn values(key: &JoinKey, values: &[Json]) -> Result<Vec<Value>, Problem> {
    let value = |(index, json): (usize, &Json)| match value(&key.field.dtype, json) {
        Some(kind) => Ok(Value::from(kind)),
        None => Err(unfit(key, text(json).as_deref(), &format!("entity {}", index + 1))),
    };
    values.iter().enumerate().map(value).collect()
}

fn value(declared: &DataType, json: &Json) -> Option<Kind> {
    Some(match (declared, json) {
        (DataType::Int64, _) => Kind::Int64(whole(json)?),
        (DataType::Int32, _) => Kind::Int32(i32::try_from(whole(json)?).ok()?),
        (DataType::UnixTimestamp, Json::String(text)) => Kind::UnixTimestamp(match integer(text) {
            Some(seconds) => seconds,
            None => Timestamp::absolute(text)?.seconds(),
        }),
        (DataType::UnixTimestamp, _) => Kind::UnixTimestamp(whole(json)?),
        (DataType::String, Json::String(text)) => Kind::String(text.clone()),
        (DataType::String, Json::Number(number)) if !number.is_f64() => Kind::String(number.to_string()),
        (DataType::Bytes, Json::String(text)) => Kind::Bytes(bytes_from_text(text)?),
        _ => return None,
    })
}

/// A whole number; pandas makes `1001.0` of it where another row has none.
fn whole(json: &Json) -> Option<i64> {
    match json {
        Json::Number(number) => number.as_i64().or_else(|| integer(&number.to_string())),
        Json::String(text) => integer(text),
        _ => None,
    }
}

/// A join key that nobody needs, as it is given back.
///
/// # Errors
/// When a value is not of the type that the entity declares.
pub(super) fn given_back(name: &str, given: &[Json], declared: Option<&DataType>) -> Result<AnswerColumn, Problem> {
    let dtype = match (declared, given.iter().any(Json::is_string)) {
        (Some(declared), _) => declared.clone(),
        (None, true) => DataType::String,
        (None, false) => DataType::Int64,
    };
    let key = JoinKey { field: Field::new(name, dtype), column: name.to_owned() };
    Ok(answer(name, &values(&key, given)?))
}

/// Values in words, as fields of requests are read.
pub(super) fn texts(values: &[Json]) -> ArrayRef {
    Arc::new(values.iter().map(text).collect::<StringArray>())
}

/// A value in words; `None` if it is null.
fn text(json: &Json) -> Option<String> {
    match json {
        Json::Null => None,
        Json::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(dtype: DataType, value: Json) -> Result<Option<Kind>, String> {
        let key = JoinKey { field: Field::new("k", dtype), column: "k".to_owned() };
        values(&key, &[value]).map(|values| values[0].kind.clone()).map_err(|problem| problem.message)
    }

    #[test]
    fn numbers_and_texts_of_them_are_whole_and_in_range() {
        for value in [json!(7), json!("7"), json!(" 7 "), json!(7.0), json!("7.0")] {
            assert_eq!(read(DataType::Int64, value.clone()), Ok(Some(Kind::Int64(7))), "{value}");
            assert_eq!(read(DataType::Int32, value.clone()), Ok(Some(Kind::Int32(7))), "{value}");
        }
        assert_eq!(read(DataType::Int64, json!(i64::MIN)), Ok(Some(Kind::Int64(i64::MIN))));
        for value in
            [json!(7.5), json!(true), json!([7]), json!({}), json!(""), json!("x"), json!(u64::MAX), json!(1e30)]
        {
            assert!(read(DataType::Int64, value.clone()).is_err(), "{value}");
        }
        assert!(read(DataType::Int32, json!(1_i64 << 31)).is_err());
        let null = read(DataType::Int64, json!(null)).unwrap_err();
        assert_eq!(null, "the join key `k` of entity 1 is null");
    }

    #[test]
    fn texts_bytes_and_moments_are_read_as_they_are_written() {
        assert_eq!(read(DataType::String, json!("é")), Ok(Some(Kind::String("é".to_owned()))));
        assert_eq!(read(DataType::String, json!(7)), Ok(Some(Kind::String("7".to_owned()))));
        assert!(read(DataType::String, json!(7.5)).is_err() && read(DataType::String, json!(false)).is_err());
        assert_eq!(read(DataType::Bytes, json!("base64:AAH/")), Ok(Some(Kind::Bytes(vec![0, 1, 255]))));
        assert!(read(DataType::Bytes, json!("base64:?")).is_err());
        for value in [json!(60), json!("60"), json!("1970-01-01T00:01:00Z"), json!("1970-01-01 00:01:00.9")] {
            assert_eq!(read(DataType::UnixTimestamp, value.clone()), Ok(Some(Kind::UnixTimestamp(60))), "{value}");
        }
        assert!(read(DataType::UnixTimestamp, json!("soon")).is_err());
        // There are no join keys of other types.
        assert!(read(DataType::Bool, json!(true)).is_err() && read(DataType::Float64, json!(1.5)).is_err());
    }
}
