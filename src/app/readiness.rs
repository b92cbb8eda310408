//! Whether the stores are there that answers need.

use std::{sync::Arc, time::Duration};

use tokio::time::timeout;

use super::{Caller, FeatureStore};
use crate::{
    clients::runtime::blocking,
    problem::{Kind, Problem},
    registry::Status,
};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readiness {
    /// How right a store that is held is about what is registered; `None` if it knows nothing.
    pub registry_status: Option<Status>,
    /// Why what is registered cannot be read, if nothing is known of it.
    pub registry: Option<Problem>,
    /// Why the online store does not answer, or that there is none.
    pub online_store: Option<Problem>,
}

/// Looks whether something is known of what is registered, and whether the online store answers within a time.
pub async fn readiness(store: &Arc<FeatureStore>, _: &Caller, longest: Duration) -> Readiness {
    let within = |what: &'static str, act: fn(&FeatureStore) -> Result<(), Problem>| {
        let store = Arc::clone(store);
        async move {
            let late = || Err(Problem::new(Kind::Deadline, format!("{what} does not answer in time"), None));
            timeout(longest, blocking(move || act(&store))).await.unwrap_or_else(|_| late()).err()
        }
    };
    let registry = within("the registry", |store| store.registered().map(|_| ())).await;
    let online_store = within("the online store", |store| store.required_online()?.reach()).await;
    Readiness { registry_status: store.registry_status(), registry, online_store }
}
