//! What a store that is held remembers of requests: the features that they mean, ready to be read.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    model::RegistryState,
    retrieval::{FeatureRequest, Retrieval},
    serving::OnlineFeatures,
};

/// How many requests are remembered: callers ask for few different ones, and those that make them up cost no memory.
const MOST: usize = 1_000;

/// The features of a request.
pub(super) struct Prepared {
    pub(super) retrieval: Arc<Retrieval>,
    pub(super) features: OnlineFeatures,
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
