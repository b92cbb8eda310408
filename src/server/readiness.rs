//! Whether the server can answer: what is registered is known, the online store answers, and so are the keys of who signs
//! tokens.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{sync::Mutex, time::timeout};
use utoipa::ToSchema;

use crate::{
    app::{
        FeatureStore, Gate,
        readiness::{Readiness as Found, readiness},
    },
    problem::{Kind, Problem},
};

/// So long an answer about the stores counts, however many ask.
const KEPT: Duration = Duration::from_secs(1);

/// How long the stores may take to answer.
const LONGEST: Duration = Duration::from_secs(2);

/// What was found when somebody asked last.
#[derive(Default)]
pub(super) struct Readiness(Mutex<Option<(Instant, Found, Option<Problem>)>>);

/// What is told about it.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ReadyReport {
    /// Whether requests for features can be answered.
    pub(super) ready: bool,
    /// Whether the server is about to end.
    ending: bool,
    registry: RegistryReport,
    online_store: StoreReport,
    /// Those who sign tokens, if people are asked who they are. They may be away as long as their keys are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    identity_provider: Option<StoreReport>,
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
    pub(super) async fn report(&self, store: &Arc<FeatureStore>, gate: &Gate, ending: bool) -> ReadyReport {
        let mut kept = self.0.lock().await;
        let (found, unknown) = match kept.as_ref().filter(|(at, ..)| at.elapsed() < KEPT) {
            Some((_, found, unknown)) => (found.clone(), unknown.clone()),
            None => {
                let late = || Err(Problem::new(Kind::Deadline, "the identity provider does not answer", None));
                let keys = timeout(LONGEST, gate.prepare());
                let (found, keys) = tokio::join!(readiness(store, gate.own(), LONGEST), keys);
                let unknown = keys.unwrap_or_else(|_| late()).err();
                *kept = Some((Instant::now(), found.clone(), unknown.clone()));
                (found, unknown)
            }
        };
        let text = |problem: Problem| problem.message;
        let status = found.registry_status;
        ReadyReport {
            ready: !ending && found.online_store.is_none() && unknown.is_none() && status.is_some(),
            ending,
            registry: RegistryReport {
                read: status.as_ref().map(|status| status.read.to_string()),
                confirmed: status.as_ref().map(|status| status.confirmed.to_string()),
                problem: status.and_then(|status| status.problem).or(found.registry).map(text),
            },
            online_store: StoreReport { problem: found.online_store.map(text) },
            identity_provider: gate.is_guarded().then(|| StoreReport { problem: unknown.map(text) }),
        }
    }
}
