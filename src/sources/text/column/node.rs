//! The values of a column or of a part of one, with their nulls.

use std::{mem, sync::Arc};

use arrow::{
    array::{
        ArrayRef, BooleanArray, BooleanBufferBuilder, Float32Array, Float64Array, Int32Array, Int64Array, ListArray,
        NullBufferBuilder, StructArray, TimestampMicrosecondArray,
    },
    buffer::{OffsetBuffer, ScalarBuffer},
    datatypes::{Field, FieldRef, Fields},
};

use super::texts::{TextKind, Texts};
use crate::{feast::values::encode::carrier, model::DataType, sources::text::TimeFormat};

/// Values, of which some are null.
pub(super) struct Node {
    pub(super) nulls: NullBufferBuilder,
    pub(super) values: Values,
    /// What a text should be, as a message says it.
    pub(super) expected: String,
}

/// Values in vectors, which unlike Arrow's builders can be shortened again when a later part of the
/// same list or struct does not fit.
pub(super) enum Values {
    Bool(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float32(Vec<f32>),
    Float64(Vec<f64>),
    /// Times in microseconds.
    Micros(Vec<i64>),
    /// Times in nanoseconds, as integers.
    Nanos(Vec<i64>),
    Text(TextKind, Texts),
    Bytes(Texts),
    /// Where the elements of each list end, after a zero.
    List(Vec<i32>, Box<Node>, FieldRef),
    Struct(Vec<Node>, Fields),
}

impl Values {
    pub(super) fn text(kind: TextKind) -> Self {
        Self::Text(kind, Texts::new())
    }
}

impl Node {
    pub(super) fn with(values: Values, expected: &str) -> Self {
        // Without nulls no bitmap is made, so its capacity costs nothing.
        Self { nulls: NullBufferBuilder::new(0), values, expected: expected.to_owned() }
    }

    pub(super) fn new(declared: &DataType) -> Option<Self> {
        let values = match declared {
            DataType::Bool => Values::Bool(BooleanBufferBuilder::new(0)),
            DataType::Int32 => Values::Int32(Vec::new()),
            DataType::Int64 => Values::Int64(Vec::new()),
            DataType::Float32 => Values::Float32(Vec::new()),
            DataType::Float64 => Values::Float64(Vec::new()),
            DataType::UnixTimestamp | DataType::ZonedTimestamp => Values::Micros(Vec::new()),
            DataType::Bytes | DataType::PdfBytes | DataType::ImageBytes => Values::Bytes(Texts::new()),
            DataType::String => Values::text(TextKind::String),
            DataType::Decimal => Values::text(TextKind::Decimal),
            DataType::Uuid | DataType::TimeUuid => Values::text(TextKind::Uuid),
            DataType::Json => Values::text(TextKind::Json),
            DataType::Map => Values::text(TextKind::Map),
            DataType::Array(element) | DataType::Set(element) => {
                let field = Field::new_list_field(carrier(element)?, true);
                Values::List(vec![0], Box::new(Self::new(element)?), Arc::new(field))
            }
            DataType::Struct(members) => {
                let field = |(name, dtype): &(String, DataType)| Some(Field::new(name, carrier(dtype)?, true));
                let fields = members.iter().map(field).collect::<Option<Vec<_>>>()?;
                let nodes = members.iter().map(|(_, dtype)| Self::new(dtype)).collect::<Option<Vec<_>>>()?;
                Values::Struct(nodes, fields.into())
            }
            DataType::ScalarMap | DataType::Unknown(_) => return None,
        };
        Some(Self::with(values, &declared.to_string()))
    }

    /// Lets messages about times say how they should be written.
    pub(super) fn tell_times(&mut self, format: &TimeFormat) {
        match &mut self.values {
            Values::Micros(_) | Values::Nanos(_) => {
                self.expected = match format {
                    TimeFormat::Iso => "time".to_owned(),
                    TimeFormat::Epoch(_) => format!("time in {format}"),
                    TimeFormat::Pattern(pattern) => format!("time like `{pattern}`"),
                };
            }
            Values::List(_, element, _) => element.tell_times(format),
            Values::Struct(members, _) => members.iter_mut().for_each(|member| member.tell_times(format)),
            _ => {}
        }
    }

    pub(super) fn len(&self) -> usize {
        self.nulls.len()
    }

    pub(super) fn push_null(&mut self) {
        match &mut self.values {
            Values::Bool(values) => values.append(false),
            Values::Int32(values) => values.push(0),
            Values::Int64(values) | Values::Micros(values) | Values::Nanos(values) => values.push(0),
            Values::Float32(values) => values.push(0.0),
            Values::Float64(values) => values.push(0.0),
            Values::Text(_, texts) | Values::Bytes(texts) => texts.push_empty(),
            Values::List(ends, ..) => ends.push(ends.last().copied().unwrap_or(0)),
            Values::Struct(members, _) => members.iter_mut().for_each(Self::push_null),
        }
        self.nulls.append_null();
    }

    /// Forgets all values but the first ones.
    pub(super) fn truncate(&mut self, length: usize) {
        if self.len() <= length {
            return;
        }
        match &mut self.values {
            Values::Bool(values) => values.truncate(length),
            Values::Int32(values) => values.truncate(length),
            Values::Int64(values) | Values::Micros(values) | Values::Nanos(values) => values.truncate(length),
            Values::Float32(values) => values.truncate(length),
            Values::Float64(values) => values.truncate(length),
            Values::Text(_, texts) | Values::Bytes(texts) => texts.truncate(length),
            Values::List(ends, element, _) => {
                ends.truncate(length + 1);
                element.truncate(ends.last().map_or(0, |end| *end as usize));
            }
            Values::Struct(members, _) => members.iter_mut().for_each(|member| member.truncate(length)),
        }
        self.nulls.truncate(length);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let length = self.len();
        let nulls = self.nulls.finish();
        match &mut self.values {
            Values::Bool(values) => Arc::new(BooleanArray::new(values.finish(), nulls)),
            Values::Int32(values) => Arc::new(Int32Array::new(take(values).into(), nulls)),
            Values::Int64(values) | Values::Nanos(values) => Arc::new(Int64Array::new(take(values).into(), nulls)),
            Values::Float32(values) => Arc::new(Float32Array::new(take(values).into(), nulls)),
            Values::Float64(values) => Arc::new(Float64Array::new(take(values).into(), nulls)),
            Values::Micros(values) => {
                Arc::new(TimestampMicrosecondArray::new(take(values).into(), nulls).with_timezone("UTC"))
            }
            Values::Text(_, texts) => texts.finish_text(nulls),
            Values::Bytes(texts) => texts.finish_binary(nulls),
            Values::List(ends, element, field) => {
                let ends = mem::replace(ends, vec![0]);
                let offsets = OffsetBuffer::new(ScalarBuffer::from(ends));
                Arc::new(ListArray::new(field.clone(), offsets, element.finish(), nulls))
            }
            // Without members it has no other length.
            Values::Struct(members, _) if members.is_empty() => Arc::new(StructArray::new_empty_fields(length, nulls)),
            Values::Struct(members, fields) => {
                let arrays = members.iter_mut().map(Self::finish).collect();
                Arc::new(StructArray::new(fields.clone(), arrays, nulls))
            }
        }
    }
}

/// The next batch is probably as large as this one.
fn take<T>(values: &mut Vec<T>) -> Vec<T> {
    let next = Vec::with_capacity(values.len());
    mem::replace(values, next)
}
