//! Columns of one Arrow type as columns of another one, value by value and without loss.

use std::sync::Arc;

use arrow::{
    array::{
        Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
        ListArray, StringArray, StructArray, TimestampMicrosecondArray, new_null_array,
    },
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::{
        DataType as ArrowType, Field, FieldRef, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType,
    },
};

use super::{
    EncodeError,
    json::JsonColumn,
    lists::Lists,
    numbers::{Bools, Floats, Ints, Numerals, convert, narrow},
    texts::{Blobs, Texts, Uuids, check_json},
};
use crate::{feast::values::value::Map, model::DataType};

/// A converted column.
pub struct Conformed {
    /// The values, as many as the column had.
    pub array: ArrayRef,
    /// Rows whose value does not fit, ascending; they are null in `array`.
    pub unfit: Vec<usize>,
    /// What is wrong with the first of them.
    pub reason: Option<EncodeError>,
}

impl Conformed {
    /// A column all of whose values fit.
    pub const fn exact(array: ArrayRef) -> Self {
        Self { array, unfit: Vec::new(), reason: None }
    }
}

/// The Arrow type that holds exactly the values of a declared type, whatever column they come from:
/// what has no Arrow type of its own, such as decimals of any width, is text. `None` for types that
/// no column holds.
pub fn carrier(declared: &DataType) -> Option<ArrowType> {
    Some(match declared {
        DataType::Bool => ArrowType::Boolean,
        DataType::Int32 => ArrowType::Int32,
        DataType::Int64 => ArrowType::Int64,
        DataType::Float32 => ArrowType::Float32,
        DataType::Float64 => ArrowType::Float64,
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => ArrowType::Binary,
        DataType::String | DataType::Json | DataType::Map | DataType::Uuid | DataType::TimeUuid | DataType::Decimal => {
            ArrowType::Utf8
        }
        DataType::UnixTimestamp | DataType::ZonedTimestamp => micros_in_utc(),
        DataType::Array(element) | DataType::Set(element) => {
            ArrowType::List(Arc::new(Field::new_list_field(carrier(element)?, true)))
        }
        DataType::Struct(members) => {
            let member = |(name, dtype): &(String, DataType)| Some(Field::new(name, carrier(dtype)?, true));
            ArrowType::Struct(members.iter().map(member).collect::<Option<Vec<_>>>()?.into())
        }
        DataType::ScalarMap | DataType::Unknown(_) => return None,
    })
}

/// Timestamps as they are carried: microseconds UTC.
pub fn micros_in_utc() -> ArrowType {
    ArrowType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))
}

/// A column as the [`carrier`] of a declared type.
///
/// # Errors
/// When columns of its type cannot hold values of the declared type.
pub fn conform(declared: &DataType, array: &ArrayRef) -> Result<Conformed, EncodeError> {
    let incompatible = || EncodeError::incompatible(declared, array);
    match array.data_type() {
        ArrowType::Null => {
            let carrier = carrier(declared).ok_or_else(incompatible)?;
            return Ok(Conformed::exact(new_null_array(&carrier, array.len())));
        }
        ArrowType::Dictionary(_, values) => return conform(declared, &convert(array, values)?),
        _ => {}
    }
    let rows = array.len();
    Ok(match declared {
        DataType::Bool => {
            let bools = Bools::bind(array)?.ok_or_else(incompatible)?;
            gather::<_, BooleanArray>(rows, |row| bools.get(row))
        }
        DataType::Int32 => {
            let ints = Ints::bind(array)?.ok_or_else(incompatible)?;
            gather::<_, Int32Array>(rows, |row| ints.get(row, "Int32")?.map(narrow).transpose())
        }
        DataType::Int64 => {
            let ints = Ints::bind(array)?.ok_or_else(incompatible)?;
            gather::<_, Int64Array>(rows, |row| ints.get(row, "Int64"))
        }
        DataType::Float32 => {
            let floats = Floats::bind(array, true)?.ok_or_else(incompatible)?;
            gather::<_, Float32Array>(rows, |row| floats.single(row))
        }
        DataType::Float64 => {
            let floats = Floats::bind(array, true)?.ok_or_else(incompatible)?;
            gather::<_, Float64Array>(rows, |row| floats.get(row))
        }
        DataType::Decimal => {
            let numerals = Numerals::bind(array)?.ok_or_else(incompatible)?;
            gather::<_, StringArray>(rows, |row| numerals.get(row))
        }
        DataType::String => {
            let texts = Texts::bind(array).ok_or_else(incompatible)?;
            Conformed::exact(Arc::new((0..rows).map(|row| texts.get(row)).collect::<StringArray>()))
        }
        DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => {
            let blobs = Blobs::bind(array).ok_or_else(incompatible)?;
            Conformed::exact(Arc::new((0..rows).map(|row| blobs.get(row)).collect::<BinaryArray>()))
        }
        DataType::Uuid | DataType::TimeUuid => {
            let uuids = Uuids::bind(array).ok_or_else(incompatible)?;
            gather::<_, StringArray>(rows, |row| uuids.with(row, str::to_owned))
        }
        DataType::Json => json(array)?.ok_or_else(incompatible)?,
        DataType::Map => map(array)?.ok_or_else(incompatible)?,
        DataType::UnixTimestamp | DataType::ZonedTimestamp => match array.data_type() {
            ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64 => timestamps(array)?,
            column if column.is_integer() && *declared == DataType::UnixTimestamp => {
                seconds(&Ints::bind(array)?.ok_or_else(incompatible)?, rows)
            }
            _ => return Err(incompatible()),
        },
        DataType::Array(element) | DataType::Set(element) => {
            let (lists, elements) = Lists::bind(array).ok_or_else(incompatible)?;
            let field = Arc::new(Field::new_list_field(carrier(element).ok_or_else(incompatible)?, true));
            list_of(rows, &lists, field, conform(element, elements)?)
        }
        DataType::Struct(members) => {
            let ArrowType::Struct(_) = array.data_type() else { return Err(incompatible()) };
            let mut columns = Vec::with_capacity(members.len());
            for (name, dtype) in members {
                let carrier = carrier(dtype).ok_or_else(incompatible)?;
                let column = match array.as_struct().column_by_name(name) {
                    Some(column) => conform(dtype, column)?,
                    None => Conformed::exact(new_null_array(&carrier, rows)),
                };
                columns.push((Arc::new(Field::new(name, carrier, true)), column));
            }
            struct_of(rows, array.nulls(), columns)
        }
        DataType::ScalarMap | DataType::Unknown(_) => return Err(incompatible()),
    })
}

/// Texts of JSON, or columns of other types as JSON; `None` for types without such a form.
fn json(array: &ArrayRef) -> Result<Option<Conformed>, EncodeError> {
    let rows = array.len();
    if array.data_type().is_nested() {
        let column = JsonColumn::bind(array)?;
        let texts = |column: JsonColumn| (0..rows).map(|row| column.get(row)).collect::<StringArray>();
        return Ok(column.map(|column| Conformed::exact(Arc::new(texts(column)))));
    }
    let texts = Texts::bind(array);
    Ok(texts.map(|texts| gather::<_, StringArray>(rows, |row| texts.get(row).map(check_json).transpose())))
}

/// Texts of objects, or structs and maps as such; `None` for other types.
fn map(array: &ArrayRef) -> Result<Option<Conformed>, EncodeError> {
    let rows = array.len();
    match array.data_type() {
        ArrowType::Struct(_) | ArrowType::Map(..) => {
            let checked = |column: &JsonColumn, row| {
                let text = column.get(row);
                text.as_deref().map(check_object).transpose()?;
                Ok::<_, EncodeError>(text)
            };
            let column = JsonColumn::bind(array)?;
            Ok(column.map(|column| gather::<_, StringArray>(rows, |row| checked(&column, row))))
        }
        // Elements of lists are not members of an object.
        kind if kind.is_nested() => Ok(None),
        _ => {
            let texts = Texts::bind(array);
            Ok(texts.map(|texts| gather::<_, StringArray>(rows, |row| texts.get(row).map(check_object).transpose())))
        }
    }
}

/// Seconds since 1970 as moments.
fn seconds(ints: &Ints, rows: usize) -> Conformed {
    zoned(gather::<_, TimestampMicrosecondArray>(rows, |row| {
        let Some(seconds) = ints.get(row, "UnixTimestamp")? else { return Ok(None) };
        let out_of_range = || EncodeError::OutOfRange { value: seconds.to_string(), declared: "UnixTimestamp" };
        seconds.checked_mul(1_000_000).map(Some).ok_or_else(out_of_range)
    }))
}

/// Checks that a text is an object of values that a map holds.
fn check_object(text: &str) -> Result<&str, EncodeError> {
    Map::from_json(text).map(|_| text).map_err(|error| EncodeError::json(text, &error))
}

/// A column as an Arrow type that holds all values of its own: wider numbers, finer units, other
/// layouts, structs with more members, recursively. Nulls are columns of any type.
///
/// # Errors
/// When Arrow has no such conversion.
pub fn widen(array: &ArrayRef, to: &ArrowType) -> Result<Conformed, EncodeError> {
    use ArrowType::{List, Struct, Timestamp};
    let from = array.data_type();
    if from == to {
        return Ok(Conformed::exact(Arc::clone(array)));
    }
    match (from, to) {
        (ArrowType::Null, to) => Ok(Conformed::exact(new_null_array(to, array.len()))),
        (ArrowType::Dictionary(_, values), _) => widen(&convert(array, values)?, to),
        (ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64, Timestamp(..)) => timestamps(array),
        (_, List(field)) if Lists::bind(array).is_some() => {
            let Some((lists, elements)) = Lists::bind(array) else { return cast(array, to) };
            Ok(list_of(array.len(), &lists, Arc::clone(field), widen(elements, field.data_type())?))
        }
        (Struct(_), Struct(fields)) => {
            let mut columns = Vec::with_capacity(fields.len());
            for field in fields {
                let column = match array.as_struct().column_by_name(field.name()) {
                    Some(column) => widen(column, field.data_type())?,
                    None => Conformed::exact(new_null_array(field.data_type(), array.len())),
                };
                columns.push((Arc::clone(field), column));
            }
            Ok(struct_of(array.len(), array.nulls(), columns))
        }
        _ => cast(array, to),
    }
}

fn cast(array: &ArrayRef, to: &ArrowType) -> Result<Conformed, EncodeError> {
    Ok(Conformed::exact(convert(array, to)?))
}

/// Moments of any unit as microseconds UTC, rounded towards the past.
fn timestamps(array: &ArrayRef) -> Result<Conformed, EncodeError> {
    let values: Int64Array = match array.data_type() {
        ArrowType::Timestamp(TimeUnit::Second, _) => array.as_primitive::<TimestampSecondType>().reinterpret_cast(),
        ArrowType::Timestamp(TimeUnit::Millisecond, _) => {
            array.as_primitive::<TimestampMillisecondType>().reinterpret_cast()
        }
        ArrowType::Timestamp(TimeUnit::Microsecond, _) => {
            array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast()
        }
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => {
            array.as_primitive::<TimestampNanosecondType>().reinterpret_cast()
        }
        ArrowType::Date32 => convert(&convert(array, &ArrowType::Int32)?, &ArrowType::Int64)?.as_primitive().clone(),
        _ => convert(array, &ArrowType::Int64)?.as_primitive().clone(),
    };
    let factor = match array.data_type() {
        ArrowType::Timestamp(TimeUnit::Second, _) => 1_000_000,
        ArrowType::Timestamp(TimeUnit::Millisecond, _) | ArrowType::Date64 => 1_000,
        ArrowType::Date32 => 86_400_000_000,
        ArrowType::Timestamp(TimeUnit::Nanosecond, _) => {
            let floor = values.unary::<_, TimestampMicrosecondType>(|nanos| nanos.div_euclid(1_000));
            return Ok(Conformed::exact(Arc::new(floor.with_timezone("UTC"))));
        }
        _ => {
            let same = values.reinterpret_cast::<TimestampMicrosecondType>();
            return Ok(Conformed::exact(Arc::new(same.with_timezone("UTC"))));
        }
    };
    Ok(zoned(gather::<_, TimestampMicrosecondArray>(array.len(), |row| {
        if values.is_null(row) {
            return Ok(None);
        }
        let value = values.value(row);
        let out_of_range =
            || EncodeError::OutOfRange { value: format!("the moment {value}"), declared: "times in microseconds" };
        value.checked_mul(factor).map(Some).ok_or_else(out_of_range)
    })))
}

fn zoned(moments: Conformed) -> Conformed {
    let array = moments.array.as_primitive::<TimestampMicrosecondType>().clone().with_timezone("UTC");
    Conformed { array: Arc::new(array), ..moments }
}

/// Collects the values of all rows.
fn gather<T, A>(rows: usize, mut get: impl FnMut(usize) -> Result<Option<T>, EncodeError>) -> Conformed
where
    A: Array + FromIterator<Option<T>> + 'static,
{
    let (mut unfit, mut reason) = (Vec::new(), None);
    let values = (0..rows).map(|row| match get(row) {
        Ok(value) => value,
        Err(error) => {
            unfit.push(row);
            reason.get_or_insert(error);
            None
        }
    });
    let array: ArrayRef = Arc::new(values.collect::<A>());
    Conformed { array, unfit, reason }
}

/// Lists of converted elements. A list one of whose elements does not fit does not fit.
fn list_of(rows: usize, lists: &Lists, field: FieldRef, elements: Conformed) -> Conformed {
    let mut unfit = Vec::new();
    let mut lengths = Vec::with_capacity(rows);
    let mut valid = Vec::with_capacity(rows);
    // The lists may be part of a column, and nulls may have elements behind them.
    let (mut first, mut last) = (None, 0);
    let mut contiguous = true;
    let mut ranges = Vec::with_capacity(rows);
    for row in 0..rows {
        let range = lists.get(row);
        valid.push(range.is_some());
        let range = range.unwrap_or(last..last);
        if !range.is_empty() {
            contiguous &= first.is_none() || range.start == last;
            first.get_or_insert(range.start);
            last = range.end;
        }
        lengths.push(range.len());
        if !elements.unfit.is_empty() {
            let from = elements.unfit.partition_point(|element| *element < range.start);
            if elements.unfit.get(from).is_some_and(|element| *element < range.end) {
                unfit.push(row);
                if let Some(valid) = valid.last_mut() {
                    *valid = false;
                }
            }
        }
        ranges.push(range);
    }
    let values = if contiguous {
        let start = first.unwrap_or(0);
        elements.array.slice(start, last.saturating_sub(start))
    } else {
        let indices = ranges.iter().cloned().flatten().map(|index| index as u64);
        let indices = arrow::array::UInt64Array::from_iter_values(indices);
        arrow::compute::take(&elements.array, &indices, None).unwrap_or_else(|_| elements.array.slice(0, 0))
    };
    let array = ListArray::new(field, OffsetBuffer::from_lengths(lengths), values, Some(NullBuffer::from(valid)));
    Conformed { array: Arc::new(array), reason: elements.reason.filter(|_| !unfit.is_empty()), unfit }
}

/// Structs of converted members. One with a member that does not fit does not fit.
fn struct_of(rows: usize, nulls: Option<&NullBuffer>, columns: Vec<(FieldRef, Conformed)>) -> Conformed {
    let mut unfit: Vec<usize> = columns.iter().flat_map(|(_, column)| column.unfit.iter().copied()).collect();
    unfit.sort_unstable();
    unfit.dedup();
    // What stands behind a null struct counts for nothing.
    unfit.retain(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row)));
    let nulls = if unfit.is_empty() {
        nulls.cloned()
    } else {
        let mut valid: Vec<bool> = (0..rows).map(|row| nulls.is_none_or(|nulls| nulls.is_valid(row))).collect();
        unfit.iter().for_each(|row| valid[*row] = false);
        Some(NullBuffer::from(valid))
    };
    let mut reason = None;
    let (mut fields, mut arrays) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
    for (field, column) in columns {
        reason = reason.or(column.reason);
        fields.push(field);
        arrays.push(column.array);
    }
    let array = StructArray::new(fields.into(), arrays, nulls);
    Conformed { array: Arc::new(array), reason: reason.filter(|_| !unfit.is_empty()), unfit }
}
