//! What all handlers share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;

use super::{
    jobs::Jobs,
    readiness::{Readiness, ReadyReport},
    settings::Settings,
};
use crate::{
    app::{FeatureStore, Gate},
    daemon::telemetry::Telemetry,
    problem::Problem,
};

/// Requests whose rows are written at a time. They wait for stores on threads that readers share, of which half are left.
const WRITERS: usize = 32;

/// What all handlers share.
pub(super) struct State {
    /// The store that is served.
    pub(super) store: Arc<FeatureStore>,
    /// Who finds out who asks.
    pub(super) gate: Arc<Gate>,
    /// How long the answer to a request may take.
    pub(super) deadline: Duration,
    /// How many bytes the body of a request may have.
    pub(super) body_limit: usize,
    /// One for each request that may be worked on.
    pub(super) places: Semaphore,
    /// What is told of requests.
    pub(super) telemetry: Arc<Telemetry>,
    /// How long a request that writes rows may take.
    pub(super) write_deadline: Duration,
    /// How many bytes the body of such a request may have.
    pub(super) write_limit: usize,
    /// One for each request whose rows may be written at a time.
    pub(super) writers: Arc<Semaphore>,
    /// Whether rows and ends of materializations may be of a moment that is not there yet.
    pub(super) allow_future: bool,
    /// The materializations that go on.
    pub(super) jobs: Jobs,
    /// What was found when somebody asked last whether the server is ready.
    readiness: Readiness,
    is_ending: AtomicBool,
}

impl State {
    /// What handlers of a store share.
    ///
    /// # Errors
    /// When what is told of requests cannot be told.
    pub(super) fn new(store: Arc<FeatureStore>, gate: Gate, settings: &Settings) -> Result<Self, Problem> {
        let telemetry = Arc::new(Telemetry::new(&settings.telemetry, &store, gate.own())?);
        Ok(Self {
            store,
            gate: Arc::new(gate),
            deadline: settings.deadline,
            body_limit: settings.body_limit,
            places: Semaphore::new(settings.most_requests.min(Semaphore::MAX_PERMITS)),
            telemetry,
            write_deadline: settings.write_deadline,
            write_limit: settings.write_body_limit,
            writers: Arc::new(Semaphore::new(WRITERS)),
            allow_future: settings.allow_future,
            jobs: Jobs::new(settings.materializations),
            readiness: Readiness::default(),
            is_ending: AtomicBool::new(false),
        })
    }

    /// From now on the server is not ready, and begins no materialization.
    pub(super) fn end(&self) {
        self.jobs.end();
        self.is_ending.store(true, Ordering::SeqCst);
    }

    /// Whether it can answer.
    pub(super) async fn ready(&self) -> ReadyReport {
        let ending = self.is_ending.load(Ordering::SeqCst);
        self.readiness.report(&self.store, &self.gate, ending).await
    }
}
