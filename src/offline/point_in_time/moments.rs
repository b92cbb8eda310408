//! The moments at which somebody asks about an entity.

use arrow::array::{Array, Int64Array};

use super::keys::{Entity, NOBODY};

/// Number of a moment of an entity, from 0.
pub(super) type Moment = u32;

/// Stands for no moment: the row is of nobody, or has no time.
pub(super) const NEVER: Moment = u32::MAX;

/// Moments of entities in ticks, each once: those of one entity one behind the other, in their order.
pub(super) struct Moments {
    /// Where the moments of each entity begin, and where the last ones end.
    starts: Vec<usize>,
    times: Vec<i64>,
    /// The moment that each entity row asks about.
    of_rows: Vec<Moment>,
}

impl Moments {
    /// The moments of entity rows: the entity and the time of each. There are fewer than 2³² rows.
    pub(super) fn of(rows: &[Entity], times: &Int64Array, entities: usize) -> Self {
        let has_moment = |row: &usize| rows[*row] != NOBODY && times.is_valid(*row);
        let mut asked: Vec<(Entity, i64, u32)> =
            (0..rows.len()).filter(has_moment).map(|row| (rows[row], times.value(row), row as u32)).collect();
        asked.sort_unstable();
        let mut moments =
            Self { starts: Vec::with_capacity(entities + 1), times: Vec::new(), of_rows: vec![NEVER; rows.len()] };
        let mut last = None;
        for (entity, time, row) in asked {
            if last != Some((entity, time)) {
                // Entities none of whose rows has a time have no moment.
                moments.starts.resize(entity as usize + 1, moments.times.len());
                moments.times.push(time);
                last = Some((entity, time));
            }
            moments.of_rows[row as usize] = (moments.times.len() - 1) as Moment;
        }
        moments.starts.resize(entities + 1, moments.times.len());
        moments
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }

    /// The time of a moment.
    pub(super) fn time(&self, moment: usize) -> i64 {
        self.times[moment]
    }

    /// The first moment of an entity that is not before a time.
    pub(super) fn first_from(&self, entity: Entity, time: i64) -> Option<usize> {
        let (start, end) = (self.starts[entity as usize], self.starts[entity as usize + 1]);
        let moment = start + self.times[start..end].partition_point(|moment| *moment < time);
        (moment < end).then_some(moment)
    }

    /// The moments of each entity, one entity behind the other.
    pub(super) fn entities(&self) -> impl Iterator<Item = std::ops::Range<usize>> {
        self.starts.windows(2).map(|bounds| bounds[0]..bounds[1])
    }

    /// The moments of entity rows, by their number.
    pub(super) fn of_rows(&self) -> &[Moment] {
        &self.of_rows
    }

    /// The first and the last of all times.
    pub(super) fn range(&self) -> Option<(i64, i64)> {
        self.times.iter().min().copied().zip(self.times.iter().max().copied())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_moment_of_an_entity_is_there_once() {
        let times = Int64Array::from(vec![Some(5), Some(3), None, Some(5), Some(9), Some(1)]);
        let moments = Moments::of(&[0, 0, 0, 0, 2, NOBODY], &times, 3);
        assert_eq!((moments.len(), moments.range()), (3, Some((3, 9))));
        assert_eq!(moments.of_rows(), [1, 0, NEVER, 1, 2, NEVER]);
        assert_eq!(moments.entities().collect::<Vec<_>>(), [0..2, 2..2, 2..3]);
        let first = |entity, time| moments.first_from(entity, time);
        assert_eq!([first(0, 2), first(0, 3), first(0, 4), first(0, 6)], [Some(0), Some(0), Some(1), None]);
        assert_eq!([first(1, 0), first(2, 9)], [None, Some(2)]);
        let none = Moments::of(&[], &Int64Array::from(Vec::<i64>::new()), 0);
        assert_eq!((none.len(), none.range()), (0, None));
    }
}
