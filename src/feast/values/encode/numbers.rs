//! Columns read as numbers.

use arrow::{
    array::{Array, ArrayRef, AsArray, BooleanArray, Decimal256Array, Float64Array, Int64Array, UInt64Array},
    compute::{CastOptions, cast_with_options},
    datatypes::{
        DataType as ArrowType, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
        TimestampSecondType,
    },
    error::ArrowError,
};

use super::{EncodeError, texts::Texts};
use crate::feast::values::python_text;

/// Converts a whole column, or fails with the first value that does not fit.
pub(super) fn convert(array: &ArrayRef, to: &ArrowType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(array, to, &CastOptions { safe: false, ..CastOptions::default() })
}

/// Booleans, also from the integers 0 and 1.
pub(super) enum Bools {
    Exact(BooleanArray),
    Int(Ints),
}

impl Bools {
    pub(super) fn bind(array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        match array.data_type() {
            ArrowType::Boolean => Ok(Some(Self::Exact(array.as_boolean().clone()))),
            column if column.is_integer() => Ok(Ints::bind(array)?.map(Self::Int)),
            _ => Ok(None),
        }
    }

    pub(super) fn get(&self, row: usize) -> Result<Option<bool>, EncodeError> {
        match self {
            Self::Exact(array) => Ok(array.is_valid(row).then(|| array.value(row))),
            Self::Int(ints) => match ints.get(row, "Bool")? {
                None => Ok(None),
                Some(number @ (0 | 1)) => Ok(Some(number == 1)),
                Some(number) => Err(EncodeError::OutOfRange { value: number.to_string(), declared: "Bool" }),
            },
        }
    }
}

/// Integers: from integers, booleans, and whole floats and decimals.
pub(super) enum Ints {
    Exact(Int64Array),
    /// May be beyond 63 bits.
    Unsigned(UInt64Array),
    Float(Float64Array),
    Decimal(Decimals),
}

impl Ints {
    pub(super) fn bind(array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        match array.data_type() {
            column if column.is_floating() => Ok(Some(Self::Float(doubles(array)?))),
            ArrowType::Boolean => Ok(Some(Self::Exact(integers(array)?))),
            ArrowType::UInt64 => Ok(Some(Self::Unsigned(array.as_primitive().clone()))),
            column if column.is_integer() => Ok(Some(Self::Exact(integers(array)?))),
            _ => Ok(Decimals::bind(array)?.map(Self::Decimal)),
        }
    }

    /// The integer of a row; NaN counts as null.
    pub(super) fn get(&self, row: usize, declared: &'static str) -> Result<Option<i64>, EncodeError> {
        // Exactly representable, and the first double above every i64.
        const LIMIT: f64 = 9_223_372_036_854_775_808.0;
        let out_of_range = |value: String| EncodeError::OutOfRange { value, declared };
        match self {
            Self::Exact(array) => Ok(integer(array, row)),
            Self::Unsigned(array) if array.is_null(row) => Ok(None),
            Self::Unsigned(array) => {
                let number = array.value(row);
                i64::try_from(number).map(Some).map_err(|_| out_of_range(number.to_string()))
            }
            Self::Float(array) => match double(array, row) {
                None => Ok(None),
                Some(value) if value.is_nan() => Ok(None),
                Some(value) if (-LIMIT..LIMIT).contains(&value) && value.fract() == 0.0 => Ok(Some(value as i64)),
                Some(value) => Err(out_of_range(python_text::float(value))),
            },
            Self::Decimal(decimals) => match decimals.plain(row) {
                None => Ok(None),
                Some(text) => {
                    let (whole, fraction) = text.split_once('.').unwrap_or((text.as_str(), ""));
                    let whole = if fraction.bytes().all(|digit| digit == b'0') { whole.parse().ok() } else { None };
                    whole.map(Some).ok_or_else(|| out_of_range(text.clone()))
                }
            },
        }
    }
}

impl Ints {
    /// The double that is the integer of a row.
    fn float(&self, row: usize) -> Result<Option<f64>, EncodeError> {
        let out_of_range = |value: String| Err(EncodeError::OutOfRange { value, declared: "Float64" });
        if let Self::Unsigned(array) = self {
            let Some(number) = array.is_valid(row).then(|| array.value(row)) else { return Ok(None) };
            let float = number as f64;
            return if float as u128 == u128::from(number) {
                Ok(Some(float))
            } else {
                out_of_range(number.to_string())
            };
        }
        let Some(number) = self.get(row, "Float64")? else { return Ok(None) };
        let float = number as f64;
        if float as i128 == i128::from(number) { Ok(Some(float)) } else { out_of_range(number.to_string()) }
    }
}

/// An integer in 32 bits.
pub(super) fn narrow(number: i64) -> Result<i32, EncodeError> {
    i32::try_from(number).map_err(|_| EncodeError::OutOfRange { value: number.to_string(), declared: "Int32" })
}

/// A float in 32 bits; one that is finite stays so.
pub(super) fn single(number: f64) -> Result<f32, EncodeError> {
    let single = number as f32;
    if single.is_infinite() && number.is_finite() {
        return Err(EncodeError::OutOfRange { value: python_text::float(number), declared: "Float32" });
    }
    Ok(single)
}

/// Floats from any number: the nearest one, but of an integer only the same one.
pub(super) enum Floats {
    Double { array: Float64Array, keep_nan: bool },
    Int(Ints),
    Decimal(Decimals),
}

impl Floats {
    /// NaN counts as null unless it is kept.
    pub(super) fn bind(array: &ArrayRef, keep_nan: bool) -> Result<Option<Self>, EncodeError> {
        match array.data_type() {
            column if column.is_floating() => Ok(Some(Self::Double { array: doubles(array)?, keep_nan })),
            ArrowType::Int64 | ArrowType::UInt64 => Ok(Ints::bind(array)?.map(Self::Int)),
            // Up to 32 bits are exact.
            column if column.is_integer() => Ok(Some(Self::Double { array: doubles(array)?, keep_nan })),
            _ => Ok(Decimals::bind(array)?.map(Self::Decimal)),
        }
    }

    pub(super) fn get(&self, row: usize) -> Result<Option<f64>, EncodeError> {
        match self {
            Self::Double { array, keep_nan } => Ok(double(array, row).filter(|number| *keep_nan || !number.is_nan())),
            Self::Int(ints) => ints.float(row),
            Self::Decimal(decimals) => Ok(decimals.plain(row).and_then(|text| text.parse().ok())),
        }
    }

    /// The float of a row in 32 bits. That is the nearest one, of integers too.
    pub(super) fn single(&self, row: usize) -> Result<Option<f32>, EncodeError> {
        match self {
            Self::Int(Ints::Unsigned(array)) => Ok(array.is_valid(row).then(|| array.value(row) as f32)),
            Self::Int(ints) => Ok(ints.get(row, "Float32")?.map(|number| number as f32)),
            others => others.get(row)?.map(single).transpose(),
        }
    }
}

/// Decimal numbers of any width.
pub(super) struct Decimals {
    values: Decimal256Array,
    scale: i8,
}

impl Decimals {
    fn bind(array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        let scale = match array.data_type() {
            ArrowType::Decimal32(_, scale)
            | ArrowType::Decimal64(_, scale)
            | ArrowType::Decimal128(_, scale)
            | ArrowType::Decimal256(_, scale) => *scale,
            _ => return Ok(None),
        };
        let widest = ArrowType::Decimal256(arrow::datatypes::DECIMAL256_MAX_PRECISION, scale);
        Ok(Some(Self { values: convert(array, &widest)?.as_primitive().clone(), scale }))
    }

    /// Digits without exponent.
    fn plain(&self, row: usize) -> Option<String> {
        self.values.is_valid(row).then(|| self.values.value_as_string(row))
    }

    /// As Python prints it.
    fn text(&self, row: usize) -> Option<String> {
        self.values.is_valid(row).then(|| python_text::decimal(&self.values.value(row).to_string(), self.scale))
    }
}

/// Numbers as the text of a decimal number.
pub(super) enum Numerals {
    Text(Texts),
    Int(Int64Array),
    Unsigned(UInt64Array),
    Float(Float64Array),
    Decimal(Decimals),
}

impl Numerals {
    pub(super) fn bind(array: &ArrayRef) -> Result<Option<Self>, EncodeError> {
        if let Some(texts) = Texts::bind(array) {
            return Ok(Some(Self::Text(texts)));
        }
        match array.data_type() {
            column if column.is_floating() => Ok(Some(Self::Float(doubles(array)?))),
            ArrowType::UInt64 => Ok(Some(Self::Unsigned(array.as_primitive().clone()))),
            column if column.is_integer() => Ok(Some(Self::Int(integers(array)?))),
            _ => Ok(Decimals::bind(array)?.map(Self::Decimal)),
        }
    }

    /// The text of a row; NaN counts as null.
    pub(super) fn get(&self, row: usize) -> Result<Option<String>, EncodeError> {
        match self {
            Self::Text(texts) => match texts.get(row) {
                Some(text) if !is_decimal(text) => Err(EncodeError::malformed(text, "a decimal number")),
                text => Ok(text.map(str::to_owned)),
            },
            Self::Int(array) => Ok(integer(array, row).map(|number| number.to_string())),
            Self::Unsigned(array) => Ok(array.is_valid(row).then(|| array.value(row).to_string())),
            Self::Float(array) => Ok(double(array, row).filter(|number| !number.is_nan()).map(python_text::float)),
            Self::Decimal(decimals) => Ok(decimals.text(row)),
        }
    }
}

/// `-1.50`, `2`, `.5`, `1E-8`, `Infinity`, `NaN` and the like.
fn is_decimal(text: &str) -> bool {
    let number = text.strip_prefix(['+', '-']).unwrap_or(text);
    if ["inf", "infinity", "nan"].iter().any(|name| number.eq_ignore_ascii_case(name)) {
        return true;
    }
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let exponent = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let has_digits = !exponent.is_empty() && whole.len() + fraction.len() > 0;
    has_digits && all_digits(whole) && all_digits(fraction) && all_digits(exponent)
}

/// Moments in whole seconds since 1970.
pub(super) struct Seconds {
    values: Int64Array,
    unit: Unit,
    rounding: Rounding,
}

/// What the integers of a column of moments count.
enum Unit {
    Days,
    /// How many there are in a second.
    Fractions(i64),
}

/// What becomes of fractions of a second before 1970.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Rounding {
    Floor,
    TowardZero,
}

impl Seconds {
    /// Timestamps, dates and integers, which are seconds already.
    pub(super) fn bind(array: &ArrayRef, rounding: Rounding) -> Result<Option<Self>, EncodeError> {
        use ArrowType::{Date32, Date64, Timestamp};
        let (values, unit) = match array.data_type() {
            Timestamp(TimeUnit::Second, _) => {
                (array.as_primitive::<TimestampSecondType>().reinterpret_cast(), Unit::Fractions(1))
            }
            Timestamp(TimeUnit::Millisecond, _) => {
                (array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(), Unit::Fractions(1_000))
            }
            Timestamp(TimeUnit::Microsecond, _) => {
                (array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(), Unit::Fractions(1_000_000))
            }
            Timestamp(TimeUnit::Nanosecond, _) => {
                (array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(), Unit::Fractions(1_000_000_000))
            }
            Date32 => (integers(&convert(array, &ArrowType::Int32)?)?, Unit::Days),
            Date64 => (integers(array)?, Unit::Fractions(1_000)),
            column if column.is_integer() => (integers(array)?, Unit::Fractions(1)),
            _ => return Ok(None),
        };
        Ok(Some(Self { values, unit, rounding }))
    }

    pub(super) fn get(&self, row: usize) -> Option<i64> {
        const DAY: i64 = 86_400;
        let value = integer(&self.values, row)?;
        Some(match (&self.unit, self.rounding) {
            // Days come from 32 bits.
            (Unit::Days, _) => value * DAY,
            (Unit::Fractions(parts), Rounding::Floor) => value.div_euclid(*parts),
            (Unit::Fractions(parts), Rounding::TowardZero) => value / parts,
        })
    }
}

/// A column of whole numbers in 64 bits.
pub(super) fn integers(array: &ArrayRef) -> Result<Int64Array, EncodeError> {
    Ok(convert(array, &ArrowType::Int64)?.as_primitive().clone())
}

pub(super) fn integer(array: &Int64Array, row: usize) -> Option<i64> {
    array.is_valid(row).then(|| array.value(row))
}

/// A column of numbers as doubles.
pub(super) fn doubles(array: &ArrayRef) -> Result<Float64Array, EncodeError> {
    Ok(convert(array, &ArrowType::Float64)?.as_primitive().clone())
}

pub(super) fn double(array: &Float64Array, row: usize) -> Option<f64> {
    array.is_valid(row).then(|| array.value(row))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_texts() {
        for text in ["1", "-1.10", "+.5", "5.", "1E-8", "1e+20", "Infinity", "-inf", "NaN"] {
            assert!(is_decimal(text), "{text}");
        }
        for text in ["", "-", ".", "e5", "1e", "1e+", "1.2.3", "0x1", "1_000", " 1", "one", "1é"] {
            assert!(!is_decimal(text), "{text}");
        }
    }
}
