//! Times as a pattern of `strftime` describes them.

use std::fmt::Write;

use chrono::{
    DateTime, Timelike,
    format::{Fixed, Item, Parsed, StrftimeItems, parse},
};

use super::Moment;

/// Whether moments can be read with a pattern.
pub(super) fn is_usable(text: &str) -> bool {
    if !text.contains('%') {
        return false;
    }
    let items = items(text);
    let wrong = |item: &Item<'_>| matches!(item, Item::Error | Item::Fixed(Fixed::TimezoneName));
    if items.iter().any(wrong) {
        return false;
    }
    // A pattern without year or with twelve hours alone shows times, but none can be read with it.
    let mut shown = String::new();
    let sample = DateTime::UNIX_EPOCH + chrono::Duration::seconds(1_000_000_000);
    write!(shown, "{}", sample.format_with_items(items.iter())).is_ok() && moment(&shown, &items).is_some()
}

/// The parts of a pattern.
pub(super) fn items(text: &str) -> Vec<Item<'static>> {
    StrftimeItems::new(text).map(Item::to_owned).collect()
}

/// The moment that a text means, in UTC if it tells no offset, at midnight if it tells no hour.
pub(super) fn moment(text: &str, items: &[Item<'_>]) -> Option<Moment> {
    let mut parsed = Parsed::new();
    parse(&mut parsed, text, items.iter()).ok()?;
    if parsed.timestamp().is_none() {
        if parsed.hour_div_12().is_none() && parsed.hour_mod_12().is_none() {
            parsed.set_hour(0).ok()?;
        }
        if parsed.minute().is_none() {
            parsed.set_minute(0).ok()?;
        }
    }
    let offset = parsed.offset().unwrap_or(0);
    let local = parsed.to_naive_datetime_with_offset(offset).ok()?;
    // A leap second has more nanoseconds than a second.
    let nanos = Some(local.nanosecond()).filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Moment { seconds: local.and_utc().timestamp() - i64::from(offset), nanos })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_tell_where_the_parts_are() {
        const NEW_YEAR: i64 = 1_767_225_600;
        for (text, pattern, seconds, nanos) in [
            ("01/01/2026", "%d/%m/%Y", NEW_YEAR, 0),
            ("1.1.26", "%d.%m.%y", NEW_YEAR, 0),
            ("20260101", "%Y%m%d", NEW_YEAR, 0),
            ("2026-01-01 13", "%Y-%m-%d %H", NEW_YEAR + 46_800, 0),
            ("01/01/2026 01:05 PM", "%m/%d/%Y %I:%M %p", NEW_YEAR + 47_100, 0),
            ("01/01/2026 00:00:00.25", "%m/%d/%Y %H:%M:%S%.f", NEW_YEAR, 250_000_000),
            ("01 Jan 2026 01:00:00 +0100", "%d %b %Y %H:%M:%S %z", NEW_YEAR, 0),
            ("1767225600", "%s", NEW_YEAR, 0),
            ("2026-001", "%Y-%j", NEW_YEAR, 0),
        ] {
            assert!(is_usable(pattern), "{pattern}");
            assert_eq!(moment(text, &items(pattern)), Some(Moment { seconds, nanos }), "{text}");
        }
        for (text, pattern) in [
            ("2026-01-01", "%d/%m/%Y"),
            ("31/02/2026", "%d/%m/%Y"),
            ("01/01/2026 12:00", "%d/%m/%Y"),
            ("01/01/2026 23:59:60", "%d/%m/%Y %H:%M:%S"),
            ("", "%d/%m/%Y"),
            ("2026-01-01", "%Q"),
        ] {
            assert_eq!(moment(text, &items(pattern)), None, "{text}");
        }
    }
}
