//! What the integers of a time column count: nanoseconds where some file has them, else microseconds.
//! Both are since 1970, UTC. This is the only place that turns one into the other.

use std::sync::Arc;

use arrow::{
    array::{ArrayRef, AsArray, Int64Array},
    datatypes::{Int64Type, TimestampMicrosecondType},
};

use crate::model::Timestamp;

/// What a tick is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ticks {
    /// A thousandth of a millisecond.
    Micros,
    /// A thousandth of that.
    Nanos,
}

impl Ticks {
    /// Nanoseconds of one tick.
    pub const fn nanos(self) -> i64 {
        match self {
            Self::Micros => 1_000,
            Self::Nanos => 1,
        }
    }

    /// Ticks of microseconds; beyond what nanoseconds can say, the first or last moment that they can.
    pub const fn of_micros(self, micros: i64) -> i64 {
        match self {
            Self::Micros => micros,
            Self::Nanos => micros.saturating_mul(1_000),
        }
    }

    /// Microseconds of ticks, rounded towards the past.
    pub const fn to_micros(self, ticks: i64) -> i64 {
        match self {
            Self::Micros => ticks,
            Self::Nanos => ticks.div_euclid(1_000),
        }
    }

    /// Ticks as ticks of another kind: of microseconds the first nanosecond, of nanoseconds the microsecond they are in.
    pub const fn convert(self, ticks: i64, to: Self) -> i64 {
        match to {
            Self::Micros => self.to_micros(ticks),
            Self::Nanos if matches!(self, Self::Nanos) => ticks,
            Self::Nanos => to.of_micros(ticks),
        }
    }

    /// The first ticks of another kind that are not before these.
    pub const fn convert_up(self, ticks: i64, to: Self) -> i64 {
        let down = self.convert(ticks, to);
        match (self, to) {
            (Self::Nanos, Self::Micros) if ticks.rem_euclid(1_000) != 0 => down + 1,
            _ => down,
        }
    }

    /// The moment of ticks.
    pub const fn moment(self, ticks: i64) -> Timestamp {
        Timestamp::from_micros(self.to_micros(ticks))
    }

    /// A column of ticks as moments in microseconds UTC.
    pub fn moments(self, ticks: &ArrayRef) -> ArrayRef {
        let micros: Int64Array = ticks.as_primitive::<Int64Type>().unary(|at| self.to_micros(at));
        Arc::new(micros.reinterpret_cast::<TimestampMicrosecondType>().with_timezone("UTC"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanoseconds_are_rounded_towards_the_past_and_end_somewhere() {
        assert_eq!([-1, 0, 999, 1_000].map(|nanos| Ticks::Nanos.to_micros(nanos)), [-1, 0, 0, 1]);
        assert_eq!(Ticks::Nanos.of_micros(i64::MAX / 10), i64::MAX);
        assert_eq!((Ticks::Micros.to_micros(-1), Ticks::Micros.of_micros(7)), (-1, 7));
        let up = |nanos| Ticks::Nanos.convert_up(nanos, Ticks::Micros);
        assert_eq!([up(-1), up(0), up(1), up(1_000), up(1_001)], [0, 0, 1, 1, 2]);
        assert_eq!(Ticks::Micros.convert_up(7, Ticks::Nanos), 7_000);
        assert_eq!((Ticks::Nanos.convert(7, Ticks::Nanos), Ticks::Nanos.convert(-1, Ticks::Micros)), (7, -1));
    }
}
