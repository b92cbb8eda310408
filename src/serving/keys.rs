//! Join keys of the entities that are asked about: read from rows of any kind, typed as the views know
//! them, and refused with their place where they are missing, null, or none of their type.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::{cast, concat},
    datatypes::{DataType as ArrowType, Int32Type, Int64Type},
    error::ArrowError,
};

use super::{
    AnswerColumn, Asked, RequestColumns,
    key_column::{KeyColumn, missing, unfit},
    registered_keys::RegisteredKeys,
    request, request_keys,
};
use crate::{
    diagnostics::did_you_mean,
    feast::values::{
        encode::EncodeError,
        value::{Kind as ValueKind, Value},
    },
    model::{DUMMY_JOIN_KEY, DataType, Field},
    problem::{Kind, Problem},
    retrieval::{Entities, JoinKey, Retrieval},
    sources::{Converted, OpenSource, Role, Wanted, as_texts, key_values},
};

/// The join keys of all entities.
pub(super) struct Keys<'a> {
    /// Each column in every type under which some view knows it, in order of first use.
    columns: Vec<KeyColumn<'a>>,
    /// As they stand in the answer, each column once.
    shown: Vec<AnswerColumn>,
    /// How many entities there are.
    entities: usize,
    /// The fields of the request that something is computed of, with a value for each entity.
    request: Vec<(&'a str, ArrayRef)>,
}

impl<'a> Keys<'a> {
    /// Reads the join keys that a retrieval needs.
    pub(super) fn read(retrieval: &'a Retrieval, asked: Asked<'_>, known: &RegisteredKeys) -> Result<Self, Problem> {
        match asked {
            Asked::Rows(entities) => Self::of_rows(retrieval, entities),
            Asked::Columns(columns) => Self::of_columns(retrieval, columns, known),
        }
    }

    /// Those of rows of any kind.
    fn of_rows(retrieval: &'a Retrieval, entities: &Entities) -> Result<Self, Problem> {
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
            let position = names.iter().position(|name| *name == key.column).ok_or_else(|| missing(key))?;
            Ok(KeyColumn { key, values: values(key, &arrays[position], entities)? })
        };
        let columns: Vec<KeyColumn<'_>> =
            retrieval.typed_entity_columns().into_iter().map(column).collect::<Result<_, Problem>>()?;
        let given = |(field, view): (&'a Field, &str)| {
            let position = names.iter().position(|name| *name == field.name);
            let position = position.ok_or_else(|| request::missing(field, view))?;
            Ok((field.name.as_str(), request::values(field, &arrays[position], entities.into())?))
        };
        let request = fields.into_iter().map(given).collect::<Result<_, Problem>>()?;
        let is_first = |index: usize, name: &str| columns[..index].iter().all(|column| column.key.column != name);
        let shown = columns.iter().enumerate().filter(|(index, column)| is_first(*index, &column.key.column));
        let shown = shown.map(|(_, column)| column.answer()).collect();
        Ok(Self { columns, shown, entities: count, request })
    }

    /// Those of a request, in its order. Besides what is needed it may have join keys of other entities, which are given
    /// back, and names that nobody knows, which are not.
    fn of_columns(retrieval: &'a Retrieval, given: &RequestColumns, known: &RegisteredKeys) -> Result<Self, Problem> {
        // The name of an entity stands for that of its join key.
        let name_of = |key: &JoinKey| {
            let mut names = std::iter::once(key.column.as_str()).chain(known.entities(&key.field.name));
            names.find(|name| given.get(name).is_some()).map(str::to_owned)
        };
        let mut columns = Vec::new();
        let mut names = Vec::new();
        for key in retrieval.typed_entity_columns() {
            let name = name_of(key).ok_or_else(|| missing(key))?;
            let values = given.get(&name).unwrap_or_default();
            columns.push(KeyColumn { key, values: request_keys::values(key, values)? });
            names.push(name);
        }
        let fields = retrieval.request_fields();
        let mut request = Vec::with_capacity(fields.len());
        for (field, view) in fields {
            let values = given.get(&field.name).ok_or_else(|| request::missing(field, view))?;
            request.push((field.name.as_str(), request::values(field, &request_keys::texts(values), given.into())?));
        }
        let mut shown = Vec::new();
        for (name, values) in given.iter() {
            if let Some(position) = names.iter().position(|known| known == name) {
                shown.push(columns[position].answer());
            } else if let Some(dtype) = known.join_key(name)
                && !request.iter().any(|(field, _)| *field == name)
                && !retrieval.answers(name)
            {
                shown.push(request_keys::given_back(name, values, dtype)?);
            }
        }
        let is_counted = !shown.is_empty() || !request.is_empty() || given.get(DUMMY_JOIN_KEY).is_some();
        if is_counted && given.rows() == 0 {
            return Err(invalid("there are no entities: the lists are empty".to_owned(), None));
        }
        Ok(Self { columns, shown, entities: if is_counted { given.rows() } else { 0 }, request })
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
    pub(crate) fn answers(&self) -> &[AnswerColumn] {
        &self.shown
    }

    /// The column of a view's join key.
    pub(crate) fn of(&self, key: &JoinKey) -> Option<&KeyColumn<'a>> {
        self.columns.iter().find(|known| known.key.column == key.column && known.key.field.dtype == key.field.dtype)
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
    let place = entities.row(row);
    let text = match as_texts(&array.slice(row, 1)) {
        Ok(text) => text,
        Err(error) => return unreadable(entities, &error),
    };
    let text = text.as_string::<i32>();
    unfit(key, (!text.is_null(0)).then(|| text.value(0)), &place)
}

fn unreadable(entities: &Entities, error: &dyn std::error::Error) -> Problem {
    invalid(format!("cannot read {}: {error}", entities.shown()), None)
}

fn invalid(message: String, help: Option<String>) -> Problem {
    Problem::new(Kind::Invalid, message, help)
}
