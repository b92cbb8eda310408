//! The one type that a column is read as, decided before anything is read.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType as ArrowType, Field, TimeUnit};

use super::{
    columns::{Column, ColumnKind, Holds},
    ticks::Ticks,
    unify::{element, is_text, unify},
};
use crate::{
    feast::values::encode::{self, carrier, micros_in_utc},
    model::DataType,
};

/// What a column is read for.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Values of a feature.
    Value(DataType),
    /// A join key: one value for what is one entity.
    Key(DataType),
    /// A join key of entity rows, which people write: texts of numbers are numbers, and the other way
    /// round.
    EntityKey(DataType),
    /// Event or creation times, as integers: nanoseconds or microseconds UTC, whatever loses nothing.
    Time,
    /// Values nobody asks about, such as further columns of entity rows.
    AsIs,
}

/// Whether integers are times.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Integers {
    /// They are not.
    None,
    /// The source says what they count.
    Counted,
    /// Their digits are, in texts and JSON, as a pattern says.
    Digits,
}

/// What a column is read as.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Target {
    pub arrow: ArrowType,
    /// How typed values become that.
    pub way: Way,
}

/// How values become those of a [`Target`].
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Way {
    /// By a wider type, which holds all values of the files' types.
    Widen,
    /// Value by value, as the type that is declared; those that do not fit are told.
    Conform(DataType),
    /// Moments in this unit.
    Ticks(Ticks),
    /// Moments in whole seconds, rounded towards the past: as join keys they count so.
    Seconds,
}

/// The target of a column, or `None` when some file's values cannot become what is asked for.
///
/// `integers`: whether integers are times, because the source declares what they count.
pub(crate) fn target(column: &Column, role: &Role, integers: Integers) -> Option<Target> {
    let kinds = || column.kinds.iter().map(|kind| &kind.holds);
    match role {
        Role::Value(declared) => value_target(column, declared),
        Role::Key(declared) | Role::EntityKey(declared) => {
            let lenient = matches!(role, Role::EntityKey(_));
            let (arrow, way) = match declared {
                DataType::UnixTimestamp => (ArrowType::Int64, Way::Seconds),
                declared if declared.is_join_key() => (carrier(declared)?, Way::Conform(declared.clone())),
                _ => return None,
            };
            kinds().all(|holds| is_key(holds, declared, lenient)).then_some(Target { arrow, way })
        }
        Role::Time => {
            let all = kinds().all(|holds| is_time(holds, integers));
            let unit = if kinds().any(is_fine) { Ticks::Nanos } else { Ticks::Micros };
            all.then_some(Target { arrow: ArrowType::Int64, way: Way::Ticks(unit) })
        }
        Role::AsIs => {
            let arrow = |holds: &Holds| if holds.is_text() { ArrowType::Utf8 } else { holds.arrow().clone() };
            let arrow = kinds().map(|holds| Some(arrow(holds))).reduce(|one, other| unify(&one?, &other?))??;
            Some(Target { arrow, way: Way::Widen })
        }
    }
}

fn value_target(column: &Column, declared: &DataType) -> Option<Target> {
    let is_looked_at = |kind: &ColumnKind| kind.holds.is_text() || holds_texts(kind.holds.arrow());
    if !keeps_own_type(declared) || column.kinds.iter().any(is_looked_at) {
        return conformed(column, declared);
    }
    // What values look like is up to their own file, not to its neighbours.
    let [only] = column.kinds.as_slice() else { return conformed(column, declared) };
    match carried(only.holds.arrow(), declared) {
        Some(kind) if kind != ArrowType::Null && encode::accepts(declared, &kind) => {
            Some(Target { arrow: kind, way: Way::Widen })
        }
        _ => conformed(column, declared),
    }
}

/// The declared type, value by value.
fn conformed(column: &Column, declared: &DataType) -> Option<Target> {
    let arrow = carrier(declared)?;
    let fits = |holds: &Holds| match holds {
        Holds::Typed(field) => accepts(declared, field.data_type()),
        Holds::Text => true,
        Holds::Json(seen) => json_fits(declared, seen),
    };
    let all = column.kinds.iter().all(|kind| fits(&kind.holds));
    all.then(|| Target { arrow, way: Way::Conform(declared.clone()) })
}

/// Whether columns of a declared type come in several Arrow types that say more than the type that
/// holds all of them: objects with their members, decimals with their digits.
fn keeps_own_type(declared: &DataType) -> bool {
    match declared {
        DataType::Json | DataType::Map | DataType::Decimal => true,
        DataType::Array(element) | DataType::Set(element) => keeps_own_type(element),
        DataType::Struct(members) => members.iter().any(|(_, member)| keeps_own_type(member)),
        _ => false,
    }
}

/// Whether values are texts, which have to be read to know what they are.
fn holds_texts(kind: &ArrowType) -> bool {
    is_text(kind) || element(kind).is_some_and(|elements| holds_texts(elements.data_type()))
}

/// Whether values of a column's type can become the declared type at all; each is looked at when it
/// is read. Structs need not have every member, but one of them.
fn accepts(declared: &DataType, column: &ArrowType) -> bool {
    match (declared, column) {
        (_, ArrowType::Dictionary(_, values)) => accepts(declared, values),
        (declared, ArrowType::Null) => carrier(declared).is_some(),
        (DataType::Struct(members), ArrowType::Struct(fields)) => {
            let mut known = members.iter().filter_map(|(name, member)| Some((member, fields.find(name)?.1))).peekable();
            known.peek().is_some() && known.all(|(member, field)| accepts(member, field.data_type()))
        }
        // Their members are read by name.
        (DataType::Struct(_), _) => false,
        // They become texts of JSON.
        (DataType::Json | DataType::Map, kind) if kind.is_nested() => encode::accepts(declared, kind) && has_json(kind),
        (DataType::Array(inner) | DataType::Set(inner), column) => {
            element(column).is_some_and(|elements| accepts(inner, elements.data_type()))
        }
        (declared, column) => encode::accepts(declared, column),
    }
}

/// Whether JSON has a form for all values of a type.
fn has_json(kind: &ArrowType) -> bool {
    match kind {
        ArrowType::Null | ArrowType::Boolean => true,
        ArrowType::Dictionary(_, values) => has_json(values),
        ArrowType::Struct(fields) => fields.iter().all(|field| has_json(field.data_type())),
        ArrowType::Map(entries, _) => has_json(entries.data_type()),
        kind if is_text(kind) => true,
        kind => {
            kind.is_integer() || kind.is_floating() || element(kind).is_some_and(|field| has_json(field.data_type()))
        }
    }
}

/// A decimal without zeros before the point; `None` if it is beyond what the engine has.
fn carried_decimal(precision: u8, scale: i8) -> Option<ArrowType> {
    let wider = i16::from(precision) - i16::from(scale.min(0));
    let precision = u8::try_from(wider).ok().filter(|precision| *precision <= DECIMAL128_MAX_PRECISION)?;
    let scale = scale.max(0);
    (i16::from(scale) <= i16::from(precision)).then_some(ArrowType::Decimal128(precision, scale))
}

/// The type as which values of a type go through the engine unchanged; `None` where it has no such
/// type, or where only the declared one says what the values are.
fn carried(kind: &ArrowType, declared: &DataType) -> Option<ArrowType> {
    // The engine has no nulls without a type.
    let inner = |kind: &ArrowType, declared: &DataType| carried(kind, declared).filter(|kind| *kind != ArrowType::Null);
    use ArrowType::{
        Binary, BinaryView, Date32, Date64, Decimal32, Decimal64, Decimal128, Decimal256, Dictionary, FixedSizeBinary,
        Float16, Float32, LargeBinary, LargeUtf8, List, Map, Struct, Timestamp, UInt64, Utf8, Utf8View,
    };
    Some(match kind {
        Float16 => Float32,
        Utf8 | LargeUtf8 | Utf8View => Utf8,
        FixedSizeBinary(16) if is_uuid(declared) => return None,
        // Maps hold signed integers: each is looked at.
        UInt64 if is_map(declared) => return None,
        Binary | LargeBinary | BinaryView | FixedSizeBinary(_) => Binary,
        Decimal32(precision, scale)
        | Decimal64(precision, scale)
        | Decimal128(precision, scale)
        | Decimal256(precision, scale) => carried_decimal(*precision, *scale)?,
        Timestamp(..) => micros_in_utc(),
        Date32 | Date64 => Date32,
        Dictionary(_, values) => carried(values, declared)?,
        Struct(fields) => {
            let lower: std::collections::BTreeSet<String> =
                fields.iter().map(|field| field.name().to_lowercase()).collect();
            // The engine does not tell their cases apart.
            if lower.len() < fields.len() || fields.is_empty() {
                return None;
            }
            let member = |field: &Arc<Field>| {
                let of_member = match declared {
                    DataType::Struct(members) => members.iter().find(|(name, _)| name == field.name()),
                    _ => None,
                };
                let declared = of_member.map_or(declared, |(_, declared)| declared);
                Some(Field::new(field.name(), inner(field.data_type(), declared)?, true))
            };
            Struct(fields.iter().map(member).collect::<Option<Vec<_>>>()?.into())
        }
        Map(entries, _) => {
            let Struct(fields) = entries.data_type() else { return None };
            let [key, value] = fields.as_ref() else { return None };
            let key = Field::new("key", inner(key.data_type(), declared)?, false);
            let value = Field::new("value", inner(value.data_type(), declared)?, true);
            Map(Arc::new(Field::new("entries", Struct(vec![key, value].into()), false)), false)
        }
        kind => match element(kind) {
            Some(elements) => {
                let declared = match declared {
                    DataType::Array(element) | DataType::Set(element) => element,
                    other => other,
                };
                List(Arc::new(Field::new_list_field(inner(elements.data_type(), declared)?, true)))
            }
            None => kind.clone(),
        },
    })
}

fn is_map(declared: &DataType) -> bool {
    match declared {
        DataType::Map => true,
        DataType::Array(element) | DataType::Set(element) => is_map(element),
        _ => false,
    }
}

fn is_uuid(declared: &DataType) -> bool {
    match declared {
        DataType::Uuid | DataType::TimeUuid => true,
        DataType::Array(element) | DataType::Set(element) => is_uuid(element),
        _ => false,
    }
}

/// Whether values like those in the first rows of a JSON file can become the declared type.
fn json_fits(declared: &DataType, seen: &ArrowType) -> bool {
    use ArrowType::{Boolean, Decimal128, Float64, Int64, List, Null, Struct, Utf8};
    match (declared, seen) {
        (_, Null) => true,
        (DataType::Bool, seen) => *seen == Boolean,
        (DataType::Int32 | DataType::Int64, seen) => matches!(seen, Int64 | Float64 | Decimal128(..)),
        // Texts may be names such as NaN.
        (DataType::Float32 | DataType::Float64, seen) => matches!(seen, Int64 | Float64 | Decimal128(..) | Utf8),
        // What is not a text is the text that is written.
        (DataType::String, _) => true,
        (DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes, seen) => *seen == Utf8,
        (DataType::Uuid | DataType::TimeUuid, seen) => *seen == Utf8,
        (DataType::Decimal, seen) => matches!(seen, Int64 | Float64 | Decimal128(..) | Utf8),
        (DataType::UnixTimestamp | DataType::ZonedTimestamp, seen) => matches!(seen, Int64 | Utf8),
        (DataType::Array(element) | DataType::Set(element), List(field)) => json_fits(element, field.data_type()),
        // Texts that hold JSON, and objects, which count as texts in the first rows.
        (DataType::Array(_) | DataType::Set(_) | DataType::Struct(_) | DataType::Map, seen) => {
            matches!(seen, Utf8 | Struct(_))
        }
        (DataType::Json, _) => true,
        (DataType::ScalarMap | DataType::Unknown(_), _) => false,
    }
}

fn is_key(holds: &Holds, declared: &DataType, lenient: bool) -> bool {
    match holds {
        Holds::Text => true,
        Holds::Json(seen) => lenient || json_fits(declared, seen),
        Holds::Typed(field) => is_typed_key(field.data_type(), declared) || (lenient && has_text(field.data_type())),
    }
}

/// Whether values of a type are keys as they are.
pub(crate) fn is_typed_key(kind: &ArrowType, declared: &DataType) -> bool {
    use ArrowType::{Date32, Date64, LargeUtf8, Null, Timestamp, Utf8, Utf8View};
    match (declared, kind) {
        (declared, ArrowType::Dictionary(_, values)) => is_typed_key(values, declared),
        (_, Null) => true,
        (DataType::Int32 | DataType::Int64, kind) => kind.is_integer() || kind.is_floating() || kind.is_decimal(),
        (DataType::String, kind) => matches!(kind, Utf8 | LargeUtf8 | Utf8View),
        (DataType::Bytes, kind) => encode::accepts(declared, kind),
        (DataType::UnixTimestamp, kind) => matches!(kind, Timestamp(..) | Date32 | Date64) || kind.is_integer(),
        _ => false,
    }
}

/// Whether people would write values of a type as one text.
fn has_text(kind: &ArrowType) -> bool {
    match kind {
        ArrowType::Dictionary(_, values) => has_text(values),
        kind => !kind.is_nested() && !matches!(kind, ArrowType::Interval(_) | ArrowType::Duration(_)),
    }
}

fn is_time(holds: &Holds, integers: Integers) -> bool {
    use ArrowType::{Date32, Date64, Dictionary, Float64, Int64, LargeUtf8, Null, Timestamp, Utf8, Utf8View};
    match holds {
        Holds::Text => true,
        Holds::Json(seen) => {
            matches!(seen, Utf8 | Null) || (integers != Integers::None && matches!(seen, Int64 | Float64))
        }
        Holds::Typed(field) => match field.data_type() {
            Timestamp(..) | Date32 | Date64 | Utf8 | LargeUtf8 | Utf8View | Null => true,
            Dictionary(_, values) => matches!(values.as_ref(), Utf8 | LargeUtf8 | Utf8View),
            kind => integers == Integers::Counted && kind.is_integer(),
        },
    }
}

/// Whether times may be finer than microseconds.
fn is_fine(holds: &Holds) -> bool {
    let coarse = match holds {
        Holds::Text | Holds::Json(_) => false,
        Holds::Typed(field) => matches!(
            field.data_type(),
            ArrowType::Timestamp(TimeUnit::Second | TimeUnit::Millisecond | TimeUnit::Microsecond, _)
                | ArrowType::Date32
                | ArrowType::Date64
                | ArrowType::Null
        ),
    };
    !coarse
}
