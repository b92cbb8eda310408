use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::problem::Problem;

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long to wait for a server that went away while it was written.
const LIMIT: Duration = Duration::from_secs(60);

/// Waiting for a server to come back: pauses that grow, up to a limit in all.
pub(crate) struct Patience {
    began: Instant,
    pause: Duration,
    limit: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { began: Instant::now(), pause: FIRST_PAUSE, limit: LIMIT }
    }
}

impl Patience {
    /// Waiting for a limited time.
    pub(crate) fn limited_to(limit: Duration) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Waits a while; `false`, at once, when that was done for long enough.
    pub(crate) fn wait(&mut self) -> bool {
        let pause = self.pause();
        pause.map(sleep).is_some()
    }

    /// How long to wait now; `None` when that was done for long enough.
    pub(crate) fn pause(&mut self) -> Option<Duration> {
        if self.began.elapsed() + self.pause > self.limit {
            return None;
        }
        let longer = (self.pause * 2).min(LONGEST_PAUSE);
        Some(std::mem::replace(&mut self.pause, longer))
    }

    /// The error that remained, with how long it did.
    pub(crate) fn exhausted(&self, error: Problem) -> Problem {
        let waited = self.began.elapsed().as_secs();
        Problem { message: format!("{}, for {waited} s by now", error.message), ..error }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::problem::Kind;

    #[test]
    fn patience_ends() {
        let mut patience = Patience::default();
        assert!(patience.wait(), "there is a minute");
        patience.limit = Duration::ZERO;
        assert!(!patience.wait());
        let error = Problem::new(Kind::Unavailable, "it is away".to_owned(), None);
        assert_eq!(patience.exhausted(error).message, "it is away, for 0 s by now");
    }
}
