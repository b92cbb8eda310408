//! How much memory queries may use.

use std::{
    sync::{Mutex, PoisonError},
    thread,
};

use crate::config::MemoryLimit;

/// How much memory all queries may use together.
pub(crate) struct Memory {
    /// As the person set it.
    pub limit: MemoryLimit,
    /// Bytes to which it was raised; 0 as long as it was not.
    raised: Mutex<u64>,
}

impl Memory {
    /// What the person set.
    pub(crate) const fn new(limit: MemoryLimit) -> Self {
        Self { limit, raised: Mutex::new(0) }
    }

    /// The limit in bytes without which batches of this many columns do not fit and no query can run, if it is more
    /// than what was set. `None` if what is set is enough.
    pub(crate) fn raised_for(&self, columns: usize) -> Option<u64> {
        /// Of everything else.
        const BASE: u64 = 192 << 20;
        /// Of the vectors of one column, of which several batches are under way in each thread.
        const COLUMN: u64 = 2048 * 16 * 8;
        let threads = thread::available_parallelism().map_or(1, |threads| threads.get() as u64);
        let least = BASE + columns as u64 * COLUMN * threads;
        let mut raised = self.raised.lock().unwrap_or_else(PoisonError::into_inner);
        let is_less = self.limit.bytes().is_some_and(|limit| limit.max(*raised) < least);
        is_less.then(|| {
            *raised = least;
            least
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_is_raised_once_and_never_lowered() {
        let memory = Memory::new("1MB".parse().unwrap());
        let raised = memory.raised_for(1_000);
        assert!(raised.is_some());
        assert_eq!(memory.raised_for(10), None);
        assert!(memory.raised_for(2_000) > raised);
        assert_eq!(Memory::new("1TB".parse().unwrap()).raised_for(1_000), None);
    }
}
