//! Days of which a source has a folder each, and those that are asked about.

use chrono::{DateTime, NaiveDate, NaiveTime};

use crate::model::{DAY, Timestamp};

/// The days that are asked about of a source whose folders name a day: `day=2026-01-31` or `day=20260131`, in UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Days {
    column: String,
    first: i64,
    last: i64,
}

impl Days {
    /// Those with a moment between two (microseconds, both inside); `column` is what folders give.
    pub(crate) fn between(column: &str, (first, last): (i64, i64)) -> Self {
        Self { column: column.to_owned(), first, last }
    }

    /// Whether a file in such folders may have a row of them. What names no day may.
    pub(super) fn may_be_in(&self, partitions: &[(String, Option<String>)]) -> bool {
        let folder = partitions.iter().rev().find(|(key, _)| *key == self.column);
        let start = folder.and_then(|(_, value)| start_of_day(value.as_deref()?));
        start.is_none_or(|start| start <= self.last && start.saturating_add(DAY - 1) >= self.first)
    }
}

/// The day of a moment in UTC, with or without dashes.
pub fn day_of(moment: Timestamp, is_compact: bool) -> String {
    let form = if is_compact { "%Y%m%d" } else { "%Y-%m-%d" };
    DateTime::from_timestamp_micros(moment.micros()).unwrap_or_default().format(form).to_string()
}

/// The first moment of a day in microseconds; `None` for what is no day.
pub fn start_of_day(text: &str) -> Option<i64> {
    let day = ["%Y-%m-%d", "%Y%m%d"].iter().find_map(|form| NaiveDate::parse_from_str(text, form).ok())?;
    Some(day.and_time(NaiveTime::MIN).and_utc().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_in_from_its_first_to_its_last_moment() {
        let may = |value: Option<&str>, first, last| {
            Days::between("day", (first, last)).may_be_in(&[("day".to_owned(), value.map(str::to_owned))])
        };
        let second = Some("1970-01-02");
        assert_eq!(
            [may(second, 0, DAY - 1), may(second, 0, DAY), may(second, 2 * DAY - 1, i64::MAX)],
            [false, true, true]
        );
        assert!(!may(second, 2 * DAY, i64::MAX) && !may(Some("19700102"), i64::MIN, 0));
        assert!(may(None, 0, 0) && may(Some("monday"), 0, 0));
        assert!(Days::between("day", (0, 0)).may_be_in(&[("hour".to_owned(), Some("1970-01-02".to_owned()))]));
    }
}
