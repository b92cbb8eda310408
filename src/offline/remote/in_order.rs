//! Rows of an answer in the order in which they were asked for. Servers may mix them up, so each carries its number.

use std::{collections::VecDeque, ops::Range};

use arrow::{
    array::{Array, ArrayRef, UInt64Array, new_null_array},
    compute::{concat, interleave},
    datatypes::DataType as ArrowType,
    error::ArrowError,
};

/// Puts rows into their order. What comes in order goes out at once; of what does not all is held until the end.
pub(super) struct InOrder {
    kinds: Vec<ArrowType>,
    /// How many rows were asked about.
    asked: u64,
    /// Numbers of rows that were not sent, ascending: nothing is known of them.
    absent: VecDeque<u64>,
    /// The number of the next row to go out.
    next: u64,
    /// Rows that came too early: their columns, and the numbers.
    held: Vec<(Vec<ArrayRef>, UInt64Array)>,
    came: u64,
}

/// Why rows do not come to what was asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum OutOfOrder {
    #[error("it has {came} rows for {sent} that were sent")]
    Count { came: u64, sent: u64 },
    #[error("it has a row that was not asked for, or one of them twice")]
    Unasked,
    #[error("its rows cannot be put together: {0}")]
    Arrow(#[from] ArrowError),
}

impl InOrder {
    /// Rows whose columns are of these types; those with the numbers in `absent` were not sent.
    pub(super) fn new(kinds: Vec<ArrowType>, asked: u64, absent: VecDeque<u64>) -> Self {
        Self { kinds, asked, absent, next: 0, held: Vec::new(), came: 0 }
    }

    /// Takes rows with their numbers, and gives those that are next, if they are.
    pub(super) fn take(
        &mut self,
        columns: Vec<ArrayRef>,
        numbers: UInt64Array,
    ) -> Result<Option<Vec<ArrayRef>>, OutOfOrder> {
        self.came += numbers.len() as u64;
        if numbers.null_count() > 0 {
            return Err(OutOfOrder::Unasked);
        }
        if !self.held.is_empty() || !self.are_next(&numbers) {
            self.held.push((columns, numbers));
            return Ok(None);
        }
        self.emitted(&columns, numbers.len()).map(Some)
    }

    /// What is left when all rows have come, in parts of so many rows.
    pub(super) fn finish(mut self, most: usize) -> Result<Vec<Vec<ArrayRef>>, OutOfOrder> {
        let sent = self.asked - self.absent.len() as u64 - self.gone_absent();
        if self.came != sent {
            return Err(OutOfOrder::Count { came: self.came, sent });
        }
        let held = std::mem::take(&mut self.held);
        let mut places: Vec<(u64, (usize, usize))> = Vec::new();
        for (batch, (_, numbers)) in held.iter().enumerate() {
            places.extend(numbers.values().iter().enumerate().map(|(row, number)| (*number, (batch + 1, row))));
        }
        places.sort_unstable();
        // Nothing is known of these, so they are the row of nulls.
        let absent = self.absent.drain(..).map(|number| (number, (0, 0)));
        places.extend(absent);
        places.sort_unstable();
        let is_whole = places.iter().map(|(number, _)| *number).eq(self.next..self.asked);
        if !is_whole {
            return Err(OutOfOrder::Unasked);
        }
        let mut parts = Vec::new();
        for part in places.chunks(most) {
            let indices: Vec<(usize, usize)> = part.iter().map(|(_, place)| *place).collect();
            let column = |index: usize| -> Result<ArrayRef, ArrowError> {
                let null = new_null_array(&self.kinds[index], 1);
                let arrays: Vec<&dyn Array> = std::iter::once(null.as_ref())
                    .chain(held.iter().map(|(columns, _)| columns[index].as_ref()))
                    .collect();
                interleave(&arrays, &indices)
            };
            parts.push((0..self.kinds.len()).map(column).collect::<Result<Vec<_>, _>>()?);
        }
        Ok(parts)
    }

    /// How many of the rows that went out were absent.
    fn gone_absent(&self) -> u64 {
        self.next - self.came_in_order()
    }

    fn came_in_order(&self) -> u64 {
        self.came - self.held.iter().map(|(_, numbers)| numbers.len() as u64).sum::<u64>()
    }

    /// Whether these rows follow those that went out, with none between that may still come.
    fn are_next(&self, numbers: &UInt64Array) -> bool {
        let mut absent = self.absent.iter().peekable();
        let mut next = self.next;
        numbers.values().iter().all(|number| {
            while absent.next_if(|absent| **absent == next).is_some() {
                next += 1;
            }
            let is_next = *number == next;
            next += 1;
            is_next
        })
    }

    /// So many rows, with nulls for those that are absent between them.
    fn emitted(&mut self, columns: &[ArrayRef], count: usize) -> Result<Vec<ArrayRef>, OutOfOrder> {
        let (mut pieces, mut start) = (Vec::new(), 0);
        for row in 0..count {
            let mut nulls = 0;
            while self.absent.front() == Some(&self.next) {
                self.absent.pop_front();
                self.next += 1;
                nulls += 1;
            }
            if nulls > 0 {
                pieces.extend([Piece::Rows(start..row), Piece::Nulls(nulls)]);
                start = row;
            }
            self.next += 1;
        }
        pieces.push(Piece::Rows(start..count));
        let column = |(column, kind): (&ArrayRef, &ArrowType)| -> Result<ArrayRef, ArrowError> {
            let arrays = pieces.iter().map(|piece| match piece {
                Piece::Rows(range) => column.slice(range.start, range.len()),
                Piece::Nulls(count) => new_null_array(kind, *count),
            });
            let arrays: Vec<ArrayRef> = arrays.collect();
            concat(&arrays.iter().map(AsRef::as_ref).collect::<Vec<_>>())
        };
        Ok(columns.iter().zip(&self.kinds).map(column).collect::<Result<_, _>>()?)
    }
}

/// Rows that stand together.
enum Piece {
    Rows(Range<usize>),
    Nulls(usize),
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::{array::AsArray as _, array::Int64Array, datatypes::Int64Type};

    use super::*;

    fn values(columns: &[ArrayRef]) -> Vec<Option<i64>> {
        columns[0].as_primitive::<Int64Type>().iter().collect()
    }

    /// What comes out of batches of numbers, at once and at the end; each value is its number.
    fn ordered(asked: u64, absent: &[u64], batches: &[&[u64]]) -> Result<(Vec<usize>, Vec<Option<i64>>), OutOfOrder> {
        let mut rows = InOrder::new(vec![ArrowType::Int64], asked, absent.iter().copied().collect());
        let (mut at_once, mut all) = (Vec::new(), Vec::new());
        for batch in batches {
            let column: ArrayRef = Arc::new(Int64Array::from_iter_values(batch.iter().map(|number| *number as i64)));
            if let Some(columns) = rows.take(vec![column], batch.to_vec().into())? {
                at_once.push(columns[0].len());
                all.extend(values(&columns));
            }
        }
        for part in rows.finish(2)? {
            all.extend(values(&part));
        }
        Ok((at_once, all))
    }

    fn all(numbers: &[i64]) -> Vec<Option<i64>> {
        numbers.iter().map(|number| (*number >= 0).then_some(*number)).collect()
    }

    #[test]
    fn rows_in_order_go_out_at_once() {
        assert_eq!(ordered(5, &[], &[&[0, 1], &[2], &[3, 4]]).unwrap(), (vec![2, 1, 2], all(&[0, 1, 2, 3, 4])));
        assert_eq!(ordered(6, &[0, 2, 5], &[&[1], &[3, 4]]).unwrap(), (vec![2, 3], all(&[-1, 1, -1, 3, 4, -1])));
        assert_eq!(ordered(2, &[0, 1], &[]).unwrap(), (vec![], all(&[-1, -1])));
    }

    #[test]
    fn other_rows_are_put_in_order() {
        assert_eq!(ordered(5, &[], &[&[0], &[4, 2], &[1, 3]]).unwrap(), (vec![1], all(&[0, 1, 2, 3, 4])));
        assert_eq!(ordered(5, &[1, 4], &[&[3, 2], &[0]]).unwrap(), (vec![], all(&[0, -1, 2, 3, -1])));
        assert_eq!(ordered(4, &[1], &[&[0, 2], &[3]]).unwrap(), (vec![3, 1], all(&[0, -1, 2, 3])));
    }

    #[test]
    fn rows_that_are_missing_or_too_many_are_told() {
        assert!(matches!(ordered(3, &[], &[&[0, 1]]), Err(OutOfOrder::Count { came: 2, sent: 3 })));
        assert!(matches!(ordered(3, &[1], &[&[0, 1, 2]]), Err(OutOfOrder::Count { .. })));
        assert!(matches!(ordered(3, &[], &[&[0, 2, 2]]), Err(OutOfOrder::Unasked)));
        assert!(matches!(ordered(2, &[], &[&[1, 7]]), Err(OutOfOrder::Unasked)));
    }
}
