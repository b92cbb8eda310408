//! Arrays of a file's type as arrays of the type that is read.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array, StringArray, UInt32Array, new_null_array},
    compute::{cast, take},
    datatypes::{
        DataType as ArrowType, Int64Type, TimeUnit, TimestampMicrosecondType, TimestampMillisecondType,
        TimestampNanosecondType, TimestampSecondType,
    },
    error::ArrowError,
};

use super::{
    columns::Column,
    target::{Integers, Role, Target, Way, is_typed_key, target},
    text::{TextColumn, TextRules, TimeFormat},
    ticks::Ticks,
    unify::is_text,
};
use crate::{
    feast::values::{
        encode::{self, EncodeError, Texts},
        value::text_from_bytes,
    },
    model::{self, DataType},
};

/// A converted array.
pub struct Converted {
    /// The values in their new type.
    pub array: ArrayRef,
    /// Rows whose value does not fit, ascending; they are null in `array`.
    pub unfit: Vec<usize>,
    /// What is wrong with the first of them.
    pub reason: Option<String>,
}

impl From<encode::Conformed> for Converted {
    fn from(conformed: encode::Conformed) -> Self {
        let reason = conformed.reason.map(|reason| reason.to_string());
        Self { array: conformed.array, unfit: conformed.unfit, reason }
    }
}

/// Turns values of a column into those of its target.
#[derive(Debug, Clone)]
pub(crate) struct Converter {
    role: Role,
    target: Target,
    rules: Arc<TextRules>,
    /// Whether the values are texts that become what is asked for.
    reads_texts: bool,
}

impl Converter {
    pub(crate) const fn new(role: Role, target: Target, rules: Arc<TextRules>) -> Self {
        Self { role, target, rules, reads_texts: false }
    }

    /// The same for values that are texts and stand for something else.
    pub(crate) fn of_what_is_written(self, reads_texts: bool) -> Self {
        Self { reads_texts, ..self }
    }

    /// What texts of this column are read into.
    pub(crate) fn text_column(&self) -> TextColumn {
        match &self.role {
            Role::Time => TextColumn::time(&self.rules),
            Role::Value(declared) | Role::Key(declared) => {
                TextColumn::value(declared, &self.rules).unwrap_or_else(TextColumn::as_is)
            }
            Role::EntityKey(declared) => TextColumn::key(declared).unwrap_or_else(TextColumn::as_is),
            Role::AsIs => TextColumn::as_is(),
        }
    }

    /// Converts a batch of typed values.
    ///
    /// # Errors
    /// When the types do not go together, which [`target`](super::target::target) does not let happen.
    pub(crate) fn convert(&self, array: &ArrayRef) -> Result<Converted, EncodeError> {
        let array = match array.data_type() {
            ArrowType::Dictionary(_, values) => &cast(array, values)?,
            _ => array,
        };
        let kind = array.data_type();
        if self.reads_texts {
            return Ok(self.read_texts(array));
        }
        if let Role::EntityKey(declared) = &self.role
            && !is_typed_key(kind, declared)
        {
            return Ok(self.read_texts(&as_texts(array)?));
        }
        match &self.target.way {
            _ if is_text(kind) && self.target.arrow == ArrowType::Utf8 && !self.checks_texts() => {
                Ok(exact(Arc::clone(array)))
            }
            Way::Conform(_) | Way::Widen if is_binary(kind) && self.target.arrow == ArrowType::Binary => {
                Ok(exact(Arc::clone(array)))
            }
            Way::Conform(declared) if *kind == self.target.arrow && is_own_type(declared) => {
                Ok(exact(Arc::clone(array)))
            }
            Way::Conform(declared) => Ok(encode::conform(declared, array)?.into()),
            Way::Widen => Ok(encode::widen(array, &self.target.arrow)?.into()),
            Way::Ticks(ticks) => self.ticks(array, *ticks),
            Way::Seconds => Ok(self.in_unit(encode::conform(&DataType::UnixTimestamp, array)?.into())),
        }
    }

    /// Whether texts are not just kept.
    fn checks_texts(&self) -> bool {
        matches!(&self.target.way, Way::Conform(declared) if *declared != DataType::String)
    }

    /// One text, such as that of a folder's name, as an array of one.
    pub(crate) fn constant(&self, text: Option<&str>) -> Converted {
        let mut column = self.text_column();
        let pushed = match text {
            Some(text) => column.push_text(text),
            None => {
                column.push_null();
                Ok(())
            }
        };
        let reason = pushed.err().map(|unfit| unfit.to_string());
        if reason.is_some() {
            column.push_null();
        }
        self.in_unit(Converted { array: column.finish(), unfit: reason.iter().map(|_| 0).collect(), reason })
    }

    fn read_texts(&self, array: &ArrayRef) -> Converted {
        let mut column = self.text_column();
        let (mut unfit, mut reason) = (Vec::new(), None);
        let texts = Texts::bind(array);
        for row in 0..array.len() {
            match texts.as_ref().and_then(|texts| texts.get(row)).map(|text| column.push_text(text)) {
                Some(Ok(())) => {}
                Some(Err(problem)) => {
                    column.push_null();
                    unfit.push(row);
                    reason.get_or_insert_with(|| problem.to_string());
                }
                None => column.push_null(),
            }
        }
        self.in_unit(Converted { array: column.finish(), unfit, reason })
    }

    /// What a [text column](Self::text_column) made of texts, as it is read.
    pub(crate) fn of_texts(&self, array: &ArrayRef) -> ArrayRef {
        match self.target.way {
            // Texts become nanoseconds; where others are microseconds, they are so, too.
            Way::Ticks(Ticks::Micros) => {
                let micros: Int64Array = array.as_primitive::<Int64Type>().unary(|nanos| Ticks::Nanos.to_micros(nanos));
                Arc::new(micros)
            }
            Way::Seconds => {
                let micros = array.as_primitive::<TimestampMicrosecondType>();
                let seconds: Int64Array = micros.unary(|micros| micros.div_euclid(1_000_000));
                Arc::new(seconds)
            }
            _ => Arc::clone(array),
        }
    }

    fn in_unit(&self, converted: Converted) -> Converted {
        Converted { array: self.of_texts(&converted.array), ..converted }
    }

    fn ticks(&self, array: &ArrayRef, ticks: Ticks) -> Result<Converted, EncodeError> {
        use ArrowType::{Date32, Date64, Null, Timestamp};
        const DAY: i64 = 86_400_000_000_000;
        let (values, nanos): (Int64Array, i64) = match array.data_type() {
            Null => return Ok(exact(new_null_array(&ArrowType::Int64, array.len()))),
            kind if is_text(kind) => return Ok(self.read_texts(array)),
            Timestamp(TimeUnit::Second, _) => {
                (array.as_primitive::<TimestampSecondType>().reinterpret_cast(), 1_000_000_000)
            }
            Timestamp(TimeUnit::Millisecond, _) => {
                (array.as_primitive::<TimestampMillisecondType>().reinterpret_cast(), 1_000_000)
            }
            Timestamp(TimeUnit::Microsecond, _) => {
                (array.as_primitive::<TimestampMicrosecondType>().reinterpret_cast(), 1_000)
            }
            Timestamp(TimeUnit::Nanosecond, _) => {
                (array.as_primitive::<TimestampNanosecondType>().reinterpret_cast(), 1)
            }
            Date32 => (cast(&cast(array, &ArrowType::Int32)?, &ArrowType::Int64)?.as_primitive().clone(), DAY),
            Date64 => (cast(array, &ArrowType::Int64)?.as_primitive().clone(), 1_000_000),
            _ => (cast(array, &ArrowType::Int64)?.as_primitive().clone(), self.integers_count()),
        };
        let tick = ticks.nanos();
        if nanos == tick {
            return Ok(exact(Arc::new(values)));
        }
        if nanos < tick {
            let floor: Int64Array = values.unary(|value| value.div_euclid(tick / nanos));
            return Ok(exact(Arc::new(floor)));
        }
        let scaled: Int64Array = values.unary_opt(|value| value.checked_mul(nanos / tick));
        let unfit: Vec<usize> = (0..values.len()).filter(|row| values.is_valid(*row) && scaled.is_null(*row)).collect();
        let reason = unfit.first().map(|row| {
            let unit = if tick == 1 { "nano" } else { "micro" };
            let moment = model::Timestamp::from_micros(values.value(*row).saturating_mul(nanos / 1_000));
            let limits = if tick == 1 { ", which hold the years 1677 to 2262; other files have them" } else { "" };
            format!("{moment} is out of range for {unit}seconds{limits}")
        });
        Ok(Converted { array: Arc::new(scaled), unfit, reason })
    }

    /// Nanoseconds of what integers count.
    fn integers_count(&self) -> i64 {
        match self.rules.times {
            TimeFormat::Epoch(TimeUnit::Nanosecond) => 1,
            TimeFormat::Epoch(TimeUnit::Microsecond) => 1_000,
            TimeFormat::Epoch(TimeUnit::Millisecond) => 1_000_000,
            _ => 1_000_000_000,
        }
    }
}

/// The values of a column of entities as those of a join key: those that do not fit are null. `None`
/// where values of the column's type never become that.
///
/// # Errors
/// When Arrow has no way from one type to the other.
pub fn key_values(array: &ArrayRef, declared: &DataType) -> Result<Option<Converted>, EncodeError> {
    let role = Role::EntityKey(declared.clone());
    let column = Column::typed("", array.data_type().clone());
    let Some(target) = target(&column, &role, Integers::None) else { return Ok(None) };
    Converter::new(role, target, Arc::new(TextRules::default())).convert(array).map(Some)
}

/// Whether the type that holds all values of a declared type holds nothing else.
const fn is_own_type(declared: &DataType) -> bool {
    matches!(
        declared,
        DataType::Bool
            | DataType::Int32
            | DataType::Int64
            | DataType::Float32
            | DataType::Float64
            | DataType::UnixTimestamp
            | DataType::ZonedTimestamp
    )
}

/// Values as people would write them; bytes perhaps in base64.
pub fn as_texts(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        kind if is_binary(kind) || matches!(kind, ArrowType::FixedSizeBinary(_)) => {
            let bytes = cast(array, &ArrowType::LargeBinary)?;
            let texts = bytes.as_binary::<i64>().iter().map(|bytes| bytes.map(text_from_bytes));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        // Pandas has NaN for missing integers.
        kind if kind.is_floating() => {
            let texts = cast(array, &ArrowType::Utf8)?;
            let texts = texts.as_string::<i32>().iter().map(|text| text.filter(|text| *text != "NaN"));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        _ => cast(array, &ArrowType::Utf8),
    }
}

fn exact(array: ArrayRef) -> Converted {
    Converted { array, unfit: Vec::new(), reason: None }
}

/// An array of one value, repeated for each row.
pub(crate) fn repeat(one: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    take(one, &UInt32Array::from(vec![0; rows]), None)
}

fn is_binary(kind: &ArrowType) -> bool {
    matches!(kind, ArrowType::Binary | ArrowType::LargeBinary | ArrowType::BinaryView)
}
