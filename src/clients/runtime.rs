//! The tokio runtime of the process, and the one bridge to it for callers that block.
//!
//! It starts with the first connection that needs it, so commands without a server have no runtime. Connections live on
//! it; a caller on another executor, or on none, only waits.

use std::{
    future::Future,
    panic::resume_unwind,
    pin::Pin,
    sync::OnceLock,
    task::{Context, Poll},
    thread::available_parallelism,
};

use tokio::{
    runtime::{Builder, Runtime},
    task::{JoinHandle, block_in_place},
};

use crate::problem::{Kind, Problem};

/// Threads that look after connections, where nobody says how many; the caller's own thread works with the answers.
const MOST_WORKERS: usize = 4;

/// Threads for short blocking work; more of it waits its turn, however many ask at once.
const MOST_BLOCKING: usize = 64;

/// The threads of the runtime cannot be started.
#[derive(Debug, Clone, thiserror::Error)]
#[error("connections cannot be looked after: {0}")]
pub struct NoRuntime(String);

impl From<NoRuntime> for Problem {
    fn from(error: NoRuntime) -> Self {
        Self::new(Kind::Unavailable, error.to_string(), None)
    }
}

/// The runtime of the process.
///
/// # Errors
/// When the system gives no threads for it.
pub fn runtime() -> Result<&'static Runtime, NoRuntime> {
    started(|| available_parallelism().map_or(1, usize::from).min(MOST_WORKERS))
}

/// The same with so many threads, if it has not started yet; for programs that answer on it, and not only wait for it.
///
/// # Errors
/// As [`runtime`].
pub fn runtime_of(workers: usize) -> Result<&'static Runtime, NoRuntime> {
    started(|| workers.max(1))
}

fn started(workers: impl FnOnce() -> usize) -> Result<&'static Runtime, NoRuntime> {
    static RUNTIME: OnceLock<Result<Runtime, NoRuntime>> = OnceLock::new();
    let start = || {
        let workers = workers();
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(workers).max_blocking_threads(MOST_BLOCKING).thread_name("feastr-io").enable_all();
        let runtime = builder.build();
        runtime.map_err(|error| NoRuntime(error.to_string()))
    };
    RUNTIME.get_or_init(start).as_ref().map_err(Clone::clone)
}

/// Waits for a future in this thread, which may be one for blocking work of an asynchronous program, but not a worker
/// of a runtime. What is waited for has its own limit of time.
///
/// # Errors
/// Those of the future, and when there is no runtime.
pub fn wait<T, E: From<NoRuntime>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    runtime()?.block_on(future)
}

/// The same from anywhere, also from a worker of the runtime, whose other work goes on elsewhere meanwhile; for what is
/// seldom waited for, and not for long.
///
/// # Errors
/// As [`wait`].
pub fn wait_anywhere<T, E: From<NoRuntime>>(future: impl Future<Output = Result<T, E>>) -> Result<T, E> {
    block_in_place(|| wait(future))
}

/// Carries out a future on the runtime of the process and ends it when nobody waits for it any more.
///
/// # Errors
/// As [`wait`].
pub async fn spawned<T, E>(future: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<NoRuntime> + Send + 'static,
{
    begun(future)?.await
}

/// Begins to carry out a future on the runtime of the process, before anybody waits for it; it ends when what this gives
/// is dropped.
///
/// # Errors
/// When there is no runtime.
pub fn begun<T, E>(
    future: impl Future<Output = Result<T, E>> + Send + 'static,
) -> Result<Begun<Result<T, E>>, NoRuntime>
where
    T: Send + 'static,
    E: Send + 'static,
{
    Ok(Begun(runtime()?.spawn(future)))
}

/// Carries out blocking work that is short, such as reading a file, on a thread for it.
///
/// # Errors
/// As [`wait`].
pub async fn blocking<T, E>(act: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<NoRuntime> + Send + 'static,
{
    Begun(runtime()?.spawn_blocking(act)).await
}

/// Something that is being carried out, and ends when this is dropped.
#[derive(Debug)]
pub struct Begun<T>(JoinHandle<T>);

impl<T> Future for Begun<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<T> {
        match Pin::new(&mut self.0).poll(context) {
            Poll::Ready(Ok(value)) => Poll::Ready(value),
            Poll::Ready(Err(error)) if error.is_panic() => resume_unwind(error.into_panic()),
            // Only dropping a task ends it, and then nobody asks.
            Poll::Ready(Err(_)) | Poll::Pending => Poll::Pending,
        }
    }
}

impl<T> Drop for Begun<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn blocking_threads_of_asynchronous_programs_can_wait() {
        let answer = || wait(spawned(async { Ok::<_, NoRuntime>(7) })).unwrap();
        assert_eq!(answer(), 7);
        let program = Builder::new_multi_thread().worker_threads(1).build().unwrap();
        assert_eq!(program.block_on(async { tokio::task::spawn_blocking(answer).await.unwrap() }), 7);
    }

    #[test]
    fn workers_can_wait_for_what_is_seldom() {
        let answer = || wait_anywhere(spawned(async { Ok::<_, NoRuntime>(7) })).unwrap();
        assert_eq!(answer(), 7);
        assert_eq!(wait(spawned(async move { Ok::<_, NoRuntime>(answer()) })).unwrap(), 7);
    }

    #[test]
    fn what_nobody_waits_for_ends() {
        struct Notice(std::sync::mpsc::Sender<()>);
        impl Drop for Notice {
            fn drop(&mut self) {
                self.0.send(()).unwrap();
            }
        }
        let (send, ended) = std::sync::mpsc::channel();
        let notice = Notice(send);
        let never = spawned(async move {
            let _notice = notice;
            std::future::pending::<Result<(), NoRuntime>>().await
        });
        let limited =
            async { Ok::<_, NoRuntime>(tokio::time::timeout(Duration::from_millis(5), never).await.is_err()) };
        assert!(wait(limited).unwrap());
        ended.recv_timeout(Duration::from_secs(10)).unwrap();
    }
}
