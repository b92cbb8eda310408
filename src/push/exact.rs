//! Values as those of a column that is there: nothing is rounded or cut on the way.

use std::sync::Arc;

use arrow::{
    array::{Array, ArrayRef, AsArray, Int64Array},
    compute::cast,
    datatypes::{DataType as ArrowType, Int64Type, TimeUnit},
    error::ArrowError,
    util::display::array_value_to_string,
};

use crate::{
    feast::values::infer,
    sources::{ContentOrder, Role, Ticks, TimeFormat, as_texts, type_name},
};

/// A value that a column cannot hold.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unfit {
    /// Its place in the batch.
    pub row: usize,
    /// Why, in words.
    pub reason: String,
}

impl From<ArrowError> for Unfit {
    /// No value of such a column fits.
    fn from(error: ArrowError) -> Self {
        Self { row: 0, reason: error.to_string() }
    }
}

/// As what values for a column are read.
pub(super) fn role(target: &ArrowType) -> Role {
    // Which members maps have only the type says in which they come.
    if holds_maps(target) { Role::AsIs } else { infer(target).map_or(Role::AsIs, Role::Value) }
}

fn holds_maps(target: &ArrowType) -> bool {
    match target {
        ArrowType::Map(..) => true,
        ArrowType::Struct(fields) => fields.iter().any(|field| holds_maps(field.data_type())),
        ArrowType::List(field) | ArrowType::LargeList(field) | ArrowType::FixedSizeList(field, _) => {
            holds_maps(field.data_type())
        }
        _ => false,
    }
}

/// Whether values of a column are moments or days, or numbers that count from 1970 as its source says.
pub(super) fn holds_times(target: &ArrowType, written: &TimeFormat) -> bool {
    match target {
        ArrowType::Timestamp(..) | ArrowType::Date32 | ArrowType::Date64 => true,
        target => target.is_integer() && matches!(written, TimeFormat::Epoch(_)),
    }
}

/// Moments in ticks as values of a column that [`holds_times`].
pub(super) fn times(
    array: &ArrayRef,
    ticks: Ticks,
    target: &ArrowType,
    written: &TimeFormat,
) -> Result<ArrayRef, Unfit> {
    const DAY: i64 = 86_400_000_000_000;
    let (nanos, what) = match (target, written) {
        (ArrowType::Date32, _) => (DAY, "days"),
        (ArrowType::Date64, _) => of_unit(TimeUnit::Millisecond),
        (ArrowType::Timestamp(unit, _), _) | (_, TimeFormat::Epoch(unit)) => of_unit(*unit),
        _ => of_unit(TimeUnit::Second),
    };
    let mut counted = Int64Array::builder(array.len());
    for (row, moment) in array.as_primitive::<Int64Type>().iter().enumerate() {
        let Some(moment) = moment else {
            counted.append_null();
            continue;
        };
        let (all, one) = (i128::from(moment) * i128::from(ticks.nanos()), i128::from(nanos));
        match i64::try_from(all.div_euclid(one)) {
            Ok(whole) if all.rem_euclid(one) == 0 => counted.append_value(whole),
            _ => {
                let moment = ticks.moment(moment);
                let reason = format!("{moment} does not fit into the source's column, which counts {what}");
                return Err(Unfit { row, reason });
            }
        }
    }
    let counted: ArrayRef = Arc::new(counted.finish());
    Ok(match target {
        ArrowType::Date32 => cast(&cast(&counted, &ArrowType::Int32)?, target)?,
        target => cast(&counted, target)?,
    })
}

/// The nanoseconds of a unit, and what it is called.
const fn of_unit(unit: TimeUnit) -> (i64, &'static str) {
    match unit {
        TimeUnit::Second => (1_000_000_000, "seconds"),
        TimeUnit::Millisecond => (1_000_000, "milliseconds"),
        TimeUnit::Microsecond => (1_000, "microseconds"),
        TimeUnit::Nanosecond => (1, "nanoseconds"),
    }
}

/// Values as names of folders.
pub(super) fn texts(array: &ArrayRef) -> Result<ArrayRef, Unfit> {
    Ok(as_texts(array)?)
}

/// Values in another type, if they are the same there.
pub(super) fn values(array: &ArrayRef, target: &ArrowType) -> Result<ArrayRef, Unfit> {
    const WIDEST: ArrowType = ArrowType::Decimal256(76, 38);
    match (array.data_type(), target) {
        (kind, target) if kind == target => Ok(Arc::clone(array)),
        // As with Float32 the nearest is meant.
        (_, ArrowType::Float16) => Ok(cast(array, target)?),
        // A number has many texts.
        (ArrowType::Utf8, target) if target.is_decimal() => {
            let (numbers, texts) = (cast(array, &WIDEST)?, array);
            match (0..texts.len()).find(|row| texts.is_valid(*row) && numbers.is_null(*row)) {
                Some(row) => Err(unfit(texts, row, target)),
                None => same(&numbers, target),
            }
        }
        (_, target) => same(array, target),
    }
}

/// A cast that, cast back, gives what there was.
fn same(array: &ArrayRef, target: &ArrowType) -> Result<ArrayRef, Unfit> {
    let made = cast(array, target)?;
    let mut order = ContentOrder::default();
    let was = order.rows(&[Arc::clone(array)])?;
    let is = order.rows(&[cast(&made, array.data_type())?])?;
    match (0..array.len()).find(|row| was.row(*row) != is.row(*row)) {
        Some(row) => Err(unfit(array, row, target)),
        None => Ok(made),
    }
}

fn unfit(array: &ArrayRef, row: usize, target: &ArrowType) -> Unfit {
    let value = array_value_to_string(array, row).unwrap_or_default();
    Unfit { row, reason: format!("`{value}` does not fit into the source's column of type {}", type_name(target)) }
}

#[cfg(test)]
mod tests {
    use arrow::{
        array::{
            Decimal128Array, Float64Array, Int8Array, Int32Array, LargeStringArray, StringArray,
            TimestampMicrosecondArray,
        },
        datatypes::{Float64Type, TimestampMillisecondType},
    };

    use super::*;

    const NAIVE_MILLIS: ArrowType = ArrowType::Timestamp(TimeUnit::Millisecond, None);

    fn moments(moments: &[Option<i64>]) -> ArrayRef {
        Arc::new(Int64Array::from(moments.to_vec()))
    }

    #[test]
    fn moments_are_counted_as_the_column_counts() {
        let two = moments(&[Some(3_000_000), None]);
        let at = |target: &ArrowType, written: &TimeFormat| times(&two, Ticks::Micros, target, written).unwrap();
        let millis = at(&NAIVE_MILLIS, &TimeFormat::Iso);
        assert_eq!(millis.as_primitive::<TimestampMillisecondType>().iter().collect::<Vec<_>>(), [Some(3_000), None]);
        let zoned = ArrowType::Timestamp(TimeUnit::Nanosecond, Some("Europe/Berlin".into()));
        assert_eq!(at(&zoned, &TimeFormat::Iso).data_type(), &zoned);
        let counted = at(&ArrowType::Int32, &TimeFormat::Epoch(TimeUnit::Second));
        assert_eq!(counted.as_ref(), &Int32Array::from(vec![Some(3), None]));
        let days = times(&moments(&[Some(-86_400_000_000_000)]), Ticks::Nanos, &ArrowType::Date32, &TimeFormat::Iso);
        assert_eq!(array_value_to_string(&days.unwrap(), 0).unwrap(), "1969-12-31");
    }

    #[test]
    fn moments_between_those_of_the_column_are_told() {
        let between = times(&moments(&[Some(1_000), Some(1_001)]), Ticks::Micros, &NAIVE_MILLIS, &TimeFormat::Iso);
        let reason = "1970-01-01T00:00:00.001001Z does not fit into the source's column, which counts milliseconds";
        assert_eq!(between.unwrap_err(), Unfit { row: 1, reason: reason.to_owned() });
        let beyond = ArrowType::Timestamp(TimeUnit::Nanosecond, None);
        assert_eq!(times(&moments(&[Some(i64::MAX)]), Ticks::Micros, &beyond, &TimeFormat::Iso).unwrap_err().row, 0);
    }

    #[test]
    fn values_are_the_same_in_the_column_or_told() {
        let of = |array: ArrayRef, target: ArrowType| values(&array, &target);
        let ints = || Arc::new(Int32Array::from(vec![Some(7), None, Some(-128)])) as ArrayRef;
        assert_eq!(of(ints(), ArrowType::Int8).unwrap().as_ref(), &Int8Array::from(vec![Some(7), None, Some(-128)]));
        let beyond = of(Arc::new(Int32Array::from(vec![0, 128])), ArrowType::Int8).unwrap_err();
        let reason = "`128` does not fit into the source's column of type int8";
        assert_eq!(beyond, Unfit { row: 1, reason: reason.to_owned() });
        let texts = of(Arc::new(StringArray::from(vec![Some("ü"), None])), ArrowType::LargeUtf8).unwrap();
        assert_eq!(texts.as_ref(), &LargeStringArray::from(vec![Some("ü"), None]));
        let micros = Arc::new(TimestampMicrosecondArray::from(vec![1_000, 1_500]).with_timezone("UTC"));
        assert_eq!(of(micros, NAIVE_MILLIS).unwrap_err().row, 1);
        let floats = of(Arc::new(Float64Array::from(vec![0.1, f64::NAN])), ArrowType::Float16).unwrap();
        assert_eq!(floats.data_type(), &ArrowType::Float16);
        let ints = of(Arc::new(Int64Array::from(vec![1 << 53, (1 << 53) + 1])), ArrowType::Float64).unwrap_err();
        assert_eq!(ints.row, 1);
        assert!(of(Arc::new(StringArray::from(vec!["7"])), ArrowType::Duration(TimeUnit::Second)).is_err());
    }

    #[test]
    fn numbers_as_texts_keep_their_digits() {
        let decimal = ArrowType::Decimal128(10, 2);
        let of = |texts: &[Option<&str>]| values(&(Arc::new(StringArray::from(texts.to_vec())) as ArrayRef), &decimal);
        let made = of(&[Some("1.2"), None, Some("-12345678.90"), Some("3.000")]).unwrap();
        let expected = Decimal128Array::from(vec![Some(120), None, Some(-1_234_567_890), Some(300)]);
        assert_eq!(made.as_ref(), &expected.with_precision_and_scale(10, 2).unwrap());
        assert_eq!(of(&[Some("1.2"), Some("1.234")]).unwrap_err().row, 1);
        assert_eq!(of(&[Some("123456789.00")]).unwrap_err().row, 0);
        let floats: ArrayRef = Arc::new(Float64Array::from(vec![1.5]));
        assert_eq!(
            values(&values(&floats, &decimal).unwrap(), &ArrowType::Float64)
                .unwrap()
                .as_primitive::<Float64Type>()
                .value(0),
            1.5
        );
    }

    #[test]
    fn a_column_is_read_as_what_its_type_means() {
        let of = |text: &str| Role::Value(text.parse().unwrap());
        assert_eq!(role(&ArrowType::Int8), of("Int32"));
        assert_eq!(role(&ArrowType::LargeUtf8), of("String"));
        let list = ArrowType::new_list(ArrowType::Float32, true);
        assert_eq!(role(&list), of("Array(Float32)"));
        assert_eq!(role(&ArrowType::Time64(TimeUnit::Microsecond)), Role::AsIs);
    }
}
