//! Giving up on what may never end, such as asking a server that does not answer.

use std::{sync::mpsc::sync_channel, thread, time::Duration};

/// Does something in a thread of its own and gives its result, or nothing when there is none after
/// `limit`. Then the thread is left alone with what it was given, until the process ends.
pub fn within<T: Send + 'static>(limit: Duration, act: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (give, result) = sync_channel(1);
    // Nobody may be waiting any more.
    let act = move || give.send(act()).unwrap_or_default();
    thread::Builder::new().spawn(act).ok()?;
    result.recv_timeout(limit).ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn what_ends_gives_its_result_and_what_does_not_is_given_up() {
        assert_eq!(within(Duration::MAX, || 7), Some(7));
        let (end, until) = channel::<()>();
        assert_eq!(within(Duration::from_millis(20), move || until.recv().is_ok()), None);
        drop(end);
    }
}
