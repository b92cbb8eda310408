//! How long something took, as lines of logs have it.

use std::time::Duration;

/// A duration in milliseconds, with two decimals.
pub(crate) fn millis(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e5).round() / 100.0
}
