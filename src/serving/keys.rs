//! Join keys of the entities that are asked about: read from rows of any kind, typed as the views know
//! them, and refused with their place where they are missing, null, or none of their type.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::{cast, concat},
    datatypes::{DataType as ArrowType, Int32Type, Int64Type},
    error::ArrowError,
};

use super::{AnswerColumn, Answered, Status, request};
use crate::{
    diagnostics::{did_you_mean, with_article},
    feast::values::{
        encode::EncodeError,
        value::{Kind as ValueKind, Value},
    },
    model::{DataType, Field, Timestamp},
    problem::{Advice, Kind, Problem},
    retrieval::{Entities, JoinKey, Retrieval},
    sources::{Converted, OpenSource, Role, Wanted, as_texts, key_values},
};

/// The join keys of all entities.
pub(super) struct Keys<'a> {
    /// Each column in every type under which some view knows it, in order of first use.
    pub columns: Vec<KeyColumn<'a>>,
    /// How many entities there are.
    pub entities: usize,
    /// The fields of the request that something is computed of, with a value for each entity.
    request: Vec<(&'a str, ArrayRef)>,
}

/// A join key column of the entities in one type.
pub(super) struct KeyColumn<'a> {
    pub key: &'a JoinKey,
    /// One of each entity.
    pub values: Vec<Value>,
}

impl<'a> Keys<'a> {
    /// Reads the join keys that a retrieval needs.
    pub(crate) fn read(retrieval: &'a Retrieval, entities: &Entities) -> Result<Self, Problem> {
        let opened = entities.open()?;
        if !entities.is_file() {
            check_names(retrieval, &opened)?;
        }
        let fields = retrieval.request_fields();
        let names = retrieval.entity_columns().into_iter().map(|key| key.column.as_str());
        let mut names: Vec<&str> = names.collect();
        for (field, _) in &fields {
            if !names.contains(&field.name.as_str()) {
                names.push(&field.name);
            }
        }
        names.retain(|name| opened.columns().get(name).is_some());
        let (arrays, count) = columns(&opened, &names, entities)?;
        if count == 0 && entities.is_file() {
            return Err(invalid(format!("there are no entities in {}", entities.shown()), None));
        }
        let column = |key: &'a JoinKey| {
            let Some(position) = names.iter().position(|name| *name == key.column) else {
                let message = format!("the join key `{}` is missing", key.column);
                return Err(invalid(message, None).advise(Advice::GiveJoinKey(key.column.clone())));
            };
            Ok(KeyColumn { key, values: values(key, &arrays[position], entities)? })
        };
        let columns = retrieval.typed_entity_columns().into_iter().map(column).collect::<Result<_, _>>()?;
        let given = |(field, view): (&'a Field, &str)| {
            let position = names.iter().position(|name| *name == field.name);
            let position = position.ok_or_else(|| request::missing(field, view))?;
            Ok((field.name.as_str(), request::values(field, &arrays[position], entities)?))
        };
        let request = fields.into_iter().map(given).collect::<Result<_, Problem>>()?;
        Ok(Self { columns, entities: count, request })
    }

    /// How many answers there are. Without any join key the question is about the whole project: one.
    pub(crate) fn rows(&self) -> usize {
        if self.columns.is_empty() { self.entities.max(1) } else { self.entities }
    }

    /// The values of a field of the request.
    pub(crate) fn request(&self, name: &str) -> Option<&ArrayRef> {
        self.request.iter().find(|(known, _)| *known == name).map(|(_, values)| values)
    }

    /// All fields of the request.
    pub(crate) fn requests(&self) -> Vec<(String, ArrayRef)> {
        self.request.iter().map(|(name, values)| ((*name).to_owned(), Arc::clone(values))).collect()
    }

    /// The join keys as they stand in the answer, each column once.
    pub(crate) fn answers(&self) -> Vec<AnswerColumn> {
        let is_first = |index: usize, name: &str| self.columns[..index].iter().all(|column| column.key.column != name);
        let shown = self.columns.iter().enumerate().filter(|(index, column)| is_first(*index, &column.key.column));
        shown.map(|(_, column)| column.answer()).collect()
    }

    /// The column of a view's join key.
    pub(crate) fn of(&self, key: &JoinKey) -> Option<&KeyColumn<'a>> {
        self.columns.iter().find(|known| known.key.column == key.column && known.key.field.dtype == key.field.dtype)
    }
}

impl KeyColumn<'_> {
    fn answer(&self) -> AnswerColumn {
        let answered = |value: &Value| Answered {
            value: value.clone(),
            status: Status::Present,
            event: Timestamp::from_micros(0),
        };
        AnswerColumn { name: self.key.column.as_str().into(), values: self.values.iter().map(answered).collect() }
    }
}

/// Refuses columns that are not join keys: in entities that are written by hand they are mistakes. Files are not
/// checked, because those of training rows have other columns, too.
fn check_names(retrieval: &Retrieval, opened: &OpenSource) -> Result<(), Problem> {
    let keys = retrieval.entity_columns().into_iter().map(|key| key.column.as_str());
    let fields = retrieval.request_fields();
    let wanted: Vec<&str> = keys.chain(fields.iter().map(|(field, _)| field.name.as_str())).collect();
    for column in &opened.columns().columns {
        if !wanted.contains(&column.name.as_str()) {
            let what = if fields.is_empty() { "join key" } else { "join key or request field" };
            let help = did_you_mean(&column.name, wanted.iter().copied());
            return Err(invalid(format!("no requested feature has the {what} `{}`", column.name), help));
        }
    }
    Ok(())
}

/// Columns as they are, each whole, and how many rows there are.
fn columns(opened: &OpenSource, names: &[&str], entities: &Entities) -> Result<(Vec<ArrayRef>, usize), Problem> {
    let wanted = |name: &&str| Wanted { column: (*name).to_owned(), role: Role::AsIs, null_if_unfit: false };
    let run = Arc::new(opened.scan(names.iter().map(wanted).collect())?).run();
    let mut pieces: Vec<Vec<ArrayRef>> = vec![Vec::new(); names.len()];
    let mut count = 0;
    while let Some(mut part) = run.part()? {
        while let Some(rows) = run.batch(&mut part)? {
            count += rows.count;
            pieces.iter_mut().zip(rows.columns).for_each(|(pieces, piece)| pieces.push(piece));
        }
    }
    let whole = |pieces: &Vec<ArrayRef>| {
        let pieces: Vec<&dyn Array> = pieces.iter().map(AsRef::as_ref).collect();
        if pieces.is_empty() { Ok(arrow::array::new_empty_array(&ArrowType::Utf8)) } else { concat(&pieces) }
    };
    let columns = pieces.iter().map(whole).collect::<Result<_, ArrowError>>();
    Ok((columns.map_err(|error| unreadable(entities, &error))?, count))
}

/// The values of a column as those of a join key.
fn values(key: &JoinKey, array: &ArrayRef, entities: &Entities) -> Result<Vec<Value>, Problem> {
    let declared = &key.field.dtype;
    let converted = key_values(array, declared).map_err(|error: EncodeError| unreadable(entities, &error))?;
    let typed = converted.and_then(|Converted { array, .. }| typed(&array, declared).transpose());
    let typed = typed.transpose().map_err(|error| unreadable(entities, &error))?;
    let value = |row: usize| typed.as_ref().and_then(|values| values[row].clone());
    let or_refused = |row: usize| match value(row) {
        Some(value) => Ok(value),
        None => Err(refused(key, array, row, entities)),
    };
    (0..array.len()).map(or_refused).collect()
}

/// Values of a join key's type, unless they are null; `None` for types of which there are no join keys.
fn typed(array: &ArrayRef, declared: &DataType) -> Result<Option<Vec<Option<Value>>>, ArrowError> {
    let value = |kind: ValueKind| Some(Value::from(kind));
    Ok(Some(match declared {
        DataType::Int32 => {
            let integers = array.as_primitive::<Int32Type>();
            integers.iter().map(|integer| value(ValueKind::Int32(integer?))).collect()
        }
        DataType::Int64 => {
            let integers = array.as_primitive::<Int64Type>();
            integers.iter().map(|integer| value(ValueKind::Int64(integer?))).collect()
        }
        DataType::UnixTimestamp => {
            let seconds = array.as_primitive::<Int64Type>();
            seconds.iter().map(|second| value(ValueKind::UnixTimestamp(second?))).collect()
        }
        DataType::String => {
            let texts = cast(array, &ArrowType::Utf8)?;
            texts.as_string::<i32>().iter().map(|text| value(ValueKind::String(text?.to_owned()))).collect()
        }
        DataType::Bytes => {
            let bytes = cast(array, &ArrowType::Binary)?;
            bytes.as_binary::<i32>().iter().map(|bytes| value(ValueKind::Bytes(bytes?.to_vec()))).collect()
        }
        _ => return Ok(None),
    }))
}

/// The problem of a value that is null or none of its type.
fn refused(key: &JoinKey, array: &ArrayRef, row: usize, entities: &Entities) -> Problem {
    let (column, place) = (&key.column, entities.row(row));
    let text = match as_texts(&array.slice(row, 1)) {
        Ok(text) => text,
        Err(error) => return unreadable(entities, &error),
    };
    let text = text.as_string::<i32>();
    if text.is_null(0) {
        return invalid(format!("the join key `{column}` of {place} is null"), None);
    }
    let what = match &key.field.dtype {
        DataType::Bytes => with_article("base64"),
        other => with_article(&other.to_string()),
    };
    invalid(format!("`{}`, the join key `{column}` of {place}, is not {what}", text.value(0)), None)
}

fn unreadable(entities: &Entities, error: &dyn std::error::Error) -> Problem {
    invalid(format!("cannot read {}: {error}", entities.shown()), None)
}

fn invalid(message: String, help: Option<String>) -> Problem {
    Problem::new(Kind::Invalid, message, help)
}
