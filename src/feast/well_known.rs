//! Google's messages for times, which Feast uses in objects and beside values.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};

use crate::model;

const NANOS_PER_SECOND: i128 = 1_000_000_000;
const NANOS_PER_MICRO: i128 = 1_000;

/// `google.protobuf.Timestamp`: a moment in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, prost::Message)]
pub struct Timestamp {
    /// Since 1970.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Forward from `seconds`, also before 1970: 0 to 999 999 999.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

/// `google.protobuf.Duration`: a span of time, perhaps negative.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Duration {
    /// Whole seconds.
    #[prost(int64, tag = "1")]
    pub seconds: i64,
    /// Has the sign of `seconds`.
    #[prost(int32, tag = "2")]
    pub nanos: i32,
}

impl Timestamp {
    fn total_nanos(self) -> i128 {
        total_nanos(self.seconds, self.nanos)
    }
}

impl From<model::Timestamp> for Timestamp {
    fn from(moment: model::Timestamp) -> Self {
        let micros = moment.micros().rem_euclid(1_000_000);
        // Below a million, so times a thousand it fits.
        Self { seconds: moment.seconds(), nanos: micros as i32 * 1_000 }
    }
}

impl From<Timestamp> for model::Timestamp {
    /// Whole microseconds, rounded towards the past; what lies out of range becomes the earliest or
    /// latest moment.
    fn from(timestamp: Timestamp) -> Self {
        Self::from_micros(saturate(timestamp.total_nanos().div_euclid(NANOS_PER_MICRO)))
    }
}

impl Duration {
    /// A span of `micros` microseconds.
    pub const fn from_micros(micros: i64) -> Self {
        // The remainder is below a million, so times a thousand it fits.
        Self { seconds: micros / 1_000_000, nanos: (micros % 1_000_000) as i32 * 1_000 }
    }

    /// Whole microseconds, rounded towards zero; the longest span there is when out of range.
    pub fn micros(self) -> i64 {
        saturate(total_nanos(self.seconds, self.nanos) / NANOS_PER_MICRO)
    }
}

impl From<model::Ttl> for Duration {
    fn from(ttl: model::Ttl) -> Self {
        Self::from_micros(ttl.micros())
    }
}

impl From<Duration> for model::Ttl {
    fn from(duration: Duration) -> Self {
        Self::from_micros(duration.micros())
    }
}

/// Cannot overflow: both parts are far below the range of `i128`.
fn total_nanos(seconds: i64, nanos: i32) -> i128 {
    i128::from(seconds) * NANOS_PER_SECOND + i128::from(nanos)
}

fn saturate(value: i128) -> i64 {
    i64::try_from(value).unwrap_or(if value < 0 { i64::MIN } else { i64::MAX })
}

impl Serialize for Timestamp {
    /// RFC 3339 with 0, 3, 6 or 9 fraction digits.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let total = self.total_nanos();
        let seconds = i64::try_from(total.div_euclid(NANOS_PER_SECOND)).ok();
        let nanos = total.rem_euclid(NANOS_PER_SECOND) as u32;
        match seconds.and_then(|seconds| DateTime::<Utc>::from_timestamp(seconds, nanos)) {
            Some(moment) => serializer.serialize_str(&moment.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => serializer.collect_str(&format_args!("{total} ns since 1970")),
        }
    }
}

impl Serialize for Duration {
    /// Seconds with 0, 3, 6 or 9 fraction digits, such as `86400s` and `-1.500s`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let total = total_nanos(self.seconds, self.nanos);
        let sign = if total < 0 { "-" } else { "" };
        let (seconds, nanos) = (total.abs() / NANOS_PER_SECOND, total.abs() % NANOS_PER_SECOND);
        let mut fraction = format!(".{nanos:09}");
        while let Some(shorter) = fraction.strip_suffix("000") {
            fraction.truncate(shorter.len());
        }
        let fraction = if nanos == 0 { "" } else { &fraction };
        serializer.collect_str(&format_args!("{sign}{seconds}{fraction}s"))
    }
}

#[cfg(test)]
mod tests {
    use prost::Message as _;
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_convert_both_ways() {
        for (micros, seconds, nanos) in [
            (0, 0, 0),
            (1_767_225_600_123_456, 1_767_225_600, 123_456_000),
            (-1, -1, 999_999_000),
            (-1_000_000, -1, 0),
            (i64::MAX, 9_223_372_036_854, 775_807_000),
            (i64::MIN, -9_223_372_036_855, 224_192_000),
        ] {
            let wire = Timestamp::from(model::Timestamp::from_micros(micros));
            assert_eq!((wire.seconds, wire.nanos), (seconds, nanos));
            assert_eq!(model::Timestamp::from(wire).micros(), micros);
        }
    }

    #[test]
    fn odd_moments_are_floored_and_bounded() {
        for (seconds, nanos, micros) in [
            (0, 999, 0),
            (0, -1, -1),
            (-1, 999_999_999, -1),
            (5, 2_000_000_000, 7_000_000),
            (i64::MAX, i32::MAX, i64::MAX),
            (i64::MIN, i32::MIN, i64::MIN),
        ] {
            assert_eq!(model::Timestamp::from(Timestamp { seconds, nanos }).micros(), micros, "{seconds} {nanos}");
        }
    }

    #[test]
    fn spans_convert_both_ways() {
        for (micros, seconds, nanos) in [
            (0, 0, 0),
            (86_400_000_000, 86_400, 0),
            (1_500_000, 1, 500_000_000),
            (-1_500_000, -1, -500_000_000),
            (i64::MAX, 9_223_372_036_854, 775_807_000),
            (i64::MIN, -9_223_372_036_854, -775_808_000),
        ] {
            let wire = Duration::from_micros(micros);
            assert_eq!((wire.seconds, wire.nanos), (seconds, nanos));
            assert_eq!(wire.micros(), micros);
        }
        assert_eq!(Duration { seconds: i64::MAX, nanos: i32::MAX }.micros(), i64::MAX);
        assert_eq!(Duration { seconds: i64::MIN, nanos: i32::MIN }.micros(), i64::MIN);
        assert_eq!(Duration { seconds: 0, nanos: -999 }.micros(), 0);
    }

    #[test]
    fn a_ttl_of_zero_is_an_empty_message() {
        let zero = Duration::from(model::Ttl::UNLIMITED);
        assert!(zero.encode_to_vec().is_empty());
        assert_eq!(model::Ttl::from(zero), model::Ttl::UNLIMITED);
        assert_eq!(model::Ttl::from(Duration::from_micros(-5)), model::Ttl::UNLIMITED);
        assert_eq!(model::Ttl::from(Duration { seconds: 60, nanos: 0 }).micros(), 60_000_000);
    }

    #[test]
    fn moments_show_the_digits_they_need() {
        for (seconds, nanos, text) in [
            (0, 0, "1970-01-01T00:00:00Z"),
            (1_795_218_892, 500_000_000, "2026-11-20T23:54:52.500Z"),
            (1_795_218_893, 299_420_000, "2026-11-20T23:54:53.299420Z"),
            (-1, 1, "1969-12-31T23:59:59.000000001Z"),
            (i64::MAX, 1, "9223372036854775807000000001 ns since 1970"),
            (i64::MIN, -1, "-9223372036854775808000000001 ns since 1970"),
        ] {
            assert_eq!(serde_json::to_value(Timestamp { seconds, nanos }).unwrap(), json!(text));
        }
    }

    #[test]
    fn spans_show_the_digits_they_need() {
        for (seconds, nanos, text) in [
            (0, 0, "0s"),
            (86_400, 0, "86400s"),
            (1, 500_000_000, "1.500s"),
            (0, -1_000, "-0.000001s"),
            (-1, -500_000_001, "-1.500000001s"),
            (i64::MAX, 0, "9223372036854775807s"),
            (i64::MIN, i32::MIN, "-9223372036854775810.147483648s"),
        ] {
            assert_eq!(serde_json::to_value(Duration { seconds, nanos }).unwrap(), json!(text));
        }
    }
}
