use std::{
    thread::sleep,
    time::{Duration, Instant},
};

use crate::problem::{Kind, Problem};

const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long to wait for a server that went away while it was written.
const LIMIT: Duration = Duration::from_secs(60);

/// Waiting for a server to come back: longer and longer, but not for ever.
pub struct Patience {
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
    pub fn limited_to(limit: Duration) -> Self {
        Self { limit, ..Self::default() }
    }

    /// Waits a while; `false`, at once, when that was done for long enough.
    pub fn wait(&mut self) -> bool {
        if self.began.elapsed() + self.pause > self.limit {
            return false;
        }
        sleep(self.pause);
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        true
    }

    /// The error that remained, with how long it did.
    pub fn exhausted(&self, error: Problem) -> Problem {
        let waited = self.began.elapsed().as_secs();
        Problem::new(Kind::Unavailable, format!("{}, for {waited} s by now", error.message), error.help())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
