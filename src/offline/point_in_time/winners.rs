//! Which row of a source counts at each moment: the newest one that is there by then.

use ahash::RandomState;
use hashbrown::HashMap;

use super::moments::{Moments, NEVER};

/// Stands for no row.
pub(super) const NOWHERE: u64 = u64::MAX;

/// What decides between rows of an entity: the greater wins. Event and creation time in the ticks of the source; no
/// creation time is the least.
pub(super) type Recency = (i64, i64);

/// A row of a source that may count.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    /// The first moment at which it is there.
    pub moment: u32,
    pub recency: Recency,
    /// Where it is in the files.
    pub place: u64,
}

/// The newest row that is there at each moment and was not there at the one before, while rows come in any order.
pub(super) struct Winners {
    best: Vec<(Recency, u64)>,
    /// All rows that are as new as the best one of their moment, where there are several.
    tied: HashMap<u32, Vec<u64>, RandomState>,
}

impl Winners {
    /// No row yet.
    pub(super) fn new(moments: usize) -> Self {
        Self { best: vec![((i64::MIN, i64::MIN), NOWHERE); moments], tied: HashMap::default() }
    }

    /// Takes rows in.
    pub(super) fn offer(&mut self, candidates: &[Candidate]) {
        for Candidate { moment, recency, place } in candidates {
            let best = &mut self.best[*moment as usize];
            if best.1 == NOWHERE || *recency > best.0 {
                // Where nothing was tied yet there is nothing to look for.
                if best.1 != NOWHERE && !self.tied.is_empty() {
                    self.tied.remove(moment);
                }
                *best = (*recency, *place);
            } else if *recency == best.0 {
                let first = best.1;
                self.tied.entry(*moment).or_insert_with(|| vec![first]).push(*place);
            }
        }
    }

    /// Hands on what was the newest at one moment of an entity to the next ones, as long as nothing newer came.
    /// Gives for each moment the one whose row counts at it; a row that is older than `limit` ticks at the moment
    /// counts no more, one that is exactly as old does. `time` says when a moment is.
    pub(super) fn settled(&self, moments: &Moments, limit: Option<i64>, time: impl Fn(usize) -> i64) -> Vec<u32> {
        let mut counts = vec![NEVER; self.best.len()];
        for entity in moments.entities() {
            let mut newest: Option<usize> = None;
            for moment in entity {
                let (recency, place) = self.best[moment];
                if place != NOWHERE && newest.is_none_or(|newest| recency >= self.best[newest].0) {
                    newest = Some(moment);
                }
                let Some(newest) = newest else { continue };
                let (event, _) = self.best[newest].0;
                if limit.is_none_or(|limit| event >= time(moment).saturating_sub(limit)) {
                    counts[moment] = newest as u32;
                }
            }
        }
        counts
    }

    /// Where the row of a moment is.
    pub(super) fn place(&self, moment: u32) -> u64 {
        self.best[moment as usize].1
    }

    /// The rows that are as new as the one of a moment, if there are several.
    pub(super) fn tied(&self, moment: u32) -> Option<&[u64]> {
        self.tied.get(&moment).map(Vec::as_slice)
    }

    /// Decides for one of the rows that are equally new.
    pub(super) fn decide(&mut self, moment: u32, place: u64) {
        self.best[moment as usize].1 = place;
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    fn candidate(moment: u32, recency: Recency, place: u64) -> Candidate {
        Candidate { moment, recency, place }
    }

    /// Moments 10, 20 and 30 of one entity, and 10 of another one.
    fn moments() -> Moments {
        Moments::of(&[0, 0, 0, 1], &Int64Array::from(vec![10, 20, 30, 10]), 2)
    }

    #[test]
    fn the_newest_row_counts_until_it_is_too_old_or_another_one_comes() {
        let moments = moments();
        let mut winners = Winners::new(moments.len());
        winners.offer(&[candidate(0, (4, 0), 7), candidate(0, (9, 0), 8), candidate(2, (25, 0), 9)]);
        let settled = |limit| winners.settled(&moments, limit, |moment| moments.time(moment));
        assert_eq!(settled(None), [0, 0, 2, NEVER]);
        assert_eq!(settled(Some(10)), [0, NEVER, 2, NEVER]);
        assert_eq!(settled(Some(11)), [0, 0, 2, NEVER]);
        assert_eq!((winners.place(0), winners.place(2)), (8, 9));
    }

    #[test]
    fn what_is_written_late_does_not_count_before_what_is_newer() {
        let moments = moments();
        let mut winners = Winners::new(moments.len());
        // There from the second moment on, and older than what was there before.
        winners.offer(&[candidate(0, (9, 9), 1), candidate(1, (5, 15), 2)]);
        assert_eq!(winners.settled(&moments, None, |moment| moments.time(moment)), [0, 0, 0, NEVER]);
    }

    #[test]
    fn rows_that_are_equally_new_are_kept_until_a_newer_one_comes() {
        let mut winners = Winners::new(1);
        winners.offer(&[candidate(0, (1, 1), 1), candidate(0, (1, 1), 2), candidate(0, (1, 0), 3)]);
        assert_eq!(winners.tied(0), Some(&[1, 2][..]));
        winners.decide(0, 2);
        assert_eq!(winners.place(0), 2);
        winners.offer(&[candidate(0, (2, i64::MIN), 4)]);
        assert_eq!((winners.tied(0), winners.place(0)), (None, 4));
    }
}
