//! Answers of the API server, kept for a while. Who asks what somebody else is asking waits for the same answer.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::problem::Problem;

/// How many answers are kept.
const MOST: usize = 10_000;

/// Answers by what was asked.
#[derive(Debug)]
pub(super) struct Kept<K, V>(Mutex<HashMap<K, Arc<Slot<V>>>>);

#[derive(Debug)]
struct Slot<V> {
    said: Mutex<Said<V>>,
    /// Held by the one who asks.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct Said<V> {
    /// The answer, and until when it counts.
    answer: Option<(V, Instant)>,
    /// When there was none, and why.
    failure: Option<(Instant, Problem)>,
}

impl<K, V> Default for Kept<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Hash + Eq, V: Clone> Kept<K, V> {
    /// The answer, if it is known and still counts.
    pub(super) fn at_hand(&self, key: &K) -> Option<V> {
        let slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        slots.get(key)?.current()
    }

    /// The answer, asked for if it is not known or counts no more; `ask` also says how long it will, from before it was asked.
    ///
    /// # Errors
    /// Those of `ask`, also where somebody else asked meanwhile.
    pub(super) async fn get(
        &self,
        key: K,
        ask: impl Future<Output = Result<(V, Duration), Problem>>,
    ) -> Result<V, Problem> {
        let (slot, began) = (self.slot(key), Instant::now());
        if let Some(answer) = slot.current() {
            return Ok(answer);
        }
        let _turn = slot.turn.lock().await;
        if let Some(answer) = slot.current() {
            return Ok(answer);
        }
        if let Some((at, problem)) = &slot.said().failure
            && *at >= began
        {
            return Err(problem.clone());
        }
        let asked = Instant::now();
        let answer = ask.await;
        let mut said = slot.said();
        match answer {
            Ok((answer, lifespan)) => {
                *said = Said { answer: Some((answer.clone(), asked + lifespan)), failure: None };
                Ok(answer)
            }
            Err(problem) => {
                said.failure = Some((Instant::now(), problem.clone()));
                Err(problem)
            }
        }
    }

    /// Where there are too many, those that count no more make room, or else all.
    fn slot(&self, key: K) -> Arc<Slot<V>> {
        let mut slots = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(&key) {
            return Arc::clone(slot);
        }
        if slots.len() >= MOST {
            slots.retain(|_, slot| slot.current().is_some());
            if slots.len() >= MOST {
                slots.clear();
            }
        }
        let slot = Arc::new(Slot {
            said: Mutex::new(Said { answer: None, failure: None }),
            turn: tokio::sync::Mutex::default(),
        });
        slots.insert(key, Arc::clone(&slot));
        slot
    }
}

impl<V: Clone> Slot<V> {
    fn said(&self) -> std::sync::MutexGuard<'_, Said<V>> {
        self.said.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn current(&self) -> Option<V> {
        let said = self.said();
        said.answer.as_ref().filter(|(_, end)| Instant::now() < *end).map(|(answer, _)| answer.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::{clients::runtime::wait, problem::Kind};

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn one_asks_for_all() {
        let (kept, asked) = (Kept::<u8, u8>::default(), AtomicUsize::new(0));
        let get = || {
            kept.get(1, async {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                Ok((7, LONG))
            })
        };
        let (first, second) = wait(async { Ok::<_, Problem>(tokio::join!(get(), get())) }).unwrap();
        assert_eq!((first.unwrap(), second.unwrap(), asked.load(Ordering::Relaxed)), (7, 7, 1));
        assert_eq!((kept.at_hand(&1), kept.at_hand(&2)), (Some(7), None));
    }

    #[test]
    fn an_answer_counts_until_its_end_and_a_failure_for_those_who_wait() {
        let kept = Kept::<u8, u8>::default();
        let over = || async { Ok((7, Duration::ZERO)) };
        assert_eq!(wait(kept.get(1, over())).unwrap(), 7);
        assert_eq!(kept.at_hand(&1), None);
        let asked = AtomicUsize::new(0);
        let fail = || {
            kept.get(1, async {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(10)).await;
                Err(Problem::new(Kind::Unavailable, "it is away", None))
            })
        };
        let (first, second) = wait(async { Ok::<_, Problem>(tokio::join!(fail(), fail())) }).unwrap();
        assert_eq!((first.unwrap_err().kind, second.unwrap_err().kind), (Kind::Unavailable, Kind::Unavailable));
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        // The next one asks again.
        assert_eq!(wait(kept.get(1, async { Ok((8, LONG)) })).unwrap(), 8);
    }

    #[test]
    fn many_answers_cost_no_memory() {
        let kept = Kept::<usize, u8>::default();
        for key in 0..2 * MOST + 1 {
            wait(kept.get(key, async { Ok((1, LONG)) })).unwrap();
            assert!(kept.0.lock().unwrap().len() <= MOST);
        }
        assert_eq!(kept.at_hand(&(2 * MOST)), Some(1));
    }
}
