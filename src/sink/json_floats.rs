use std::sync::LazyLock;

use arrow::{
    array::{Array, AsArray as _, PrimitiveArray},
    datatypes::{ArrowPrimitiveType, DataType, FieldRef, Float16Type, Float32Type, Float64Type},
    error::ArrowError,
    json::writer::{Encoder, EncoderFactory, EncoderOptions, NullableEncoder, make_encoder},
};

/// Writes the floats that JSON has no numbers for as the texts `"NaN"`, `"Infinity"` and `"-Infinity"`, as `get-online`
/// does and as protobuf's JSON has them, where Arrow writes null.
#[derive(Debug)]
pub(crate) struct FloatsAsTexts;

/// How Arrow writes floats by itself.
static PLAIN: LazyLock<EncoderOptions> = LazyLock::new(EncoderOptions::default);

impl EncoderFactory for FloatsAsTexts {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        match array.data_type() {
            DataType::Float16 => texts(field, array.as_primitive::<Float16Type>()),
            DataType::Float32 => texts(field, array.as_primitive::<Float32Type>()),
            DataType::Float64 => texts(field, array.as_primitive::<Float64Type>()),
            _ => Ok(None),
        }
    }
}

/// The encoder of an array with such floats; `None` for others, which need no other way.
fn texts<'a, T: ArrowPrimitiveType<Native: Into<f64>>>(
    field: &'a FieldRef,
    array: &'a PrimitiveArray<T>,
) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
    if array.values().iter().all(|value| (*value).into().is_finite()) {
        return Ok(None);
    }
    let encoder = FloatEncoder { array, numbers: make_encoder(field, array, &PLAIN)? };
    Ok(Some(NullableEncoder::new(Box::new(encoder), array.nulls().cloned())))
}

struct FloatEncoder<'a, T: ArrowPrimitiveType> {
    array: &'a PrimitiveArray<T>,
    numbers: NullableEncoder<'a>,
}

impl<T: ArrowPrimitiveType<Native: Into<f64>>> Encoder for FloatEncoder<'_, T> {
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) {
        let number: f64 = self.array.value(row).into();
        let text: &[u8] = match number {
            finite if finite.is_finite() => return self.numbers.encode(row, out),
            f64::INFINITY => br#""Infinity""#,
            f64::NEG_INFINITY => br#""-Infinity""#,
            _ => br#""NaN""#,
        };
        out.extend_from_slice(text);
    }
}
