//! What commands that start servers share.

use std::{num::NonZeroUsize, thread::available_parallelism};

use tokio::sync::oneshot;

use super::CommandError;
use crate::{daemon::LogLevel, ui::Verbosity};

/// How much the log says.
pub(crate) const fn log_level(verbosity: Verbosity) -> LogLevel {
    match verbosity {
        Verbosity::Quiet => LogLevel::Errors,
        Verbosity::Normal => LogLevel::Events,
        Verbosity::Verbose => LogLevel::Requests,
    }
}

/// How many threads answer; without a number, and with -1, one per processor.
pub(crate) fn workers(count: Option<i64>) -> Result<usize, CommandError> {
    match count {
        None | Some(-1) => Ok(available_parallelism().map_or(1, NonZeroUsize::get)),
        Some(count) => usize::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
            CommandError::new(format!("{count} threads answer nothing"), "give -1 for one per processor".to_owned())
        }),
    }
}

/// Comes with the first signal to end.
pub(crate) async fn end_by_signal() {
    #[cfg(unix)]
    {
        let (send, signal) = oneshot::channel();
        super::signals::end_by(move || {
            // Who waits for it may be gone.
            let _ = send.send(());
        });
        if signal.await.is_ok() {
            return;
        }
    }
    std::future::pending::<()>().await;
}
