//! ISO 8601, read byte by byte.

use super::Moment;

const DAY: i64 = 86_400;

/// `2026-01-31`, or with a time behind `T` or a blank: `12:00`, `12:00:59`, `12:00:59.123456789`, then
/// maybe a zone: `Z`, ` UTC`, `+01:00`, `+0100` or `+01`. Digits after nanoseconds are cut.
pub(super) fn moment(text: &[u8]) -> Option<Moment> {
    if let Some((head, rest)) = text.split_first_chunk::<19>()
        && let Some(seconds) = whole_seconds(head)
    {
        let (nanos, zone) = match rest {
            [b'.', digits @ ..] => fraction(digits)?,
            zone => (0, zone),
        };
        return Some(Moment { seconds: seconds - offset(zone)?, nanos });
    }
    let (date, rest) = text.split_first_chunk::<10>()?;
    let midnight = days(date)? * DAY;
    match rest {
        [] | b"Z" | b" UTC" => Some(Moment { seconds: midnight, nanos: 0 }),
        [b'T' | b' ', clock @ ..] => {
            let (second, nanos, zone) = time_of_day(clock)?;
            Some(Moment { seconds: midnight + second - offset(zone)?, nanos })
        }
        _ => None,
    }
}

/// `2026-01-31T12:00:59`, the usual case, all of whose digits are looked at together.
fn whole_seconds(text: &[u8; 19]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T' | b' ', h1, h2, b':', i1, i2, b':', s1, s2] = *text else {
        return None;
    };
    let digits = [y1, y2, y3, y4, m1, m2, d1, d2, h1, h2, i1, i2, s1, s2].map(|byte| byte.wrapping_sub(b'0'));
    if digits.iter().fold(false, |other, digit| other | (*digit > 9)) {
        return None;
    }
    let two = |index: usize| i64::from(digits[index]) * 10 + i64::from(digits[index + 1]);
    let (hour, minute, second) = (two(8), two(10), two(12));
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some(day_number(two(0) * 100 + two(2), two(4), two(6))? * DAY + hour * 3_600 + minute * 60 + second)
}

/// Days since 1970.
fn days(date: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
    let year = two(y1, y2)? * 100 + two(y3, y4)?;
    day_number(year.into(), two(m1, m2)?.into(), two(d1, d2)?.into())
}

/// Days since 1970 of a day that there is.
fn day_number(year: i64, month: i64, day: i64) -> Option<i64> {
    const BEFORE_MONTH: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    const DAYS: [i64; 12] = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    /// Days from the first one of year 1 to that of 1970.
    const TO_1970: i64 = 719_162;
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let index = usize::try_from(month - 1).ok()?;
    let last = DAYS.get(index)? + i64::from(leap && month == 2);
    if day < 1 || day > last {
        return None;
    }
    let before = year - 1;
    let years = before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400);
    let leap_day = i64::from(leap && month > 2);
    Some(years + BEFORE_MONTH[index] + leap_day + day - 1 - TO_1970)
}

/// Seconds since midnight, nanoseconds, and what is left of the text.
fn time_of_day(clock: &[u8]) -> Option<(i64, u32, &[u8])> {
    let [h1, h2, b':', m1, m2, rest @ ..] = clock else { return None };
    let minutes = minutes(*h1, *h2, *m1, *m2)?;
    let [b':', s1, s2, rest @ ..] = rest else { return Some((minutes * 60, 0, rest)) };
    let second = two(*s1, *s2).filter(|second| *second < 60)?;
    let (nanos, rest) = match rest {
        [b'.', digits @ ..] => fraction(digits)?,
        _ => (0, rest),
    };
    Some((minutes * 60 + i64::from(second), nanos, rest))
}

/// Minutes of hours below 24 and minutes below 60.
fn minutes(h1: u8, h2: u8, m1: u8, m2: u8) -> Option<i64> {
    let (hour, minute) = (two(h1, h2)?, two(m1, m2)?);
    (hour < 24 && minute < 60).then(|| i64::from(hour * 60 + minute))
}

/// Nanoseconds from at least one digit, and what comes after the digits.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let length = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    if length == 0 {
        return None;
    }
    const TENS: [u32; 10] = [1_000_000_000, 100_000_000, 10_000_000, 1_000_000, 100_000, 10_000, 1_000, 100, 10, 1];
    let (digits, rest) = text.split_at(length);
    let used = &digits[..length.min(9)];
    let number = used.iter().fold(0, |number, byte| number * 10 + u32::from(byte - b'0'));
    Some((number * TENS[used.len()], rest))
}

/// Seconds that a zone is ahead of UTC.
fn offset(zone: &[u8]) -> Option<i64> {
    let (sign, minutes) = match zone {
        [] | b"Z" | b" UTC" => return Some(0),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (sign, minutes(*h1, *h2, *m1, *m2)?),
        [sign, h1, h2] => (sign, minutes(*h1, *h2, b'0', b'0')?),
        _ => return None,
    };
    match sign {
        b'+' => Some(minutes * 60),
        b'-' => Some(-minutes * 60),
        _ => None,
    }
}

fn two(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, SecondsFormat};
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Option<(i64, u32)> {
        moment(text.as_bytes()).map(|moment| (moment.seconds, moment.nanos))
    }

    #[test]
    fn dates_times_and_zones() {
        const NEW_YEAR: i64 = 1_767_225_600;
        for (text, seconds, nanos) in [
            ("2026-01-01", NEW_YEAR, 0),
            ("2026-01-01Z", NEW_YEAR, 0),
            ("2026-01-01 UTC", NEW_YEAR, 0),
            ("2026-01-01T00:00", NEW_YEAR, 0),
            ("2026-01-01 00:00Z", NEW_YEAR, 0),
            ("2026-01-01 00:00:00 UTC", NEW_YEAR, 0),
            ("2026-01-01T01:00:00+01:00", NEW_YEAR, 0),
            ("2026-01-01T01:30+0130", NEW_YEAR, 0),
            ("2025-12-31 19:00:00.5-05", NEW_YEAR, 500_000_000),
            ("2026-01-01T00:00:00.123456789", NEW_YEAR, 123_456_789),
            ("2026-01-01T00:00:00.1234567899Z", NEW_YEAR, 123_456_789),
            ("2026-01-01T23:59:59.000000001", NEW_YEAR + DAY - 1, 1),
            ("1969-12-31T23:59:59.9", -1, 900_000_000),
            ("2024-02-29", 1_709_164_800, 0),
            ("2000-02-29", 951_782_400, 0),
            ("0001-01-01", -62_135_596_800, 0),
            ("9999-12-31T23:59:59", 253_402_300_799, 0),
        ] {
            assert_eq!(read(text), Some((seconds, nanos)), "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_times() {
        for text in [
            "",
            "01/02/2026",
            "20260201",
            "2026-1-2",
            "1700000000",
            "2026-01",
            "2026-13-01",
            "2026-00-01",
            "2026-01-00",
            "2026-04-31",
            "2025-02-29",
            "1900-02-29",
            "2026-01-01T",
            "2026-01-01T00",
            "2026-01-01t00:00",
            "2026-01-01  00:00",
            "2026-01-01T24:00:00",
            "2026-01-01T00:60",
            "2026-01-01T23:59:60",
            "2026-01-01T00:00:00.",
            "2026-01-01T00:00:00,5",
            "2026-01-01T00:00.5",
            "2026-01-01T0:00",
            "2026-01-01T00:00:00z",
            "2026-01-01T00:00:00 GMT",
            "2026-01-01T00:00:00 +01",
            "2026-01-01T00:00:00+1",
            "2026-01-01T00:00:00+01:60",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01+01:00",
            "2026-01-01-05",
            "-2026-01-01",
            "+2026-01-01",
            "2026-01-01x",
            "２026-01-01",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn moments_read_back(seconds in -62_135_596_800_i64..253_402_300_800, nanos in 0_u32..1_000_000_000) {
            let shown = DateTime::from_timestamp(seconds, nanos).unwrap();
            for text in [shown.to_rfc3339_opts(SecondsFormat::Nanos, true), shown.to_string()] {
                prop_assert_eq!(read(&text), Some((seconds, nanos)), "{}", text);
            }
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes: Vec<u8>) {
            let _ = moment(&bytes);
        }
    }
}
