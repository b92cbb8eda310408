//! Moments, spans and intervals, in microseconds UTC.

use std::{fmt, str::FromStr};

use chrono::{DateTime, NaiveDate, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
/// A day in microseconds.
pub(crate) const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
/// Clocks differ; what is so little ahead of ours is not a mistake.
const CLOCK_SKEW: i64 = MINUTE;

/// A moment: microseconds since 1970-01-01 00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The first moment of year 1: Python Feast can read no earlier one.
    pub const FIRST: Self = Self(-62_135_596_800 * SECOND);
    /// The last moment of year 9999: Python Feast can read no later one.
    pub const LAST: Self = Self(253_402_300_800 * SECOND - 1);

    /// The moment this many microseconds after 1970, UTC.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since 1970, UTC.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Whole seconds, rounded towards the past.
    pub const fn seconds(self) -> i64 {
        self.0.div_euclid(SECOND)
    }

    /// RFC 3339 in UTC, always with six digits of the second: some readers take the form of a whole column from its first
    /// value.
    pub fn to_micros_text(self) -> String {
        match DateTime::<Utc>::from_timestamp_micros(self.0) {
            Some(moment) => moment.to_rfc3339_opts(SecondsFormat::Micros, false),
            None => self.to_string(),
        }
    }

    /// The clock of this machine. Only the edges call it; the rest is handed a moment.
    pub fn now() -> Self {
        Self(Utc::now().timestamp_micros())
    }

    /// Whether it is later than the present by more than clocks differ.
    pub const fn is_beyond(self, now: Self) -> bool {
        self.0.saturating_sub(CLOCK_SKEW) > now.0
    }

    /// The moment `micros` earlier, or the earliest there is.
    pub const fn minus(self, micros: i64) -> Self {
        Self(self.0.saturating_sub(micros))
    }

    /// Reads a moment as the command line takes it, relative forms measured from `now`.
    ///
    /// Accepted are ISO 8601 dates and times with or without a zone (none means UTC), `now`, and
    /// `-7d` or `+1h` with the units of [`Ttl`].
    ///
    /// # Errors
    /// When the text is none of these or not between [`Timestamp::FIRST`] and [`Timestamp::LAST`].
    pub fn parse(text: &str, now: Self) -> Result<Self, ParseTimeError> {
        let text = text.trim();
        let moment = Self::parse_any(text, now)?;
        if (Self::FIRST..=Self::LAST).contains(&moment) { Ok(moment) } else { Err(ParseTimeError::year(text)) }
    }

    /// Reads a moment in ISO 8601; without a zone it is in UTC.
    pub fn absolute(text: &str) -> Option<Self> {
        parse_absolute(text).map(Self)
    }

    fn parse_any(text: &str, now: Self) -> Result<Self, ParseTimeError> {
        if text.eq_ignore_ascii_case("now") {
            return Ok(now);
        }
        let relative = text.strip_prefix(['-', '+']).filter(|rest| rest.ends_with(|c: char| c.is_ascii_alphabetic()));
        if let Some(span) = relative.and_then(|rest| rest.parse::<Ttl>().ok()) {
            let micros = if text.starts_with('-') { -span.micros() } else { span.micros() };
            return now.0.checked_add(micros).map(Self).ok_or_else(|| ParseTimeError::year(text));
        }
        parse_absolute(text).map(Self).ok_or_else(|| ParseTimeError::moment(text))
    }
}

/// ISO 8601 with `T` or a space, optional fraction and zone; or a date alone, its midnight.
fn parse_absolute(text: &str) -> Option<i64> {
    if let Ok(moment) = DateTime::parse_from_rfc3339(text) {
        return Some(moment.timestamp_micros());
    }
    for format in ["%Y-%m-%dT%H:%M:%S%.f%#z", "%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z"] {
        if let Ok(moment) = DateTime::parse_from_str(text, format) {
            return Some(moment.timestamp_micros());
        }
    }
    let naive = text.strip_suffix(" UTC").or_else(|| text.strip_suffix('Z')).unwrap_or(text);
    for format in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"] {
        if let Ok(moment) = NaiveDateTime::parse_from_str(naive, format) {
            return Some(moment.and_utc().timestamp_micros());
        }
    }
    let midnight = NaiveDate::parse_from_str(naive, "%Y-%m-%d").ok()?.and_hms_opt(0, 0, 0)?;
    Some(midnight.and_utc().timestamp_micros())
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with as many of 0, 3 or 6 fraction digits as the moment needs.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_micros(self.0) {
            Some(moment) => f.write_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{} µs since 1970", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        parse_absolute(&text).map(Self).ok_or_else(|| D::Error::custom(ParseTimeError::moment(&text)))
    }
}

/// A stretch of time; both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Interval {
    /// Its first moment.
    pub start: Timestamp,
    /// Its last moment.
    pub end: Timestamp,
}

/// How long values stay valid, in microseconds; zero means without limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Ttl(i64);

impl Ttl {
    /// Values never expire.
    pub const UNLIMITED: Self = Self(0);

    /// Negative spans make no sense as a validity and count as unlimited, as in Feast.
    pub const fn from_micros(micros: i64) -> Self {
        if micros < 0 { Self::UNLIMITED } else { Self(micros) }
    }

    /// The span in microseconds; zero when there is no limit.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The span, unless there is no limit.
    pub fn limit(self) -> Option<i64> {
        (self.0 > 0).then_some(self.0)
    }
}

impl FromStr for Ttl {
    type Err = ParseTimeError;

    /// Reads `90s`, `12h`, `1d`, `2w`, `1d12h`, `0`, or an ISO 8601 duration such as `P1DT12H`.
    fn from_str(text: &str) -> Result<Self, ParseTimeError> {
        let text = text.trim();
        if text == "0" {
            return Ok(Self::UNLIMITED);
        }
        let micros = match text.strip_prefix(['P', 'p']) {
            Some(iso) => parse_iso_duration(iso),
            None => parse_units(text, simple_unit),
        };
        micros.map(Self).map_err(|wrong| match wrong {
            WrongSpan::Form => ParseTimeError::span(text),
            WrongSpan::Size => ParseTimeError::long_span(text),
        })
    }
}

/// What keeps a text from being a span of time.
enum WrongSpan {
    Form,
    /// More microseconds than can be counted.
    Size,
}

fn parse_iso_duration(text: &str) -> Result<i64, WrongSpan> {
    let (date, time) = match text.split_once(['T', 't']) {
        Some((_, "")) => return Err(WrongSpan::Form),
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let date_part = if date.is_empty() && time.is_some() { Ok(0) } else { parse_units(date, iso_date_unit) };
    let time_part = time.map_or(Ok(0), |time| parse_units(time, iso_time_unit));
    date_part?.checked_add(time_part?).ok_or(WrongSpan::Size)
}

/// Sums `<digits><unit>` pairs; at least one, and nothing else.
fn parse_units(text: &str, unit: fn(&str) -> Option<i64>) -> Result<i64, WrongSpan> {
    let mut rest = text;
    let mut total: Option<i64> = None;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).filter(|digits| *digits > 0).ok_or(WrongSpan::Form)?;
        let end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |next| digits + next);
        let unit = unit(&rest[digits..end]).ok_or(WrongSpan::Form)?;
        let count: i64 = rest[..digits].parse().map_err(|_| WrongSpan::Size)?;
        let micros = count.checked_mul(unit).ok_or(WrongSpan::Size)?;
        total = Some(total.unwrap_or(0).checked_add(micros).ok_or(WrongSpan::Size)?);
        rest = &rest[end..];
    }
    total.ok_or(WrongSpan::Form)
}

fn simple_unit(unit: &str) -> Option<i64> {
    match unit {
        "us" => Some(1),
        "ms" => Some(1_000),
        "s" => Some(SECOND),
        "m" | "min" => Some(MINUTE),
        "h" => Some(HOUR),
        "d" => Some(DAY),
        "w" => Some(WEEK),
        _ => None,
    }
}

fn iso_date_unit(unit: &str) -> Option<i64> {
    match unit {
        "D" | "d" => Some(DAY),
        "W" | "w" => Some(WEEK),
        _ => None,
    }
}

fn iso_time_unit(unit: &str) -> Option<i64> {
    match unit {
        "S" | "s" => Some(SECOND),
        "M" | "m" => Some(MINUTE),
        "H" | "h" => Some(HOUR),
        _ => None,
    }
}

impl fmt::Display for Ttl {
    /// The shortest form that reads back to the same span, such as `1d12h`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0");
        }
        let mut rest = self.0;
        for (unit, micros) in [("d", DAY), ("h", HOUR), ("m", MINUTE), ("s", SECOND), ("ms", 1_000), ("us", 1)] {
            if rest >= micros {
                write!(f, "{}{unit}", rest / micros)?;
                rest %= micros;
            }
        }
        Ok(())
    }
}

impl Serialize for Ttl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ttl {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A text that is not a moment, one that is out of reach, or no span of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is {what}")]
pub struct ParseTimeError {
    text: String,
    what: &'static str,
}

impl ParseTimeError {
    fn moment(text: &str) -> Self {
        Self {
            text: text.to_owned(),
            what: "not a time: write it like 2026-01-31T12:00:00 (UTC unless a zone is given), 2026-01-31, now or -7d",
        }
    }

    fn year(text: &str) -> Self {
        let what = "outside of the years 1 to 9999, the only ones that Python Feast can read";
        Self { text: text.to_owned(), what }
    }

    fn span(text: &str) -> Self {
        Self { text: text.to_owned(), what: "not a duration: write it like 90s, 12h, 1d, 2w, 1d12h, or 0 for no limit" }
    }

    fn long_span(text: &str) -> Self {
        Self { text: text.to_owned(), what: "not a duration that can be counted: it is too long; write 0 for no limit" }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_micros(1_767_225_600 * SECOND);

    #[test]
    fn reads_moments() {
        for (text, seconds) in [
            ("2026-01-01", 1_767_225_600),
            ("2026-01-01T00:00", 1_767_225_600),
            ("2026-01-01 00:00:00", 1_767_225_600),
            ("2026-01-01T01:00:00+01:00", 1_767_225_600),
            ("2026-01-01 01:00:00+01", 1_767_225_600),
            ("2025-12-31T19:00:00-0500", 1_767_225_600),
            ("2026-01-01T00:00:00Z", 1_767_225_600),
            ("2026-01-01 00:00:00 UTC", 1_767_225_600),
            ("now", 1_767_225_600),
            ("-1d", 1_767_225_600 - 86_400),
            ("+1h30m", 1_767_225_600 + 5_400),
            ("1969-12-31T23:59:59", -1),
        ] {
            assert_eq!(Timestamp::parse(text, NOW), Ok(Timestamp::from_micros(seconds * SECOND)), "{text}");
        }
        let fraction = Timestamp::parse("2026-01-01T00:00:00.123456", NOW).unwrap();
        assert_eq!(fraction.micros(), NOW.micros() + 123_456);
    }

    #[test]
    fn refuses_other_texts() {
        for text in ["", "yesterday", "04/12/2021", "2026-13-01", "-7", "1d", "2026-01-01T25:00:00", "-"] {
            assert!(Timestamp::parse(text, NOW).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_those_that_python_knows() {
        for (text, micros) in
            [("0001-01-01", Timestamp::FIRST.micros()), ("9999-12-31T23:59:59.999999", Timestamp::LAST.micros())]
        {
            assert_eq!(Timestamp::parse(text, NOW).unwrap().micros(), micros);
        }
        for text in ["0000-12-31T23:59:59.999999", "0001-01-01T00:00+00:01", "-800000d", "+3000000d", "-9999999w"] {
            let error = Timestamp::parse(text, NOW).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{text}` is outside of the years 1 to 9999")), "{error}");
        }
    }

    #[test]
    fn shows_moments_in_utc() {
        assert_eq!(NOW.to_string(), "2026-01-01T00:00:00Z");
        assert_eq!(Timestamp::from_micros(NOW.micros() + 1).to_string(), "2026-01-01T00:00:00.000001Z");
        assert_eq!(Timestamp::from_micros(-1).seconds(), -1);
    }

    #[test]
    fn reads_and_shows_spans() {
        for (text, seconds, shown) in [
            ("90s", 90, "1m30s"),
            ("12h", 43_200, "12h"),
            ("1d", 86_400, "1d"),
            ("2w", 1_209_600, "14d"),
            ("1d12h", 129_600, "1d12h"),
            ("0", 0, "0"),
            ("P1D", 86_400, "1d"),
            ("PT36H", 129_600, "1d12h"),
            ("P1DT1M", 86_460, "1d1m"),
        ] {
            let span: Ttl = text.parse().unwrap();
            assert_eq!(span.micros(), seconds * SECOND, "{text}");
            assert_eq!(span.to_string(), shown);
            assert_eq!(span.to_string().parse(), Ok(span));
        }
        for text in ["", "1", "d", "-1d", "1 d", "1y", "P", "PT", "1d-2h", "99999999999999d", "P1H"] {
            assert!(text.parse::<Ttl>().is_err(), "{text}");
        }
    }
}
