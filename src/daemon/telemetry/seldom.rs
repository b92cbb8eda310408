//! What may happen often, and is told seldom.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// Lets something be told once in a while.
pub(crate) struct Seldom {
    began: Instant,
    pause: Duration,
    /// When it may be told again, in milliseconds since the beginning.
    next: AtomicU64,
    untold: AtomicU64,
}

impl Seldom {
    /// Tells at once, and then after such pauses.
    pub(crate) fn after(pause: Duration) -> Self {
        Self { began: Instant::now(), pause, next: AtomicU64::new(0), untold: AtomicU64::new(0) }
    }

    /// It happened so many times. How many times it did since it was told last, if it is to be told now.
    pub(crate) fn happened(&self, times: u64) -> Option<u64> {
        let untold = self.untold.fetch_add(times, Ordering::Relaxed) + times;
        let now = millis(self.began.elapsed());
        let next = self.next.load(Ordering::Relaxed);
        let later = now.saturating_add(millis(self.pause));
        let is_mine =
            now >= next && self.next.compare_exchange(next, later, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        is_mine.then(|| {
            self.untold.fetch_sub(untold, Ordering::Relaxed);
            untold
        })
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happens_often_is_told_with_how_often() {
        let always = Seldom::after(Duration::ZERO);
        assert_eq!([always.happened(1), always.happened(3)], [Some(1), Some(3)]);
        let once = Seldom::after(Duration::from_secs(3_600));
        assert_eq!([once.happened(2), once.happened(1), once.happened(5)], [Some(2), None, None]);
        once.next.store(0, Ordering::Relaxed);
        assert_eq!(once.happened(1), Some(7));
    }
}
