use std::ops::Range;

use arrow::{
    array::{Array, ArrayRef, AsArray},
    buffer::{NullBuffer, OffsetBuffer},
    datatypes::DataType as ArrowType,
};

/// Where the elements of each list of a column are among the elements of all.
pub(super) struct Lists {
    bounds: Bounds,
    nulls: Option<NullBuffer>,
}

enum Bounds {
    Small(OffsetBuffer<i32>),
    Large(OffsetBuffer<i64>),
    Fixed(usize),
}

impl Lists {
    /// The lists of a column and the array of their elements.
    pub(super) fn bind(array: &ArrayRef) -> Option<(Self, &ArrayRef)> {
        let (bounds, elements) = match array.data_type() {
            ArrowType::List(_) => {
                let lists = array.as_list::<i32>();
                (Bounds::Small(lists.offsets().clone()), lists.values())
            }
            ArrowType::LargeList(_) => {
                let lists = array.as_list::<i64>();
                (Bounds::Large(lists.offsets().clone()), lists.values())
            }
            ArrowType::FixedSizeList(_, length) => {
                let lists = array.as_fixed_size_list();
                (Bounds::Fixed(usize::try_from(*length).ok()?), lists.values())
            }
            _ => return None,
        };
        Some((Self { bounds, nulls: array.nulls().cloned() }, elements))
    }

    /// The entries of a column of maps.
    pub(super) fn of_maps(array: &ArrayRef) -> Option<Self> {
        let maps = array.as_map_opt()?;
        Some(Self { bounds: Bounds::Small(maps.offsets().clone()), nulls: maps.nulls().cloned() })
    }

    pub(super) fn get(&self, row: usize) -> Option<Range<usize>> {
        if self.nulls.as_ref().is_some_and(|nulls| nulls.is_null(row)) {
            return None;
        }
        Some(match &self.bounds {
            Bounds::Small(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Bounds::Large(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
            Bounds::Fixed(length) => row * length..(row + 1) * length,
        })
    }
}
