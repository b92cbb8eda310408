//! Values of key columns that are of interest, so that rows with others need not be read.

use std::collections::BTreeSet;

use arrow::{
    array::{ArrayRef, AsArray as _},
    datatypes::{DataType as ArrowType, Int32Type, Int64Type},
};
use parquet::bloom_filter::Sbbf;

use crate::feast::values::encode::Texts;

/// The most values that are looked for; more are not fewer rows.
const MOST: usize = 50_000;

/// Values of a key, as they are read: whole numbers or texts, each once and in their order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum KeyValues {
    Numbers(Vec<i64>),
    Texts(Vec<String>),
}

impl KeyValues {
    /// The different values of an array but null; `None` where they are too many, or of another kind.
    pub(super) fn of(array: &ArrayRef) -> Option<Self> {
        if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
            return distinct(numbers.iter().flatten()).map(Self::Numbers);
        }
        if let Some(numbers) = array.as_primitive_opt::<Int32Type>() {
            return distinct(numbers.iter().flatten().map(i64::from)).map(Self::Numbers);
        }
        let texts = array.as_string_opt::<i32>()?;
        distinct(texts.iter().flatten().map(str::to_owned)).map(Self::Texts)
    }

    /// How many there are.
    pub(super) const fn len(&self) -> usize {
        match self {
            Self::Numbers(numbers) => numbers.len(),
            Self::Texts(texts) => texts.len(),
        }
    }

    /// Whether one of them is between two values, arrays of one, both inside; `None` where those are of another kind, or
    /// null.
    pub(super) fn any_between(&self, least: &ArrayRef, greatest: &ArrayRef) -> Option<bool> {
        match self {
            Self::Numbers(numbers) => {
                let (least, greatest) = (number(least)?, number(greatest)?);
                let first = numbers.partition_point(|number| *number < least);
                Some(numbers.get(first).is_some_and(|number| *number <= greatest))
            }
            Self::Texts(texts) => {
                let (least, greatest) = (Texts::bind(least)?, Texts::bind(greatest)?);
                let (least, greatest) = (least.get(0)?, greatest.get(0)?);
                let first = texts.partition_point(|text| text.as_str() < least);
                Some(texts.get(first).is_some_and(|text| text.as_str() <= greatest))
            }
        }
    }

    /// Whether one of them may be among the values of a column that a filter is of. Where the column stores them otherwise
    /// than they are read, each may be.
    pub(super) fn any_in(&self, filter: &Sbbf, column: &ArrowType) -> bool {
        if filter.num_blocks() == 0 {
            return true;
        }
        match (self, column) {
            (Self::Numbers(numbers), ArrowType::Int64) => numbers.iter().any(|number| filter.check(number)),
            (Self::Numbers(numbers), ArrowType::Int32 | ArrowType::Int16 | ArrowType::Int8) => {
                numbers.iter().filter_map(|number| i32::try_from(*number).ok()).any(|number| filter.check(&number))
            }
            (Self::Texts(texts), ArrowType::Utf8 | ArrowType::LargeUtf8 | ArrowType::Utf8View) => {
                texts.iter().any(|text| filter.check(text.as_str()))
            }
            _ => true,
        }
    }
}

fn number(array: &ArrayRef) -> Option<i64> {
    if let Some(numbers) = array.as_primitive_opt::<Int32Type>() {
        return numbers.iter().next()?.map(i64::from);
    }
    array.as_primitive_opt::<Int64Type>()?.iter().next()?
}

fn distinct<T: Ord>(values: impl Iterator<Item = T>) -> Option<Vec<T>> {
    let mut known = BTreeSet::new();
    for value in values {
        if known.insert(value) && known.len() > MOST {
            return None;
        }
    }
    Some(known.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Float64Array, Int32Array, Int64Array, StringArray, StringViewArray};

    use super::*;

    fn numbers(values: &[i64]) -> KeyValues {
        KeyValues::of(&(Arc::new(Int64Array::from(values.to_vec())) as ArrayRef)).unwrap()
    }

    #[test]
    fn values_between_others_are_found() {
        let known = numbers(&[9, 3, 3]);
        let between = |least: i64, greatest: i32| {
            known.any_between(
                &(Arc::new(Int64Array::from(vec![least])) as ArrayRef),
                &(Arc::new(Int32Array::from(vec![greatest])) as ArrayRef),
            )
        };
        assert_eq!(
            [between(4, 8), between(9, 9), between(0, 3), between(10, 99)].map(Option::unwrap),
            [false, true, true, false]
        );
        let null: ArrayRef = Arc::new(Int64Array::from(vec![None]));
        let other: ArrayRef = Arc::new(Float64Array::from(vec![1.0]));
        assert_eq!([known.any_between(&null, &null), known.any_between(&other, &other)], [None, None]);
        let texts =
            KeyValues::of(&(Arc::new(StringArray::from(vec![Some("ä"), None, Some("b")])) as ArrayRef)).unwrap();
        let text = |text: &str| Arc::new(StringViewArray::from(vec![text])) as ArrayRef;
        assert_eq!(texts.any_between(&text("c"), &text("z")), Some(false));
        assert_eq!(texts.any_between(&text("z"), &text("ö")), Some(true));
        assert_eq!(texts.any_between(&null, &text("z")), None);
    }

    #[test]
    fn many_values_are_none() {
        let many: ArrayRef = Arc::new(Int64Array::from_iter_values(0..60_000));
        assert_eq!(KeyValues::of(&many), None);
        assert_eq!(numbers(&[]).len(), 0);
    }

    #[test]
    fn filters_are_asked_as_the_column_stores_its_values() {
        let mut filter = Sbbf::new_with_num_of_bytes(1_024);
        filter.insert(&7_i32);
        filter.insert("x");
        assert!(numbers(&[1, 7]).any_in(&filter, &ArrowType::Int16));
        assert!(!numbers(&[7 + (1 << 32)]).any_in(&filter, &ArrowType::Int32));
        assert!(!numbers(&[8]).any_in(&filter, &ArrowType::Int64));
        assert!(numbers(&[8]).any_in(&filter, &ArrowType::Float64), "nobody knows");
        assert!(numbers(&[8]).any_in(&Sbbf::new(&[]), &ArrowType::Int64), "it says nothing");
        assert!(KeyValues::Texts(vec!["x".to_owned()]).any_in(&filter, &ArrowType::Utf8));
    }
}
