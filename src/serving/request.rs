//! Fields of requests, which on-demand views compute with: one value per entity, from the rows of entities.

use arrow::{
    array::{Array, ArrayRef, AsArray},
    compute::{CastOptions, cast_with_options},
    datatypes::DataType as ArrowType,
};

use super::Asked;
use crate::{
    diagnostics::with_article,
    feast::values::encode::{carrier, conform},
    model::{DataType, Field},
    problem::{Advice, Kind, Problem, Subject},
    sources::as_texts,
};

/// Values of a field as what it is declared as; the row of a text that is none says so. Texts that stand for lists or
/// structs are left to the expression, which reads them as SQL does.
pub(super) fn values(field: &Field, array: &ArrayRef, asked: Asked<'_>) -> Result<ArrayRef, Problem> {
    let internal = |error: &dyn std::error::Error| {
        let message = format!("cannot read the request field `{}`: {error}", field.name);
        Problem::new(Kind::Invalid, message, None)
    };
    let is_text = matches!(array.data_type(), ArrowType::Utf8 | ArrowType::Utf8View | ArrowType::LargeUtf8);
    let Some(wanted) = carrier(&field.dtype) else { return Ok(ArrayRef::clone(array)) };
    if !is_text || wanted == ArrowType::Utf8 {
        return conform(&field.dtype, array).map(|column| column.array).map_err(|error| internal(&error));
    }
    if matches!(field.dtype, DataType::Array(_) | DataType::Set(_) | DataType::Struct(_)) {
        return Ok(ArrayRef::clone(array));
    }
    let options = CastOptions { safe: true, ..CastOptions::default() };
    let values = cast_with_options(array, &wanted, &options).map_err(|error| internal(&error))?;
    match (0..array.len()).find(|row| values.is_null(*row) && array.is_valid(*row)) {
        Some(row) => Err(refused(field, array, row, asked)),
        None => Ok(values),
    }
}

/// The problem of a text that is no value of the field.
fn refused(field: &Field, array: &ArrayRef, row: usize, asked: Asked<'_>) -> Problem {
    let text = as_texts(&array.slice(row, 1)).map(|texts| texts.as_string::<i32>().value(0).to_owned());
    let (name, place) = (&field.name, asked.row(row));
    let what = with_article(&field.dtype.to_string());
    let message = format!("`{}`, the request field `{name}` of {place}, is not {what}", text.unwrap_or_default());
    Problem::new(Kind::Invalid, message, None)
}

/// The problem of a field that the rows of entities do not have.
pub(super) fn missing(field: &Field, view: &str) -> Problem {
    let message = format!("the request field `{}` is missing, which on demand feature view `{view}` needs", field.name);
    Problem::new(Kind::Invalid, message, None)
        .advise(Advice::GiveRequestField(field.name.clone()))
        .about(Subject::RequestData)
}
