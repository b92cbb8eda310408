use std::sync::{Mutex, PoisonError};

/// How many connections are kept for later.
const KEPT: usize = 16;

/// Connections that nobody uses now, the last used first.
#[derive(Debug)]
pub(crate) struct Idle<T>(Mutex<Vec<T>>);

impl<T> Default for Idle<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Idle<T> {
    /// One that has been kept. Its other end may have ended it meanwhile.
    pub(crate) fn take(&self) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    /// Keeps one that works, or drops it when there are enough.
    pub(crate) fn keep(&self, connection: T) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT {
            kept.push(connection);
        }
    }
}
