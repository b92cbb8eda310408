//! Functions of DuckDB are handed numbers and texts only, so what they read is known by number.

use std::{
    collections::BTreeMap,
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

/// Everything of a kind that functions can read at the moment.
#[derive(Debug)]
pub(crate) struct Numbers<T> {
    known: Mutex<BTreeMap<u64, Arc<T>>>,
    next: AtomicU64,
}

impl<T> Numbers<T> {
    /// Nothing yet.
    pub(crate) const fn new() -> Self {
        Self { known: Mutex::new(BTreeMap::new()), next: AtomicU64::new(1) }
    }

    /// Makes something known.
    pub(crate) fn add(&'static self, value: T) -> Numbered<T> {
        let (number, value) = (self.next.fetch_add(1, Ordering::Relaxed), Arc::new(value));
        self.known().insert(number, Arc::clone(&value));
        Numbered { number, value, among: self }
    }

    /// What has a number, if it is still there.
    pub(crate) fn get(&self, number: u64) -> Option<Arc<T>> {
        self.known().get(&number).cloned()
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<T>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Something that functions can read, any number of times, as long as this value lives.
#[derive(Debug)]
pub(crate) struct Numbered<T: 'static> {
    number: u64,
    value: Arc<T>,
    among: &'static Numbers<T>,
}

impl<T> Numbered<T> {
    /// The number, which is the argument of the function.
    pub(crate) const fn number(&self) -> u64 {
        self.number
    }
}

impl<T> Deref for Numbered<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T> Drop for Numbered<T> {
    fn drop(&mut self) {
        self.among.known().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_known_by_number_as_long_as_they_live() {
        static TEXTS: Numbers<&str> = Numbers::new();
        let (one, other) = (TEXTS.add("one"), TEXTS.add("other"));
        let known = |number| TEXTS.get(number).map(|text| *text);
        assert_eq!([one.number(), other.number()].map(known), [Some("one"), Some("other")]);
        let number = one.number();
        drop(one);
        assert_eq!([number, other.number()].map(known), [None, Some("other")]);
    }
}
