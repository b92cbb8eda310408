//! Spans of time on the command line, as definitions write them.

use std::time::Duration;

use crate::model::Ttl;

/// How long to wait for a lock; `0` does not wait.
pub(crate) fn lock_timeout(text: &str) -> Result<Duration, String> {
    let timeout: Ttl = text.parse().map_err(|_| format!("`{text}` is not a duration; write 30s, 5m or 0"))?;
    Ok(Duration::from_micros(timeout.micros().unsigned_abs()))
}
