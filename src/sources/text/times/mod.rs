//! Moments and the ways to write them.

mod iso;
mod pattern;

use std::fmt;

use arrow::datatypes::TimeUnit;
use chrono::format::Item;

use super::numbers::{integer, scaled};

/// A moment of UTC with all its nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment {
    /// Whole seconds since 1970, rounded towards the past.
    pub seconds: i64,
    /// Nanoseconds after them, below one thousand million.
    pub nanos: u32,
}

impl Moment {
    /// Microseconds since 1970, rounded towards the past; `None` if 64 bits do not hold them.
    pub fn micros(self) -> Option<i64> {
        let second = self.seconds.checked_mul(1_000_000)?;
        second.checked_add((self.nanos / 1_000).into())
    }

    /// Nanoseconds since 1970; `None` before the year 1677 and after 2262, which 64 bits do not hold.
    pub fn nanos(self) -> Option<i64> {
        let nanos = i128::from(self.seconds) * 1_000_000_000 + i128::from(self.nanos);
        i64::try_from(nanos).ok()
    }

    fn from_nanos(nanos: i128) -> Option<Self> {
        const SECOND: i128 = 1_000_000_000;
        let seconds = i64::try_from(nanos.div_euclid(SECOND)).ok()?;
        Some(Self { seconds, nanos: nanos.rem_euclid(SECOND) as u32 })
    }
}

/// How the times of a column are written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TimeFormat {
    /// ISO 8601: a date, or a date and a time with or without zone; without it is UTC.
    #[default]
    Iso,
    /// A number of these units since 1970 UTC.
    Epoch(TimeUnit),
    /// As `strftime` describes it; without a zone is UTC, without a time of day is midnight.
    Pattern(String),
}

impl TimeFormat {
    const WORDS: [(&'static str, Self); 5] = [
        ("iso", Self::Iso),
        ("epoch_seconds", Self::Epoch(TimeUnit::Second)),
        ("epoch_millis", Self::Epoch(TimeUnit::Millisecond)),
        ("epoch_micros", Self::Epoch(TimeUnit::Microsecond)),
        ("epoch_nanos", Self::Epoch(TimeUnit::Nanosecond)),
    ];

    /// The format that a definition declares: `iso`, `epoch_seconds`, `epoch_millis`,
    /// `epoch_micros`, `epoch_nanos` or a pattern with `%`. `None` for other words, and for patterns
    /// that no moment can be read with or that name a zone by letters (`%Z`), which tell no offset.
    pub fn parse(text: &str) -> Option<Self> {
        match Self::WORDS.iter().find(|(word, _)| *word == text) {
            Some((_, format)) => Some(format.clone()),
            // Numbers are numbers, also where they are not written as texts.
            None if text == "%s" => Some(Self::Epoch(TimeUnit::Second)),
            None => pattern::is_usable(text).then(|| Self::Pattern(text.to_owned())),
        }
    }
}

impl fmt::Display for TimeFormat {
    /// As [`TimeFormat::parse`] reads it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pattern(pattern) => f.write_str(pattern),
            other => f.write_str(Self::WORDS.iter().find(|(_, format)| format == other).map_or("", |(word, _)| word)),
        }
    }
}

/// The moment that a text means; blanks around it are ignored. `None` if it is not a time of that
/// format.
pub fn moment(text: &str, format: &TimeFormat) -> Option<Moment> {
    Times::new(format).moment(text)
}

/// A format prepared for many texts.
#[derive(Debug, Clone)]
pub(super) enum Times {
    Iso,
    /// Nanoseconds in a unit, as a power of ten.
    Epoch(u32),
    Pattern(Vec<Item<'static>>),
    /// As people write them: ISO 8601, or whole seconds since 1970.
    OfKeys,
}

impl Times {
    pub(super) fn new(format: &TimeFormat) -> Self {
        match format {
            TimeFormat::Iso => Self::Iso,
            TimeFormat::Epoch(TimeUnit::Second) => Self::Epoch(9),
            TimeFormat::Epoch(TimeUnit::Millisecond) => Self::Epoch(6),
            TimeFormat::Epoch(TimeUnit::Microsecond) => Self::Epoch(3),
            TimeFormat::Epoch(TimeUnit::Nanosecond) => Self::Epoch(0),
            TimeFormat::Pattern(text) => Self::Pattern(pattern::items(text)),
        }
    }

    pub(super) fn moment(&self, text: &str) -> Option<Moment> {
        let text = text.trim_ascii();
        match self {
            Self::Iso => iso::moment(text.as_bytes()),
            Self::Epoch(power) => Moment::from_nanos(scaled(text, *power)?),
            Self::Pattern(items) => pattern::moment(text, items),
            Self::OfKeys => match integer(text) {
                Some(seconds) => Some(Moment { seconds, nanos: 0 }),
                None => iso::moment(text.as_bytes()),
            },
        }
    }

    /// The moment that a number in JSON means: seconds since 1970, unless the format says otherwise.
    pub(super) fn moment_of_number(&self, digits: &str) -> Option<Moment> {
        match self {
            Self::Iso => Self::Epoch(9).moment(digits),
            // Digits such as 20260131 are what a pattern may be for.
            Self::Epoch(_) | Self::Pattern(_) | Self::OfKeys => self.moment(digits),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_have_words() {
        for text in ["iso", "epoch_seconds", "epoch_millis", "epoch_micros", "epoch_nanos", "%d.%m.%Y %H:%M"] {
            assert_eq!(TimeFormat::parse(text).map(|format| format.to_string()).as_deref(), Some(text));
        }
        for text in ["", "ISO", "epoch", "dd.mm.yyyy", "%", "%Q", "%H:%M", "%Y-%m", "%Y-%m-%d %I:%M", "%F %T %Z"] {
            assert_eq!(TimeFormat::parse(text), None, "{text}");
        }
    }

    #[test]
    fn epochs_are_exact() {
        let read = |text, unit| moment(text, &TimeFormat::Epoch(unit)).map(|moment| (moment.seconds, moment.nanos));
        assert_eq!(read("1700000000", TimeUnit::Second), Some((1_700_000_000, 0)));
        assert_eq!(read(" 1700000000.123456789 ", TimeUnit::Second), Some((1_700_000_000, 123_456_789)));
        assert_eq!(read("1.7e9", TimeUnit::Second), Some((1_700_000_000, 0)));
        assert_eq!(read("1700000000123", TimeUnit::Millisecond), Some((1_700_000_000, 123_000_000)));
        assert_eq!(read("1700000000123456", TimeUnit::Microsecond), Some((1_700_000_000, 123_456_000)));
        assert_eq!(read("1700000000123456789", TimeUnit::Nanosecond), Some((1_700_000_000, 123_456_789)));
        assert_eq!(read("-1", TimeUnit::Nanosecond), Some((-1, 999_999_999)));
        assert_eq!(read("-0.5", TimeUnit::Second), Some((-1, 500_000_000)));
        for text in ["", "2026-01-01", "1e300", "inf", "0x1"] {
            assert_eq!(read(text, TimeUnit::Second), None, "{text}");
        }
    }

    #[test]
    fn sixty_four_bits_limit_moments() {
        let first = Moment::from_nanos(i64::MIN.into()).unwrap();
        let last = Moment::from_nanos(i64::MAX.into()).unwrap();
        assert_eq!((first.nanos(), last.nanos()), (Some(i64::MIN), Some(i64::MAX)));
        assert_eq!(Moment { seconds: first.seconds - 1, ..first }.nanos(), None);
        assert_eq!(Moment { seconds: last.seconds + 1, ..last }.nanos(), None);
        assert_eq!(Moment { seconds: -1, nanos: 999_999_999 }.micros(), Some(-1));
        assert_eq!(Moment { seconds: i64::MAX, nanos: 0 }.micros(), None);
    }

    #[test]
    fn numbers_in_json_are_seconds_unless_declared() {
        let read = |text: &str, format: &str| {
            Times::new(&TimeFormat::parse(format).unwrap()).moment_of_number(text).map(|moment| moment.seconds)
        };
        assert_eq!(read("1700000000", "iso"), Some(1_700_000_000));
        assert_eq!(read("1700000000000", "epoch_millis"), Some(1_700_000_000));
        assert_eq!(read("20260101", "%Y%m%d"), Some(1_767_225_600));
    }
}
