//! Where rows are among the files of a scan, so that those that turn out to count can be read again.
//!
//! A place is the number of a piece of the files (a row group, a batch, a chunk of text), and of the row in it, both
//! from 0. Two scans of the same files number them alike, whatever columns and times they are about.

use std::{ops::Range, sync::Arc};

use arrow::array::{ArrayRef, UInt64Array};

/// Bits of the row's number in a place.
const ROW_BITS: u32 = 32;

/// Places of rows, each once and in their order.
#[derive(Debug, Clone)]
pub struct Places(Arc<[u64]>);

impl Places {
    /// These places in their order.
    pub fn new(mut places: Vec<u64>) -> Self {
        places.sort_unstable();
        places.dedup();
        Self(places.into())
    }

    /// All of them.
    pub fn as_slice(&self) -> &[u64] {
        &self.0
    }

    /// Which of them are in a piece.
    pub(super) fn in_piece(&self, piece: u64) -> Range<usize> {
        let first = self.0.partition_point(|place| place >> ROW_BITS < piece);
        first..first + self.0[first..].partition_point(|place| place >> ROW_BITS == piece)
    }
}

/// Where a part of a scan is in its piece.
pub(super) struct Cursor {
    piece: u64,
    /// The places that are read of the piece; `None` is all.
    picked: Option<Vec<u64>>,
    /// How many rows of those that are read are behind.
    behind: usize,
}

impl Cursor {
    /// At the beginning of a piece, of which only these places are read.
    pub(super) fn new(piece: u64, picked: Option<&Places>) -> Self {
        let picked = picked.map(|places| places.as_slice()[places.in_piece(piece)].to_vec());
        Self { piece, picked, behind: 0 }
    }

    /// Leaves out rows of the piece, which has `rows`, by their number in it, ascending.
    pub(super) fn without(mut self, deleted: &[u64], rows: usize) -> Self {
        if deleted.is_empty() {
            return self;
        }
        let piece = self.piece << ROW_BITS;
        let mut picked = self.picked.unwrap_or_else(|| (0..rows as u64).map(|row| piece | row).collect());
        let mut deleted = deleted.iter().map(|row| piece | row).peekable();
        picked.retain(|place| {
            while deleted.next_if(|deleted| deleted < place).is_some() {}
            deleted.next_if_eq(place).is_none()
        });
        self.picked = Some(picked);
        self
    }

    /// The rows that are read of the piece, by their number in it; `None` is all.
    pub(super) fn picked(&self) -> Option<impl Iterator<Item = usize> + Clone> {
        self.picked.as_ref().map(|places| places.iter().map(|place| row(*place)))
    }

    /// The number in the piece of a row, by its place among those that are read.
    pub(super) fn number(&self, index: usize) -> usize {
        self.picked.as_ref().and_then(|places| places.get(index)).map_or(index, |place| row(*place))
    }

    /// The places of the next rows.
    pub(super) fn places(&self, count: usize) -> ArrayRef {
        let next = self.behind..self.behind + count;
        Arc::new(match &self.picked {
            Some(places) => UInt64Array::from_iter_values(places[next].iter().copied()),
            None => UInt64Array::from_iter_values(next.map(|row| self.piece << ROW_BITS | row as u64)),
        })
    }

    /// How many rows of those that are read are behind.
    pub(super) const fn behind(&self) -> usize {
        self.behind
    }

    /// Goes on behind so many rows.
    pub(super) fn pass(&mut self, count: usize) {
        self.behind += count;
    }
}

/// The number of a row in its piece.
const fn row(place: u64) -> usize {
    (place & ((1 << ROW_BITS) - 1)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_by_piece() {
        let at = |piece: u64, row: u64| piece << ROW_BITS | row;
        let places = Places::new(vec![at(2, 5), at(0, 7), at(2, 1), at(0, 7)]);
        assert_eq!(places.as_slice(), [at(0, 7), at(2, 1), at(2, 5)]);
        assert_eq!([0, 1, 2, 3].map(|piece| places.in_piece(piece)), [0..1, 1..1, 1..3, 3..3]);
        let mut cursor = Cursor::new(2, Some(&places));
        assert_eq!(cursor.picked().unwrap().collect::<Vec<_>>(), [1, 5]);
        cursor.pass(1);
        assert_eq!([0, 1].map(|index| cursor.number(index)), [1, 5]);
        assert_eq!(*cursor.places(1), UInt64Array::from(vec![at(2, 5)]));
        let left = Cursor::new(2, Some(&places)).without(&[0, 5], 9);
        assert_eq!(left.picked().unwrap().collect::<Vec<_>>(), [1]);
        let left = Cursor::new(7, None).without(&[0, 2], 4);
        assert_eq!(left.picked().unwrap().collect::<Vec<_>>(), [1, 3]);
        assert!(Cursor::new(7, None).without(&[], 4).picked().is_none());
        let mut all = Cursor::new(1, None);
        all.pass(3);
        assert_eq!((all.number(4), *all.places(2) == UInt64Array::from(vec![at(1, 3), at(1, 4)])), (4, true));
    }
}
