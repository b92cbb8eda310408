//! The narrowest Arrow type that holds all values of two others.

use std::sync::Arc;

use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DECIMAL256_MAX_PRECISION, DataType as ArrowType, Field, FieldRef, Fields,
};

use crate::feast::values::encode::micros_in_utc;

/// The type of a column that has values of both types, so that each is kept as it is; `None` where
/// there is none.
pub(crate) fn unify(one: &ArrowType, other: &ArrowType) -> Option<ArrowType> {
    use ArrowType::{Date32, Date64, Dictionary, List, Map, Null, Struct, Timestamp};
    match (one, other) {
        (one, other) if one == other => Some(one.clone()),
        (Null, other) | (other, Null) => Some(other.clone()),
        (Dictionary(_, values), other) | (other, Dictionary(_, values)) => unify(values, other),
        _ if is_text(one) && is_text(other) => Some(ArrowType::Utf8),
        _ if is_binary(one) && is_binary(other) => Some(ArrowType::Binary),
        (Date32 | Date64, Date32 | Date64) => Some(Date32),
        (Timestamp(..) | Date32 | Date64, Timestamp(..) | Date32 | Date64) => Some(micros_in_utc()),
        (Struct(one), Struct(other)) => members(one, other).map(Struct),
        (Map(one, _), Map(other, _)) => Some(Map(field(one, other)?, false)),
        _ => match (element(one), element(other)) {
            (Some(one), Some(other)) => {
                Some(List(Arc::new(Field::new_list_field(unify(one.data_type(), other.data_type())?, true))))
            }
            _ => number(one, other),
        },
    }
}

/// Whether values of a type are texts, however they are laid out.
pub(crate) fn is_text(kind: &ArrowType) -> bool {
    match kind {
        ArrowType::Dictionary(_, values) => is_text(values),
        kind => matches!(kind, ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View),
    }
}

fn is_binary(kind: &ArrowType) -> bool {
    use ArrowType::{Binary, BinaryView, FixedSizeBinary, LargeBinary};
    matches!(kind, Binary | LargeBinary | BinaryView | FixedSizeBinary(_))
}

/// The elements of a list.
pub(crate) fn element(kind: &ArrowType) -> Option<&FieldRef> {
    use ArrowType::{FixedSizeList, LargeList, LargeListView, List, ListView};
    match kind {
        List(field) | LargeList(field) | ListView(field) | LargeListView(field) | FixedSizeList(field, _) => {
            Some(field)
        }
        _ => None,
    }
}

fn field(one: &FieldRef, other: &FieldRef) -> Option<FieldRef> {
    let kind = unify(one.data_type(), other.data_type())?;
    Some(Arc::new(Field::new(one.name(), kind, one.is_nullable() || other.is_nullable())))
}

/// Members of both structs, those of the first one first; what one of them has not is null in it.
fn members(one: &Fields, other: &Fields) -> Option<Fields> {
    let mut members: Vec<FieldRef> = Vec::with_capacity(one.len());
    for member in one {
        members.push(match other.find(member.name()) {
            Some((_, same)) => field(member, same)?,
            None => Arc::new(member.as_ref().clone().with_nullable(true)),
        });
    }
    let added = other.iter().filter(|member| one.find(member.name()).is_none());
    members.extend(added.map(|member| Arc::new(member.as_ref().clone().with_nullable(true))));
    Some(members.into())
}

fn number(one: &ArrowType, other: &ArrowType) -> Option<ArrowType> {
    if let (Some(one), Some(other)) = (integer_bits(one), integer_bits(other)) {
        return wider_integer(one, other);
    }
    match (float_bits(one), float_bits(other)) {
        (Some(one), Some(other)) => return float(one.max(other)),
        (Some(bits), None) => return integer_bits(other).and_then(|integer| float_with(bits, integer.0)),
        (None, Some(bits)) => return integer_bits(one).and_then(|integer| float_with(bits, integer.0)),
        (None, None) => {}
    }
    decimal(digits(one)?, digits(other)?)
}

/// Bits of magnitude, and whether there is a sign.
fn integer_bits(kind: &ArrowType) -> Option<(u8, bool)> {
    use ArrowType::{Int8, Int16, Int32, Int64, UInt8, UInt16, UInt32, UInt64};
    Some(match kind {
        Int8 => (7, true),
        Int16 => (15, true),
        Int32 => (31, true),
        Int64 => (63, true),
        UInt8 => (8, false),
        UInt16 => (16, false),
        UInt32 => (32, false),
        UInt64 => (64, false),
        _ => return None,
    })
}

fn wider_integer(one: (u8, bool), other: (u8, bool)) -> Option<ArrowType> {
    let bits = one.0.max(other.0);
    let signed = one.1 || other.1;
    Some(match (bits, signed) {
        (..=8, false) => ArrowType::UInt8,
        (..=16, false) => ArrowType::UInt16,
        (..=32, false) => ArrowType::UInt32,
        (_, false) => ArrowType::UInt64,
        (..=7, true) => ArrowType::Int8,
        (..=15, true) => ArrowType::Int16,
        (..=31, true) => ArrowType::Int32,
        (..=63, true) => ArrowType::Int64,
        (_, true) => return None,
    })
}

/// Bits of the mantissa.
fn float_bits(kind: &ArrowType) -> Option<u8> {
    match kind {
        ArrowType::Float16 => Some(11),
        ArrowType::Float32 => Some(24),
        ArrowType::Float64 => Some(53),
        _ => None,
    }
}

fn float(bits: u8) -> Option<ArrowType> {
    match bits {
        ..=11 => Some(ArrowType::Float16),
        12..=24 => Some(ArrowType::Float32),
        25..=53 => Some(ArrowType::Float64),
        _ => None,
    }
}

/// A float with this many bits of mantissa that also holds integers of this many bits.
fn float_with(mantissa: u8, integer: u8) -> Option<ArrowType> {
    float(mantissa.max(integer))
}

/// Digits before and behind the point.
fn digits(kind: &ArrowType) -> Option<(u8, i8)> {
    use ArrowType::{Decimal32, Decimal64, Decimal128, Decimal256};
    Some(match kind {
        Decimal32(precision, scale)
        | Decimal64(precision, scale)
        | Decimal128(precision, scale)
        | Decimal256(precision, scale) => (u8::try_from(i16::from(*precision) - i16::from(*scale)).ok()?, *scale),
        kind => match integer_bits(kind)?.0 {
            ..=8 => (3, 0),
            9..=16 => (5, 0),
            17..=32 => (10, 0),
            33..=63 => (19, 0),
            _ => (20, 0),
        },
    })
}

fn decimal(one: (u8, i8), other: (u8, i8)) -> Option<ArrowType> {
    let scale = one.1.max(other.1).max(0);
    let precision = one.0.max(other.0).checked_add(u8::try_from(scale).ok()?)?.max(1);
    if precision <= DECIMAL128_MAX_PRECISION {
        return Some(ArrowType::Decimal128(precision, scale));
    }
    (precision <= DECIMAL256_MAX_PRECISION).then_some(ArrowType::Decimal256(precision, scale))
}

#[cfg(test)]
mod tests {
    use arrow::datatypes::TimeUnit;

    use super::*;

    fn list(element: ArrowType) -> ArrowType {
        ArrowType::List(Arc::new(Field::new_list_field(element, true)))
    }

    fn object(members: &[(&str, ArrowType)]) -> ArrowType {
        ArrowType::Struct(members.iter().map(|(name, kind)| Field::new(*name, kind.clone(), true)).collect())
    }

    #[test]
    fn the_narrowest_type_holds_both() {
        use ArrowType::{
            Boolean, Date32, Decimal128, Decimal256, Float16, Float32, Float64, Int8, Int16, Int32, Int64, LargeUtf8,
            Null, Timestamp, UInt8, UInt32, UInt64, Utf8,
        };
        for (one, other, expected) in [
            (Int32, Int64, Some(Int64)),
            (Int8, UInt8, Some(Int16)),
            (UInt32, Int32, Some(Int64)),
            (UInt64, Int8, None),
            (Float32, Float64, Some(Float64)),
            (Float16, Int16, Some(Float32)),
            (Int32, Float32, Some(Float64)),
            (Int64, Float64, None),
            (Decimal128(10, 2), Decimal128(10, 4), Some(Decimal128(12, 4))),
            (Decimal128(38, 0), Decimal128(4, 2), Some(Decimal256(40, 2))),
            (Int64, Decimal128(10, 2), Some(Decimal128(21, 2))),
            (Boolean, Int64, None),
            (Utf8, LargeUtf8, Some(Utf8)),
            (Utf8, Int64, None),
            (Null, Date32, Some(Date32)),
            (Date32, Timestamp(TimeUnit::Nanosecond, None), Some(micros_in_utc())),
            (list(Int32), list(Float32), Some(list(Float64))),
            (list(Null), list(Utf8), Some(list(Utf8))),
            (object(&[("a", Int32)]), object(&[("b", Utf8), ("a", Int64)]), Some(object(&[("a", Int64), ("b", Utf8)]))),
            (object(&[("a", Int32)]), object(&[("a", Utf8)]), None),
        ] {
            assert_eq!(unify(&one, &other), expected, "{one} and {other}");
            let same_kind = |kind: Option<ArrowType>| kind.map(|kind| kind.to_string().len());
            assert_eq!(same_kind(unify(&other, &one)), same_kind(expected), "{other} and {one}");
        }
    }
}
