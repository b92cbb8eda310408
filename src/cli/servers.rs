//! What commands that start servers share.

use std::{num::NonZeroUsize, thread::available_parallelism};

use tokio::sync::oneshot;

use super::{CommandError, Context, Exit};
use crate::{
    clients::runtime::runtime_of,
    daemon::{Log, LogFormat, LogLevel},
    problem::Problem,
    ui::Verbosity,
};

/// What is said from here on is of the server's log.
pub(crate) fn start_log(format: LogFormat, context: &Context) {
    Log { format, level: log_level(context.printer.verbosity), coloured: context.printer.err.enabled }.start();
}

/// Carries out a server to its end, on as many threads as are wanted.
pub(crate) fn run_server(
    threads: Option<i64>,
    serving: impl Future<Output = Result<(), Problem>>,
) -> Result<Exit, CommandError> {
    // Each connection is an open file, of which a process may have few until it asks for more.
    #[cfg(unix)]
    let _ = rlimit::increase_nofile_limit(u64::MAX);
    let ended = runtime_of(workers(threads)?).map_err(Problem::from)?.block_on(serving);
    // What took too long at the end goes on until the process is gone.
    #[cfg(unix)]
    super::signals::clean_up();
    ended?;
    Ok(Exit::Done)
}

/// How much the log says.
const fn log_level(verbosity: Verbosity) -> LogLevel {
    match verbosity {
        Verbosity::Quiet => LogLevel::Errors,
        Verbosity::Normal => LogLevel::Events,
        Verbosity::Verbose => LogLevel::Requests,
    }
}

/// How many threads answer; without a number, and with -1, one per processor.
fn workers(count: Option<i64>) -> Result<usize, CommandError> {
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
