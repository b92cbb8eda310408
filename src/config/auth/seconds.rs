//! Numbers of seconds.

use std::time::Duration;

use crate::{diagnostics::Diagnostics, yaml::Spanned};

/// The time that is written, which is longer than none.
pub(super) fn duration(seconds: &Spanned<f64>, diagnostics: &mut Diagnostics) -> Duration {
    let duration = Duration::try_from_secs_f64(seconds.value).ok().filter(|duration| !duration.is_zero());
    duration.unwrap_or_else(|| {
        let message = format!("{} is no number of seconds", seconds.value);
        diagnostics.error_with_help(&seconds.span, message, "write a number above 0".to_owned());
        Duration::from_secs(1)
    })
}
