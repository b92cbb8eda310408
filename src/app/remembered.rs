//! What a store that is held remembers of requests: the features that they mean, ready to be read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use crate::{
    model::{RegistryState, Timestamp},
    problem::Problem,
    retrieval::{FeatureRequest, Retrieval},
    serving::{Answer, Asked, OnlineFeatures, ServedFeatures},
};

/// How many requests are remembered: callers ask for few different ones, and those that make them up cost no memory.
const MOST: usize = 1_000;

/// The features of a request.
pub(super) struct Prepared {
    /// Where they were found.
    pub(super) state: Arc<RegistryState>,
    pub(super) retrieval: Arc<Retrieval>,
    pub(super) features: Features,
}

/// Features that are ready to be read.
pub(super) enum Features {
    /// From an online store.
    Stored(OnlineFeatures),
    /// From a feature server.
    Served(ServedFeatures),
}

impl Features {
    /// The features of each entity, as they stand at `now`, or as a server says they do.
    ///
    /// # Errors
    /// When a join key is missing or none of its type, or they cannot be read, or not before the deadline.
    pub(super) async fn of(&self, asked: Asked<'_>, now: Timestamp, deadline: Instant) -> Result<Answer, Problem> {
        match self {
            Self::Stored(features) => features.of(asked, now, deadline).await,
            Self::Served(features) => features.of(asked, deadline).await,
        }
    }
}

/// The requests that were asked since the registry was read last.
#[derive(Default)]
pub(super) struct Remembered(Mutex<Inner>);

#[derive(Default)]
struct Inner {
    /// What they were resolved in.
    state: Option<Arc<RegistryState>>,
    requests: HashMap<FeatureRequest, Arc<Prepared>>,
}

impl Remembered {
    /// The features of a request, if it was resolved in just this state.
    pub(super) fn get(&self, state: &Arc<RegistryState>, request: &FeatureRequest) -> Option<Arc<Prepared>> {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = inner.state.as_ref().is_some_and(|known| Arc::ptr_eq(known, state));
        if is_same { inner.requests.get(request).cloned() } else { None }
    }

    /// Remembers a request that was resolved in a state, and none of another state.
    pub(super) fn put(&self, state: &Arc<RegistryState>, request: &FeatureRequest, prepared: &Arc<Prepared>) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = inner.state.as_ref().is_some_and(|known| Arc::ptr_eq(known, state));
        if !is_same || inner.requests.len() >= MOST {
            inner.requests.clear();
        }
        inner.state = Some(Arc::clone(state));
        inner.requests.insert(request.clone(), Arc::clone(prepared));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{online::MemoryOnlineStore, retrieval::Selection};

    fn request(number: usize) -> FeatureRequest {
        FeatureRequest { selection: Selection::of_service(format!("service {number}")), full_feature_names: false }
    }

    fn prepared() -> Arc<Prepared> {
        let retrieval = Arc::new(Retrieval::default());
        let features =
            OnlineFeatures::new("p", Arc::clone(&retrieval), &MemoryOnlineStore::default(), &Arc::default()).unwrap();
        Arc::new(Prepared { state: Arc::default(), retrieval, features: Features::Stored(features) })
    }

    #[test]
    fn a_request_is_remembered_for_the_state_in_which_it_was_resolved() {
        let (remembered, prepared) = (Remembered::default(), prepared());
        // States that are equal are not the same reading.
        let [one, other] = [(); 2].map(|()| Arc::new(RegistryState::default()));
        remembered.put(&one, &request(1), &prepared);
        assert!(Arc::ptr_eq(&remembered.get(&one, &request(1)).unwrap(), &prepared));
        let full = FeatureRequest { full_feature_names: true, ..request(1) };
        assert!(remembered.get(&one, &full).is_none() && remembered.get(&other, &request(1)).is_none());
        remembered.put(&other, &request(2), &prepared);
        assert!(remembered.get(&one, &request(1)).is_none() && remembered.get(&other, &request(1)).is_none());
    }

    #[test]
    fn requests_that_are_made_up_cost_no_memory() {
        let (remembered, prepared, state) = (Remembered::default(), prepared(), Arc::default());
        for number in 0..2 * MOST + 1 {
            remembered.put(&state, &request(number), &prepared);
            assert!(remembered.0.lock().unwrap().requests.len() <= MOST);
        }
        assert!(remembered.get(&state, &request(2 * MOST)).is_some());
    }
}
