//! Whether the server can answer: what is registered is known, and the online store answers.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::sync::Mutex;
use utoipa::ToSchema;

use crate::{
    app::{
        Caller, FeatureStore,
        readiness::{Readiness as Found, readiness},
    },
    problem::Problem,
};

/// So long an answer about the stores counts, however many ask.
const KEPT: Duration = Duration::from_secs(1);

/// How long the stores may take to answer.
const LONGEST: Duration = Duration::from_secs(2);

/// What was found when somebody asked last.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Found)>>);

/// What is told about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadyReport {
    /// Whether requests for features can be answered.
    pub(super) ready: bool,
    /// Whether the server is about to end.
    ending: bool,
    registry: RegistryReport,
    online_store: StoreReport,
}

/// How right the server is about what is registered. It goes on with what it knows while the registry is away.
#[derive(Debug, Serialize, ToSchema)]
struct RegistryReport {
    /// When it was read; null if it never was.
    read: Option<String>,
    /// When it was last known to be so.
    confirmed: Option<String>,
    /// Why it cannot be read, if it cannot.
    problem: Option<String>,
}

/// Whether a store answers.
#[derive(Debug, Serialize, ToSchema)]
struct StoreReport {
    /// Why it does not, if it does not.
    problem: Option<String>,
}

impl Readiness {
    /// What is told now of a store, by a server that is about to end or is not.
    pub(super) async fn report(&self, store: &Arc<FeatureStore>, caller: &Caller, ending: bool) -> ReadyReport {
        let mut kept = self.0.lock().await;
        let found = match kept.as_ref().filter(|(at, _)| at.elapsed() < KEPT) {
            Some((_, found)) => found.clone(),
            None => {
                let found = readiness(store, caller, LONGEST).await;
                *kept = Some((Instant::now(), found.clone()));
                found
            }
        };
        let text = |problem: Problem| problem.message;
        let status = found.registry_status;
        ReadyReport {
            ready: !ending && found.online_store.is_none() && status.is_some(),
            ending,
            registry: RegistryReport {
                read: status.as_ref().map(|status| status.read.to_string()),
                confirmed: status.as_ref().map(|status| status.confirmed.to_string()),
                problem: status.and_then(|status| status.problem).or(found.registry).map(text),
            },
            online_store: StoreReport { problem: found.online_store.map(text) },
        }
    }
}
